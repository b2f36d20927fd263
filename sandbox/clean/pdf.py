"""PDF documents: pages, links, bookmarks, comments and filled forms stay; all else goes.

What is reachable from the document is walked once, and dictionaries of known kinds keep known
entries only. The file is written anew, so that earlier versions, and pages, pictures and comments
that were deleted but never left the file, do not come along.

Gone: document information, XMP, private data of programs, attachments, scripts, actions other
than following a link, signatures (their visible picture stays), authors and dates of comments,
hidden comments, names of scanners in colour profiles, the structure for screen readers. Not
removed: what pages show, and what they hold unseen (text under a black bar, what lies outside the
visible box, hidden layers, text as a scanner read it), names inside fonts, pictures inside the
drawing instructions, the way in which a program draws.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Final, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from sandbox.clean import pdf_contents, pdf_marks, pdf_streams
from sandbox.clean.pdf_keys import CATALOG, FORM, IMAGE, NEVER, OUTLINE, PAGE, PAGES, RESOURCES
from sandbox.contract import Failed, Failure, FileKind

_EMPTIED: Final = frozenset({
    Name.Filespec, Name.F, Name.EmbeddedFile, Name.Sig, Name.DocTimeStamp, Name.SigRef,
})  # fmt: skip
_LANGUAGE: Final = re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")

_Place = Callable[[Object], None]


def clean(data: bytes, kind: FileKind) -> tuple[FileKind, bytes]:
    """Return the document written anew.

    One that opens without a password is cleaned though it is encrypted, and is not encrypted
    afterwards.

    Raises:
        Failed: DAMAGED, TOO_LARGE, or UNSUPPORTED if it needs a password.
    """
    try:
        pdf = pikepdf.open(BytesIO(data), suppress_warnings=True)
    except pikepdf.PasswordError:
        raise Failed(Failure.UNSUPPORTED) from None
    except pikepdf.PdfError:
        raise Failed(Failure.DAMAGED) from None
    with pdf:
        if not len(pdf.pages):
            raise Failed(Failure.DAMAGED)
        pdf.remove_unreferenced_resources()
        _document(pdf)
        _Walk(pdf).run()
        for page in pdf.pages:
            pdf_contents.clean_page(page)
        buffer = BytesIO()
        pdf.save(
            buffer,
            force_version="1.7",
            deterministic_id=True,
            encryption=False,
            fix_metadata_version=False,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        )
    return kind, buffer.getvalue()


def _keep(dictionary: Object, keys: frozenset[str]) -> None:
    for key in list(dictionary.keys()):
        if key not in keys:
            del dictionary[key]


def _document(pdf: pikepdf.Pdf) -> None:
    _keep(pdf.trailer, frozenset({"/Root", "/Size"}))
    root = pdf.Root
    _keep(root, CATALOG)
    if not _LANGUAGE.fullmatch(str(root.get("/Lang", ""))):
        _keep(root, CATALOG - {"/Lang"})
    names = root.get("/Names")
    if isinstance(names, Dictionary):
        _keep(names, frozenset({"/Dests"}))
    kept = {annotation for page in pdf.pages for annotation in pdf_marks.prune(page.obj)}
    if "/AcroForm" in root and not pdf_marks.prune_form(root.AcroForm, kept):
        del root["/AcroForm"]


class _Walk:
    """One walk over everything that is reachable, each object once."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pages = {page.obj.objgen for page in pdf.pages}
        self._streams = pdf_streams.Streams(pdf)
        self._seen: set[tuple[int, int]] = set()
        self._waiting: list[tuple[Object, _Place]] = [(pdf.Root, self._ordinary)]

    def run(self) -> None:
        """Clean everything.

        Raises:
            Failed: TOO_LARGE if streams inflate to too much.
        """
        while self._waiting:
            thing, place = self._waiting.pop()
            if thing.is_indirect:
                if thing.objgen in self._seen:
                    continue
                self._seen.add(thing.objgen)
            if isinstance(thing, Array):
                self._array(thing)
            else:
                place(thing)

    def _array(self, array: Object) -> None:
        for index, item in enumerate(_items(array)):
            if pdf_streams.is_profile(item):
                array[index] = pdf_streams.plain_space(item)
            else:
                self._wait(item, self._ordinary)

    def _wait(self, thing: object, place: _Place) -> None:
        if isinstance(thing, Array | Dictionary | Stream):
            self._waiting.append((cast("Object", thing), place))

    def _ordinary(self, thing: Object) -> None:
        self._filter(thing)
        for key in list(thing.keys()):
            value = thing[key]
            if key in NEVER or pdf_marks.is_forbidden_action(key, value):
                del thing[key]
            elif pdf_streams.is_profile(value):
                thing[key] = pdf_streams.plain_space(value)
            elif key in {"/Resources", "/DR"} and isinstance(value, Dictionary):
                self._wait(value, self._resources)
            elif key in {"/CharProcs", "/Colorants"}:
                self._wait(value, self._names)
            else:
                self._wait(value, self._ordinary)
        if isinstance(thing, Stream):
            self._streams.clean(thing)
            pdf_contents.clean_form(thing)

    def _filter(self, thing: Object) -> None:
        """Leave a dictionary of a known kind its known entries; empty what has no place."""
        kind, subtype = thing.get("/Type"), thing.get("/Subtype")
        if isinstance(thing, Stream):
            keys = IMAGE if subtype == Name.Image else FORM if subtype == Name.Form else None
            _keep(thing, keys or frozenset(thing.keys()) - {"/F", "/DL"})
        elif kind == Name.Page:
            _keep(thing, PAGE if thing.objgen in self._pages else frozenset())
        elif kind == Name.Pages:
            _keep(thing, PAGES)
        elif kind in _EMPTIED or "/ByteRange" in thing:
            _keep(thing, frozenset())
        elif "/Title" in thing and "/Parent" in thing:
            _keep(thing, OUTLINE)
        else:
            pdf_marks.filter_mark(thing)

    def _resources(self, resources: Object) -> None:
        _keep(resources, RESOURCES)
        for key in list(resources.keys()):
            names = resources[key]
            if key == "/Properties":
                _keep_layers(names)
            elif key == "/ColorSpace":
                _drop_default_profiles(names)
            self._wait(names, self._names)

    def _names(self, names: Object) -> None:
        """Go on below a dictionary whose keys are names that mean nothing."""
        for key in list(names.keys()):
            value = names[key]
            if pdf_streams.is_profile(value):
                names[key] = pdf_streams.plain_space(value)
            else:
                self._wait(value, self._ordinary)


def _items(array: Object) -> Iterator[object]:
    yield from cast("Array", array)


def _keep_layers(properties: Object) -> None:
    """Empty what marks parts of a page for programs; what makes a part visible stays."""
    for key in list(properties.keys()):
        value = properties[key]
        layer = isinstance(value, Dictionary) and value.get("/Type") in {Name.OCG, Name.OCMD}
        if not layer:
            properties[key] = Dictionary()


def _drop_default_profiles(spaces: Object) -> None:
    for key in ("/DefaultGray", "/DefaultRGB", "/DefaultCMYK"):
        if pdf_streams.is_profile(spaces.get(key)):
            del spaces[key]
