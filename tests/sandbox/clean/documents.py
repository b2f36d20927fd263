"""A PDF full of traces, built object by object: each trace is a canary of its own."""

import zlib
from io import BytesIO

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.sandbox.clean import pictures
from tests.sandbox.clean.planting import Planting

VISIBLE = ("Anggaran jalan desa", "Halaman kedua", "Catatan yang terlihat", "Isian", "Daftar isi")
"""What a reader sees: text of pages, of a comment, of a form field, of a bookmark."""


_ANYWHERE = (
    *("Metadata", "PieceInfo", "LastModified", "Thumb", "AA", "AF", "EF", "OPI", "Alternates"),
    *("Ref", "Measure", "PtData", "SeparationInfo", "StructParent", "StructParents", "JS", "XFA"),
    *("UserProperties", "CreatorInfo", "User", "Author", "Creator", "Producer", "CreationDate"),
    *("ModDate", "DPart", "Private", "FFilter", "FDecodeParms"),
)


def _drawn(pdf: pikepdf.Pdf, plant: Planting, text: str) -> Array:
    """In two pieces, the second of which cannot be read without the first."""
    before = f"BT /F1 18 Tf 20 150 Td ({text}) Tj ET\n% {plant('comment among instructions')}\nq 90"
    after = (
        f"0 0 60 20 60 cm /Im Do /Fm Do Q /Span /Mc BDC EMC"
        f" /Artifact <</Contents ({plant('property of marked content')})>> BDC EMC"
    )
    return Array([pdf.make_stream(before.encode()), pdf.make_stream(after.encode())])


def _picture(pdf: pikepdf.Pdf, plant: Planting) -> pikepdf.Stream:
    space = Array([Name.ICCBased, pdf.make_stream(
        pictures.profile(plant, "pdf"), N=3, Alternate=Name.DeviceRGB)])  # fmt: skip
    small = pdf.make_stream(plant.raw("image thumbnail"))
    return pdf.make_stream(
        zlib.compress(pictures.jpeg(plant, "image in pdf")) + plant.raw("after a deflated stream"),
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=96,
        Height=64,
        ColorSpace=space,
        BitsPerComponent=8,
        Filter=Array([Name.FlateDecode, Name.DCTDecode]),
        Metadata=pdf.make_stream(plant.raw("image XMP")),
        Thumb=small,
        Alternates=Array([Dictionary(Image=pdf.make_stream(plant.raw("other image")))]),
        OPI=Dictionary({"/2.0": Dictionary(F=String(plant("OPI path")))}),
    )


def _script(plant: Planting, where: str) -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String(f"app.alert('{plant(f'script {where}')}')"))


def _marks(pdf: pikepdf.Pdf, plant: Planting, page: pikepdf.Object) -> Array:
    person = {
        "/T": String(plant("comment author")),
        "/M": String(plant("comment date")),
        "/CreationDate": String(plant("comment creation date")),
        "/NM": String(plant("comment name")),
        "/Subj": String(plant("comment subject")),
        "/RC": String(plant("comment rich text")),
        "/Private": String(plant("comment unknown entry")),
    }
    rect = Array([10, 10, 60, 30])
    note = pdf.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=rect, Contents=String(VISIBLE[2]))
    )
    for key, value in person.items():
        note[key] = value
    state = Dictionary(
        Type=Name.Annot, Subtype=Name.Text, Rect=rect, F=30, IRT=note, State=String("Accepted"),
        StateModel=String("Review"), Contents=String(plant("state of a comment")),
    )  # fmt: skip
    popup = Dictionary(Type=Name.Annot, Subtype=Name.Popup, Rect=rect, Parent=note)
    popup.T = String(plant("popup author"))
    note.Popup = pdf.make_indirect(popup)
    attached = Dictionary(
        Type=Name.Annot, Subtype=Name.FileAttachment, Rect=rect, FS=_attached(pdf, plant, "note")
    )
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=rect)
    link.A = Dictionary(
        S=Name.URI, URI=String("https://contoh.example/aturan"), Next=_script(plant, "after a link")
    )
    launch = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=rect)
    launch.A = Dictionary(S=Name.Launch, F=String(plant("launched path")))
    local = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=rect)
    local.A = Dictionary(S=Name.URI, URI=String(f"file:///C:/{plant('link to a file')}"))
    deleted = pdf.make_indirect(Dictionary(Type=Name.Page, Parent=pdf.Root.Pages,
        Contents=pdf.make_stream(plant.raw("deleted page"))))  # fmt: skip
    jump = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=rect)
    jump.Dest = Array([deleted, Name.Fit])
    several = (note, state, note.Popup, attached, link, launch, local, jump)
    made = [each if each.is_indirect else pdf.make_indirect(each) for each in several]
    return Array([*made, *_fields(pdf, plant, page)])


