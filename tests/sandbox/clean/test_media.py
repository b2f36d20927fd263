"""Films and sounds: every picture and every sample stays, and nothing around them does."""

from pathlib import Path

import pytest

from sandbox.clean import clean, frames
from sandbox.contract import Failed, Failure, FileKind
from sandbox.kinds import HEAD, kind_of
from tests.sandbox.clean import recordings
from tests.sandbox.clean.planting import Planting

MADE = (
    *(FileKind.MP4, FileKind.MOV, FileKind.MKV, FileKind.WEBM, FileKind.M4A, FileKind.MP3),
    *(FileKind.OGG, FileKind.WAV, FileKind.FLAC),
)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> recordings.Studio:
    return recordings.Studio(tmp_path_factory.mktemp("recordings"))


@pytest.mark.parametrize("kind", MADE)
def test_no_trace_survives_and_nothing_seen_or_heard_is_lost(
    kind: FileKind, studio: recordings.Studio, tmp_path: Path
) -> None:
    plant = Planting()
    original = studio.recording(kind, plant)
    assert kind_of(original[:HEAD]) is kind
    plant.assert_all_in(original)

    became, cleaned = clean(original, kind)

    plant.assert_none_in(cleaned)
    assert became is kind
    assert b"x265" not in cleaned
    before = recordings.decoded(original, tmp_path / "before")
    assert recordings.decoded(cleaned, tmp_path / "after") == before


def test_an_old_phones_film_becomes_one_that_takes_it(studio: recordings.Studio) -> None:
    film = studio.made(
        "old.3gp", "-f", "lavfi", "-i", "testsrc2=s=176x144:d=0.2:r=10", "-c:v", "h263"
    )
    assert kind_of(film) is FileKind.MP4
    became, cleaned = clean(film, FileKind.MP4)
    assert became is FileKind.MOV
    assert kind_of(cleaned) is FileKind.MOV


def test_a_film_stays_upright(studio: recordings.Studio, tmp_path: Path) -> None:
    film = studio.recording(FileKind.MP4, Planting())
    path = studio.file("plain.mp4", film)
    turned = studio.made("turned.mp4", "-i", path, "-map", "0:V", "-c", "copy",
                         "-metadata:s:v", "rotate=90")  # fmt: skip
    before = recordings.decoded(turned, tmp_path / "before")
    assert recordings.decoded(clean(turned, FileKind.MP4)[1], tmp_path / "after") == before
    assert before != recordings.decoded(film, tmp_path / "plain")


def test_a_playlist_in_disguise_opens_nothing(tmp_path: Path) -> None:
    recordings.ffmpeg("-version")
    (tmp_path / "secret.wav").write_bytes(b"RIFF")
    lists = (
        f"ffconcat version 1.0\nfile '{tmp_path}/secret.wav'\n",
        f"#EXTM3U\n#EXTINF:1,\nfile://{tmp_path}/secret.wav\n",
    )
    for text in lists:
        for kind in (FileKind.MP4, FileKind.MKV):
            with pytest.raises(Failed) as failed:
                clean(text.encode(), kind)
            assert failed.value.reason is Failure.DAMAGED


def test_an_unknown_codec_is_unsupported(studio: recordings.Studio) -> None:
    film = studio.made(
        "odd.mkv", "-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.1:r=10", "-c:v", "ffv1"
    )
    with pytest.raises(Failed) as failed:
        clean(film, FileKind.MKV)
    assert failed.value.reason is Failure.UNSUPPORTED


def test_without_ffmpeg_media_are_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Failed) as failed:
        clean(b"RIFF\x00\x00\x00\x00WAVE", FileKind.WAV)
    assert failed.value.reason is Failure.UNSUPPORTED


def test_an_amr_file_ends_with_its_last_frame() -> None:
    plant = Planting()
    original = recordings.amr(plant)
    plant.assert_all_in(original)
    kind, cleaned = clean(original, FileKind.AMR)
    plant.assert_none_in(cleaned)
    assert (kind, len(cleaned)) == (FileKind.AMR, 6 + 20 * 32)


FRAME = b"\xff\xfb\x90\x00" + bytes(413)


@pytest.mark.parametrize("junk", [b"LYRICSBEGIN x", b"plain junk", b"\xff\xfb\x90", b"ID3\x04x"])
@pytest.mark.parametrize("place", [0, 3, 6])
def test_what_is_no_frame_of_an_mp3_goes(junk: bytes, place: int) -> None:
    parts = [FRAME] * 6
    parts.insert(place, junk)
    kept = frames.mp3(b"".join(parts))
    assert kept in {FRAME * 6, FRAME * 5}  # one before unknown junk may go with it


def test_the_note_of_an_encoder_before_the_sound_goes() -> None:
    note = FRAME[:36] + b"Xing" + FRAME[40:]
    assert frames.mp3(note + FRAME * 3) == FRAME * 3


def page(flags: int, content: bytes) -> bytes:
    return b"OggS\x00" + bytes((flags,)) + bytes(20) + bytes((1, len(content))) + content


def test_only_pages_of_an_ogg_file_are_kept() -> None:
    pages = page(2, b"a") + page(0, b"b")
    assert frames.one_ogg(b"junk" + page(2, b"a") + b"junk" + page(0, b"b") + b"junk") == pages


def test_several_ogg_files_in_one_are_unsupported() -> None:
    with pytest.raises(Failed) as failed:
        clean((page(2, b"a") + page(0, b"b")) * 2, FileKind.OGG)
    assert failed.value.reason is Failure.UNSUPPORTED
