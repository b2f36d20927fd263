"""A kill -9 at any moment leaves whole cases or none, and every case still opens."""

import os
import secrets
import select as readiness
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import select, text

from casework.errors import CaseworkError
from casework.handling.acts import open_case
from casework.intake import submit
from casework.log import checkpoints, keys, tree
from casework.log.tables import Node
from casework.store.office import Office
from casework.store.unit import UnitOfWork
from crypto import checkpoint, merkle
from crypto.note import SignedNote
from tests.casework.cases import (
    Filed,
    all_verified,
    copy_of,
    file_report,
    full_facts,
    inbox,
    reopened,
    report_of,
    sign_in_reporter,
)
from tests.casework.conftest import close
from tests.casework.office import Bench

KILLS = 20

ORPHANS = {
    "item without case or leaf": "SELECT count(*) FROM item WHERE case_id NOT IN"
    ' (SELECT id FROM "case") OR leaf NOT IN (SELECT number FROM leaf)',
    "item without part": "SELECT count(*) FROM item WHERE id NOT IN (SELECT item_id FROM part)",
    "part without item": "SELECT count(*) FROM part WHERE item_id NOT IN (SELECT id FROM item)",
    "grant without case": 'SELECT count(*) FROM "grant" WHERE case_id NOT IN'
    ' (SELECT id FROM "case")',
    "reporter without case": "SELECT count(*) FROM person WHERE kind = 'reporter'"
    ' AND id NOT IN (SELECT reporter FROM "case")',
    "case without wrap": 'SELECT count(*) FROM "case" WHERE reporter NOT IN'
    " (SELECT person FROM wrap)",
    "case with too few first items": 'SELECT count(*) FROM "case" c WHERE 4 >'
    " (SELECT count(*) FROM item i WHERE i.case_id = c.id)",
    "case without deadline": 'SELECT count(*) FROM "case" WHERE id NOT IN'
    " (SELECT case_id FROM deadline)",
    "case on no desk": 'SELECT count(*) FROM "case" WHERE id NOT IN'
    " (SELECT case_id FROM desk_entry)",
    "leaf of no case": "SELECT count(*) FROM leaf WHERE case_id IS NOT NULL AND case_id NOT IN"
    ' (SELECT id FROM "case")',
    "leaf without its place in the tree": "SELECT count(*) FROM leaf l WHERE NOT EXISTS"
    " (SELECT 1 FROM tree_node n WHERE n.level = 0 AND n.position = l.number AND n.hash = l.hash)",
    "place without leaf or dummy": "SELECT count(*) FROM tree_node n WHERE n.level = 0 AND"
    " n.position NOT IN (SELECT number FROM leaf) AND NOT EXISTS (SELECT 1 FROM padding p"
    " WHERE n.position >= p.first AND n.position < p.first + p.count)",
    "key of the log without its leaf": "SELECT (SELECT count(*) FROM log_key) - 1 -"
    " (SELECT count(*) FROM leaf WHERE event = 'log_key_changed')",
    "revision without its leaf": 'SELECT count(*) FROM "case" c WHERE c.revision <>'
    " (SELECT count(*) FROM leaf l WHERE l.case_id = c.id)",
}


def check(office: Office) -> None:
    """No orphan rows; every case has the key in force; the sweep leaves exactly those.

    The tree is the one over the leaves, node by node; so are the trees that were published, and
    the key of the log in force can sign.
    """
    with office.write() as uow:
        _check_tree(uow)
        for what, query in ORPHANS.items():
            assert uow.session.scalar(text(query)) == 0, what
        rows = uow.session.execute(text('SELECT id, shred_version FROM "case"'))
        in_force = {row[0]: row[1] for row in rows}
        assert uow.session.scalar(text("PRAGMA integrity_check")) == "ok"
        assert uow.session.execute(text("PRAGMA foreign_key_check")).all() == []
        office.keystore.sweep(in_force)
    with office.keystore.engine.connect() as connection:
        kept = connection.execute(text("SELECT case_id, version FROM shred_key"))
        assert {row[0]: row[1] for row in kept} == in_force


def _check_tree(uow: UnitOfWork) -> None:
    rows = uow.session.execute(select(Node.level, Node.position, Node.hash)).all()
    nodes = {(row.level, row.position): row.hash for row in rows}
    size = tree.size(uow.session)
    expected: dict[tuple[int, int], bytes] = {}
    for number in range(size):
        expected[0, number] = nodes[0, number]
        for level, at, digest in merkle.completed(
            number, nodes[0, number], lambda level, at: expected[level, at]
        ):
            expected[level, at] = digest
    assert nodes == expected
    known = keys.load(uow)
    for row in checkpoints.rows(uow):
        found = checkpoint.of(SignedNote.from_text(row.signed), known.of_size(row.size))
        assert found.size == row.size <= size
        assert found.root == tree.root(uow.session, row.size)
    assert keys.signer(uow).key == known.in_force


