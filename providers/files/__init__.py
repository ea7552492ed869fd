"""LocalFile: a file on this machine, written as a whole or not at all."""
