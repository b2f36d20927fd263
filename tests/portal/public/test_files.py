"""A reporter's files by the plain form: whole or not at all, and the page says which."""

from tests.portal.multipart import File, send_files
from tests.portal.sites import Site
from tests.portal.visits import Receipt, Visit

Reporter = tuple[Visit, Receipt]
ROOM = "/ruang/berkas"
PHOTO = File("foto saya.jpg", b"\xff\xd8\xff\xe0" + bytes(70_000), "image/jpeg")


def test_files_arrive_and_are_listed(portal: Site, reporter: Reporter) -> None:
    visit, _ = reporter
    note = File("catatan.txt", b"isi catatan", "text/plain")
    send_files(visit, ROOM, [PHOTO, note])
    assert visit.status == 303, visit.text
    visit.follow()
    assert "foto saya.jpg" in visit.text
    assert "catatan.txt" in visit.text
    assert portal.rows("SELECT event FROM leaf ORDER BY number DESC LIMIT 2") == [
        ("evidence",), ("evidence",),
    ]  # fmt: skip


def test_the_officer_sees_what_came_and_has_it_word_for_word(
    portal: Site, reporter: Reporter
) -> None:
    visit, receipt = reporter
    send_files(visit, ROOM, [PHOTO])
    desk = portal.officer("operator")
    path = portal.path(receipt) + "/bukti"
    desk.open(path)
    assert "foto saya.jpg" in desk.text
    (file_id,) = portal.rows("SELECT id FROM item WHERE kind = 'evidence'")[0]
    one = f"{path}/{file_id}"
    assert desk.open(f"{one}/asli").status == 404
    desk.open(one).send(f"{one}/asli", {"reason": "Diminta penyidik"}).follow()
    answer = desk.open(f"{one}/asli").answer
    assert answer.content == PHOTO.content
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="{receipt.ticket}-bukti-01-asli.jpg"'
    )
