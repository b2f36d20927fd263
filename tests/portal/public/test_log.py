"""The log in public: whole for witnesses, plain for people, and silent about visits."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from lxml import html

from casework.log import checkpoints, keys
from casework.log.witnesses import Witness
from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.note import NoteKey, SignedNote
from portal.web.headers import Policy, policy_in
from portal.web.settings import Surface
from tests.casework.log.panel import stranger
from tests.casework.office import Bench
from tests.laws.pages import assert_exact
from tests.portal.sites import served
from tests.portal.watched import LOG, NAME, Watched, watched
from witness import tiles

CHECK_PAGE = Path(__file__).parents[3] / "static" / "periksa.html"
RAW = ("checkpoint", "kunci", "kunci/serah-terima", "tile/0/000", "tile/1/000.p/2")


@pytest.fixture(scope="module")
def log(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A log that was published and cosigned twice, and has grown since."""
    with watched(founded, tmp_path_factory.mktemp("log")) as made:
        made.publish()
        made.cosign()
        made.site.reporter()
        made.publish()
        made.cosign()
        made.site.reporter()
        yield made


@pytest.fixture
def fresh(founded: Bench, tmp_path: Path) -> Iterator[Watched]:
    """A log before its first checkpoint."""
    with watched(founded, tmp_path) as made:
        yield made


def shown(log: Watched) -> str:
    visit = log.site.visit().open(LOG)
    assert visit.status == 200
    assert "set-cookie" not in visit.answer.headers
    return visit.text


def test_before_the_first_checkpoint_it_says_so(fresh: Watched) -> None:
    text = shown(fresh)
    assert "Belum ada ringkasan yang diumumkan" in text
    assert "belum disaksikan pihak luar" in text
    assert fresh.get("checkpoint").status_code == 404
    assert fresh.get("tile/0/000.p/1").status_code == 404
    assert fresh.get("kunci").status_code == 200


def test_it_says_who_has_signed_and_who_is_silent(fresh: Watched) -> None:
    """Three states: nobody ever, the newest one, and a witness that has fallen silent."""
    fresh.publish()
    text = shown(fresh)
    assert "Belum disaksikan pihak luar" in text
    assert "lama diam" not in text
    assert "23\xa0November\xa02026 pukul\xa014.00\xa0WITA" in text
    fresh.cosign()
    text = shown(fresh)
    assert "disaksikan oleh 1 dari 1 pihak luar" in text
    assert f">{NAME}</span>: menandatangani ringkasan ini pada 23\xa0November\xa02026" in text
    assert "elum disaksikan" not in text
    fresh.publish()
    text = shown(fresh)
    assert "belum disaksikan pihak luar; yang lebih lama sudah" in text
    assert "lama diam" not in text
    fresh.site.clock.advance(days=3)
    assert "Ada saksi yang sudah lama diam" in shown(fresh)


def test_one_that_was_just_added_has_not_fallen_silent(fresh: Watched) -> None:
    """In public and for who audits: it has never signed, and nothing else is said of it."""
    fresh.publish()
    fresh.cosign()
    bench = fresh.site.bench
    added = Witness(stranger("baru.example").key, "https://baru.example")
    bench.office = replace(bench.office, witnesses=(*bench.office.witnesses, added))
    with served(bench) as site:
        text = site.visit().open(LOG).text
        assert ">baru.example</span>: belum pernah menandatangani" in text
        assert "lama diam" not in text
        desk = site.officer("inspektur").open("/petugas/jejak")
        assert "Belum pernah menandatangani: baru.example." in desk.text
        assert "lama diam" not in desk.text
        site.clock.advance(days=3)
        assert f"tidak ada tanda tangan dari {NAME}. " in site.visit().open(LOG).text
        desk = site.officer("inspektur").open("/petugas/jejak")
        assert f"tidak ada tanda tangan dari {NAME}. " in desk.text
        assert "Belum pernah menandatangani: baru.example." in desk.text


