"""Whether every state of a profile can be reached and left."""

from collections.abc import Iterator

from casework.law.locate import Path
from casework.law.profile import Profile
from casework.law.vocabulary import UNCHANGED


def reachable_states(profile: Profile) -> frozenset[str]:
    """Return every state that some path from the submission leads to."""
    found = {profile.submission.state}
    frontier = [profile.submission.state]
    while frontier:
        here = frontier.pop()
        for act in profile.transitions:
            there = act.target(here)
            if here in act.from_ and there not in found:
                found.add(there)
                frontier.append(there)
    return frozenset(found)


def flow_problems(profile: Profile) -> Iterator[tuple[Path, str]]:
    """Yield unreachable states, dead ends, and states whose marks contradict the flow."""
    reached = reachable_states(profile)
    left = {
        state
        for act in profile.transitions
        for state in act.from_
        if act.to not in {UNCHANGED, state}
    }
    ids = {state.id for state in profile.states}
    for n, state in enumerate(profile.states):
        path: Path = ("states", n)
        if state.id not in reached:
            yield path, f"unreachable state {state.id!r}"
        if state.terminal and state.id in left:
            yield path, f"terminal state {state.id!r} is left by a transition"
        if not state.terminal and state.id not in left:
            yield path, f"dead end: nothing leads out of {state.id!r}, and it is not terminal"
        if state.terminal and state.open:
            yield path, f"terminal state {state.id!r} cannot be open"
        if state.usual_next is not None and state.usual_next not in ids:
            yield (*path, "usual_next"), f"no {state.usual_next!r} in states"
