"""HttpProbe: asks a URL until it answers as expected. Changes nothing anywhere."""
