"""Which key of the configuration feeds a rendered field: found by rendering again, never by a guess."""
