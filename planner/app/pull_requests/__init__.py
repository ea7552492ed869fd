"""The monitor of a lane's pull requests: reads, has planner.pull_requests decide, plans and applies, rolls out, writes
down."""
