"""The canary search finds what it must: a sweep that is blind would pass every time."""

import base64
import gzip
import html
import io
import json
import os
import quopri
import subprocess
import sys
import urllib.parse
import zipfile
import zlib
from pathlib import Path

import pytest

from tests import canary

SECRET = 'Kenari "ü" di/bawah <é> & 7'
OTHER = "Sama sekali lain"

PLANTED = {
    "raw": SECRET.encode(),
    "utf-16-le": SECRET.encode("utf-16-le"),
    "utf-16-be": SECRET.encode("utf-16-be"),
    "utf-16 with a byte order mark": SECRET.encode("utf-16"),
    "hex": SECRET.encode().hex().encode(),
    "upper hex": SECRET.encode().hex().upper().encode(),
    "wrapped hex": b"\n".join(
        SECRET.encode().hex()[i : i + 16].encode() for i in range(0, 2 * len(SECRET.encode()), 16)
    ),
    "percent": urllib.parse.quote(SECRET, safe="").encode(),
    "percent in a path": urllib.parse.quote(SECRET).encode(),
    "lower-case percent": b"Kenari%20%22%c3%bc%22%20di%2fbawah%20%3c%c3%a9%3e%20%26%207",
    "form": urllib.parse.urlencode({"a": SECRET}).encode(),
    "lower-case form": b"Kenari+%22%c3%bc%22+di%2fbawah+%3c%c3%a9%3e+%26+7",
    "every byte percent": "".join(f"%{byte:02x}" for byte in SECRET.encode()).encode(),
    "base64": base64.b64encode(SECRET.encode()),
    "base64 one byte in": base64.b64encode(b"x" + SECRET.encode() + b"yz"),
    "base64 two bytes in": base64.b64encode(b"xx" + SECRET.encode() + b"y"),
    "base64url": base64.urlsafe_b64encode(b"abc" + SECRET.encode() + b"y"),
    "base64url one byte in": base64.urlsafe_b64encode(b"x" + SECRET.encode()),
    "base64url two bytes in": base64.urlsafe_b64encode(b"xx" + SECRET.encode()),
    "base64 in mail lines": base64.encodebytes(b"vorher " * 9 + SECRET.encode() + b" n" * 40),
    "json": json.dumps({"text": SECRET}).encode(),
    "json with unicode": json.dumps({"text": SECRET}, ensure_ascii=False).encode(),
    "json with escaped slashes": json.dumps(SECRET).replace("/", "\\/").encode(),
    "html": html.escape(SECRET).encode(),
    "html with decimal references": b"Kenari &#34;\xc3\xbc&#34; di/bawah &lt;\xc3\xa9&gt; &amp; 7",
    "html in ascii": html.escape(SECRET).encode("ascii", "xmlcharrefreplace"),
    "python repr of bytes": repr(SECRET.encode()).encode(),
    "quoted-printable": quopri.encodestring(b"x" * 60 + SECRET.encode()),
    "zlib": zlib.compress(SECRET.encode()),
    "zlib at level 9": zlib.compress(b"abc" + SECRET.encode(), 9),
    "gzip": gzip.compress(SECRET.encode()),
    "zlib, base64 inside": zlib.compress(base64.b64encode(b"x" + SECRET.encode())),
    "gzip in zlib in gzip": gzip.compress(zlib.compress(gzip.compress(SECRET.encode()))),
}


def zip_with(name: str, content: bytes, method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


PLANTED["zip, deflated"] = zip_with("a.xml", SECRET.encode() * 3, zipfile.ZIP_DEFLATED)
PLANTED["zip, stored"] = zip_with("a.xml", SECRET.encode(), zipfile.ZIP_STORED)


@pytest.mark.parametrize("encoding", PLANTED)
def test_a_planted_secret_is_found_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    noise = os.urandom(5_000)
    (tmp_path / "deep" / "file.bin").write_bytes(noise + PLANTED[encoding] + noise)

    found = canary.sweep([tmp_path], [OTHER, SECRET])

    assert {finding.secret for finding in found} == {1}
    assert {finding.where for finding in found} == {str(tmp_path / "deep" / "file.bin")}


def test_a_clean_folder_gives_no_finding(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(os.urandom(300_000))
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"nothing to see " * 1000))
    (tmp_path / "empty").touch()
    assert canary.sweep([tmp_path], [SECRET, OTHER]) == []


@pytest.mark.parametrize("distance", range(-40, 41, 8))
def test_a_secret_across_the_edge_of_a_window_is_found(tmp_path: Path, distance: int) -> None:
    before = b"\0" * (canary.WINDOW + distance)
    for planted in (SECRET.encode(), zlib.compress(SECRET.encode() * 9)):
        (tmp_path / "file").write_bytes(before + planted + before)
        assert canary.sweep([tmp_path], [SECRET])


def test_a_secret_late_in_a_large_stream_is_found(tmp_path: Path) -> None:
    inner = bytes(3 * canary.WINDOW) + SECRET.encode()
    (tmp_path / "file.gz").write_bytes(b"head" + gzip.compress(inner))
    (found,) = canary.sweep([tmp_path], [SECRET])
    assert found.within == ("gzip@4",)
    assert found.offset == 3 * canary.WINDOW


def test_a_cut_or_damaged_stream_is_searched_up_to_the_damage(tmp_path: Path) -> None:
    stream = zlib.compress(SECRET.encode() + os.urandom(40_000))
    (tmp_path / "cut").write_bytes(stream[:-20_000])
    (tmp_path / "damaged").write_bytes(stream[:30_000] + b"\xff" * 30_000)
    found = canary.sweep([tmp_path], [SECRET])
    assert {Path(finding.where).name for finding in found} == {"cut", "damaged"}


def test_a_stream_too_large_to_search_is_an_error_and_no_clean_result(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(zlib.compress(bytes(canary.MAX_INFLATED + 1)))
    with pytest.raises(canary.SweepError):
        canary.sweep([tmp_path], [SECRET])


def test_names_of_files_and_targets_of_links_are_searched(tmp_path: Path) -> None:
    name = "kenari-di-nama"
    (tmp_path / f"{name}.txt").touch()
    (tmp_path / "link").symlink_to(f"../{name}")
    found = canary.sweep([tmp_path], [name])
    assert sorted(finding.where.split(" ")[0] for finding in found) == ["name", "target"]


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(canary.SweepError):
        canary.sweep([tmp_path / "absent"], [SECRET])


@pytest.mark.parametrize("secrets", [[], ["abc"], [""]])
def test_a_sweep_for_nothing_is_refused(tmp_path: Path, secrets: list[str]) -> None:
    with pytest.raises(ValueError, match=r"canary|sweep"):
        canary.sweep([tmp_path], secrets)


@pytest.mark.parametrize("place", ["environ", "cmdline"])
def test_environment_and_command_line_of_a_process_are_searched(place: str) -> None:
    secret = "kenari-proses-4711"
    code = "import sys; print('ready', flush=True); sys.stdin.read()"
    arguments = [sys.executable, "-c", code, *([secret] if place == "cmdline" else [])]
    environment = {**os.environ, **({"A": secret} if place == "environ" else {})}
    with subprocess.Popen(
        arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = canary.sweep_process(process.pid, [secret, OTHER])
        process.communicate()
    assert [finding.where.split(" ")[0] for finding in found] == [place]
    assert {finding.secret for finding in found} == {0}


def test_a_finding_does_not_repeat_the_secret() -> None:
    (found, *_) = canary.sweep_bytes(SECRET.encode(), [SECRET])
    assert SECRET not in repr(found)
    assert SECRET not in str(found)
