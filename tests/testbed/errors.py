"""What can go wrong in the testbed itself, as opposed to in the tests that use it.

Owns the exception types of the testbed; it must not import anything of the project.
"""


class TestbedError(Exception):
    """The testbed could not do what it was asked to do."""

    __test__ = False


class PartMissing(TestbedError):
    """A part cannot be had on this machine: tests that need it are skipped, except in CI, where they fail."""


class StartFailed(TestbedError):
    """A part is there but did not become ready in time."""
