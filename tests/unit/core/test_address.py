"""The hash of an address: the interpreter's, and never taken along into another process."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

from planner.address import Address

ONE = Address("D601/v03", "Deployment", "apps", "shop", "api")


def test_equal_addresses_have_one_hash_that_no_python_makes() -> None:
    """A plan asks for it some seventy times for each object."""
    other = Address.parse(str(ONE))
    assert other == ONE and hash(other) == hash(ONE) and len({ONE, other}) == 1
    assert Address.__hash__ is tuple.__hash__ and Address.__eq__ is tuple.__eq__


def test_a_pickle_holds_no_hash() -> None:
    """Hashes of texts differ between processes; one that came along would find nothing."""
    hash(ONE)
    look = "import pickle, sys; a = pickle.load(sys.stdin.buffer); print(a in {type(a)(*%r): 1})" % (  # noqa: UP031
        (ONE.node_lane, ONE.kind, ONE.group, ONE.namespace, ONE.name),
    )
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        ran = subprocess.run(
            [sys.executable, "-c", look], input=pickle.dumps(ONE), env=env, capture_output=True, check=True
        )
        assert ran.stdout.strip() == b"True"
