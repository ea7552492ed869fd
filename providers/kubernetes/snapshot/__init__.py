"""A cluster in a folder or a file: what a plan without credentials, the quick start and the tests work on.

Same code above it, same merge rules below it, and every output made from it says that it is simulated.
"""
