"""YAML and JSON text to values with their lines: what the API reads in manifests, and what our own files may say."""
