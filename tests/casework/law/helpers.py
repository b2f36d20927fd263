"""Facts and walks over profiles, made from the profile itself."""

from collections.abc import Iterable
from datetime import date

from casework.law.engine import DocumentRef, Facts, Situation, Step, apply
from casework.law.profile import Profile
from casework.law.vocabulary import REPORTER, SYSTEM, Compartment, Need

DAY = date(2026, 11, 23)


def enough(profile: Profile, transition_id: str, situation: Situation | None = None) -> Facts:
    """Return facts that bring all that a transition asks for (the first category, outcome)."""
    act = profile.transition(transition_id)
    items = profile.checklist(act.checklist).items if act.checklist else ()
    return Facts(
        situation=situation or Situation(),
        reason="alasan",
        note="catatan",
        message="pesan",
        missing_items=("tanggal kejadian",),
        checklist={item.id: True for item in items},
        documents={kind: DocumentRef("094/1", DAY) for kind in act.documents},
        approvals=frozenset(act.approvals),
        assignees=("person-1", "person-2"),
        outcome=profile.outcomes[0].id if Need.OUTCOME in act.requires else None,
        category=profile.categories[0].id if Need.CATEGORY in act.requires else None,
        rating=4 if Need.RATING in act.requires else None,
    )


class Walk:
    """A case that remembers what its situation depends on, as the store would."""

    def __init__(self, profile: Profile, flags: Iterable[str] = ()) -> None:
        self.profile = profile
        self.state = profile.submission.state
        self.flags = frozenset(flags)
        self.lapsed: frozenset[str] = frozenset()
        self.running = set(profile.submission.opens)
        self.times: dict[str, int] = {}
        self.holders = {
            (rule.id, holder) for rule in profile.compartments for holder in rule.holders
        }
        self.made = {rule.id for rule in profile.compartments if rule.from_start}
        self.steps: list[Step] = []

    @property
    def situation(self) -> Situation:
        return Situation(self.flags, self.lapsed & self.running, dict(self.times))

    def take(self, transition_id: str, role: str, category: str | None = None) -> Step:
        facts = enough(self.profile, transition_id, self.situation)
        if category is not None:
            facts = Facts(
                situation=facts.situation,
                checklist=facts.checklist,
                documents=facts.documents,
                category=category,
            )
        return self.follow(apply(self.profile, self.state, transition_id, role, facts))

    def opens(self, role: str, compartment: Compartment) -> bool:
        """Whether an actor in ``role`` holds a compartment, or makes it because there is none."""
        if compartment not in self.made:
            self.made.add(compartment)
            self.holders.add((compartment, role))
        names = {role}
        for row in self.profile.roles:
            if row.id == role:
                names |= {"guardian"} if row.may_guard else set()
                names |= {"assigned"} if row.assignable else set()
        return any((compartment, name) in self.holders for name in names)

    def locked(self, step: Step) -> set[Compartment]:
        """The compartments that a step writes or hands on, but whose key its actor lacks."""
        act = self.profile.transition(step.transition)
        touched = {held.compartment for held in step.grants}
        told = {Need.MESSAGE, Need.MISSING_ITEMS, Need.OUTCOME} & set(act.requires)
        if step.role == REPORTER or told or act.tells_reason:
            touched.add(Compartment.CONTENT)
        if step.role not in {REPORTER, SYSTEM}:
            touched.add(act.record)
        return {name for name in touched if not self.opens(step.role, name)}

    def follow(self, step: Step) -> Step:
        assert not self.locked(step), (step.transition, step.role, self.locked(step))
        self.state = step.to_state
        self.flags = step.flags_after(self.flags)
        self.times[step.transition] = self.times.get(step.transition, 0) + 1
        self.running -= {*step.met, *step.stopped}
        self.running |= set(step.opened)
        self.lapsed &= frozenset(self.running)
        self.holders |= {(held.compartment, held.holder) for held in step.grants}
        self.holders -= {(held.compartment, held.holder) for held in step.revokes}
        self.steps.append(step)
        return step

    def take_all(self, *acts: tuple[str, str]) -> str:
        for transition_id, role in acts:
            self.take(transition_id, role)
        return self.state
