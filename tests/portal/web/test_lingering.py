"""portal.web.lingering: an early answer arrives, and a body that is left is thrown away."""

import socket
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http.client import HTTPResponse
from typing import Any

import anyio
import pytest
from litestar.types import ASGIApp

from portal.web.lingering import Lingering
from tests.e2e.server import Server
from tests.portal import instances
from tests.portal.multipart import sending

CHUNKED = [(b"transfer-encoding", b"chunked")]
MIB = 1024 * 1024


def endless_chunks(chunk: bytes) -> Iterator[bytes]:
    while True:
        yield chunk


def visit(
    chunks: Iterable[bytes],
    headers: list[tuple[bytes, bytes]] = CHUNKED,
    *,
    take: int = 0,
    stalls: bool = False,
    wrap: Callable[[ASGIApp], ASGIApp] = Lingering,
) -> list[str]:
    """Call an application that answers after `take` chunks, and return what happened."""
    happened: list[str] = []
    source = iter(chunks)

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        for _ in range(take):
            await receive()
        await send({"type": "http.response.body"})

    async def receive() -> Any:
        for chunk in source:
            happened.append("received")
            return {"type": "http.request", "body": chunk, "more_body": chunk != b"last"}
        if stalls:
            await anyio.sleep_forever()
        happened.append("gone")
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        happened.append("answered")

    async def call() -> None:
        scope: Any = {"type": "http", "headers": headers}
        await wrap(application)(scope, receive, send)

    anyio.run(call)
    return happened


def test_the_answer_goes_first_and_the_rest_is_thrown_away() -> None:
    happened = visit([b"a", b"b", b"last", b"next"], take=1)
    assert happened == ["received", "answered", "received", "received"]


def test_a_body_that_was_read_is_not_asked_for_again() -> None:
    """The next request of the connection is not touched."""
    assert visit([b"last", b"next"], take=1) == ["received", "answered"]


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"0")]])
def test_a_request_without_a_body_is_left_alone(headers: list[tuple[bytes, bytes]]) -> None:
    assert visit([b"next"], headers) == ["answered"]


def test_a_client_that_goes_is_let_go() -> None:
    assert visit([b"a"]) == ["answered", "received", "gone"]


def test_lingering_is_bounded_in_bytes() -> None:
    """Nobody can make the server read for ever."""
    happened = visit(endless_chunks(b"x" * 10), wrap=partial(Lingering, limit=100))
    assert happened.count("received") == 11


@pytest.mark.parametrize("limit", ["stall", "seconds"])
def test_lingering_is_bounded_in_time(limit: str) -> None:
    """A client that stays silent is cut off."""
    wrap = partial(Lingering, **{limit: 0.01})  # type: ignore[arg-type]
    assert visit([b"a"], stalls=True, wrap=wrap) == ["answered", "received"]


def test_a_flood_does_not_outlast_its_time() -> None:
    """Also when chunks come without a pause."""
    assert visit(endless_chunks(b""), wrap=partial(Lingering, seconds=0.01))[0] == "answered"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server, of the kind that the product runs."""
    made = instances.make(tmp_path_factory.mktemp("lingering") / "office")
    with Server(made.folder, made.folder.with_suffix(".log")) as running:
        yield running


def test_a_client_that_reads_only_when_all_is_sent_sees_its_refusal(server: Server) -> None:
    """As browsers and proxies do. A server that closed on its early answer would break them off."""
    size = 32 * MIB
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        head = f"POST /ruang/berkas HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        head += f"Content-Type: {sending()}\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode())
        connection.sendall(bytes(size))
        with HTTPResponse(connection) as response:
            response.begin()
            assert (response.status, response.getheader("location")) == (303, "/masuk")
            response.read()
