"""portal.asking: who counts as a witness, and one bounded question over HTTP."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from casework.log.asking import Answer, Unreachable
from casework.log.witnesses import Witness
from crypto.note import Kind, NoteSigner
from crypto.witness_request import MAX_SIZE
from portal import asking
from portal.asking import BadAddress, HttpAsk

BODY = b"old 0\n\nkanari\n"
OK = b"HTTP/1.1 200 OK\r\n"


def signer(name: str, kind: Kind = Kind.WITNESS, fill: int = 1) -> NoteSigner:
    return NoteSigner(name, kind, bytes([fill]) * 32)


def vkey(name: str, kind: Kind = Kind.WITNESS, fill: int = 1) -> str:
    return signer(name, kind, fill).key.to_text()


A, B = vkey("a.example"), vkey("b.example")
Talk = Callable[[socket.socket, bytes], None]


@contextmanager
def server(talk: Talk) -> Iterator[tuple[str, list[bytes]]]:
    """One address on this machine where every request is met by ``talk``; yields what came."""
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    try:
                        came.append(_request(peer))
                        talk(peer, came[-1])
                    except OSError:
                        continue

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", came
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(30)


def _request(peer: socket.socket) -> bytes:
    raw = b""
    while not raw.endswith(BODY):
        piece = peer.recv(65536)
        if not piece:
            break
        raw += piece
    return raw


def answers(body: bytes, head: bytes = OK) -> Talk:
    return lambda peer, _: peer.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)


class TestWitnesses:
    def test_with_and_without_an_address(self) -> None:
        found = asking.witnesses_of((f"{A} https://a.example/saksi/", B))
        assert [(one.key.to_text(), one.url) for one in found] == [
            (A, "https://a.example/saksi"),
            (B, ""),
        ]

    def test_as_the_environment_splits_it(self) -> None:
        whole = (f"{A} https://a.example", B)
        assert asking.witnesses_of(" ".join(whole).split()) == asking.witnesses_of(whole)

    @pytest.mark.parametrize(
        "address",
        [
            "https://a.example",
            "https://a.example:8443/x",
            "http://127.0.0.1:8470",
            "http://[::1]:8470",
            "http://localhost:8470",
            f"http://{'a' * 56}.onion",
        ],
    )
    def test_addresses_that_are_accepted(self, address: str) -> None:
        assert asking.witnesses_of((f"{A} {address}",))[0].url == address

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            (("kunci",), "entry 1 is no public key"),
            ((A, "https://a.example", "https://b.example"), "entry 3 is no public key"),
            ((signer("a.example").to_text(),), "entry 1 is no public key"),
            ((vkey("log.example", Kind.LOG),), "key of a log"),
            ((A, A), "listed twice"),
            ((A, vkey("a.example", fill=2)), "listed twice"),
            (tuple(vkey(f"{one}.example") for one in range(16)), "at most 15"),
            ((f"{A} ftp://a.example",), "after a.example"),
            ((f"{A} https://",), "after a.example"),
            ((f"{A} https://a.example:port",), "after a.example"),
            ((f"{A} http://a.example",), "https:// is needed"),
            ((f"{A} http://127.0.0.1.a.example",), "https:// is needed"),
            ((f"{A} https://u:kanari@a.example",), "no user"),
            ((f"{A} https://a.example?x=1",), "no user"),
            ((f"{A} a.example",), "after a.example"),
        ],
    )
    def test_what_is_none_is_refused_and_no_secret_repeated(
        self, lines: tuple[str, ...], said: str
    ) -> None:
        with pytest.raises(BadAddress, match=said) as refused:
            asking.witnesses_of(lines)
        assert "kanari" not in str(refused.value)
        assert "PRIVATE" not in str(refused.value)

    def test_fifteen_are_not_too_many(self) -> None:
        assert len(asking.witnesses_of([vkey(f"{one}.example") for one in range(15)])) == 15

    @pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9050", "127.0.0.1:8118", "http://"])
    def test_a_proxy_speaks_http(self, proxy: str) -> None:
        with pytest.raises(BadAddress, match=r"log\.proxy"):
            asking.check_proxy(proxy)
        asking.check_proxy("")
        asking.check_proxy("http://127.0.0.1:8118")

    @pytest.mark.parametrize(
        "address", ["https://a.ONION", "http://x.a.onion:80", "https://a.onion."]
    )
    def test_an_onion_needs_a_proxy(self, address: str) -> None:
        """Its name would go to the system's resolver, and tell who is asked."""
        found = asking.witnesses_of((f"{A} {address}",))
        with pytest.raises(BadAddress, match=r"a\.example is at a \.onion address: log\.proxy"):
            asking.check_proxy("", found)
        asking.check_proxy("http://127.0.0.1:8118", found)
        asking.check_proxy("", asking.witnesses_of((f"{B} https://onion.example",)))

    def test_there_is_a_way_only_where_somebody_has_an_address(self) -> None:
        assert asking.ask_of((), "") is None
        assert asking.ask_of((Witness(signer("a").key),), "") is None
        assert asking.ask_of((Witness(signer("a").key, "https://a"),), "") == HttpAsk()


