"""What is decided about pull requests: facts of GitHub and git as values, and pure rules over them. No I/O."""
