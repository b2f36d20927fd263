"""PDF: readers see the same pages, comments and forms, and nobody sees who made them."""

import zlib
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, String

from sandbox.clean import clean, pdf_streams
from sandbox.contract import Failed, Failure, FileKind
from tests.sandbox.clean import documents, pictures
from tests.sandbox.clean.planting import Planting


@pytest.fixture(scope="module")
def plant() -> Planting:
    return Planting()


@pytest.fixture(scope="module")
def original(plant: Planting) -> bytes:
    return documents.with_earlier_version(documents.pdf_full_of_traces(plant), plant)


@pytest.fixture(scope="module")
def cleaned(original: bytes) -> bytes:
    kind, cleaned = clean(original, FileKind.PDF)
    assert kind is FileKind.PDF
    return cleaned


def opened(data: bytes) -> pikepdf.Pdf:
    return pikepdf.open(BytesIO(data))


def texts(data: bytes) -> list[str]:
    with pypdfium2.PdfDocument(data) as pdf:
        return [page.get_textpage().get_text_bounded().strip() for page in pdf]


def test_no_trace_survives(original: bytes, cleaned: bytes, plant: Planting) -> None:
    plant.assert_all_in(original)
    plant.assert_none_in(cleaned)
    unpacked = BytesIO()
    with opened(cleaned) as pdf:
        pdf.save(
            unpacked,
            stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            static_id=True,
        )
    plant.assert_none_in(unpacked.getvalue())


def test_pages_look_the_same(original: bytes, cleaned: bytes) -> None:
    assert texts(cleaned) == texts(original) == list(documents.VISIBLE[:2])
    with pypdfium2.PdfDocument(original) as before, pypdfium2.PdfDocument(cleaned) as after:
        for one, other in zip(before, after, strict=True):
            drawn = [page.render(scale=1, may_draw_forms=False).to_pil() for page in (one, other)]
            assert pictures.difference(*drawn) < 1


def test_comments_fields_links_and_bookmarks_stay(cleaned: bytes) -> None:
    with opened(cleaned) as pdf:
        marks = list(pdf.pages[0].Annots)
        assert [str(mark.Subtype) for mark in marks] == [
            *("/Text", "/Popup", "/Link", "/Link", "/Link", "/Link", "/Widget", "/Widget"),
        ]
        assert str(marks[0].Contents) == documents.VISIBLE[2]
        assert [str(mark.A.URI) for mark in marks if "/A" in mark] == [
            "https://contoh.example/aturan"
        ]
        assert [str(field.T) for field in pdf.Root.AcroForm.Fields] == ["isian", "ttd"]
        assert str(pdf.Root.AcroForm.Fields[0].V) == documents.VISIBLE[3]
        assert str(pdf.Root.Outlines.First.Title) == documents.VISIBLE[4]
        assert pdf.Root.Names.Dests.Names[1][0].objgen == pdf.pages[1].obj.objgen
        assert str(pdf.Root.Lang) == "id-ID"


def test_the_file_tells_nothing_of_the_program_that_wrote_it(cleaned: bytes) -> None:
    with opened(cleaned) as pdf:
        assert "/Info" not in pdf.trailer
        assert "/Metadata" not in pdf.Root
    assert b"pikepdf" not in cleaned.lower()
    assert b"qpdf" not in cleaned.lower()


def test_equal_documents_give_equal_bytes(original: bytes, cleaned: bytes) -> None:
    assert clean(original, FileKind.PDF)[1] == cleaned


def test_the_pixels_of_a_jpeg_are_kept_bit_for_bit(original: bytes, cleaned: bytes) -> None:
    shown = []
    for data in (original, cleaned):
        with opened(data) as pdf:
            image = pdf.pages[0].Resources.XObject.Im
            raw = image.read_raw_bytes()
            if isinstance(image.Filter, Array):
                raw = zlib.decompressobj().decompress(raw)
            shown.append(pictures.reopened(raw))
    assert shown[0].tobytes() == shown[1].tobytes()


def test_an_unreadable_picture_becomes_a_grey_point() -> None:
    plant = Planting()
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.pages[0].obj.Contents = pdf.make_stream(b"/Im Do")
    broken = pdf.make_stream(
        plant.raw("broken picture"), Type=Name.XObject, Subtype=Name.Image, Width=5, Height=5,
        ColorSpace=Name.DeviceRGB, BitsPerComponent=8, Filter=Name.DCTDecode,
    )  # fmt: skip
    pdf.pages[0].obj.Resources = Dictionary(XObject=Dictionary(Im=broken))
    buffer = BytesIO()
    pdf.save(buffer)
    plant.assert_all_in(buffer.getvalue())
    _, cleaned = clean(buffer.getvalue(), FileKind.PDF)
    plant.assert_none_in(cleaned)
    with opened(cleaned) as after:
        image = after.pages[0].Resources.XObject.Im
        assert (int(image.Width), int(image.Height), image.read_bytes()) == (1, 1, b"\x80")


