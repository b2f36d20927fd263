"""PowerPoint presentations: slides, notes and comments stay; their authors and dates do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.clean.markup import Element, drop, drop_attributes, find, name
from sandbox.clean.package import MAIN, Role

_FORMAT: Final = "application/vnd.openxmlformats-officedocument.presentationml."
_OWNER: Final = "application/vnd.ms-powerpoint."
_FROM_MAIN: Final = frozenset({MAIN})
_FROM_SLIDE: Final = frozenset({"slide"})

ROLES: Final[Mapping[str, Role]] = {
    "slide": Role("ppt/slides/slide", f"{_FORMAT}slide+xml", frozenset({"notesSlide"})),
    "slideLayout": Role("ppt/slideLayouts/slideLayout", f"{_FORMAT}slideLayout+xml", _FROM_SLIDE),
    "slideMaster": Role(
        "ppt/slideMasters/slideMaster", f"{_FORMAT}slideMaster+xml", frozenset({"slideLayout"})
    ),
    "notesSlide": Role("ppt/notesSlides/notesSlide", f"{_FORMAT}notesSlide+xml", _FROM_SLIDE),
    "notesMaster": Role(
        "ppt/notesMasters/notesMaster", f"{_FORMAT}notesMaster+xml", frozenset({"notesSlide"})
    ),
    "handoutMaster": Role("ppt/handoutMasters/handoutMaster", f"{_FORMAT}handoutMaster+xml"),
    "tableStyles": Role("ppt/tableStyles", f"{_FORMAT}tableStyles+xml", _FROM_MAIN, single=True),
    "comments": Role("ppt/comments/comment", f"{_FORMAT}comments+xml", _FROM_SLIDE),
    "commentAuthors": Role(
        "ppt/commentAuthors", f"{_FORMAT}commentAuthors+xml", _FROM_MAIN, single=True
    ),
    "ms:comments": Role("ppt/comments/modernComment", f"{_OWNER}comments+xml", _FROM_SLIDE),
    "ms:authors": Role("ppt/authors", f"{_OWNER}authors+xml", _FROM_MAIN, single=True),
}

_DOOMED: Final = frozenset({
    *("p:modifyVerifier", "p:custDataLst", "p:photoAlbum", "p:smartTags", "p:embeddedFontLst"),
    *("p:controls", "p:sndAc", "a:snd", "a:audioCd"),
})  # fmt: skip
_FILMS: Final = frozenset({"a:videoFile", "a:audioFile", "a:quickTimeFile", "a:wavAudioFile"})
_NOBODY: Final = "-"
_LONG_AGO: Final = "1980-01-01T00:00:00.000"
"""Newer comments must have a date."""

_COMMENT_KEYS: Final = frozenset({"id", "authorId", "status", "created"})


class Slides:
    """Cleans the parts of one presentation."""

    def __call__(self, _role: str, root: Element, _lost: Mapping[Element, list[str]], /) -> None:
        """Clean one part."""
        for element in find(root, frozenset({"p:oleObj"})):
            _show_only_picture(element)
        films = find(root, _FILMS)
        if films:
            for element in (*films, *find(root, frozenset({"p:timing"}))):
                drop(element)
        for element in find(root, _DOOMED):
            drop(element)
        for author in find(root, frozenset({"p:cmAuthor", "p188:author"})):
            _forget_author(author)
        for comment in find(root, frozenset({"p:cm"})):
            drop_attributes(comment, {"dt"})
        for comment in find(root, frozenset({"p188:cm", "p188:reply"})):
            drop_attributes(comment, set(map(str, comment.keys())) - _COMMENT_KEYS)
            comment.set("created", _LONG_AGO)


def _forget_author(author: Element) -> None:
    for key in ("name", "initials", "userId"):
        if author.get(key) is not None:
            author.set(key, _NOBODY)
    if author.get("providerId") is not None:
        author.set("providerId", "None")


def _show_only_picture(embedded: Element) -> None:
    """Leave the picture that stands for an embedded file, and not the file."""
    frames = (above for above in embedded.iterancestors() if name(above) == "p:graphicFrame")
    frame = next(frames, None)
    if frame is None:
        drop(embedded)
        return
    pictures = find(frame, frozenset({"p:pic"}))
    outer = frame.getparent()
    if pictures and outer is not None:
        outer.replace(frame, pictures[0])
    else:
        drop(frame)
