"""The hash of an address: made once, and never taken along into another process."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

from planner.address import Address

ONE = Address("D601/v03", "Deployment", "apps", "shop", "api")


def test_equal_addresses_have_one_hash_that_is_made_once() -> None:
    other = Address.parse(str(ONE))
    assert other == ONE and hash(other) == hash(ONE) and len({ONE, other}) == 1
    assert "_hash" in vars(ONE) and "_hash" not in vars(copy.copy(ONE))


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
