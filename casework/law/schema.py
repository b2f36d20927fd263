"""The tables of a regulation profile: frozen structs that a TOML file converts to.

A struct's docstring explains the fields whose names do not say it all. The shape must carry all
five regulations of extraction §c, d, e, f and n.
"""

from datetime import date, time

import msgspec

from casework.law.vocabulary import (
    ACT,
    UNCHANGED,
    Basis,
    Compartment,
    DayKind,
    Direction,
    Lapse,
    Need,
    Routing,
)


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all tables: immutable, and strict about names."""


class WorkingWeek(Record, frozen=True, kw_only=True):
    """Which days are off: ISO weekdays (Monday 1) and kinds of the holiday table."""

    weekend: tuple[int, ...]
    days_off: tuple[DayKind, ...]


class ServiceHours(Record, frozen=True, kw_only=True):
    """Hours in which a submission is legally received (extraction §f.0 rule 5)."""

    opens: time
    closes: time
    article: str


class Protection(Record, frozen=True, kw_only=True):
    """The law by which nobody may be sued for a report in good faith; it may change."""

    article: str
    last_checked: date


class Reporting(Record, frozen=True, kw_only=True):
    """What a reporter may and must do."""

    anonymous: bool
    contact_asked: bool
    evidence_advised: int
    rating_scale: int = 0
    service_hours: ServiceHours | None = None
    protection: Protection | None = None
    article: str

    @property
    def rating(self) -> bool:
        """Whether the reporter may rate the handling after closure."""
        return self.rating_scale > 0


class Role(Record, frozen=True, kw_only=True):
    """An office on the roster. ``approves``: roles whose roster entries it may sign.

    ``excludes``: roles that nobody holds beside it; an admin holds no other anyway.
    ``generated_passphrase``: its passphrase is drawn, not chosen. ``audits``: sees who did what,
    without contents. ``monitors``: sees numbers, never a case.
    """

    id: str
    label: str
    approves: tuple[str, ...] = ()
    may_receive: bool = False
    may_guard: bool = False
    assignable: bool = False
    admin: bool = False
    excludes: tuple[str, ...] = ()
    generated_passphrase: bool = False
    audits: bool = False
    monitors: bool = False
    article: str


class CompartmentRule(Record, frozen=True, kw_only=True):
    """Who holds a compartment from the first moment.

    ``shares``: empty, or the two roles of which each holds one XOR share.
    """

    id: Compartment
    from_start: bool
    holders: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()


class Holding(Record, frozen=True, kw_only=True):
    """One compartment in the hands of a role, the reporter, the assigned or the guardian."""

    compartment: Compartment
    holder: str


class State(Record, frozen=True, kw_only=True):
    """A stage of a case; ``derived``: the word is ours, the text does not quote one.

    ``open``: somebody still has to act. ``rejected``: shown to the guardian at once.
    ``terminal``: no transition leads away.
    """

    id: str
    label: str
    public_label: str
    public_sentence: str
    public_next: str
    usual_next: str | None = None
    open: bool = True
    rejected: bool = False
    terminal: bool = False
    derived: bool = False
    article: str


class Flag(Record, frozen=True, kw_only=True):
    """A circumstance of a case that transitions depend on.

    ``declared``: stated by an officer at intake or classification; otherwise transitions or
    categories raise it.
    """

    id: str
    label: str
    declared: bool = False
    article: str


class Transition(Record, frozen=True, kw_only=True):
    """One act that the regulation knows: who, from where, to where, with what.

    ``to`` is a state or ``unchanged``. ``checklist``, ``documents``, ``approvals`` and
    ``requires`` must be brought. ``after_lapse_of``: only once that deadline has lapsed;
    ``only_if_overdue``: only once some deadline has. ``at_most``: times per case.
    ``alerts``: who is told at once. ``stops`` may be ``["all"]``. ``record``: the compartment
    in which an officer's act is recorded. ``tells_reason``: the reporter reads the reason.
    """

    id: str
    from_: tuple[str, ...] = msgspec.field(name="from")
    to: str
    by: tuple[str, ...]
    label: str
    article: str
    requires: tuple[Need, ...] = ()
    checklist: str | None = None
    documents: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    only_if: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    only_if_overdue: bool = False
    after_lapse_of: str | None = None
    at_most: int | None = None
    raises: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    grants: tuple[Holding, ...] = ()
    revokes: tuple[Holding, ...] = ()
    opens: tuple[str, ...] = ()
    meets: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    record: Compartment = Compartment.HANDLING
    tells_reason: bool = False

    def target(self, state: str) -> str:
        """Return the state of a case after this act in ``state``."""
        return state if self.to == UNCHANGED else self.to


class Submission(Record, frozen=True, kw_only=True):
    """The first act, which makes the case."""

    state: str
    label: str
    opens: tuple[str, ...] = ()
    article: str


class Category(Record, frozen=True, kw_only=True):
    """A class of complaint; ``raises``: flags that classifying a case so sets."""

    id: str
    label: str
    article: str
    raises: tuple[str, ...] = ()


class Content(Record, frozen=True, kw_only=True):
    """A field that a report should have; only one may block a submission."""

    id: str
    label: str
    article: str
    required_for_followup: bool = False
    required_for_submission: bool = False


class ChecklistItem(Record, frozen=True, kw_only=True):
    """A question to answer yes or no; ``must``: only a yes lets the act through."""

    id: str
    label: str
    article: str
    must: bool = False


class Checklist(Record, frozen=True, kw_only=True):
    """A list of questions of which each needs an answer."""

    id: str
    label: str
    items: tuple[ChecklistItem, ...]


class DocumentKind(Record, frozen=True, kw_only=True):
    """A document that an act refers to by number and date; ``sections``: its least contents."""

    id: str
    label: str
    article: str
    sections: tuple[str, ...] = ()


class Approval(Record, frozen=True, kw_only=True):
    """A consent that must be on file before an act."""

    id: str
    label: str
    article: str


class Deadline(Record, frozen=True, kw_only=True):
    """A clock. ``amount`` in units of ``basis``.

    ``starts_at``: ``act``, or the document kind whose date starts it. ``ambiguous``: the text
    does not name the unit; ``early_basis`` is the other reading. ``legal`` false: a target of
    the office, never shown as law. ``public_label`` empty: not shown to the reporter.
    ``lapse_transition``: the act that the lapse allows or brings about. Reminders are percent
    of the span, or days of the same basis before the due day.
    """

    id: str
    label: str
    public_label: str = ""
    amount: int
    basis: Basis
    direction: Direction = Direction.AFTER
    starts_at: str = ACT
    responsible: str
    legal: bool
    article: str
    ambiguous: bool = False
    early_basis: Basis | None = None
    lapse: Lapse = Lapse.FLAG
    lapse_transition: str | None = None
    alerts: tuple[str, ...] = ()
    remind_at_percent: tuple[int, ...] = ()
    remind_days_before: tuple[int, ...] = ()
    paused_in: tuple[str, ...] = ()


class Outcome(Record, frozen=True, kw_only=True):
    """A class of results, as the office and as the reporter read it."""

    id: str
    label: str
    public_label: str
    public_sentence: str


class Position(Record, frozen=True, kw_only=True):
    """A class of reported persons; ``public_reason`` says why a report cannot be taken."""

    id: str
    label: str
    routing: Routing
    public_reason: str = ""
    article: str


class Channel(Record, frozen=True, kw_only=True):
    """Another place to report to or ask for help; editable content with its own date."""

    id: str
    name: str
    contact: str
    about: str
    last_checked: date


class Duty(Record, frozen=True, kw_only=True):
    """A periodic duty of the office; ``due``: ``MM-DD`` in the following year, if fixed."""

    id: str
    label: str
    every_months: int
    due: str | None = None
    addressee: str = ""
    article: str


class Text(Record, frozen=True, kw_only=True):
    """A passage for a page that depends on the regulation."""

    id: str
    text: str
