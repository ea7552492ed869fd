"""What an apply would make of each object: by a dry run of the server, by its schema, or by the ownership of fields.

Reads and asks for dry runs; writes nothing.
"""
