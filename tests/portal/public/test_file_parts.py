"""Files in parts over HTTP: what our script never sends, and what a bad line makes it send."""

import json

from casework.evidence.limits import PART
from tests.portal.public.test_files import ROOM, Reporter, allow, blobs, stored
from tests.portal.sites import Site
from tests.portal.visits import Visit

OCTETS = "application/octet-stream"
WHOLE = bytes(range(256)) * (PART // 256) + b"akhir"


def begin(visit: Visit, size: int | str = len(WHOLE)) -> Visit:
    token = visit.open(ROOM).value(ROOM, "csrf")
    fields = {"csrf": token, "name": "rekaman.mp4", "type": "video/mp4", "size": str(size)}
    return visit.post(f"{ROOM}/mulai", fields)


def begun(visit: Visit, size: int = len(WHOLE)) -> str:
    begin(visit, size)
    assert visit.status == 200, visit.text
    return str(json.loads(visit.text)["id"])


def put(visit: Visit, upload: str, number: int, content: bytes, token: str | None = None) -> Visit:
    given = visit.open(ROOM).value(ROOM, "csrf") if token is None else token
    headers = {"content-type": OCTETS, "suaka-csrf": given}
    return visit.post_raw(f"{ROOM}/unggahan/{upload}/bagian/{number}", content, headers)


def finish(visit: Visit, upload: str) -> Visit:
    token = visit.open(ROOM).value(ROOM, "csrf")
    return visit.post(f"{ROOM}/unggahan/{upload}/selesai", {"csrf": token})


def test_a_file_in_parts_and_the_same_request_sent_again(portal: Site, reporter: Reporter) -> None:
    """An answer that is lost costs nothing: each request may come twice."""
    visit, _ = reporter
    upload = begun(visit)
    for _ in range(2):
        assert put(visit, upload, 2, WHOLE[PART:]).status == 200
    assert begun(visit) == upload
    assert json.loads(visit.text)["have"] == [2]
    assert put(visit, upload, 1, WHOLE[:PART]).status == 200
    for _ in range(2):
        assert finish(visit, upload).status == 200, visit.text
    assert stored(portal) == len(blobs(portal)) == 2
    assert "rekaman.mp4" in visit.open(ROOM).text


def test_what_breaks_the_rules_leaves_nothing(portal: Site, reporter: Reporter) -> None:
    visit, _ = reporter
    upload = begun(visit)
    assert put(visit, upload, 1, WHOLE[: PART - 1]).status == 400
    assert put(visit, upload, 1, WHOLE[: PART + 1]).status == 413
    assert put(visit, upload, 2, b"akhir-akhir").status in {400, 413}
    for number in (0, 3):
        assert put(visit, upload, number, b"x").status == 404
    assert put(visit, "0" * 32, 1, b"x").status == 404
    assert put(visit, upload, 1, WHOLE[:PART], token="palsu").status == 403
    assert finish(visit, upload).status == 409
    assert blobs(portal) == []
    assert stored(portal) == 0


def test_another_reporter_s_file_is_no_file(portal: Site, reporter: Reporter) -> None:
    visit, _ = reporter
    upload = begun(visit)
    other, _ = portal.reporter()
    assert put(other, upload, 1, WHOLE[:PART]).status == 404
    assert finish(other, upload).status == 404
    token = other.open(ROOM).value(ROOM, "csrf")
    assert other.post(f"{ROOM}/unggahan/{upload}/batal", {"csrf": token}).status == 303
    assert "dari 2 bagian" in visit.open(ROOM).text


def test_a_size_is_a_number(reporter: Reporter) -> None:
    visit, _ = reporter
    for size in ("", "-1", "x", "1.5", str(2**60)):
        assert begin(visit, size).status == 400, size


def test_a_file_over_the_limit_is_refused_before_it_begins(
    portal: Site, reporter: Reporter
) -> None:
    allow(portal, file=PART)
    visit, _ = reporter
    assert begin(visit).status == 409
    assert json.loads(visit.text) == {"message": "Satu berkas paling besar 4 MB."}
    assert "bagian sudah sampai" not in visit.open(ROOM).text


def test_an_unfinished_file_can_be_given_up(portal: Site, reporter: Reporter) -> None:
    visit, _ = reporter
    upload = begun(visit)
    put(visit, upload, 2, WHOLE[PART:])
    assert len(blobs(portal)) == 1
    visit.open(ROOM).send(f"{ROOM}/unggahan/{upload}/batal")
    assert blobs(portal) == []
    assert finish(visit, upload).status == 404


def test_an_officer_must_say_in_which_room_a_file_goes(portal: Site, reporter: Reporter) -> None:
    """Without a word it would lie where the reporter reads."""
    _, receipt = reporter
    desk = portal.officer("operator")
    path = f"{portal.path(receipt)}/bukti"
    token = desk.open(path).value(path, "csrf")
    fields = {"csrf": token, "name": "a.txt", "type": "", "size": "5"}
    assert desk.post(f"{path}/mulai", fields).status == 403
    assert desk.post(f"{path}/mulai", {**fields, "room": "content"}).status == 200