def test_a_time_that_no_calendar_holds_breaks_no_page(fresh: Watched) -> None:
    """A cosignature whose clock counts milliseconds, kept by an earlier version."""
    fresh.publish()
    signed = SignedNote.from_bytes(fresh.fetch("checkpoint"))
    moment = int(fresh.site.clock.now.timestamp() * 1000)
    kept = signed.with_signatures([fresh.keeper._signer.sign(signed.text, moment)])
    with fresh.site.bench.office.write() as uow:
        (row,) = checkpoints.rows(uow)
        row.signed = kept.to_text()
    assert f">{NAME}</span>: belum pernah menandatangani" in shown(fresh)
    desk = fresh.site.officer("inspektur").open("/petugas/jejak")
    assert "Catatan belum disaksikan pihak luar" in desk.text


def test_the_fingerprint_is_the_beginning_of_the_root(log: Watched) -> None:
    found = Checkpoint.from_text(SignedNote.from_bytes(log.fetch("checkpoint")).text)
    assert found.root[:8].hex(" ", 2) in shown(log)
    assert found.size == 512
    assert "<dd>512</dd>" in shown(log)


def test_a_witness_follows_the_log_over_http_alone(log: Watched) -> None:
    """What it cosigned is under the checkpoint that is served, and it needed tiles for it."""
    assert any(path.startswith("tile/1/") for path in log.asked)
    note = SignedNote.from_bytes(log.fetch("checkpoint"))
    assert {one.name for one in note.signatures} == {log.vkeys.split("+")[0], NAME}
    assert log.keeper.history(log.vkeys.split("+")[0]) == [256, 512]


def test_the_tiles_make_up_the_tree_that_was_signed(log: Watched) -> None:
    """Computed from the tiles of level 0 alone, and from the higher ones."""
    found = Checkpoint.from_text(SignedNote.from_bytes(log.fetch("checkpoint")).text)
    assert merkle.root(tiles.node_at(log.fetch, found.size), found.size) == found.root
    low = [log.fetch(f"tile/0/{number:03}") for number in range(2)]
    leaves = [tile[at : at + 32] for tile in low for at in range(0, 8192, 32)]
    level = leaves
    while len(level) > 1:
        level = [merkle.node_hash(*pair) for pair in zip(level[::2], level[1::2], strict=True)]
    assert level[0] == found.root


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/002", "tile/0/002.p/1", "tile/1/000", "tile/1/000.p/3",
        "tile/2/000.p/1", "tile/0/x001/000", "tile/63/000", "tile/64/000.p/1", "tile/99/000.p/1",
    ],
)  # fmt: skip
def test_no_tile_reaches_beyond_what_is_published(log: Watched, path: str) -> None:
    """The tree has more leaves by now; a hash of them would tell that somebody came."""
    assert log.site.scalar("SELECT count(*) FROM tree_node WHERE level = 0") == 513
    assert log.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000", "tile/0/0", "tile/0/x000/000", "tile/0/0000",
        "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p", "tile/-1/000",
        "tile/0/%D9%A0%D9%A0%D9%A0", "tile/entries/000", "tile/", "tile/0", "tile/0/000%0A",
        "checkpoint/x", "tile/0/x999/x999/x999/x999/x999/x999/999",
    ],
)  # fmt: skip
def test_a_tile_has_no_second_name(log: Watched, path: str) -> None:
    """Nothing but the encoding of c2sp.org/tlog-tiles; slashes too many are the server's matter."""
    assert log.get(path).status_code == 404


def test_an_older_partial_tile_is_still_served(log: Watched) -> None:
    """A witness may still hold the checkpoint before; what it asks for never changes."""
    assert log.fetch("tile/1/000.p/1") == log.fetch("tile/1/000.p/2")[:32]
    assert len(log.fetch("tile/1/000.p/2")) == 64


@pytest.mark.parametrize("path", RAW)
def test_raw_parts_have_exact_headers(log: Watched, path: str) -> None:
    """Tiles never change and may be kept; the rest is always fetched anew. HEAD is GET's."""
    answer = log.get(path)
    tile = path.startswith("tile")
    assert_exact(answer, Policy.FIXED if tile else Policy.FILE)
    kept = "public, max-age=31536000, immutable" if tile else "no-store"
    assert answer.headers["cache-control"] == kept
    kind = "application/octet-stream" if tile else "text/plain; charset=utf-8"
    assert answer.headers["content-type"] == kind
    assert not {"set-cookie", "content-encoding", "location", "content-disposition"} & set(
        answer.headers
    )
    head = log.get(path, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.content))


