"""The monitor of a lane's pull requests: reads, has planner.pulls decide, plans and applies, rolls out, writes down."""
