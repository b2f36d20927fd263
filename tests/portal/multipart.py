"""Forms with files as browsers send them, and as nobody should."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.portal.visits import Visit

BOUNDARY = "----batas7MA4YWxkTrZu0gW"


@dataclass(frozen=True)
class File:
    """What a person chooses in the field for files."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


def body_of(pairs: Iterable[tuple[str, str]], files: Sequence[File], name: str = "files") -> bytes:
    """Write a form as browsers do: text fields first, then the files."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in pairs
    ]
    for file in files:
        shown = file.name.replace('"', "%22")
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; '
            f'filename="{shown}"\r\nContent-Type: {file.media_type}\r\n\r\n'
        )
        parts.append(head.encode() + file.content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def sending() -> str:
    """The content type of such a form."""
    return f"multipart/form-data; boundary={BOUNDARY}"


def send_files(visit: Visit, path: str, files: Sequence[File], room: str = "") -> Visit:
    """Open the page with the form, choose files, and send it."""
    visit.open(path)
    pairs = [pair for pair in visit.filled(path, {}) if pair[0] != "files"]
    if room:
        pairs = [pair for pair in pairs if pair[0] != "room"] + [("room", room)]
    return visit.post_raw(
        path,
        body_of(pairs, files),
        {"content-type": sending()},
    )
