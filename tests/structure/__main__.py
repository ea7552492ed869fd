"""`python -m tests.structure`: prints the lists with their exceptions; ends with 1 when an entry is new."""

import sys

from tests.structure import exceptions, listing


def main() -> int:
    """Print each list; the exit code."""
    found = {
        "class names used twice": (listing.class_names_used_twice(), exceptions.CLASS_NAMES),
        "modules in no contract": (dict.fromkeys(listing.modules_in_no_contract(), ""), exceptions.MODULES),
        f"modules with one importer, under {listing.SMALL} lines": (
            listing.small_modules_with_one_importer(),
            exceptions.SMALL_MODULES,
        ),
        "docstrings that name nothing": (listing.docstrings_that_name_nothing(), {}),
    }
    bad = 0
    for title, (entries, allowed) in found.items():
        print(f"{title}: {len(entries)}")
        for name, where in entries.items():
            bad += name not in allowed
            print(f"  {name}  {where if isinstance(where, str) else ', '.join(where)}  {allowed.get(name, 'NEW')}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
