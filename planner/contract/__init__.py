"""The suite that every provider passes, hwplan's own and those of other distributions.

For tests only: it needs pytest, and nothing of hwplan imports it. A provider brings a `Case` (or a `RunCase`, where its
kinds only run) and subclasses `ProviderContract` (`RunContract`) with a fixture `case`; docs/providers.md shows it.
"""

import pytest

pytest.register_assert_rewrite(
    "planner.contract.plan_and_apply", "planner.contract.suite", "planner.contract.run_promises"
)