class TestAsking:
    def test_the_request_says_nothing_of_this_machine(self) -> None:
        with server(answers(b"jawaban\n")) as (url, came):
            assert HttpAsk()(f"{url}/saksi", BODY) == Answer(200, b"jawaban\n")
        head, _, body = came[0].partition(b"\r\n\r\n")
        lines = head.decode().lower().splitlines()
        assert lines[0] == "post /saksi/add-checkpoint http/1.1"
        assert body == BODY
        assert sorted(line.split(":")[0] for line in lines[1:]) == [
            *("accept", "accept-encoding", "connection", "content-length", "host", "user-agent")
        ]

    def test_every_status_comes_back(self) -> None:
        for status in (404, 409, 503):
            with server(answers(b"256\n", b"HTTP/1.1 %d X\r\n" % status)) as (url, _):
                assert HttpAsk()(url, BODY) == Answer(status, b"256\n")

    def test_no_redirect_is_followed(self) -> None:
        with server(answers(b"")) as (other, came):
            head = b"HTTP/1.1 307 X\r\nlocation: " + other.encode() + b"\r\n"
            with server(answers(b"", head)) as (url, _):
                assert HttpAsk()(url, BODY).status == 307
            assert came == []

    @pytest.mark.parametrize("size", [MAX_SIZE, MAX_SIZE + 1])
    def test_at_most_64_kib_are_read(self, size: int) -> None:
        with server(answers(b"x" * size)) as (url, _):
            if size == MAX_SIZE:
                assert len(HttpAsk()(url, BODY).body) == size
            else:
                with pytest.raises(Unreachable):
                    HttpAsk()(url, BODY)

    def test_an_answer_without_end_is_cut_off(self) -> None:
        def endless(peer: socket.socket, _: bytes) -> None:
            peer.sendall(OK + b"\r\n")
            while True:
                peer.sendall(b"x" * 4096)

        with server(endless) as (url, _), pytest.raises(Unreachable):
            HttpAsk()(url, BODY)

    @pytest.mark.parametrize(
        "talk",
        [
            lambda peer, _: peer.sendall(b"surat\r\n\r\n"),
            lambda _peer, _: None,
            lambda peer, _: peer.sendall(OK + b"content-length: 9\r\n\r\nx"),
            answers(b"\x1f\x8b", OK + b"content-encoding: gzip\r\n"),
        ],
        ids=["garbage", "hang up", "cut short", "compressed"],
    )
    def test_no_usable_answer(self, talk: Talk) -> None:
        with server(talk) as (url, _), pytest.raises(Unreachable) as refused:
            HttpAsk()(url, BODY)
        assert "127.0.0.1" not in str(refused.value)

    @pytest.mark.parametrize("part", [OK, OK + b"\r\n"], ids=["head", "body"])
    def test_one_that_drips_is_left_after_the_whole_time(self, part: bytes) -> None:
        """Each byte comes well within the time of one step."""
        left = Event()

        def drip(peer: socket.socket, _: bytes) -> None:
            peer.sendall(part)
            try:
                while not left.wait(0.02):
                    peer.sendall(b"x")
            finally:
                left.set()

        with server(drip) as (url, _), pytest.raises(Unreachable, match="TimeoutError"):
            HttpAsk(step=60, whole=0.3)(url, BODY)
        assert left.wait(30), "the connection is given up, too"

    def test_one_that_is_silent_is_left_after_one_step(self) -> None:
        left = Event()

        def silent(_peer: socket.socket, _: bytes) -> None:
            left.wait(30)

        with server(silent) as (url, _):
            with pytest.raises(Unreachable, match="ReadTimeout"):
                HttpAsk(step=0.2)(url, BODY)
            left.set()

    def test_nobody_there(self) -> None:
        with pytest.raises(Unreachable, match="ConnectError"):
            HttpAsk()("http://127.0.0.1:1", BODY)

    def test_a_resolver_that_hangs_is_left_after_the_whole_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It cannot be interrupted: the question ends, and the look-up later by itself."""
        left, ended = Event(), Event()

        def hanging(*_: object, **__: object) -> list[object]:
            left.wait(30)
            ended.set()
            raise socket.gaierror("kanari")

        monkeypatch.setattr(socket, "getaddrinfo", hanging)
        try:
            with pytest.raises(Unreachable, match="TimeoutError"):
                HttpAsk(step=60, whole=0.3)("https://saksi.example", BODY)
            assert not ended.is_set()
        finally:
            left.set()
        assert ended.wait(30)

    def test_the_proxy_is_on_the_way_but_not_to_this_machine(self) -> None:
        with server(answers(b"dari proksi")) as (proxy, came):
            assert HttpAsk(proxy)("http://saksi.onion", BODY).body == b"dari proksi"
            assert came[0].startswith(b"POST http://saksi.onion/add-checkpoint HTTP/1.1\r\n")
            with server(answers(b"langsung")) as (url, _):
                assert HttpAsk(proxy)(url, BODY).body == b"langsung"

    def test_nothing_of_the_environment_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        with server(answers(b"x")) as (url, _):
            assert HttpAsk()(url, BODY).body == b"x"
