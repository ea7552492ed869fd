"""HTTP to any URL, for providers that ask something other than a cluster or a registry."""
