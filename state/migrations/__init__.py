"""The schema, one numbered SQL file per step. A file that was released is never changed: the next step is a new file."""
