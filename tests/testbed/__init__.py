"""The testbed: starts the real systems that tests talk to, on this machine only. See its README.md."""
