"""When live objects are ready, kind by kind: one function for each kind. Pure; each looks at one object once."""
