"""The domain refuses in its own words, with every field error at once."""

import pytest

from casework.errors import (
    CaseworkError,
    Conflict,
    Denied,
    Expired,
    InvalidInput,
    InvalidTransition,
    NotFound,
)


@pytest.mark.parametrize(
    "error", [NotFound, Denied, InvalidTransition, InvalidInput, Conflict, Expired]
)
def test_every_refusal_is_a_casework_error(error: type[Exception]) -> None:
    assert issubclass(error, CaseworkError)


def test_invalid_input_carries_all_fields_and_cannot_be_changed() -> None:
    given = {"reason": "law.reason_required", "outcome": "law.outcome_required"}
    error = InvalidInput(given)
    given.clear()
    assert dict(error.errors) == {
        "reason": "law.reason_required",
        "outcome": "law.outcome_required",
    }
    with pytest.raises(TypeError):
        error.errors["reason"] = "other"  # type: ignore[index]


def test_invalid_input_without_an_error_is_a_programmers_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        InvalidInput({})
