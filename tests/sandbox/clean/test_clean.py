"""All cleaners together: they answer for their kinds, and fail in known ways only."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.archive import pack
from sandbox.clean import clean
from sandbox.contract import (
    AUDIO,
    INPUT_LIMIT,
    PACKAGES,
    VIDEO,
    Failed,
    Failure,
    FileKind,
)
from tests.sandbox.clean import documents, office_files, open_files, pictures
from tests.sandbox.clean.planting import Planting

IN_PROCESS = sorted(set(FileKind) - VIDEO - (AUDIO - {FileKind.AMR}) - {FileKind.OTHER})
"""Kinds that are cleaned without another program, which would take long for each example."""

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_other_files_are_unsupported() -> None:
    with pytest.raises(Failed) as failed:
        clean(b"x", FileKind.OTHER)
    assert failed.value.reason is Failure.UNSUPPORTED


def test_a_file_over_the_limit_is_too_large() -> None:
    with pytest.raises(Failed) as failed:
        clean(bytes(INPUT_LIMIT + 1), FileKind.TEXT)
    assert failed.value.reason is Failure.TOO_LARGE


@pytest.mark.parametrize("kind", sorted(set(FileKind) - {FileKind.TEXT, FileKind.CSV}))
def test_nothing_at_all_fails(kind: FileKind) -> None:
    with pytest.raises(Failed):
        clean(b"", kind)


@pytest.mark.parametrize("kind", sorted(PACKAGES))
@pytest.mark.parametrize("other", sorted(PACKAGES))
def test_a_package_of_another_kind_is_damaged(kind: FileKind, other: FileKind) -> None:
    if kind is not other:
        with pytest.raises(Failed) as failed:
            clean(ORIGINALS[other], kind)
        assert failed.value.reason is Failure.DAMAGED


ORIGINALS: dict[FileKind, bytes] = {
    FileKind.JPEG: pictures.jpeg(Planting()),
    FileKind.PNG: pictures.png(Planting()),
    FileKind.GIF: pictures.gif(Planting(), frames=2),
    FileKind.WEBP: pictures.webp(Planting()),
    FileKind.TIFF: pictures.tiff(Planting(), pages=2),
    FileKind.BMP: pictures.bmp(Planting()),
    FileKind.HEIC: pictures.heic(Planting()),
    FileKind.PDF: documents.pdf_full_of_traces(Planting()),
    FileKind.DOCX: office_files.docx(Planting()),
    FileKind.XLSX: office_files.xlsx(Planting()),
    FileKind.PPTX: office_files.pptx(Planting()),
    **{
        kind: open_files.document(kind, Planting())
        for kind in (FileKind.ODT, FileKind.ODS, FileKind.ODP)
    },
}


@QUICK
@given(st.sampled_from(IN_PROCESS), st.binary(max_size=300))
def test_arbitrary_bytes_fail_in_known_ways_only(kind: FileKind, data: bytes) -> None:
    try:
        clean(data, kind)
    except Failed as failed:
        assert failed.reason in Failure  # noqa: PT017 - either is right, but nothing else
        assert failed.__cause__ is None  # noqa: PT017


@QUICK
@given(st.data())
def test_altered_files_fail_in_known_ways_only(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(ORIGINALS)))
    altered = bytearray(ORIGINALS[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(altered) - 1))
        altered[at] = data.draw(st.integers(0, 255))
    try:
        clean(bytes(altered), kind)
    except Failed as failed:
        assert failed.reason in Failure  # noqa: PT017


EVIL = (
    b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w>&x;</w>',
    b'<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><w>&b;&b;&b;</w>',
    '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE w><w/>'.encode("utf-16"),
    b"<w>" * 100_000,
)


@pytest.mark.parametrize("part", EVIL)
def test_a_document_that_declares_entities_is_damaged(part: bytes) -> None:
    text = {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": part}
    types = b'<Types><x ContentType="wordprocessingml.document.main+xml"/></Types>'
    links = office_files.relationships([("officeDocument", "a.xml")])
    word = {"[Content_Types].xml": types, "_rels/.rels": links, "a.xml": part}
    for kind, members in ((FileKind.ODT, text), (FileKind.DOCX, word)):
        with pytest.raises(Failed) as failed:
            clean(pack(members.items()), kind)
        assert failed.value.reason is Failure.DAMAGED
