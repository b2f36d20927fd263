"""What stands in the way of a recovery, on the server or in front of the share holders."""

from __future__ import annotations

from enum import StrEnum

from casework.errors import CaseworkError


class Obstacle(StrEnum):
    """Why a recovery does not go on."""

    NOTHING = "nothing_to_recover"
    RECEIVER = "receiver_unknown"
    MAY_NOT_HOLD = "receiver_may_not_hold"
    GRANT = "grant_not_genuine"
    ALL = "only_for_a_new_key"
    NOT_ALL = "not_everything_in_the_file"
    GUARDIAN = "guardian_may_not_guard"
    OTHER_INSTANCE = "other_instance"
    OTHER_CHAIN = "other_chain"
    MOVED_ON = "roster_moved_on"
    SIGNATURE = "not_signed_by_the_recovery_key"
    DAY = "day"
    NO_GUARDIAN = "no_guardian"
    IMPORTER = "importer_may_not"
    IMPORTED = "imported_before"
    STILL_HELD = "still_held"
    UNKNOWN_CASE = "case_unknown"
    NEW_CASES = "cases_came_in_since"


class RecoveryRefused(CaseworkError):
    """The recovery stops here. ``detail`` is a number or an id, never a secret."""

    def __init__(self, obstacle: Obstacle, detail: str = "") -> None:
        """Name the obstacle."""
        super().__init__(f"{obstacle}: {detail}" if detail else str(obstacle))
        self.obstacle = obstacle
        self.detail = detail
