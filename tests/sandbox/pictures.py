"""Small pictures made here."""

import io

from PIL import Image


def jpeg(size: tuple[int, int]) -> bytes:
    return _written(size, "JPEG")


def png(size: tuple[int, int]) -> bytes:
    return _written(size, "PNG")


def gif(*colours: str) -> bytes:
    """A moving picture of one frame for each colour."""
    frames = [Image.new("RGB", (4, 4), colour) for colour in colours or ("red",)]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    return written.getvalue()


def _written(size: tuple[int, int], form: str) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, (120, 130, 140)).save(written, form)
    return written.getvalue()
