"""`python -m planner`: the same as the command `hwplan`."""

from planner.cli import main

main()