def test_keys_and_handovers_tell_how_each_followed_the_last(fresh: Watched) -> None:
    with fresh.site.bench.office.write() as uow:
        known = keys.rotate(uow, b"\x05" * 32)
    published = [NoteKey.from_text(line) for line in fresh.vkeys.splitlines()]
    assert tuple(published) == known.all
    parts = fresh.fetch("kunci/serah-terima").decode().split("\n\n")
    notes = [
        SignedNote.from_text(f"{text}\n\n{signatures}\n".replace("\n\n\n", "\n\n"))
        for text, signatures in zip(parts[::2], (p.rstrip("\n") for p in parts[1::2]), strict=True)
    ]
    assert [len(note.signatures) for note in notes] == [1, 2]
    assert len(notes[1].verify(published)) == 2


def test_nothing_public_changes_when_somebody_comes(log: Watched) -> None:
    """Between two ticks every answer is the same, byte for byte, whoever reports meanwhile."""

    def everything() -> str:
        answers = [log.get(path).content for path in (*RAW, "tile/0/001", "tile/0/002")]
        return sha256(b"|".join([*answers, shown(log).encode()])).hexdigest()

    before = everything()
    visit, _ = log.site.reporter()
    visit.open("/ruang").open("/ruang/bukti")
    assert everything() == before


def test_the_check_page_is_the_file_under_its_own_policy(log: Watched) -> None:
    """The header holds what the page holds, and that nobody may frame it."""
    answer = log.get("periksa")
    assert answer.content == CHECK_PAGE.read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert_exact(answer, Policy.CHECK)
    metas = html.document_fromstring(answer.text).iter("meta")
    (own,) = [one.get("content") or "" for one in metas if one.get("http-equiv")]
    assert answer.headers["content-security-policy"] == f"{own}; frame-ancestors 'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert 'href="/catatan/periksa" download="periksa.html"' in shown(log)


@pytest.mark.parametrize("count", [0, 2])
def test_a_page_without_one_policy_of_its_own_is_refused(count: int) -> None:
    meta = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    with pytest.raises(ValueError, match="values to unpack"):
        policy_in(meta * count)


def test_where_officers_come_in_there_is_no_log(fresh: Watched) -> None:
    with served(fresh.site.bench, surface=Surface.STAFF) as staff:
        for path in ("", "/checkpoint", "/kunci", "/periksa", "/tile/0/000"):
            assert staff.visit().open(LOG + path).status == 404


def test_a_key_that_nobody_handed_over_stops_what_is_served(fresh: Watched) -> None:
    fresh.site.tamper("UPDATE log_key SET handover = 'x'")
    assert fresh.get("kunci").status_code == 503
    assert fresh.get("kunci/serah-terima").status_code == 503


def test_what_is_no_checkpoint_any_more_is_called_so(fresh: Watched) -> None:
    """A row that somebody wrote over: plain words on the page, and nothing served as signed."""
    fresh.publish()
    fresh.site.tamper("UPDATE checkpoint SET signed = 'x'")
    for path in ("", "/checkpoint", "/tile/0/000"):
        visit = fresh.site.visit().open(LOG + path)
        assert visit.status == 503, path
        assert "Ringkasan catatan yang diumumkan tidak cocok" in visit.text, path


def test_a_node_that_is_gone_is_no_shorter_tile(fresh: Watched) -> None:
    fresh.publish()
    fresh.site.tamper("DELETE FROM tree_node WHERE level = 0 AND position = 77")
    assert fresh.get("tile/0/000").status_code == 503


def test_who_audits_sees_how_the_log_is_witnessed(fresh: Watched) -> None:
    desk = fresh.site.officer("inspektur")
    assert "Catatan belum disaksikan pihak luar" in desk.open("/petugas/jejak").text
    fresh.publish()
    fresh.cosign()
    desk = fresh.site.officer("inspektur")
    assert "disaksikan oleh 1 dari 1 pihak luar" in desk.open("/petugas/jejak").text
    assert "lama diam" not in desk.text
    fresh.site.clock.advance(days=3)
    desk = fresh.site.officer("inspektur")
    assert "Ada saksi yang sudah lama diam" in desk.open("/petugas/jejak").text
    assert NAME in desk.text
