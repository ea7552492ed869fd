"""`python -m tests.testbed build|up|down|status`: the testbed from the shell.

Owns the command line only; the work is in `binaries.py` and `detached.py`.
"""

import argparse
import sys
import time

from tests.testbed import binaries, debian, detached
from tests.testbed.cluster import TestCluster
from tests.testbed.errors import TestbedError


def main() -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.testbed", description="The real parts, on 127.0.0.1.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="install and build what is not there yet")
    up = commands.add_parser("up", help="start a cluster that stays, and print how to reach it")
    up.add_argument("--no-controllers", action="store_true", help="only etcd and the API server")
    commands.add_parser("down", help="stop it and remove its files")
    commands.add_parser("status", help="say what runs; exit code 1 if something does not")
    arguments = parser.parse_args()
    try:
        if arguments.command == "build":
            return _build()
        if arguments.command == "up":
            return _up(controllers=not arguments.no_controllers)
        return _status() if arguments.command == "status" else _down()
    except TestbedError as error:
        print(error, file=sys.stderr)
        return 1


def _build() -> int:
    print(debian.install(), flush=True)
    for tool in (binaries.ETCD, binaries.KUBERNETES, binaries.KWOK, binaries.ARGOCD, binaries.MANIFESTS):
        for name in tool.packages:
            began = time.monotonic()
            path = binaries.ensure_one(tool, name)
            print(f"{name} {tool.version}: {path} ({time.monotonic() - began:.0f} s)", flush=True)
    return 0


def _up(*, controllers: bool) -> int:
    _print(detached.up(controllers=controllers))
    return 0


def _down() -> int:
    detached.down()
    return 0


def _status() -> int:
    processes = detached.recorded()
    for process in processes:
        print(f"{process.name}: {'runs' if process.alive() else 'ended'}, pid {process.pid}, log {process.log}")
    if not processes:
        print("not up")
        return 1
    if not all(process.alive() for process in processes):
        return 1
    _print(detached.load())
    return 0


def _print(cluster: TestCluster) -> None:
    print(f"kubeconfig: {cluster.kubeconfig}")
    print(f"API server: {cluster.server}")
    print(f"etcd: {cluster.etcd}")
    print(f"audit log: {cluster.audit_log}")
    print(f"kubectl: {cluster.kubectl}")


if __name__ == "__main__":
    sys.exit(main())
