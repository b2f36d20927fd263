"""What a use case may refuse, in the domain's own words; HTTP status codes live in the portal.

No message of these errors holds anything that a user typed: they carry identifiers and message
keys, and the text that a person reads is looked up by key.
"""

from collections.abc import Mapping
from types import MappingProxyType


class CaseworkError(Exception):
    """Root of every refusal of the domain."""


class NotFound(CaseworkError):
    """The thing does not exist, or the actor may not know that it does."""


class Denied(CaseworkError):
    """The actor has no authority for this act."""


class InvalidTransition(CaseworkError):
    """The profile has no such transition from this state, for this role, in this situation."""

    def __init__(self, state: str, transition: str, role: str) -> None:
        """Name the refused step by identifiers only."""
        super().__init__(f"no transition {transition!r} from {state!r} for {role!r}")
        self.state = state
        self.transition = transition
        self.role = role


class InvalidInput(CaseworkError):
    """Everything that is wrong with an input, all at once: field -> message key."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        """Carry every field error of one input.

        Raises:
            ValueError: if there is no error to carry.
        """
        if not errors:
            raise ValueError("InvalidInput needs at least one field error")
        self.errors: Mapping[str, str] = MappingProxyType(dict(errors))
        super().__init__(", ".join(f"{field}: {key}" for field, key in self.errors.items()))


class Conflict(CaseworkError):
    """Somebody else changed the thing meanwhile; the actor must look again."""


class Expired(CaseworkError):
    """A window, session or token has run out."""


class Untrustworthy(CaseworkError):
    """What is stored contradicts itself, or what somebody has seen before: work must stop.

    Somebody wrote behind the portal's back, an old copy was put back, or a disk is failing.
    Subclasses stand beside the code that notices.
    """
