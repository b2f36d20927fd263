"""Offices whose keys are lost, and share holders who decide, for the tests of recovery."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from casework.case import lost, recovery_import
from casework.case.lost import Exported, Request
from casework.case.recovery_import import Imported
from casework.keys import recovery, shares
from casework.keys.recovery import Decision, Meeting
from casework.keys.recovery_file import Result
from casework.law.catalogue import ProfileCatalogue
from crypto.persons import Person
from tests.casework.cases import Filed, file_report, join, leave
from tests.casework.office import Bench

REASON = "Berita acara contoh"


def export(bench: Bench, *receivers: str, **more: object) -> Exported:
    request = Request(receivers=receivers, **more)  # type: ignore[arg-type]
    with bench.office.read() as uow:
        return lost.export(uow, request)


def meet(data: bytes) -> Meeting:
    """The file on the offline machine, which has the program and nothing of the office."""
    return recovery.open_meeting(data, ProfileCatalogue.from_package())


def today(bench: Bench) -> date:
    return bench.clock.now.astimezone(bench.office.tz).date()


def decide(bench: Bench, data: bytes, **choices: object) -> Result:
    """Two of three holders put their shares together and decide."""
    decision = Decision(today(bench), REASON, **choices)  # type: ignore[arg-type]
    return recovery.decide(meet(data), decision, shares.combine(bench.mnemonics[1:]))


def bring_in(bench: Bench, username: str, data: bytes) -> Imported:
    return recovery_import.import_result(bench.office, bench[username], data)


@dataclass
class NewShares:
    """A new recovery key and its shares."""

    person: Person
    mnemonics: tuple[str, ...]


def new_shares() -> NewShares:
    person = Person.generate()
    return NewShares(person, shares.split(person, shares.Shares()))


def lose_handling(bench: Bench) -> Filed:
    """A case whose handling nobody holds: operator and verifikator are gone, a new one came."""
    filed = file_report(bench).bring_to("terkirim")
    leave(bench, "operator")
    leave(bench, "verifikator")
    join(bench, {"pengganti": ("verifikator",)})
    return filed


def dying_when(bench: Bench, condition: Callable[[], bool]) -> Bench:
    """The same office in a process that ends as soon as something is stored."""

    def clock() -> datetime:
        if condition():
            raise KeyboardInterrupt
        return bench.clock()

    return replace(bench, office=replace(bench.office, clock=clock))
