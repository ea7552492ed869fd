"""Where a public registry may not send us for a blob."""

import pytest

from planner.errors import PermanentError
from providers.images.registry_answers import refuse_internal_address


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::", "::ffff:127.0.0.1", "224.0.0.1"]
)
def test_inner_addresses_are_refused(address: str) -> None:
    with pytest.raises(PermanentError, match="nothing was sent there"):
        refuse_internal_address(address)


@pytest.mark.parametrize("address", ["203.0.113.5", "10.1.2.3", "2001:db8::1"])
def test_others_are_not(address: str) -> None:
    refuse_internal_address(address)
