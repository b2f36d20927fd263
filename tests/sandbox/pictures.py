"""Small pictures made here."""

import io

from PIL import Image


def jpeg(size: tuple[int, int]) -> bytes:
    return _written(size, "JPEG")


def png(size: tuple[int, int]) -> bytes:
    return _written(size, "PNG")


def _written(size: tuple[int, int], form: str) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, (120, 130, 140)).save(written, form)
    return written.getvalue()
