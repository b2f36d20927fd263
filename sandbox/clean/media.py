"""Films and sounds: pictures and sound are copied as they are coded, everything around them goes.

Done by ffmpeg, a program of its own, which gets the file and gives the result in memory (AMR is
done here). Gone:
tags, places, times, covers, chapters, subtitles, text and sensor tracks (places of a drone or
camera), attachments, names of tracks and programs, and the notes that encoders leave between the
pictures (H.264, HEVC, AV1, MPEG-2, Motion JPEG). Not removed: what is seen and heard (faces,
voices, places, clocks), the noise of a camera's sensor, the hum of the mains, watermarks, the way
in which an encoder works and its name inside the coded sound, and what an MPEG-4 Part 2 encoder
notes between the pictures.

A WEBM that holds more than WEBM may becomes MKV; a film of an old phone becomes MOV.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sandbox.clean import codec_headers, frames
from sandbox.contract import Failed, Failure, FileKind

TIMEOUT: Final = 60.0
"""Seconds for one run of a program; copying what is coded takes a few."""

_DEMUXERS: Final[Mapping[FileKind, str]] = {
    FileKind.MP4: "mov",
    FileKind.MOV: "mov",
    FileKind.M4A: "mov",
    FileKind.WEBM: "matroska",
    FileKind.MKV: "matroska",
    FileKind.MP3: "mp3",
    FileKind.OGG: "ogg",
    FileKind.WAV: "wav",
    FileKind.FLAC: "flac",
}
_MUXERS: Final[Mapping[FileKind, str]] = {
    FileKind.MP4: "mp4",
    FileKind.MOV: "mov",
    FileKind.M4A: "ipod",
    FileKind.WEBM: "webm",
    FileKind.MKV: "matroska",
    FileKind.MP3: "mp3",
    FileKind.OGG: "ogg",
    FileKind.WAV: "wav",
    FileKind.FLAC: "flac",
}
_INSTEAD: Final = {
    FileKind.MP4: FileKind.MOV,
    FileKind.M4A: FileKind.MOV,
    FileKind.WEBM: FileKind.MKV,
}
"""What a file becomes whose own kind does not take all that it holds."""

_MUXER_OPTIONS: Final[Mapping[str, Sequence[str]]] = {
    "mp4": ("-write_tmcd", "0", "-empty_hdlr_name", "1"),
    "mov": ("-write_tmcd", "0", "-empty_hdlr_name", "1"),
    "ipod": ("-write_tmcd", "0", "-empty_hdlr_name", "1"),
    "matroska": ("-write_crc32", "0"),
    "webm": ("-write_crc32", "0"),
    "mp3": ("-id3v2_version", "0", "-write_id3v1", "0"),
}
_REMOVED_UNITS: Final[Mapping[str, str]] = {
    "h264": "6",  # supplemental enhancement information
    "hevc": "39|40",  # the same, before and after a picture
    "av1": "5|15",  # metadata, padding
    "mpeg2video": "178",  # user data
    "mjpeg": "225-237|239|254",  # application segments, comments
}
"""Units of coded pictures that show nothing, by codec."""

_CODECS: Final = frozenset({
    *_REMOVED_UNITS,
    *("vp8", "vp9", "mpeg4", "h263", "mpeg1video", "theora", "prores"),
    *("aac", "mp3", "mp2", "opus", "vorbis", "flac", "alac", "amr_nb", "amr_wb", "ac3", "eac3"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_u8", "pcm_f32le"),
    *("pcm_alaw", "pcm_mulaw", "adpcm_ima_wav", "adpcm_ms", "adpcm_ima_qt", "gsm_ms", "speex"),
})  # fmt: skip
"""Codecs of which it is known what they can hide."""

_BEFORE: Final[Mapping[FileKind, Callable[[bytes], bytes]]] = {
    FileKind.MP3: frames.mp3,
    FileKind.OGG: frames.one_ogg,
}
_QUIET: Final = ("-hide_banner", "-nostdin", "-v", "quiet")


def clean(data: bytes, kind: FileKind) -> tuple[FileKind, bytes]:
    """Return the film or sound in a new container.

    Raises:
        Failed: UNSUPPORTED without ffmpeg, or for codecs that are not known; DAMAGED; TIMEOUT.
    """
    if kind is FileKind.AMR:
        return kind, frames.amr(data)
    data = _BEFORE.get(kind, bytes)(data)
    ffmpeg, ffprobe = shutil.which("ffmpeg"), shutil.which("ffprobe")
    if ffmpeg is None or ffprobe is None:
        raise Failed(Failure.UNSUPPORTED)
    source = _in_memory(data)
    try:
        streams = _streams(ffprobe, source, kind)
        for becomes in (kind, _INSTEAD.get(kind)):
            if becomes is not None and (copied := _copied(ffmpeg, source, kind, becomes, streams)):
                return becomes, codec_headers.blanked(copied, becomes)
    finally:
        os.close(source)
    raise Failed(Failure.DAMAGED)


def _in_memory(data: bytes) -> int:
    """Return a descriptor of a file that no folder knows; nothing of it reaches a disk."""
    descriptor = os.memfd_create("media", os.MFD_CLOEXEC)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    return descriptor


def _input(source: int, kind: FileKind) -> list[str]:
    """Force the format and forbid the network: a playlist inside opens nothing."""
    return [
        *("-threads", "1", "-protocol_whitelist", "file", "-format_whitelist", _DEMUXERS[kind]),
        *("-f", _DEMUXERS[kind], "-i", f"file:/proc/self/fd/{source}"),
    ]


def _run(command: Sequence[str], descriptors: Sequence[int]) -> bytes | None:
    """Return what a program writes; None if it fails.

    Raises:
        Failed: TIMEOUT.
    """
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and no word of the file is an argument
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=descriptors,
            env={},
            cwd="/",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(Failure.TIMEOUT) from None
    return done.stdout if done.returncode == 0 else None


def _streams(ffprobe: str, source: int, kind: FileKind) -> list[dict[str, Any]]:
    """Return the streams that are copied: their index, type and codec.

    Raises:
        Failed: DAMAGED if there is none, UNSUPPORTED if a codec is not known.
    """
    entries = "stream=index,codec_type,codec_name:stream_disposition=attached_pic"
    command = [ffprobe, "-hide_banner", "-v", "quiet", *_input(source, kind)]
    command += ["-show_entries", entries, "-of", "json"]
    answer = json.loads(_run(command, [source]) or b"{}")
    streams = [
        stream
        for stream in answer.get("streams", [])
        if stream.get("codec_type") in {"audio", "video"}
        and not stream.get("disposition", {}).get("attached_pic")
    ]
    if not streams:
        raise Failed(Failure.DAMAGED)
    if any(stream.get("codec_name") not in _CODECS for stream in streams):
        raise Failed(Failure.UNSUPPORTED)
    return streams


def _copied(
    ffmpeg: str, source: int, kind: FileKind, becomes: FileKind, streams: list[dict[str, Any]]
) -> bytes | None:
    target = _in_memory(b"")
    try:
        command = [ffmpeg, *_QUIET, "-y", *_input(source, kind)]
        for number, stream in enumerate(streams):
            command += ["-map", f"0:{stream['index']}"]
            if stream["codec_name"] in _REMOVED_UNITS:
                units = _REMOVED_UNITS[stream["codec_name"]]
                command += [f"-bsf:{number}", f"filter_units=remove_types={units}"]
        # What is coded without loss is coded anew: nothing can hide between its frames.
        command += ["-c", "flac" if kind is FileKind.FLAC else "copy", "-map_chapters", "-1"]
        command += ["-map_metadata", "-1", "-map_metadata:s", "-1", "-map_metadata:c", "-1"]
        command += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
        command += [*_MUXER_OPTIONS.get(_MUXERS[becomes], ()), "-f", _MUXERS[becomes]]
        command += [f"file:/proc/self/fd/{target}"]
        if _run(command, [source, target]) is None:
            return None
        return _read(target)
    finally:
        os.close(target)


def _read(descriptor: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return file.read()
