"""A real browser for the HTML report: a small WebDriver client, and the command that makes the pictures of the docs."""
