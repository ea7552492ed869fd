"""HTTP/1.1 as every client of the providers speaks it: sockets, TLS, deadlines, reuse of connections, retries.

On the standard library alone. Follows no redirect, reads no proxy and no file of the environment, knows no credentials:
whom to ask and with which headers, and what an answer means, is its callers' to say.
"""