def _attached(pdf: pikepdf.Pdf, plant: Planting, where: str) -> pikepdf.Object:
    file = pdf.make_stream(plant.raw(f"attached to {where}"), Type=Name.EmbeddedFile)
    return pdf.make_indirect(Dictionary(
        Type=Name.Filespec, F=String(plant(f"name attached to {where}")), EF=Dictionary(F=file)
    ))  # fmt: skip


def _fields(pdf: pikepdf.Pdf, plant: Planting, page: pikepdf.Object) -> list[pikepdf.Object]:
    rect = Array([10, 100, 90, 120])
    text = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("isian"), V=String(VISIBLE[3]),
        Rect=rect, P=page, TM=String(plant("mapping name")), AA=_script(plant, "of a field"),
        RV=String(plant("rich value")),
    )  # fmt: skip
    signed = Dictionary(
        Type=Name.Sig, Name=String(plant("signer")), Location=String(plant("place of signing")),
        Contents=String(plant("certificate")), ByteRange=Array([0, 1, 2, 3]),
    )  # fmt: skip
    signature = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=String("ttd"), Rect=rect, P=page,
        V=pdf.make_indirect(signed),
    )  # fmt: skip
    hidden = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("x"), F=2, Rect=rect, P=page,
        V=String(plant("hidden field")),
    )  # fmt: skip
    fields: list[pikepdf.Object] = [pdf.make_indirect(field) for field in (text, signature, hidden)]
    loose = pdf.make_indirect(Dictionary(FT=Name.Tx, V=String(plant("field on no page"))))
    pdf.Root.AcroForm = Dictionary(
        Fields=Array([*fields, loose]), SigFlags=3, XFA=pdf.make_stream(plant.raw("XFA"))
    )
    return fields


def _page(pdf: pikepdf.Pdf, plant: Planting, text: str) -> pikepdf.Object:
    pdf.add_blank_page(page_size=(300, 200))
    page = pdf.pages[-1].obj
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    for key in _ANYWHERE:
        font[f"/{key}"] = String(plant(f"{key} where it has no place"))
    for kind in ("Filespec", "F", "EmbeddedFile", "Sig", "DocTimeStamp", "SigRef"):
        font[f"/X{kind}"] = Dictionary(Type=Name(f"/{kind}"), X=String(plant(f"stray {kind}")))
    page.Contents = _drawn(pdf, plant, text)
    page.Resources = Dictionary(
        Font=Dictionary(F1=font),
        XObject=Dictionary(
            Im=_picture(pdf, plant),
            Fm=pdf.make_stream(
                b"%" + plant.raw("comment in a form") + b"\n0 0 1 rg 0 0 0.2 0.2 re f",
                Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 1, 1]),
            ),
            Gone=pdf.make_stream(
                plant.raw("picture that no page shows"), Type=Name.XObject, Subtype=Name.Form,
                BBox=Array([0, 0, 1, 1])),
        ),
        Properties=Dictionary(Mc=Dictionary(Owner=String(plant("marked content")))),
    )  # fmt: skip
    page.Metadata = pdf.make_stream(plant.raw("page XMP"))
    page.PieceInfo = Dictionary(App=Dictionary(Private=String(plant("PieceInfo"))))
    page.LastModified = String(plant("LastModified"))
    page.Thumb = pdf.make_stream(plant.raw("page thumbnail"))
    page.AA = Dictionary(O=_script(plant, "of a page"))
    page.VP = Array([Dictionary(Name=String(plant("geographic viewport")))])
    return page


