"""A small application in the portal's real web layer, and ways to send it odd requests."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from litestar import Litestar, get, post
from litestar.params import FromPath
from litestar.response import Response
from litestar.testing import TestClient

from casework import errors as domain
from casework.keys.sessions import Kind, SessionStore
from casework.store.rations import Allowance, Rations
from portal.web.app import build
from portal.web.budget import Budget
from portal.web.csrf import check, issue
from portal.web.forms import FormLimits, PortalRequest, read_form
from portal.web.pages import Pages, html, see_other
from portal.web.refusals import Busy
from portal.web.sessions import Sessions
from portal.web.settings import WebSettings

SECRET = "kanarirahasia"
LIMITS = FormLimits(body=10_000, fields=200)
PERSON = "a" * 32
SITE = {"name": "Inspektorat Contoh", "app_name": "Suaka", "demo": True, "surface": "both"}
SEED = bytes(range(32))


@dataclass
class Clock:
    """A clock that moves only when told."""

    now: int = 1_800_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class Site:
    """The application under test with what its handlers use."""

    app: Litestar
    clock: Clock
    store: SessionStore
    received: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def clock() -> Clock:
    """A fake clock."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    """A session store in a file of its own."""
    opened = SessionStore(tmp_path / "sessions.db", bytes(32))
    yield opened
    opened.close()


MakeSite = Callable[[WebSettings], Site]


@pytest.fixture
def make_site(clock: Clock, store: SessionStore, tmp_path: Path) -> Iterator[MakeSite]:
    """Build the application for given settings."""
    rations = Rations(tmp_path)
    bucket = Budget(rations, "baru", Allowance(1, 1), clock)

    def make(settings: WebSettings) -> Site:
        received: list[dict[str, str]] = []
        app = build(
            _handlers(received, store, bucket, clock, settings),
            Pages(context={"site": SITE}),
            settings,
        )
        return Site(app, clock, store, received)

    yield make
    rations.close()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """The application as a demonstration runs it: plain HTTP, no configured origin."""
    return make_site(WebSettings())


@pytest.fixture
def client(site: Site) -> Iterator[TestClient[Litestar]]:
    """A browser that follows no redirect by itself."""
    with TestClient(site.app, base_url="http://portal.test") as opened:
        opened.follow_redirects = False
        yield opened


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Everything that any logger wrote, tracebacks included."""
    caplog.set_level(logging.DEBUG)
    formatter = logging.Formatter()
    return lambda: "\n".join(
        [formatter.format(record) for record in caplog.records] + [repr(caplog.records)]
    )


def _raisers() -> dict[str, Callable[[], Exception]]:
    return {
        "tiada": domain.NotFound,
        "dilarang": domain.Denied,
        "langkah": lambda: domain.InvalidTransition("a", "b", "c"),
        "isian": lambda: domain.InvalidInput({"narasi": "required"}),
        "bentrok": domain.Conflict,
        "habis": domain.Expired,
        "sibuk": lambda: Busy(7),
        "rusak": lambda: ValueError(f"{SECRET} in a message"),
    }


def _handlers(
    received: list[dict[str, str]],
    store: SessionStore,
    bucket: Budget,
    clock: Clock,
    settings: WebSettings,
) -> list[Any]:
    officers = Sessions(store, Kind.STAFF, tls=settings.tls, clock=clock)
    raisers = _raisers()

    @get("/", sync_to_thread=False)
    def home() -> Response[str]:
        return html("<h1>Beranda</h1>")

    @get("/raise/{name:str}", sync_to_thread=False)
    def fail(name: FromPath[str]) -> Response[str]:
        error = raisers[name]()
        raise error

    @post("/kirim")
    async def send(request: PortalRequest) -> Response[str]:
        form = await read_form(request, LIMITS)
        received.append({name: form.one(name) for name in form.names})
        return html("<p>Diterima</p>")

    @post("/rusak")
    async def broken(request: PortalRequest) -> Response[str]:
        form = await read_form(request, LIMITS)
        text = form.one("narasi")
        raise KeyError(text)

    @post("/urai")
    async def parse(request: PortalRequest) -> Response[str]:
        parse_body: Callable[[], Awaitable[object]] = request.form
        await parse_body()
        return html("")

    @post("/ke", sync_to_thread=False)
    def redirect() -> Response[str]:
        return see_other("/")

    @post("/petugas/masuk")
    async def sign_in(request: PortalRequest) -> Response[str]:
        response = see_other("/petugas")
        await officers.sign_in(request, response, PERSON, SEED)
        return response

    @get("/petugas")
    async def inbox(request: PortalRequest) -> Response[str]:
        session = await officers.require(request)
        return html(issue(session.csrf_secret, "catat"))

    @post("/petugas/catat")
    async def note(request: PortalRequest) -> Response[str]:
        session = await officers.require(request)
        form = await read_form(request, LIMITS)
        check(session.csrf_secret, "catat", form.one("csrf"))
        return html("<p>Tercatat</p>")

    @post("/petugas/keluar")
    async def sign_out(request: PortalRequest) -> Response[str]:
        response = see_other("/")
        await officers.sign_out(request, response)
        return response

    @post("/baru")
    async def new() -> Response[str]:
        await bucket.take()
        return html("<p>Baru</p>")

    return [home, fail, send, broken, parse, redirect, sign_in, inbox, note, sign_out, new]


@dataclass
class Answer:
    """What the application sent on the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def raw(
    app: Litestar, method: str, path: str, headers: dict[str, str], chunks: list[bytes | None]
) -> Answer:
    """Send a request as ASGI messages, chunk by chunk; a None chunk is a client that hangs up."""
    sent: list[Any] = []

    async def call() -> None:
        source = _messages(chunks)

        async def receive() -> Any:
            return await anext(source)

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": None,
            "server": ("portal.test", 80),
        }
        await app(scope, receive, send)

    anyio.run(call)
    start = next(message for message in sent if message["type"] == "http.response.start")
    body = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    pairs = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return Answer(start["status"], pairs, body)


async def _messages(chunks: list[bytes | None]) -> AsyncIterator[Any]:
    for number, chunk in enumerate(chunks, start=1):
        if chunk is None:
            yield {"type": "http.disconnect"}
        else:
            yield {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
    while True:
        yield {"type": "http.disconnect"}
