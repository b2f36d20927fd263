"""The way of a report through the office, as people walk it: written once, for every browser.

Each step does what a person does (fields, buttons, links by their text) and calls ``seen`` with a
name for the page that it has reached.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.e2e.browsers import Browser, Opener

Seen = Callable[[str, Browser], None]
"""What to do with each page that is reached."""

NARRATIVE = (
    "Pada rapat tanggal 3 diduga ada permintaan “uang terima kasih” sebesar Rp 25.000.000.\n\n"
    "Uangnya <b>tidak</b> dicatat & dibagi di ruang arsip; 'bukti', \"kuitansi\" ada di map biru."
)
ANSWERS = {
    "reported_person": "Kepala Dinas Contoh (rekaan), bagian pengadaan",
    "what": "Meminta uang untuk memperpanjang kontrak.",
    "when_text": "Awal November",
    "where": "Ruang rapat lantai dua",
    "how": "Permintaan disampaikan lisan setelah rapat.",
    "chronology": "3 November: rapat\n5 November: permintaan\n9 November: penyerahan",
    "witnesses": "Dua orang dari bagian umum",
    "evidence_known": "Daftar hadir di map biru\nCatatan di buku kas kecil",
    "loss": "Sekitar Rp 25.000.000",
    "how_known": "Mendengar sendiri",
    "reported_elsewhere": "Belum pernah",
    "retaliation_text": "Takut dipindahkan.",
}
MISSING = ("Kapan penyerahan terjadi?", "Di ruang mana?")
COMPLETION = "Penyerahan terjadi 9 November, di ruang arsip."
QUESTION = "Apakah ada orang lain yang hadir?"
REPLY = "Ada, dua orang dari bagian umum."
ANALYSIS = "Diduga ada permintaan uang; perlu keterangan dua saksi."
RESULT = "Pelanggaran terbukti dan sudah ditindaklanjuti. Terima kasih atas keberanian Anda."
LETTER_DATE = "2026-11-22"


def unseen(_name: str, _page: Browser) -> None:
    """Look at nothing."""


def asked(page: Browser) -> list[int]:
    """Return which of the eight words the receipt asks for, from 1."""
    return [int(number) for number in re.findall(r"<label[^>]*>Kata ke-(\d)", page.html())]


@dataclass
class Reporter:
    """Somebody who reports; remembers what the receipt shows."""

    page: Browser
    seen: Seen = unseen
    ticket: str = ""
    words: list[str] = field(default_factory=list, repr=False)

    def look_around(self) -> None:
        """Read the pages that only tell."""
        for name, path in (
            ("landing", "/"),
            ("explain", "/penjelasan"),
            ("prepare", "/persiapan"),
            ("channels", "/saluran"),
            ("log", "/catatan"),
            ("sign-in", "/masuk"),
        ):
            self.page.open(path)
            self.seen(name, self.page)

    def begin(self) -> None:
        """Go from the landing page to the form, past the positions that stop."""
        page = self.page
        page.open("/")
        page.follow("Buat laporan")
        page.follow("Saya mengerti, lanjut")
        self.seen("position", page)
        page.press("Lanjut")
        self.seen("position-fault", page)
        page.choose("position", "sekda")
        page.press("Lanjut")
        self.seen("position-stopped", page)
        page.follow("Kembali dan pilih kedudukan lain")
        page.choose("position", "kepala_pd")
        page.press("Lanjut")
        self.seen("form", page)

    def report(self, narrative: str = NARRATIVE, answers: Mapping[str, str] = ANSWERS) -> None:
        """Go from the landing page to the receipt, past each mistake that can be made."""
        page = self.page
        self.begin()
        for name, text in answers.items():
            page.fill(name, text)
        page.choose("when_state", "sudah")
        page.choose("fears_retaliation", "ya")
        page.press("Kirim laporan")
        assert "Perbaiki:" in page.text()
        self.seen("form-fault", page)
        page.fill("narrative", narrative)
        page.press("Kirim laporan")
        self.note_receipt()
        self.seen("receipt", page)

    def note_receipt(self) -> None:
        """Remember ticket and words as the receipt shows them."""
        html = self.page.html()
        found = re.search(r"WBS-\w{8}", html)
        assert found is not None, "no ticket on the receipt"
        self.ticket = found[0]
        words = html[html.index('class="words"') :]
        self.words = re.findall(r"<li>(\w+)</li>", words[: words.index("</ol>")])
        assert len(self.words) == 8

    def confirm(self) -> None:
        """Type a wrong word, then the right two, and arrive in the mailbox."""
        page = self.page
        first, second = asked(page)
        page.fill("word_first", "salah")
        page.fill("word_second", self.words[second - 1])
        page.press("Sudah saya catat, buka ruang pesan")
        assert "Kata ini belum cocok" in page.text()
        self.seen("receipt-fault", page)
        page.fill("word_first", self.words[first - 1])
        page.fill("word_second", self.words[second - 1])
        page.press("Sudah saya catat, buka ruang pesan")
        assert page.url().endswith("/ruang")
        assert "Laporan masuk" in page.text()
        self.seen("mailbox", page)

    def sign_in(self) -> None:
        """Come back with ticket and words, carelessly typed: four letters each, any case."""
        page = self.page
        page.open("/masuk")
        page.fill("ticket", self.ticket.lower())
        page.fill("words", "  ".join(word[:4].upper() for word in self.words))
        page.press("Masuk")
        assert page.url().endswith("/ruang")

    def complete(self) -> None:
        """Answer what is missing."""
        page = self.page
        page.open("/ruang")
        for item in MISSING:
            assert item in page.text()
        self.seen("mailbox-completion", page)
        page.fill("completion", COMPLETION)
        page.press("Kirim tambahan")
        assert "Tambahan Anda sudah terkirim" in page.text()
        self.seen("mailbox-completed", page)

    def answer(self) -> None:
        """Read the office's question and answer it."""
        page = self.page
        page.open("/ruang")
        assert QUESTION in page.text()
        page.fill("message", REPLY)
        page.press("Kirim pesan")
        assert "Pesan Anda sudah terkirim." in page.text()
        assert REPLY in page.text()
        self.seen("mailbox-message", page)

    def read_result_and_rate(self) -> None:
        """Read the outcome and rate."""
        page = self.page
        page.open("/ruang")
        assert "Selesai" in page.text()
        assert RESULT in page.text()
        self.seen("mailbox-result", page)
        page.choose("rating", "4")
        page.press("Kirim penilaian")
        assert "Anda memberi nilai 4 dari 5" in page.text()
        self.seen("mailbox-rated", page)

    def leave_quickly(self) -> None:
        """Press the quick exit; the mailbox is closed."""
        page = self.page
        page.open("/ruang")
        page.press("Keluar cepat")
        assert page.url().endswith("/tutup")
        assert page.cookies() == []
        self.seen("left", page)
        page.open("/ruang")
        assert page.url().endswith("/masuk")


