"""Git remotes: the head of a branch as data, and refs that are pushed forward, never forced.

Owns the one way in which the git binary is run, and what its answers mean; moves one ref at a time.
Kept free of imports: `providers.git.ssh_proxy_tunnel` is started for every ssh connection through a proxy.
"""
