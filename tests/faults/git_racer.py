"""One pusher of a race, as a process of its own: plans when reported, applies when reported, and says what came of it.

python -m tests.faults.git_racer FOLDER        one line of JSON in, one out: {source, target, ref, mode}, then "go"
"""

import json
import sys
from pathlib import Path

from planner.errors import ProviderError
from tests.unit.git.git_world import World, follow, side


def main(folder: Path) -> None:
    """Race until standard input ends."""
    world = World(folder)
    for line in sys.stdin:
        reported = json.loads(line)
        wish = follow(side(reported["source"]), side(reported["target"], reported["ref"]), reported["mode"])
        change = world.again().change(wish)
        print(json.dumps({"wants": change.expects}), flush=True)
        sys.stdin.readline()
        try:
            world.apply(change)
            print(json.dumps({"end": "Written"}), flush=True)
        except ProviderError as error:
            print(json.dumps({"end": type(error).__name__, "message": error.message}), flush=True)


main(Path(sys.argv[1]))
