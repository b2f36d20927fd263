"""Pictures full of traces, built by hand: each trace is a canary of its own."""

import struct
import zlib
from io import BytesIO

import pillow_heif
from PIL import Image, ImageChops, ImageCms, ImageStat
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from sandbox import archive
from tests.sandbox.clean.planting import Planting


def scene(mode: str = "RGB", size: tuple[int, int] = (96, 64)) -> Image.Image:
    """A picture whose corners differ, so that a turned or mirrored one is another one."""
    red = Image.linear_gradient("L").resize(size)
    green = red.transpose(Image.Transpose.ROTATE_90).resize(size)
    blue = Image.new("L", size, 40)
    picture = Image.merge("RGB", (red, green, blue))
    picture.paste((250, 250, 250), (0, 0, size[0] // 4, size[1] // 4))
    return picture.convert(mode)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of samples, in levels of 255."""
    assert one.size == other.size
    mean = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return max(mean)


def reopened(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def exif(plant: Planting, name: str) -> Image.Exif:
    block = Image.Exif()
    block[Base.Make] = plant(f"{name} camera make")
    block[Base.Artist] = plant(f"{name} artist")
    block[Base.ImageDescription] = plant(f"{name} description")
    block[Base.XPAuthor] = plant(f"{name} XPAuthor").encode("utf-16-le")
    details = block.get_ifd(IFD.Exif)
    details[Base.MakerNote] = b"MAKER\x00" + plant.raw(f"{name} maker note")
    details[Base.UserComment] = b"ASCII\x00\x00\x00" + plant.raw(f"{name} user comment")
    details[Base.BodySerialNumber] = plant(f"{name} serial number")
    place = block.get_ifd(IFD.GPSInfo)
    place[1], place[2] = "S", (6.0, 12.0, 27.0)
    place[27] = b"ASCII\x00\x00\x00" + plant.raw(f"{name} GPS processing method")
    return block


def xmp(plant: Planting, name: str) -> bytes:
    creator = plant(f"{name} XMP creator")
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="{creator}"/></rdf:RDF>'
        "</x:xmpmeta>"
    ).encode()


def profile(plant: Planting, name: str) -> bytes:
    """An sRGB profile whose description names a monitor."""
    plain = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(plain[128:132], "big")
    for number in range(count):
        tag, offset, size = struct.unpack_from(">4sII", plain, 132 + 12 * number)
        canary = plant(f"{name} colour profile").encode("utf-16-be")
        if tag == b"cprt" and size >= 28 + len(canary):
            plain[offset + 28 : offset + 28 + len(canary)] = canary
    return bytes(plain)


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def jpeg(plant: Planting, name: str = "jpeg", orientation: int = 1) -> bytes:
    block = exif(plant, name)
    block[Base.Orientation] = orientation
    buffer = BytesIO()
    scene().save(
        buffer,
        "JPEG",
        quality=95,
        exif=block,
        comment=plant.raw(f"{name} comment"),
        icc_profile=profile(plant, name),
        xmp=xmp(plant, name),
    )
    plain = buffer.getvalue()
    record = plant.raw(f"{name} IPTC by-line")
    iptc = b"\x1c\x02\x50" + struct.pack(">H", len(record)) + record
    photoshop = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(iptc)) + iptc
    thumbnail = BytesIO()
    scene(size=(16, 8)).save(thumbnail, "JPEG", comment=plant.raw(f"{name} thumbnail"))
    extra = (
        segment(0xE5, plant.raw(f"{name} unknown segment"))
        + segment(0xE6, b"PREVIEW\x00" + thumbnail.getvalue())
        + segment(0xED, photoshop)
    )
    film = b"\x00\x00\x00\x18ftypmp42" + plant.raw(f"{name} film of a moving photo")
    appended = archive.pack([("a.txt", plant.raw(f"{name} appended archive"))])
    return plain[:2] + extra + plain[2:] + film + appended


def chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def png(plant: Planting) -> bytes:
    info = PngInfo()
    info.add_text("Author", plant("png tEXt"))
    info.add_text("Comment", plant("png zTXt"), zip=True)
    info.add_itxt("Title", plant("png iTXt"), lang="id")
    info.add_text("XML:com.adobe.xmp", xmp(plant, "png").decode())
    picture = scene("RGBA")
    picture.putpixel((5, 5), (255, 255, 255, 0))
    buffer = BytesIO()
    picture.save(
        buffer, "PNG", pnginfo=info, exif=exif(plant, "png"), icc_profile=profile(plant, "png")
    )
    plain = buffer.getvalue()
    end = plain.rindex(b"IEND") - 4
    private = chunk(b"tIME", bytes((7, 0xE9, 1, 2, 3, 4, 5)))
    private += chunk(b"prVt", plant.raw("png private chunk"))
    return plain[:end] + private + plain[end:] + plant.raw("png after the end")


def gif(plant: Planting, frames: int = 1) -> bytes:
    pictures = [scene().rotate(90 * number) for number in range(frames)]
    buffer = BytesIO()
    pictures[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[50 + 10 * number for number in range(frames)],
        comment=plant.raw("gif comment"),
    )
    name = b"\x21\xff\x0bXMP DataXMP" + bytes((30,)) + plant.raw("gif extension").ljust(30)
    plain = buffer.getvalue().removesuffix(b";")
    return plain + name + b"\x00;" + plant.raw("gif after the end")


def webp(plant: Planting) -> bytes:
    buffer = BytesIO()
    scene().save(
        buffer,
        "WEBP",
        quality=95,
        exif=exif(plant, "webp"),
        xmp=xmp(plant, "webp"),
        icc_profile=profile(plant, "webp"),
    )
    return buffer.getvalue() + plant.raw("webp after the end")


def tiff(plant: Planting, pages: int = 1) -> bytes:
    pictures = [scene().rotate(90 * number) for number in range(pages)]
    block = Image.Exif()
    block[Base.Artist] = plant("tiff artist")
    block[Base.ImageDescription] = plant("tiff description")
    block[Base.HostComputer] = plant("tiff computer")
    block[700] = xmp(plant, "tiff")
    block[33723] = plant.raw("tiff IPTC")
    block[65000] = plant("tiff private tag")
    buffer = BytesIO()
    pictures[0].save(buffer, "TIFF", save_all=True, append_images=pictures[1:], exif=block)
    return buffer.getvalue() + plant.raw("tiff after the end")


def tiff_with_thumbnail(plant: Planting) -> bytes:
    """The second page is a smaller copy of an earlier state of the first."""
    small = scene(size=(24, 16))
    block = Image.Exif()
    block[254] = 1
    block[Base.ImageDescription] = plant("tiff thumbnail")
    small.encoderinfo = {"exif": block}
    buffer = BytesIO()
    scene().save(buffer, "TIFF", save_all=True, append_images=[small])
    return buffer.getvalue()


def bmp(plant: Planting) -> bytes:
    buffer = BytesIO()
    scene().save(buffer, "BMP")
    return buffer.getvalue() + plant.raw("bmp after the end")


def heic(plant: Planting) -> bytes:
    file = pillow_heif.from_pillow(scene(size=(128, 96)))
    small = scene(size=(64, 48))
    small.info["exif"] = exif(plant, "second picture").tobytes()
    file.add_from_pillow(small)
    buffer = BytesIO()
    file.save(buffer, quality=90, exif=exif(plant, "heic").tobytes(), xmp=xmp(plant, "heic"))
    return buffer.getvalue() + plant.raw("heic after the end")
