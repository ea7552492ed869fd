"""Speed and request counts against peers, on the real API server, in turn. `make bench` prints the table."""
