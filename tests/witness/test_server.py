"""The witness over HTTP: every status of the specification, one address, bounded bodies."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from httpx import Response
from litestar.testing import TestClient
from litestar.types import Message, Receive

from crypto.checkpoint import Checkpoint
from crypto.note import Kind, NoteSigner
from crypto.witness_request import MAX_SIZE, AddCheckpoint, cosignatures
from tests.witness.logs import NOW, ORIGIN, Log
from witness import server
from witness.keeper import Keeper

Ask = Callable[[AddCheckpoint | bytes], Response]


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(keeper: Keeper, clock: Clock) -> Iterator[TestClient]:
    with TestClient(server.build(keeper, clock), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def ask(client: TestClient) -> Ask:
    def post(request: AddCheckpoint | bytes) -> Response:
        body = request if isinstance(request, bytes) else request.to_text().encode()
        return client.post("/add-checkpoint", content=body)

    return post


def assert_plain(answer: Response, status: int) -> None:
    """A status, a short word for it, and nothing of the request."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert len(answer.content) < 40
    assert "set-cookie" not in answer.headers


def assert_size(answer: Response, size: int) -> None:
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "text/x.tlog.size"
    assert answer.content == b"%d\n" % size


def test_growth_is_cosigned(ask: Ask, keeper: Keeper, log: Log) -> None:
    for old, new in ((0, 10), (10, 600), (600, 600)):
        request = log.request(old, new)
        answer = ask(request)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        (ours,) = cosignatures(answer.content, request.signed, [keeper.key])
        assert keeper.key.check(request.signed.text.encode(), ours.data) == NOW


def test_404_for_a_log_that_is_not_trusted(ask: Ask) -> None:
    assert_plain(ask(Log(5, origin="other.example").request(0, 5)), 404)


def test_403_without_a_trusted_signature(ask: Ask, log: Log) -> None:
    stranger = NoteSigner(ORIGIN, Kind.LOG, bytes([9]) * 32)
    signed = Checkpoint(ORIGIN, 5, log.root(5)).sign([stranger])
    assert_plain(ask(AddCheckpoint(0, (), signed)), 403)


def test_403_for_a_key_that_counts_no_more(ask: Ask, keeper: Keeper, log: Log) -> None:
    keeper.trust(Log(1, seed=2).vkey)
    keeper.distrust(log.vkey)
    assert_plain(ask(log.request(0, 5)), 403)


def test_400_for_an_old_size_beyond_the_checkpoint(ask: Ask, log: Log) -> None:
    assert_plain(ask(AddCheckpoint(6, (), log.signed(5))), 400)


def test_409_tells_the_size_to_begin_at(ask: Ask, log: Log) -> None:
    assert_size(ask(log.request(5, 10)), 0)
    ask(log.request(0, 10))
    assert_size(ask(log.request(0, 20)), 10)
    assert ask(log.request(10, 20)).status_code == 200


def test_409_for_another_root(ask: Ask, log: Log, fork: Log) -> None:
    ask(log.request(0, 400))
    assert_plain(ask(fork.request(400, 400)), 409)


