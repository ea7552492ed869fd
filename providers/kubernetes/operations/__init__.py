"""Kinds with an effect on objects of the cluster that ends: restart, clean-up, a command in a container."""
