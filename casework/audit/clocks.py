"""The deadlines of a case, replayed from its leaves.

A clock may start on the date of a document; that date is sealed, so of it only the bounds are
known. Hours are counted from a moment, of which the leaf names the day. The holidays by which a
due day was counted are those of the version that its row names, which leaves vouch for
(:mod:`casework.audit.calendars`); a clock that runs counts by the newest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from casework.audit.findings import Finding, What
from casework.calendar.deadlines import FUTURE, PAST
from casework.calendar.holidays import latest_version, rows_of
from casework.calendar.tables import MET, RUNNING, STOPPED
from casework.law import engine
from casework.law.vocabulary import REPORTER, Basis
from casework.law.workdays import HolidayCalendar, due

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from casework.audit.findings import Counts, Findings
    from casework.calendar.tables import DeadlineRow
    from casework.case.past import Entry
    from casework.case.past import Past as CasePast
    from casework.case.tables import Case
    from casework.law.profile import Profile
    from casework.law.schema import Transition
    from casework.store.unit import UnitOfWork

_LAST_SECOND: Final = timedelta(days=1) - timedelta(seconds=1)


@dataclass
class Told:
    """A clock as the leaves tell of it; ``sealed``: a document's date starts it."""

    rule: str
    day: date
    sealed: bool
    status: str = RUNNING
    closed: date | None = None

    def is_of(self, row: DeadlineRow) -> bool:
        """Return whether a row can be this clock; its due day is not looked at."""
        if (row.rule, row.status, row.closed) != (self.rule, self.status, self.closed):
            return False
        if self.sealed:
            return self.day - PAST <= row.start <= self.day + FUTURE
        return row.start == self.day


@dataclass
class Clocks:
    """The look at the deadlines of cases, one after another."""

    uow: UnitOfWork
    findings: Findings
    counts: Counts
    _calendars: dict[tuple[str, int, int], HolidayCalendar] = field(default_factory=dict)
    _latest: int | None = None

    def look(
        self, case: Case, past: CasePast, profile: Profile, rows: Sequence[DeadlineRow]
    ) -> None:
        """Compare the deadlines of a case of which no leaf is missing."""
        self.counts.deadlines += len(rows)
        left = list(rows)
        unmatched = []
        for one in told(past, profile):
            row = next((row for row in left if one.is_of(row)), None)
            if row is None:
                unmatched.append(one)
                continue
            left.remove(row)
            if not self._is_due(profile, one, row):
                self._tell(What.DEADLINE_CHANGED, case, row.rule)
        for one in unmatched:
            changed = next((row for row in left if row.rule == one.rule), None)
            if changed is not None:
                left.remove(changed)
            what = What.DEADLINE_GONE if changed is None else What.DEADLINE_CHANGED
            self._tell(what, case, one.rule)
        for row in left:
            self._tell(What.DEADLINE_ADDED, case, row.rule)

    def _is_due(self, profile: Profile, one: Told, row: DeadlineRow) -> bool:
        """Return whether a row's due day follows from its start, by the holidays that it names."""
        rule = profile.deadline(row.rule)
        calendar = self._calendar(profile, row.calendar)
        tz = self.uow.office.tz
        if rule.basis is Basis.HOURS:
            morning = datetime.combine(one.day, time(), tzinfo=tz)
            earliest = due(rule, calendar, tz, morning).day
            latest = due(rule, calendar, tz, morning + _LAST_SECOND).day
            return earliest <= row.due <= latest and row.due_at is not None
        counted = due(rule, calendar, tz, row.start)
        if row.status == RUNNING and row.calendar != self._newest():
            return False
        if row.due_at is not None or row.warn != counted.warn_day:
            return False
        if row.due == counted.day or rule.responsible != REPORTER:
            return row.due == counted.day
        # A reporter's window never shrinks when the holidays change: an earlier table gave it.
        return row.due > counted.day and any(
            row.due == due(rule, self._calendar(profile, version), tz, row.start).day
            for version in range(1, row.calendar)
        )

    def _newest(self) -> int:
        if self._latest is None:
            self._latest = latest_version(self.uow.session)
        return self._latest

    def _calendar(self, profile: Profile, version: int) -> HolidayCalendar:
        key = (profile.id, profile.version, version)
        if key not in self._calendars:
            rows = rows_of(self.uow.session, version)
            self._calendars[key] = HolidayCalendar.from_rows(
                version,
                ((day, kind) for day, kind, _ in rows),
                weekend=profile.working_week.weekend,
                days_off=profile.working_week.days_off,
            )
        return self._calendars[key]

    def _tell(self, what: What, case: Case, name: str) -> None:
        self.findings.add(Finding(what, case=case.id, ticket=case.ticket, name=name))


def told(past: CasePast, profile: Profile) -> list[Told]:
    """Return every clock of a case by its leaves, in the order in which they began."""
    clocks: list[Told] = []
    rules = {one.id: one for one in profile.transitions}
    for entry in past.entries:
        if entry is past.submission:
            clocks += _opened(profile, entry, profile.submission.opens, ())
        elif (act := rules.get(entry.event)) is not None:
            _close(clocks, act.meets, MET, entry.day)
            _close(clocks, engine.stopped(profile, act), STOPPED, entry.day)
            _close(clocks, act.opens, STOPPED, entry.day)
            clocks += _opened(profile, entry, act.opens, _documents(act))
    return clocks


def _opened(
    profile: Profile, entry: Entry, opens: Sequence[str], documents: Sequence[str]
) -> Iterator[Told]:
    for name in opens:
        yield Told(name, entry.day, sealed=profile.deadline(name).starts_at in documents)


def _close(clocks: list[Told], rules: Sequence[str], status: str, day: date) -> None:
    for one in clocks:
        if one.status == RUNNING and one.rule in rules:
            one.status, one.closed = status, day


def _documents(act: Transition) -> tuple[str, ...]:
    return tuple(act.documents)