def _bookmark(pdf: pikepdf.Pdf, plant: Planting, page: pikepdf.Object) -> None:
    top = pdf.make_indirect(Dictionary(Type=Name.Outlines))
    item = pdf.make_indirect(Dictionary(
        Title=String(VISIBLE[4]), Parent=top, Dest=Array([page, Name.Fit]),
        SE=Dictionary(T=String(plant("bookmark structure"))),
    ))  # fmt: skip
    top.First = top.Last = item
    top.Count = 1
    pdf.Root.Outlines = top


def pdf_full_of_traces(plant: Planting) -> bytes:
    pdf = pikepdf.new()
    pages = [_page(pdf, plant, text) for text in VISIBLE[:2]]
    pages[0].Annots = _marks(pdf, plant, pages[0])
    _bookmark(pdf, plant, pages[1])
    layer = pdf.make_indirect(Dictionary(
        Type=Name.OCG, Name=String("Lapisan"),
        Usage=Dictionary(CreatorInfo=Dictionary(Creator=String(plant("layer creator"))),
                         User=Dictionary(Name=String(plant("layer user")))),
    ))  # fmt: skip
    root = pdf.Root
    root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(Creator=String(plant("OCD"))))
    root.Metadata = pdf.make_stream(pictures.xmp(plant, "pdf"), Type=Name.Metadata)
    root.OpenAction = _script(plant, "on opening")
    root.AA = Dictionary(WC=_script(plant, "on closing"))
    root.PieceInfo = Dictionary(App=Dictionary(Private=String(plant("document PieceInfo"))))
    root.AF = Array([_attached(pdf, plant, "document by AF")])
    root.Names = Dictionary(
        EmbeddedFiles=Dictionary(Names=Array([String("a"), _attached(pdf, plant, "document")])),
        JavaScript=Dictionary(Names=Array([String("a"), _script(plant, "by name")])),
        Dests=Dictionary(Names=Array([String("sini"), Array([pages[1], Name.Fit])])),
    )
    root.StructTreeRoot = Dictionary(Type=Name.StructTreeRoot, K=String(plant("structure")))
    root.OutputIntents = Array([Dictionary(Info=String(plant("output intent")))])
    root.Lang = String("id-ID")
    for key in ("/Author", "/Creator", "/Producer", "/Title", "/Keywords", "/Company"):
        pdf.docinfo[key] = plant(f"docinfo {key}")
    pdf.trailer.Extra = String(plant("trailer entry"))
    buffer = BytesIO()
    pdf.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return buffer.getvalue()


def with_earlier_version(pdf: bytes, plant: Planting) -> bytes:
    """Append an update that replaces a page's text, as a program does that saves quickly."""
    old = f"9999 0 obj\n({plant('earlier version')})\nendobj\n".encode()
    start = int(pdf.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    with pikepdf.open(BytesIO(pdf)) as read:
        root, size = read.Root.objgen[0], int(read.trailer.Size)
    table = f"xref\n9999 1\n{len(pdf):010} 00000 n \n".encode()
    trailer = f"trailer\n<</Root {root} 0 R /Size {max(size, 10000)} /Prev {start}>>\n".encode()
    end = f"startxref\n{len(pdf) + len(old)}\n%%EOF\n".encode()
    after = b"%" + plant.raw("after the end of the file")
    return pdf + old + table + trailer + end + after
