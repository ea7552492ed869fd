"""Server-side apply as pure functions: what the API server would store, conflict about, or leave alone.

Nothing here touches network, clock or files (except the type table that is shipped beside this module). Held to the
real API server by `python -m tests.fidelity`.
"""
