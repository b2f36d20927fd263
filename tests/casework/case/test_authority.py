"""Who may give keys away follows from the acts of the profile."""

import pytest

from casework.case.authority import may_grant
from casework.law.catalogue import ProfileCatalogue

BADUNG = ProfileCatalogue.from_package().latest("badung")

GIVERS = {
    "content": {"operator", "verifikator", "irban", "inspektur"},
    "handling": {"operator", "verifikator", "irban", "inspektur"},
    "investigation": {"irban", "inspektur"},
    "aph": set(),
    "mailbox": set(),
    "contact": set(),
    "identity": set(),
}


@pytest.mark.parametrize("compartment", GIVERS)
def test_only_who_acts_with_a_compartment_gives_it(compartment: str) -> None:
    """Admin, monitor and examiners give nothing to anybody."""
    roles = [role.id for role in BADUNG.roles]
    givers = {role for role in roles if may_grant(BADUNG, (role,), compartment)}
    assert givers == GIVERS[compartment]
    assert not may_grant(BADUNG, (), compartment)
    assert may_grant(BADUNG, roles, compartment) == bool(givers)