def test_409_for_another_root_that_is_not_kept(
    ask: Ask, log: Log, fork: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("witness.record.MOST_CONFLICTS", 0)
    ask(log.request(0, 400))
    assert_plain(ask(fork.request(400, 400)), 409)


def test_422_for_a_proof_that_does_not_verify(ask: Ask, log: Log, fork: Log) -> None:
    assert_plain(ask(replace(log.request(0, 400), proof=(bytes(32),))), 422)
    ask(log.request(0, 400))
    assert_plain(ask(fork.request(400, 500)), 422)
    assert_plain(ask(replace(log.request(400, 500), proof=())), 422)


def test_503_while_the_clock_is_behind(ask: Ask, clock: Clock, log: Log) -> None:
    ask(log.request(0, 10))
    clock.now = NOW - 1
    assert_plain(ask(log.request(10, 20)), 503)


def test_500_for_a_damaged_history_tells_its_path_to_the_administrator_alone(
    ask: Ask, keeper: Keeper, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    ask(log.request(0, 10))
    path = keeper.record(ORIGIN).folder / "history" / f"{10:020}"
    path.write_text("kanari")
    answer = ask(log.request(10, 20))
    assert_plain(answer, 500)
    assert "history" not in answer.text
    assert caplog.messages == [f"failed: Damaged: {path}"]


def test_500_for_a_disk_that_fails_names_what_cannot_be_written(
    ask: Ask, keeper: Keeper, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = keeper.record(ORIGIN).folder / "history" / ".new"
    blocked.mkdir()
    assert_plain(ask(log.request(0, 10)), 500)
    (said,) = caplog.messages
    assert str(blocked) in said


@pytest.mark.parametrize("body", [b"", b"\xff", b"old 0\n\n", b"old 00\n\nx\n\n", b"{}"])
def test_400_for_what_is_no_request(ask: Ask, body: bytes) -> None:
    assert_plain(ask(body), 400)


def test_400_for_base64_with_a_second_encoding(ask: Ask, log: Log) -> None:
    ask(log.request(0, 300))
    body = log.request(300, 600).to_text()
    first = body.split("\n")[1]
    assert first[-2] in "AEIMQUYcgkosw048"
    assert_plain(ask(body.replace(first, f"{first[:-2]}{chr(ord(first[-2]) + 1)}=").encode()), 400)


def test_400_for_a_note_that_is_no_checkpoint(ask: Ask, log: Log) -> None:
    text = log.signed(5).to_text().replace("\n5\n", "\n05\n")
    assert_plain(ask(f"old 0\n\n{text}".encode()), 400)


def test_413_for_too_much_of_anything(client: TestClient, ask: Ask, log: Log) -> None:
    assert_plain(ask(log.request(0, 5).to_text().encode() + b"x" * MAX_SIZE), 413)
    many = b"old 5\n" + b"A" * 43 + b"=\n"
    assert_plain(
        ask(many + (b"A" * 43 + b"=\n") * 63 + b"\n" + log.signed(9).to_text().encode()), 413
    )
    # No length is declared.
    pieces = (b"x" * 1024 for _ in range(65))
    assert_plain(client.post("/add-checkpoint", content=pieces), 413)


def call(keeper: Keeper, clock: Clock, receive: Receive) -> int:
    """Call the application as a server does; return the status that it answers."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/add-checkpoint",
        "raw_path": b"/add-checkpoint",
        "query_string": b"",
        "headers": [],
        "root_path": "",
        "asgi": {"version": "3.0"},
        "extensions": {},
        "client": None,
        "server": None,
    }
    asyncio.run(server.build(keeper, clock)(scope, receive, send))
    return int(sent[0]["status"])  # type: ignore[typeddict-item]


def test_the_limit_holds_while_a_body_arrives(keeper: Keeper, clock: Clock) -> None:
    """A body without an end is refused after 64 KiB of it; it is never collected first."""
    taken = 0

    async def receive() -> Any:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": bytes(1024), "more_body": taken < 1000}

    assert call(keeper, clock, receive) == 413
    assert taken <= 66


def test_a_body_that_never_arrives_is_given_up(
    keeper: Keeper, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BODY_SECONDS", 0)

    async def receive() -> Any:
        await asyncio.Event().wait()

    assert call(keeper, clock, receive) == 408


def test_a_line_that_is_too_long_is_refused(ask: Ask, log: Log) -> None:
    body = log.request(0, 5).to_text().replace(ORIGIN, "x" * 300)
    assert_plain(ask(body.encode()), 400)


def test_there_is_one_address_and_one_method(client: TestClient) -> None:
    for path in ("/", "/schema", "/add-checkpoint/x", "/checkpoint"):
        assert_plain(client.post(path), 404)
        assert_plain(client.get(path), 404)
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        assert client.request(method, "/add-checkpoint").status_code == 405
    assert client.app.route_handler_method_map.keys() == {"/add-checkpoint"}
