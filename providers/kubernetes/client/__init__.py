"""The connection to a live API server: kubeconfig, TLS, HTTP requests, discovery, and answers turned into errors.

Owns what goes over the wire. Knows nothing of plans, ownership or schemas.
"""
