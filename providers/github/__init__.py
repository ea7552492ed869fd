"""GitHub: pull requests, comments, issues and commit statuses over its REST API."""
