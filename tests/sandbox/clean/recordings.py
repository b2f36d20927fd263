"""Films and sounds full of traces, made by ffmpeg: each trace is a canary of its own."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from sandbox.contract import FileKind
from tests.sandbox.clean import pictures
from tests.sandbox.clean.planting import Planting

SECONDS = 0.4
_FILM = ("-f", "lavfi", "-i", f"testsrc2=s=96x64:d={SECONDS}:r=10")
_SOUND = ("-f", "lavfi", "-i", f"sine=d={SECONDS}")
_UUID = "086f3693-b7b3-4f2c-9653-21492feee5b8"
_SUBTITLE = "1\n00:00:00,000 --> 00:00:00,300\n{}\n"
_CHAPTER = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=300\ntitle={}\n"


def ffmpeg(*arguments: str, data: bytes | None = None) -> bytes:
    """Run ffmpeg; skip the test where there is none."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed: films and sounds cannot be made or cleaned here")
    command = [program, "-hide_banner", "-nostdin", "-v", "error", "-y", *arguments]
    if data is not None:
        command.remove("-nostdin")
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


def decoded(data: bytes, path: Path) -> list[str]:
    """Return one checksum of each stream's pictures or samples, as a player sees or plays them."""
    path.write_bytes(data)
    hashes = ffmpeg(
        "-flags2",
        "+skip_manual",
        "-i",
        str(path),
        "-map",
        "0:V?",
        "-map",
        "0:a?",
        "-f",
        "streamhash",
        "-",
    )
    return hashes.decode().split()


def _tags(plant: Planting, name: str, *keys: str) -> list[str]:
    return [part for key in keys for part in ("-metadata", f"{key}={plant(f'{name} {key}')}")]


def _stream_tags(plant: Planting, name: str, *keys: str) -> list[str]:
    return [
        part
        for key in keys
        for part in (f"-metadata:s:{key[0]}", f"{key[2:]}={plant(f'{name} {key}')}")
    ]


class Studio:
    """Makes recordings in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, name: str, content: bytes) -> str:
        (self._folder / name).write_bytes(content)
        return str(self._folder / name)

    def made(self, name: str, *arguments: str) -> bytes:
        path = self._folder / name
        ffmpeg(*arguments, str(path))
        return path.read_bytes()

    def recording(self, kind: FileKind, plant: Planting) -> bytes:
        name = kind.value
        made = self.made(f"{name}.{name}", *self._arguments(kind, plant))
        return made + self._after(kind, plant)

    def _after(self, kind: FileKind, plant: Planting) -> bytes:
        if kind is FileKind.MP3:
            lyrics = b"LYRICSBEGIN" + plant.raw("mp3 lyrics") + b"LYRICS200"
            return lyrics + b"TAG" + plant.raw("mp3 ID3v1").ljust(125, b"\x00")
        if kind in {FileKind.MP4, FileKind.MOV, FileKind.M4A}:
            free = plant.raw(f"{kind} free box")
            return (len(free) + 8).to_bytes(4, "big") + b"free" + free
        return plant.raw(f"{kind} after the end")

    def _subtitle(self, plant: Planting, name: str) -> str:
        return self.file(f"{name}.srt", _SUBTITLE.format(plant(f"{name} subtitle")).encode())

    def _chapter(self, plant: Planting, name: str) -> str:
        return self.file(f"{name}.txt", _CHAPTER.format(plant(f"{name} chapter")).encode())

    def _arguments(self, kind: FileKind, plant: Planting) -> Sequence[str]:
        name = kind.value
        if kind is FileKind.MOV:
            keys = _tags(plant, name, "com.apple.quicktime.model", "com.apple.quicktime.software")
            return (
                *(*_FILM, "-c:v", "libx265", "-x265-params", "log-level=0:info=1"),
                *("-timecode", "01:02:03:04", "-movflags", "use_metadata_tags", *keys),
                *_stream_tags(plant, name, "v:handler_name"),
            )
        common = _tags(plant, name, "title", "artist", "comment")
        if kind is FileKind.WEBM:
            tags = (*common, *_stream_tags(plant, name, "v:title"))
            return (*_FILM, *_SOUND, "-c:v", "libvpx", "-c:a", "libvorbis", *tags)
        if kind is FileKind.OGG:
            return (*_SOUND, "-c:a", "libopus", *common)
        if kind is FileKind.WAV:
            return (*_SOUND, *common)
        cover = self.file(f"{name}.jpg", pictures.jpeg(plant, f"{name} cover"))
        if kind is FileKind.MP4:
            return (
                *(*_FILM, *_SOUND, "-i", self._subtitle(plant, name)),
                *("-i", self._chapter(plant, name), "-i", cover, "-map_chapters", "3"),
                *("-map", "0", "-map", "1", "-map", "2", "-map", "4", "-disposition:v:1"),
                *("attached_pic", "-c:v:0", "libx264", "-c:v:1", "copy", "-c:a", "aac"),
                *("-c:s", "mov_text", "-bsf:v:0"),
                f"h264_metadata=sei_user_data={_UUID}+{plant('mp4 SEI')}",
                *(*common, *_stream_tags(plant, name, "v:handler_name", "a:handler_name")),
                *("-metadata", "location=-06.2000+106.8166/"),
            )
        if kind is FileKind.MKV:
            attached = self.file("attached.txt", plant.raw("mkv attachment"))
            return (
                *("-f", "jpeg_pipe", "-framerate", "5", "-i", cover, *_SOUND),
                *("-i", self._subtitle(plant, name), "-i", self._chapter(plant, name)),
                *("-map", "0", "-map", "1", "-map", "2", "-map_chapters", "3", "-c:v", "copy"),
                *("-c:a", "libvorbis", "-attach", attached, "-metadata:s:t", "mimetype=text/plain"),
                *(*common, *_stream_tags(plant, name, "v:title", "a:title")),
            )
        codec = {FileKind.MP3: "libmp3lame", FileKind.M4A: "aac"}.get(kind, "flac")
        covered = ("-i", cover, "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v")
        return (*_SOUND, *covered, "attached_pic", "-c:a", codec, *common)


def amr(plant: Planting) -> bytes:
    """No encoder is at hand: frames of silence, by their numbers (RFC 4867)."""
    return b"#!AMR\n" + (b"\x3c" + bytes(31)) * 20 + plant.raw("amr after the end")
