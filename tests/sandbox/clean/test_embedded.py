"""Pictures inside documents are what office programs can show, or visibly missing."""

from io import BytesIO

import pytest
from PIL import Image

from sandbox.clean import embedded
from sandbox.contract import FileKind
from tests.sandbox.clean import pictures
from tests.sandbox.clean.planting import Planting


def test_pictures_that_office_programs_know_stay_what_they_are() -> None:
    assert embedded.picture(pictures.jpeg(Planting()))[0] is FileKind.JPEG
    assert embedded.picture(pictures.png(Planting()))[0] is FileKind.PNG
    assert embedded.picture(pictures.gif(Planting(), frames=2))[0] is FileKind.GIF


def test_others_become_png() -> None:
    plant = Planting()
    for build in (pictures.webp, pictures.tiff, pictures.bmp):
        kind, cleaned = embedded.picture(build(plant))
        assert kind is FileKind.PNG
        assert pictures.difference(pictures.reopened(cleaned), pictures.scene()) < 4
        plant.assert_none_in(cleaned)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\x00\x00\x00 a metafile",
        b"<svg/>",
        pictures.jpeg(Planting())[:300],
        pictures.tiff(Planting(), pages=2),
    ],
)
def test_what_cannot_be_cleaned_is_visibly_missing(data: bytes) -> None:
    kind, shown = embedded.picture(data)
    assert (kind, shown) == (FileKind.PNG, embedded.placeholder())
    with Image.open(BytesIO(shown)) as box:
        assert len(box.getcolors() or []) == 2
