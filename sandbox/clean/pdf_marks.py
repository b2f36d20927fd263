"""What lies upon the pages of a PDF: comments, links, form fields; and what they may do."""

from __future__ import annotations

from typing import Final, cast

from pikepdf import Array, Dictionary, Name, Object, String

from sandbox.clean.pdf_keys import ACRO_FORM, ACTION, FIELD, MARK, SHOWN

_Id = tuple[int, int]

_HIDDEN: Final = 0x02
"""Bit of an annotation's /F: it is neither shown nor printed (ISO 32000-1 table 165)."""

_ACTION_KEY: Final = "/A"
_ACTIONS: Final = frozenset({Name.GoTo, Name.URI, Name.Named})
_SCHEMES: Final = ("http://", "https://", "mailto:", "tel:")
_MAX_DEPTH: Final = 50
"""Levels of form fields; deeper ones are dropped."""


def prune(page: Object) -> set[_Id]:
    """Drop annotations that show nothing; return the ids of those that stay.

    Besides hidden ones these are the notes by which programs keep who accepted a comment.
    """
    annotations = page.get("/Annots")
    if not isinstance(annotations, Array):
        if annotations is not None:
            del page["/Annots"]
        return set()
    shown = [each for each in annotations if isinstance(each, Dictionary) and _is_shown(each)]
    kept = {each.objgen for each in shown}
    result = []
    for each in shown:
        for key in ("/Popup", "/IRT"):
            if key in each and not _is_one_of(each[key], kept):
                del each[key]
        if each.Subtype == Name.Popup and not _is_one_of(each.get("/Parent"), kept):
            continue
        each.P = page
        result.append(each)
    page.Annots = Array(result)
    return {each.objgen for each in result if each.is_indirect}


def _is_one_of(thing: object, kept: set[_Id]) -> bool:
    return isinstance(thing, Dictionary) and thing.is_indirect and thing.objgen in kept


def _is_shown(annotation: Dictionary) -> bool:
    flags = annotation.get("/F", 0)
    hidden = isinstance(flags, int) and bool(flags & _HIDDEN)
    state = "/State" in annotation or "/StateModel" in annotation
    return str(annotation.get("/Subtype")) in SHOWN and not hidden and not state


def prune_form(form: object, kept: set[_Id]) -> bool:
    """Drop the fields that no page shows, and say whether any is left."""
    if not isinstance(form, Dictionary) or not isinstance(form.get("/Fields"), Array):
        return False
    for key in list(form.keys()):
        if key not in ACRO_FORM:
            del form[key]
    seen: set[_Id] = set()
    form.Fields = _shown_fields(cast("Array", form.Fields), kept, seen, 0)
    return len(form.Fields) > 0


def _shown_fields(fields: Array, kept: set[_Id], seen: set[_Id], depth: int) -> Array:
    shown = []
    for field in fields:
        if not isinstance(field, Dictionary) or not field.is_indirect or field.objgen in seen:
            continue
        seen.add(field.objgen)
        kids = field.get("/Kids")
        if isinstance(kids, Array) and depth < _MAX_DEPTH:
            field.Kids = _shown_fields(kids, kept, seen, depth + 1)
            if len(field.Kids):
                shown.append(field)
        elif field.objgen in kept:
            shown.append(field)
    return Array(shown)


def filter_mark(thing: Object) -> None:
    """Leave an annotation or a form field its known entries; other dictionaries are not touched.

    The name of a form field stays, because its parts find each other by it; the author of a
    comment, which has the same key, goes.
    """
    keys: frozenset[str] = frozenset()
    field = "/FT" in thing or ("/T" in thing and "/Kids" in thing)
    if "/Rect" in thing and "/Subtype" in thing:
        keys = MARK
        field = field or thing.Subtype == Name.Widget
    if field:
        keys |= FIELD
        if thing.get("/FT") == Name.Sig:
            keys -= {"/V", "/DV"}
    if not keys:
        return
    for key in list(thing.keys()):
        if key not in keys:
            del thing[key]


def is_forbidden_action(key: str, value: object) -> bool:
    """Whether ``value`` at ``key`` does more than go to a page or to an address on the web.

    An allowed action is left its known entries, so that no other follows it.
    """
    if key != _ACTION_KEY or not isinstance(value, Dictionary):
        return False
    action = value.get("/S")
    if action not in _ACTIONS:
        return True
    for entry in list(value.keys()):
        if entry not in ACTION:
            del value[entry]
    address = value.get("/URI")
    if action == Name.URI:
        return not isinstance(address, String) or not str(address).lower().startswith(_SCHEMES)
    return False
