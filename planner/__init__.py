"""hwplan: plan and apply for CI/CD control planes on Kubernetes. This module holds the version only."""

__version__ = "0.1.0"
