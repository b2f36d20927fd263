"""One notice, the same bytes for everybody, over a connection that is what the settings ask for."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from casework.notices import post as posts
from casework.notices.post import message, send
from tests.casework.notices.server import (
    HOST,
    PASSWORD,
    TEXT,
    USERNAME,
    certificate,
    free_port,
    mail_server,
    post_to,
)

MOMENT = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
ONE, OTHER = "a@contoh.go.id", "nama.yang.sangat.panjang@inspektorat.contoh.go.id"
TWO = (("p1", ONE), ("p2", OTHER))


def test_all_that_a_notice_says() -> None:
    """No recipient, no host name, no moment but the fixed hour; ids differ, lengths do not."""
    post = post_to(25)
    mail = message_from_bytes(message(post, MOMENT), policy=policy.default)
    assert dict(mail.items()) | {"Message-ID": ""} == {
        "From": "wbs@contoh.go.id",
        "To": "undisclosed-recipients:;",
        "Subject": "Pemberitahuan",
        "Date": "Mon, 23 Nov 2026 00:00:00 +0000",
        "Message-ID": "",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
    }
    assert mail.get_content().splitlines() == TEXT.splitlines()
    assert socket.gethostname() not in mail["Message-ID"]
    many = {message(post, MOMENT) for _ in range(20)}
    assert len(many) == 20
    assert len({len(one) for one in many}) == 1


def bare(mail: bytes) -> bytes:
    """A message without its random id."""
    return b"\r\n".join(line for line in mail.split(b"\r\n") if b"Message-ID" not in line)


def test_two_officers_get_the_same_bytes_one_by_one_over_one_connection() -> None:
    with mail_server() as (box, port):
        assert send(post_to(port), MOMENT, TWO) == {"p1", "p2"}
    assert [recipients for recipients, _ in box.mails] == [(ONE,), (OTHER,)]
    first, second = (mail for _, mail in box.mails)
    assert first != second
    assert bare(first) == bare(second)
    assert len(first) == len(second)
    assert len(box.connections) == 1
    assert box.greetings == ["contoh.go.id"], "the machine's name is not told"


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate that this machine trusts."""
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return pem


def secret(tmp_path: Path, text: str = PASSWORD) -> Path:
    path = tmp_path / "mail-password"
    path.write_text(f"{text}\n")
    return path


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_and_signed_in(security: str, trusted: Path, tmp_path: Path) -> None:
    """The password is read when it is needed, from its file."""
    with mail_server(trusted, implicit=security == "tls", login=True) as (box, port):
        post = post_to(port, security=security, username=USERNAME, password_file=secret(tmp_path))
        assert send(post, MOMENT, TWO) == {"p1", "p2"}
    assert box.logins == [(USERNAME, PASSWORD)]


def refused(
    caplog: pytest.LogCaptureFixture,
    post: posts.Post,
    recipients: tuple[tuple[str, str], ...] = TWO,
) -> str:
    """Nobody is reached, and the log has one line about it that names nobody; return it."""
    with caplog.at_level(logging.DEBUG):
        assert send(post, MOMENT, recipients) == frozenset()
    # The test's mail server speaks, too: under a name of its own.
    ours = [record for record in caplog.records if record.name.startswith("suaka")]
    (line,) = [record.getMessage() for record in ours]
    for part in ("@", "contoh", PASSWORD, "Traceback"):
        assert part not in line
    assert not any(record.exc_info for record in ours)
    return line


def test_starttls_that_is_not_offered_sends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with mail_server() as (box, port):
        line = refused(caplog, post_to(port, security="starttls"))
    assert "SMTPNotSupportedError" in line
    assert box.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_sends_nothing(
    security: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    pem = certificate(tmp_path)
    with mail_server(pem, implicit=security == "tls", login=True) as (box, port):
        post = post_to(port, security=security, username=USERNAME, password_file=secret(tmp_path))
        assert "SSLCertVerificationError" in refused(caplog, post)
    assert (box.mails, box.logins) == ([], [])


def test_a_certificate_of_another_host_sends_nothing(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path, "192.0.2.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with mail_server(pem) as (box, port):
        assert "SSLCertVerificationError" in refused(caplog, post_to(port, security="starttls"))
    assert box.mails == []


def test_a_wrong_or_missing_password_sends_nothing(
    caplog: pytest.LogCaptureFixture, trusted: Path, tmp_path: Path
) -> None:
    with mail_server(trusted, login=True) as (box, port):
        post = post_to(
            port, security="starttls", username=USERNAME, password_file=secret(tmp_path, "salah")
        )
        assert "SMTPAuthenticationError, server's code: 535" in refused(caplog, post)
        caplog.clear()
        (tmp_path / "mail-password").unlink()
        assert "FileNotFoundError" in refused(caplog, post)
    assert box.mails == []


def test_one_address_that_is_refused_keeps_nobody_else_from_theirs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with mail_server() as (box, port):
        box.refuse = "panjang"
        recipients = (TWO[1], TWO[0])
        assert send(post_to(port), MOMENT, recipients) == {"p1"}
    assert [to for to, _ in box.mails] == [(ONE,)]
    (line,) = [record.getMessage() for record in caplog.records if record.name == "suaka.notices"]
    assert line == "notice not sent: SMTPRecipientsRefused, server's code: 550"


def test_a_server_that_takes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with mail_server() as (box, port):
        box.answer = "451 a@contoh.go.id later"
        assert "SMTPDataError, server's code: 451" in refused(caplog, post_to(port))
    assert box.mails == []


def test_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    assert "ConnectionRefusedError" in refused(caplog, post_to(free_port()))


@contextmanager
def mute() -> Iterator[int]:
    """A server that accepts and never says a word."""
    with socket.create_server((HOST, 0)) as listening:
        kept: list[socket.socket] = []
        threading.Thread(target=lambda: kept.append(listening.accept()[0]), daemon=True).start()
        yield int(listening.getsockname()[1])
        for one in kept:
            one.close()


def test_a_server_that_says_nothing_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    with mute() as port:
        refused(caplog, post_to(port, timeout=0.2))


def test_a_slow_server_gets_no_more_after_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "ALL_SECONDS", 0.0)
    with mail_server() as (box, port):
        assert "TimeoutError" in refused(caplog, post_to(port))
    assert box.mails == []