def encrypted(user: str) -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    buffer = BytesIO()
    pdf.save(buffer, encryption=pikepdf.Encryption(owner="pemilik", user=user))
    return buffer.getvalue()


def test_a_password_is_not_guessed() -> None:
    with pytest.raises(Failed) as failed:
        clean(encrypted("rahasia"), FileKind.PDF)
    assert failed.value.reason is Failure.UNSUPPORTED


def test_mere_restrictions_are_lifted() -> None:
    _, cleaned = clean(encrypted(""), FileKind.PDF)
    with opened(cleaned) as pdf:
        assert not pdf.is_encrypted


def test_streams_that_inflate_to_too_much_are_too_large() -> None:
    pdf = pikepdf.new()
    stream = pdf.make_stream(zlib.compress(bytes(600)), Filter=Name.FlateDecode)
    streams = pdf_streams.Streams(pdf, limit=1_000)
    streams.clean(stream)
    with pytest.raises(Failed) as failed:
        streams.clean(stream)
    assert failed.value.reason is Failure.TOO_LARGE


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.7\n%%EOF", b"", b"PK\x03\x04"])
def test_what_is_no_document_is_damaged(data: bytes) -> None:
    with pytest.raises(Failed) as failed:
        clean(data, FileKind.PDF)
    assert failed.value.reason is Failure.DAMAGED


def one_page() -> tuple[pikepdf.Pdf, pikepdf.Object]:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    return pdf, pdf.pages[0].obj


def cleaned_of(pdf: pikepdf.Pdf) -> pikepdf.Pdf:
    buffer = BytesIO()
    pdf.save(buffer)
    return opened(clean(buffer.getvalue(), FileKind.PDF)[1])


def test_a_field_of_several_boxes_keeps_those_that_are_shown() -> None:
    pdf, page = one_page()
    boxes = [
        pdf.make_indirect(Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, Rect=Array([0, 0, 9, 9]), F=flags, AS=Name.Ya
        ))
        for flags in (4, 2, 4)
    ]  # fmt: skip
    field = Dictionary(FT=Name.Btn, T=String("setuju"), V=Name.Ya, Kids=Array(boxes))
    page.Annots = Array(boxes)
    pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.make_indirect(field)]))
    after = cleaned_of(pdf)
    (kept,) = after.Root.AcroForm.Fields
    assert (str(kept.T), str(kept.V), len(kept.Kids)) == ("setuju", "/Ya", 2)


def test_jumps_inside_the_document_stay() -> None:
    pdf, page = one_page()
    jump = Dictionary(S=Name.GoTo, D=Array([page, Name.Fit]))
    mark = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=jump)
    page.Annots = Array([mark])
    after = cleaned_of(pdf)
    assert after.pages[0].Annots[0].A.D[0].objgen == after.pages[0].obj.objgen


@pytest.mark.parametrize(
    ("count", "alternate", "plain"),
    [
        (1, None, "/DeviceGray"),
        (3, None, "/DeviceRGB"),
        (4, Name.DeviceCMYK, "/DeviceCMYK"),
        (3, Array([Name.Lab, Dictionary(WhitePoint=Array([1, 1, 1]))]), "/Lab"),
    ],
)
def test_a_colour_space_with_a_profile_becomes_the_nearest_plain_one(
    count: int, alternate: pikepdf.Object | None, plain: str
) -> None:
    pdf, page = one_page()
    profile = pdf.make_stream(b"profile", N=count)
    if alternate is not None:
        profile.Alternate = alternate
    space = Array([Name.ICCBased, profile])
    page.Group = Dictionary(S=Name.Transparency, CS=space)
    page.Resources = Dictionary(ColorSpace=Dictionary(
        A=space, DefaultRGB=space, B=Array([Name.Indexed, space, 1, String("abcdefgh")])
    ))  # fmt: skip
    document = cleaned_of(pdf)
    after = document.pages[0].obj
    found = (after.Group.CS, after.Resources.ColorSpace.A, after.Resources.ColorSpace.B[1])
    assert {str(each[0] if isinstance(each, Array) else each) for each in found} == {plain}
    assert "/DefaultRGB" not in after.Resources.ColorSpace


def test_what_follows_the_damage_in_a_stream_is_gone() -> None:
    plant = Planting()
    pdf, page = one_page()
    good = zlib.compressobj()
    start = good.compress(b"0 0 m 9 9 l S " * 9) + good.flush(zlib.Z_SYNC_FLUSH)
    page.Contents = pdf.make_stream(start + b"\xff\xff" + plant.raw("after the damage"))
    page.Contents.Filter = Name.FlateDecode
    buffer = BytesIO()
    pdf.save(buffer, recompress_flate=False)
    plant.assert_all_in(buffer.getvalue())
    _, cleaned = clean(buffer.getvalue(), FileKind.PDF)
    plant.assert_none_in(cleaned)


def test_a_language_that_is_none_goes() -> None:
    plant = Planting()
    pdf, _ = one_page()
    pdf.Root.Lang = String(plant("language"))
    assert "/Lang" not in cleaned_of(pdf).Root
