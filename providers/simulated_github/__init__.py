"""A small GitHub in a folder: the endpoints that hwplan asks, over real bare repositories. See `request_routes.py`."""
