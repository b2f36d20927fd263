"""What every shipped profile promises, and that every case can come to an end."""

import re

from casework.law.profile import Profile
from casework.law.reach import reachable_states
from casework.law.vocabulary import REPORTER, Compartment, DayKind, Need

CITES = re.compile(r"(Pasal \d+|Lampiran [IVX]+)\b")


def test_every_state_can_be_reached(profile: Profile) -> None:
    assert reachable_states(profile) == {state.id for state in profile.states}


def test_from_every_state_some_path_leads_to_an_end(profile: Profile) -> None:
    ended = {state.id for state in profile.states if state.terminal}
    # A rejection is an end that a review or new information may undo.
    ended |= {state.id for state in profile.states if state.rejected and not state.open}
    grown = True
    while grown:
        before = len(ended)
        ended |= {
            state
            for act in profile.transitions
            for state in act.from_
            if act.target(state) in ended
        }
        grown = len(ended) > before
    assert ended == {state.id for state in profile.states}


def test_every_transition_cites_an_article_or_says_which_internal_rule_it_is(
    profile: Profile,
) -> None:
    articles = [(act.id, act.article) for act in profile.transitions]
    articles += [(state.id, state.article) for state in profile.states]
    articles += [(category.id, category.article) for category in profile.categories]
    articles += [(rule.id, rule.article) for rule in profile.deadlines]
    for name, article in articles:
        internal = re.fullmatch(r"\[C\] (Aturan|Target) internal: .{10,}", article)
        assert internal or CITES.search(article), (name, article)


def test_no_public_text_is_empty_or_holds_a_placeholder(profile: Profile) -> None:
    texts = [
        text
        for state in profile.states
        for text in (state.public_label, state.public_sentence, state.public_next)
    ]
    texts += [text for row in profile.outcomes for text in (row.public_label, row.public_sentence)]
    texts += [text.text for text in profile.texts]
    for text in texts:
        assert text.strip()
        assert not re.search(r"[{}<>%]|TODO|pengaduan", text), text


def test_only_the_narrative_is_required_to_submit(profile: Profile) -> None:
    assert [row.id for row in profile.contents if row.required_for_submission] == ["narrative"]


def test_two_officers_share_an_identity_and_none_holds_it_whole(profile: Profile) -> None:
    for name in (Compartment.IDENTITY, Compartment.CONTACT):
        found = profile.compartment(name)
        assert found.holders == (REPORTER,)
        assert len(found.shares) == 2
        for act in profile.transitions:
            assert name not in {held.compartment for held in act.grants}


def test_what_everyone_has_from_the_start_exists_from_the_start(profile: Profile) -> None:
    at_start = {rule.id for rule in profile.compartments if rule.from_start}
    assert at_start == {
        Compartment.CONTENT,
        Compartment.MAILBOX,
        Compartment.CONTACT,
        Compartment.IDENTITY,
    }
    assert profile.compartment(Compartment.MAILBOX).holders == (REPORTER,)


def test_badung_counts_local_days_off_and_gowa_has_none(badung: Profile, gowa: Profile) -> None:
    assert DayKind.DISPENSASI_DAERAH in badung.working_week.days_off
    assert DayKind.DISPENSASI_DAERAH not in gowa.working_week.days_off


def test_a_rejection_always_asks_for_its_reason(profile: Profile) -> None:
    for act in profile.transitions:
        if act.to in {state.id for state in profile.states if state.rejected}:
            assert {Need.REASON, Need.MISSING_ITEMS} & set(act.requires), act.id
            assert {"guardian", REPORTER} <= set(act.alerts), act.id
