"""The whole flow by plain form posts: a report goes in, a result comes out, and is rated."""

from tests.portal import visits
from tests.portal.sites import Site
from tests.portal.visits import NARRATIVE

WAY = (
    ("operator", "accept"),
    ("verifikator", "reject_incomplete"),
    ("reporter", "complete"),
    ("verifikator", "verify"),
    ("irban", "analyse"),
    ("irban", "forward"),
    ("inspektur", "assign_team"),
    ("inspektur", "order_examination"),
    ("inspektur", "send_result"),
)


def test_a_report_goes_in_and_a_result_comes_out(portal: Site) -> None:
    """Every page of the straight way, each form as it stands on the page before."""
    box, receipt = portal.reporter()
    labels = []
    for who, transition in WAY:
        if who == "reporter":
            box.open("/ruang").send("/ruang/lengkapi", {"completion": "Kemarin sore."})
            assert box.location == "/ruang?berhasil=completion"
        else:
            portal.act(who, receipt, transition)
        labels.append(str(portal.scalar('SELECT state FROM "case"')))
    assert labels == [
        "terkirim",
        "ditolak_berkas_tidak_lengkap",
        "terkirim",
        "diverifikasi",
        "diverifikasi",
        "diteruskan",
        "telaah_awal",
        "diselidiki",
        "selesai",
    ]
    box.open("/ruang")
    assert "Pesan send_result" in box.text
    assert "Selesai — terbukti" in box.text
    box.send("/ruang/nilai", {"rating": "4"}).follow()
    assert "Anda memberi nilai 4 dari 5" in box.text
    assert not box.has_form("/ruang/nilai")
    desk = portal.officer("inspektur").open(portal.path(receipt))
    assert NARRATIVE in desk.text
    assert "Tidak dapat dipastikan asalnya" not in desk.text
    assert "Tidak ada tindakan untuk peran Anda" in desk.text


def test_the_receipt_leads_to_the_mailbox_and_the_words_lead_back(portal: Site) -> None:
    """After confirming, the mailbox opens without typing the key; later, the key opens it."""
    box, receipt = portal.reporter()
    assert receipt.ticket in box.follow().text
    assert box.heading == "Ruang pesan"
    assert NARRATIVE in box.text
    box.send("/ruang/keluar")
    assert box.location == "/masuk"
    again = visits.enter(portal.visit(), receipt)
    assert (again.status, again.location) == (303, "/ruang")
    assert NARRATIVE in again.follow().text
