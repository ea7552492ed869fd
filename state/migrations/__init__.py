"""The schema, one numbered SQL file per step. A released file is never changed: the next step is a new file."""
