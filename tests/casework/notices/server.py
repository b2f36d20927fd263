"""A real SMTP server on the loopback address, with certificates of its own."""

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from casework.notices.post import Post

HOST = "127.0.0.1"
USERNAME, PASSWORD = "wbs", "kata sandi surel"
SUBJECT, TEXT = "Pemberitahuan", "Ada tugas baru di WBS. Silakan masuk.\n"


@dataclass
class Box:
    """What a server took: the envelope's recipients and the bytes of each message."""

    mails: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    refuse: str = ""
    """Part of an address that this server does not know."""
    answer: str = "250 OK"

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, server: Any, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        del server, envelope
        session.host_name = hostname
        self.greetings.append(hostname)
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if self.refuse and self.refuse in address:
            return f"550 {address} unknown"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope
    ) -> str:
        del server
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append((tuple(envelope.rcpt_tos), envelope.content))
            self.connections.add(id(session))
        return self.answer

    def authenticate(self, *args: Any) -> AuthResult:
        given = args[4]
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login.decode(), given.password.decode()))
        right = given.password == PASSWORD.encode()
        return AuthResult(success=right, handled=right)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path, address: str = HOST) -> Path:
    """A key with a certificate that it signed itself, in one file; trusted by whoever names it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{address}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def mail_server(
    pem: Path | None = None, *, implicit: bool = False, login: bool = False
) -> Iterator[tuple[Box, int]]:
    """Serve on a free port; with a certificate by STARTTLS, or from the first byte."""
    box = Box()
    options: dict[str, Any] = {}
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        options = (
            {"ssl_context": context}
            if implicit
            else {"tls_context": context, "require_starttls": True}
        )
    if login:
        options |= {
            "authenticator": box.authenticate,
            "auth_required": not implicit,
            "auth_require_tls": not implicit,
        }
    controller = Controller(box, hostname=HOST, port=free_port(), ready_timeout=20, **options)
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


def post_to(port: int, **changes: Any) -> Post:
    """A post that sends by this server, as the tests' settings have it."""
    values: dict[str, Any] = {
        "host": HOST,
        "port": port,
        "security": "none",
        "username": "",
        "password_file": None,
        "sender": "wbs@contoh.go.id",
        "hours": ("08.00", "13.00"),
        "subject": SUBJECT,
        "text": TEXT,
        "timeout": 5.0,
    }
    return Post(**{**values, **changes})