@dataclass
class Office:
    """The officers, each with a passphrase, at one browser after the other."""

    page: Browser
    passphrases: Mapping[str, str] = field(repr=False)
    ticket: str
    seen: Seen = unseen

    def enter(self, handle: str) -> None:
        """Sign in and open the case."""
        self.enter_only(handle)
        page = self.page
        page.follow(self.ticket)
        assert page.title() == "Berkas"
        self.seen(f"case-{handle}", page)

    def enter_only(self, handle: str) -> None:
        """Sign in, and stay in the inbox."""
        page = self.page
        page.open("/petugas/masuk")
        page.fill("handle", handle)
        page.fill("passphrase", self.passphrases[handle])
        page.press("Masuk")
        assert page.title() == "Daftar tugas"
        self.seen(f"inbox-{handle}", page)

    def act(
        self,
        label: str,
        act: str,
        texts: Mapping[str, str] | None = None,
        choices: Mapping[str, str | tuple[str, ...]] | None = None,
        *,
        button: str = "",
    ) -> None:
        """Unfold an act, fill its form and send it; what is seen afterwards is the caller's."""
        form = f'form[action="{urlsplit(self.page.url()).path}/{act}"]'
        self.page.unfold(label)
        for name, text in (texts or {}).items():
            self.page.fill(name, text, form=form)
        for name, values in (choices or {}).items():
            for value in (values,) if isinstance(values, str) else values:
                self.page.choose(name, value, form=form)
        self.page.press(button or label, form=form)

    def receive(self) -> None:
        """As the operator: first without the checklist, then rightly; the case leaves the desk."""
        self.enter("operator")
        case = self.page.url()
        self.act("Terima laporan", "tindakan/accept")
        assert "Perbaiki:" in self.page.text()
        self.seen("case-fault", self.page)
        self.page.open(case)
        boxes = ("indikasi", "pemerintah_daerah")
        self.act("Terima laporan", "tindakan/accept", {}, {"checklist": boxes})
        assert "Tindakan sudah dicatat." in self.page.text()
        self.seen("inbox-done", self.page)
        self.page.follow("Keamanan")
        self.seen("security", self.page)
        self.page.follow("Lihat sesi Anda")
        self.seen("sessions", self.page)
        self.leave()

    def ask_for_more(self) -> None:
        """As the verifikator: reject as incomplete, with the list of what is missing."""
        self.enter("verifikator")
        label = "Tolak karena berkas tidak lengkap"
        self.act(label, "tindakan/reject_incomplete", {"missing_items": "\n".join(MISSING)})
        self.seen("case-incomplete", self.page)
        self.leave()

    def verify(self) -> None:
        """As the verifikator: read the completion, verify, classify."""
        self.enter("verifikator")
        assert COMPLETION in self.page.text()
        boxes = ("identitas_terlapor", "perbuatan", "keterangan")
        self.act(
            "Nyatakan diverifikasi", "tindakan/verify", {}, {"category": "a", "checklist": boxes}
        )
        assert "Tindakan sudah dicatat." in self.page.text()
        self.leave()

    def analyse_and_ask(self) -> None:
        """As the irban: record the analysis, write to the reporter, forward."""
        self.enter("irban")
        case = self.page.url()
        self.act("Catat analisis", "tindakan/analyse", {"note": ANALYSIS})
        assert "Tindakan sudah dicatat." in self.page.text()
        self.page.open(case)
        self.act("Tulis kepada pelapor", "pesan", {"message": QUESTION}, button="Kirim pesan")
        assert "Pesan sudah terkirim." in self.page.text()
        self.seen("case-message", self.page)
        self.page.open(case)
        self.act("Teruskan ke Inspektur", "tindakan/forward")
        assert "Tindakan sudah dicatat." in self.page.text()
        self.leave()

    def decide(self) -> None:
        """As the Inspektur: read the story, assign, order the examination, send the result."""
        self.enter("inspektur")
        case = self.page.url()
        for text in (COMPLETION, QUESTION, REPLY, ANALYSIS):
            assert text in self.page.text()
        found = re.findall(r'name="assignees" value="(\w+)"', self.page.html())
        assert len(found) > 1, "nobody to choose from"
        for label, act, number in (
            ("Tugaskan tim telaah awal", "assign_team", "700/12/ST"),
            ("Perintahkan pemeriksaan", "order_examination", "700/34/ST"),
        ):
            letter = "document_surat_tugas"
            texts = {f"{letter}_number": number, f"{letter}_date": LETTER_DATE}
            self.act(label, f"tindakan/{act}", texts, {"assignees": found[-1]})
            assert "Tindakan sudah dicatat." in self.page.text()
            self.seen(f"case-{act}", self.page)
            self.page.open(case)
        label = "Catat hasil dan sampaikan kepada pelapor"
        texts = {"message": RESULT}
        self.act(label, "tindakan/send_result", texts, {"outcome": "terbukti"})
        assert "Tindakan sudah dicatat." in self.page.text()
        self.seen("case-closed", self.page)
        self.leave()

    def leave(self) -> None:
        """Sign out."""
        self.page.press("Keluar", form='form[action="/petugas/keluar"]')
        assert self.page.url().endswith("/petugas/masuk")


def whole(
    open_page: Opener, base: str, passphrases: Mapping[str, str], seen: Seen = unseen
) -> Reporter:
    """Walk the whole way, from the landing page to the rating and the quick exit."""
    reporter = Reporter(open_page(base), seen)
    reporter.look_around()
    reporter.report()
    reporter.confirm()
    office = Office(open_page(base), passphrases, reporter.ticket, seen)
    office.page.open("/petugas/masuk")
    seen("officer-sign-in", office.page)
    office.receive()
    office.ask_for_more()
    reporter.complete()
    office.verify()
    office.analyse_and_ask()
    reporter.answer()
    office.decide()
    reporter.read_result_and_rate()
    reporter.leave_quickly()
    reporter.sign_in()
    return reporter