def in_another_process(work: Callable[[Callable[[], None]], None]) -> tuple[int, int]:
    """Start ``work`` in a process of its own; return its id and a pipe that it ticks."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(work, writing)
    os.close(writing)
    return child, reading


def _be_the_child(work: Callable[[Callable[[], None]], None], pipe: int) -> NoReturn:
    """Never return into the test run, whatever happens."""
    try:
        work(lambda: _tick(pipe))
    finally:
        os._exit(1)


def _tick(pipe: int) -> None:
    os.write(pipe, b".")


def kill_soon(child: int, pipe: int) -> None:
    """Kill at a random moment: after some ticks, and some milliseconds more."""
    for _ in range(1 + secrets.randbelow(3)):
        assert os.read(pipe, 1), "the child ended by itself"
    readiness.select([], [], [], secrets.randbelow(40) / 1000)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(pipe)
    assert os.WTERMSIG(status) == signal.SIGKILL


def carry_on(bench: Bench, tick: Callable[[], None]) -> None:
    """Submit reports and act on whatever lies on the desks, for ever."""
    while True:
        submit.submit(bench.office, submit.new_token(), report_of(bench.office, "cerita " * 400))
        tick()
        with bench.office.write() as uow:
            checkpoints.publish_due(uow)
        tick()
        with bench.office.write() as uow:
            keys.rotate(uow, secrets.token_bytes(keys.SEED_SIZE))
        tick()
        for user in ("operator", "verifikator", "irban"):
            for case_id in inbox(bench, user)[:1]:
                _act(bench, user, case_id)
                tick()


def _act(bench: Bench, user: str, case_id: str) -> None:
    filed = Filed(bench, case_id, bench[user], None, b"")  # type: ignore[arg-type]
    offered = sorted(filed.offered(user))
    if offered:
        rule = bench.office.profile.transition(offered[0])
        with suppress(CaseworkError):
            filed.do(user, rule.id, full_facts(bench, rule))


@pytest.fixture
def killed(founded: Bench, tmp_path: Path) -> Bench:
    """An office whose process has been killed again and again."""
    template = copy_of(founded, tmp_path / "office")
    file_report(template)
    close(template)
    for _ in range(KILLS):
        fresh = Bench(template.office, template.clock, template.folder, template.officers)

        def work(tick: Callable[[], None], own: Bench = fresh) -> None:
            own.office = reopened(own.office, own.folder)
            carry_on(own, tick)

        template.clock.advance(hours=6)
        kill_soon(*in_another_process(work))
        fresh.office = reopened(template.office, template.folder)
        check(fresh.office)
        close(fresh)
    template.office = reopened(template.office, template.folder)
    return template


def test_killed_at_random_moments(killed: Bench) -> None:
    """After twenty kills: no half case, and everything opens and verifies for its holders."""
    with killed.office.read() as uow:
        cases = uow.session.execute(text('SELECT id FROM "case"')).scalars().all()
        assert len(checkpoints.rows(uow)) > 1
        assert len(keys.load(uow).all) > 1
    assert len(cases) >= KILLS
    for case_id in cases:
        with killed.office.read() as uow:
            open_case(uow, killed["inspektur"], case_id)
        filed = Filed(killed, case_id, killed["inspektur"], None, b"")  # type: ignore[arg-type]
        pieces = filed.file("inspektur").pieces
        assert pieces
        assert all_verified(pieces)
    close(killed)


def test_a_form_cut_off_by_a_kill_can_be_sent_again(founded: Bench, tmp_path: Path) -> None:
    """Whether or not the first try was stored: one case, and its receipt."""
    template = copy_of(founded, tmp_path / "office")
    close(template)
    for _ in range(6):
        form = submit.new_token()
        report = report_of(template.office, "cerita " * 400)

        def work(tick: Callable[[], None], form: bytes = form, report: object = report) -> None:
            office = reopened(template.office, template.folder)
            tick()
            tick()
            tick()
            submit.submit(office, form, report)  # type: ignore[arg-type]
            signal.pause()

        kill_soon(*in_another_process(work))
        office = reopened(template.office, template.folder)
        receipt = submit.submit(office, form, report)
        check(office)
        with office.read() as uow:
            query = text('SELECT count(*) FROM "case" WHERE submission = :s')
            assert uow.session.scalar(query, {"s": submit.submission_of(form)}) == 1
        assert sign_in_reporter(office, receipt, form).person_id
        close(Bench(office, template.clock, template.folder))
