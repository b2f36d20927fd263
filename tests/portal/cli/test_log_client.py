"""portal.cli.log_client: one bounded question to a log, whatever answers it."""

import socket
from threading import Event, Thread

import pytest

from portal.cli import log_client
from portal.cli.log_client import LogClient
from portal.cli.refusals import Refused

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("part", [b"", OK, OK + b"\r\n"], ids=["status", "head", "body"])
def test_one_that_drips_is_left_after_the_whole_time(
    monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    """Each byte comes well within the time of one step."""
    monkeypatch.setattr(log_client, "WHOLE_SECONDS", 0.3)
    left = Event()

    def drip(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer:
            try:
                peer.sendall(part)
                while not left.wait(0.02):
                    peer.sendall(b"x")
            except OSError:
                left.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with LogClient(url) as log, pytest.raises(Refused, match="takes too long"):
                log.get("checkpoint", 100_000)
            assert left.wait(30), "the connection is given up, too"
        finally:
            left.set()
            thread.join(30)
