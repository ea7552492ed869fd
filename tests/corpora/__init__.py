"""Published manifests, each set through its whole life on a real server (story.py); __main__.py is the command."""
