"""No report is lost: a real server under crowds, cut connections and power failures."""

import secrets
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Barrier, Event
from urllib.parse import urlencode

import httpx
import pytest
from pysqlite3 import dbapi2

from portal.settings import LimitSection
from tests.e2e.server import Server
from tests.portal import instances, visits
from tests.portal.instances import Instance
from tests.portal.visits import FORM_TYPE, NARRATIVE, Receipt, Visit

ROUNDS = 10
AT_ONCE = 50
PER_CASE = {"item": 4, "part": 4, "compartment": 4, "leaf": 1}
"""Rows that a whole case has in each table, whatever its officers do later."""


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    many = LimitSection(kdf_at_once=4, kdf_waiting=1000, report_burst=100_000)
    return instances.make(tmp_path_factory.mktemp("real") / "office", limits=many)


@pytest.fixture
def server(instance: Instance, tmp_path: Path) -> Iterator[Server]:
    with Server(instance.folder, tmp_path / "log") as running:
        yield running


def browse(server: Server) -> Visit:
    # Each connection ends with its answer, so that nothing is left open when a test forgets.
    once = httpx.Limits(max_keepalive_connections=0)
    return Visit(httpx.Client(base_url=server.base, trust_env=False, timeout=60, limits=once))


def ask(instance: Instance, query: str) -> list[tuple[object, ...]]:
    """Look into the database from outside, as it is on the disk."""
    with closing(dbapi2.connect(str(instance.database), timeout=20)) as connection:
        return list(connection.execute(query).fetchall())


def count(instance: Instance) -> int:
    return int(str(ask(instance, 'SELECT count(*) FROM "case"')[0][0]))


def fresh_form() -> dict[str, str]:
    """A form as the page makes it, with a token of its own."""
    return {"token": secrets.token_urlsafe(32), "position": "asn", "narrative": NARRATIVE}


def test_fifty_reports_at_once_are_fifty_cases(tmp_path: Path) -> None:
    """With the limits as they are shipped: fifty receipts, all different, each opens its room."""
    own = instances.make(tmp_path / "own")
    gate = Barrier(AT_ONCE)
    with Server(own.folder, tmp_path / "log") as server:

        def report(_number: int) -> Receipt:
            visit = visits.to_form(browse(server))
            gate.wait()
            visit.send("/formulir/kirim", {"narrative": NARRATIVE})
            assert visit.status == 200, visit.heading
            return visits.receipt_on(visit)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            receipts = list(pool.map(report, range(AT_ONCE)))
        assert len({receipt.ticket for receipt in receipts}) == AT_ONCE
        assert visits.enter(browse(server), receipts[7]).location == "/ruang"
    assert count(own) == AT_ONCE
    assert_whole(own)


def test_a_connection_cut_before_the_answer_costs_nothing(
    instance: Instance, server: Server
) -> None:
    """The case is committed, not one byte was read: the same form shows the receipt, once."""
    form = fresh_form()
    body = urlencode(form).encode()
    before = count(instance)
    head = (
        f"POST /formulir/kirim HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as cut:
        cut.sendall(head.encode() + body)
        while count(instance) == before:
            Event().wait(0.01)
    first = visits.receipt_on(browse(server).post("/formulir/kirim", form))
    assert visits.receipt_on(browse(server).post("/formulir/kirim", form)) == first
    assert count(instance) == before + 1
    assert visits.enter(browse(server), first).location == "/ruang"


@pytest.mark.parametrize("part", ["half a head", "half a body", "no body"])
def test_a_connection_cut_in_the_middle_stores_nothing(
    instance: Instance, server: Server, part: str
) -> None:
    """What did not arrive whole was never sent; the server goes on serving."""
    before = count(instance)
    body = urlencode(fresh_form()).encode()
    head = (
        f"POST /formulir/kirim HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    sent = {"half a head": head[:40], "half a body": head + body[:-9], "no body": head}[part]
    with socket.create_connection(("127.0.0.1", server.port)) as cut:
        cut.sendall(sent)
    visit = visits.to_form(browse(server)).send("/formulir/kirim", {"narrative": NARRATIVE})
    assert visit.status == 200
    assert count(instance) == before + 1
    assert b"Traceback" not in server.log.read_bytes()


def test_a_power_failure_leaves_whole_cases_or_none(instance: Instance, tmp_path: Path) -> None:
    """Ten times kill -9 among four senders: every case is whole, each form sent again counts once.

    A receipt that arrived before the failure is the one that the form shows after it.
    """
    forms: list[dict[str, str]] = []
    receipts: dict[str, Receipt] = {}
    before = count(instance)
    for number in range(ROUNDS):
        server = Server(instance.folder, tmp_path / f"log-{number}")
        server.start()
        _kill_among_senders(server, forms, receipts, after=number % 4 + 1)
        assert_whole(instance)
    with Server(instance.folder, tmp_path / "log-last") as server:
        for form in forms:
            again = visits.receipt_on(browse(server).post("/formulir/kirim", form))
            assert receipts.setdefault(form["token"], again) == again
        assert visits.enter(browse(server), receipts[forms[0]["token"]]).location == "/ruang"
    assert count(instance) == before + len(forms)
    assert len({receipt.ticket for receipt in receipts.values()}) == len(forms)
    assert_whole(instance)


def _kill_among_senders(
    server: Server, forms: list[dict[str, str]], receipts: dict[str, Receipt], after: int
) -> None:
    """Let four senders report without pause; kill the server when ``after`` receipts came."""
    enough, down = Event(), Event()

    def send_on(_number: int) -> None:
        while not down.is_set():
            form = fresh_form()
            forms.append(form)
            with suppress(httpx.HTTPError):
                visit = browse(server).post("/formulir/kirim", form)
                assert visit.status == 200
                receipts[form["token"]] = visits.receipt_on(visit)
                if len(receipts) % 4 == after % 4:
                    enough.set()

    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(send_on, number) for number in range(4)]
        assert enough.wait(60)
        server.kill()
        down.set()
        for sender in senders:
            sender.result()


def assert_whole(instance: Instance) -> None:
    """No case lacks a part, no part lacks its case, and the file itself is sound."""
    assert ask(instance, "PRAGMA integrity_check") == [("ok",)]
    assert ask(instance, "PRAGMA foreign_key_check") == []
    cases = count(instance)
    for table, each in PER_CASE.items():
        if table == "part":
            query = "SELECT count(*) FROM part JOIN item ON item.id = part.item_id GROUP BY case_id"
        else:
            query = f"SELECT count(*) FROM {table} WHERE case_id IS NOT NULL GROUP BY case_id"
        assert ask(instance, query) == [(each,)] * cases, table
    grants = {row[0] for row in ask(instance, 'SELECT count(*) FROM "grant" GROUP BY case_id')}
    assert len(grants) <= 1
    entries = ask(instance, "SELECT count(*) FROM desk_entry GROUP BY case_id")
    assert entries == [(2,)] * cases
    keystore = instance.folder / "keys" / "keystore.db"
    with closing(dbapi2.connect(str(keystore), timeout=20)) as connection:
        keys = {row[0] for row in connection.execute("SELECT case_id FROM shred_key")}
    assert {row[0] for row in ask(instance, 'SELECT id FROM "case"')} <= keys
