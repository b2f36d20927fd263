"""The page that checks receipts comes to the verdicts of ``casework.log.proof``, and sends nothing.

It is opened as a file, as somebody does who saved it and went offline.
"""

import socket
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import FilePayload, Page

from casework.log import proof
from crypto.tlog_proof import TlogProof
from tests.casework.log import mishaps, receipts
from tests.casework.log.receipts import Attempt
from tests.e2e import axe
from tests.e2e.browsers import Chromium

PAGE = (Path(__file__).parents[2] / "static" / "periksa.html").as_uri()
WITHOUT_ED25519 = """() => {
    const known = SubtleCrypto.prototype.importKey;
    SubtleCrypto.prototype.importKey = function (format, key, method, ...more) {
        return method.name === "Ed25519"
            ? Promise.reject(new DOMException("no such thing", "NotSupportedError"))
            : known.call(this, format, key, method, ...more);
    };
}"""
"""What Firefox ESR and older Chromiums say of Ed25519."""

INTRUDE = """async (address) => {
    const found = [];
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    const told = new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', (event) => {
            found.push(event.effectiveDirective);
            if (event.effectiveDirective === 'script-src-elem') resolve();
        });
    });
    await fetch(address, {mode: 'no-cors'}).catch(() => 0);
    const image = new Image();
    const failed = new Promise((resolve) => { image.onerror = resolve; });
    image.src = address;
    await failed;
    document.body.append(script);
    if (!window.ran) await told;
    document.body.insertAdjacentHTML('beforeend', `<form action="${address}"></form>`);
    return [...found, window.ran];
}"""
"""Tries whatever would bring something out, and returns which rules stood in the way."""

ATTEMPTS = mishaps.attempts()
WHOLE = next(one for one in ATTEMPTS if one.verdict == "whole")
GOOD = Attempt("good", "good", receipts.receipt().encode())
TITLES = {
    "good": "Bukti ini benar",
    "whole": "Bukti ini benar, dan teksnya cocok",
    "file": "Berkas ini rusak, atau bukan bukti lapor",
    "large": "Berkas ini terlalu besar untuk bukti lapor",
    "signer": "Kunci publik ini bukan kunci bukti ini",
    "forged": "Tanda tangannya tidak cocok",
    "tree": "Isi bukti tidak ada di catatan yang ditandatangani",
    "event": "Ini bukan bukti sebuah laporan diterima",
    "text": "Bukti lapor asli, tetapi teks atau kuncinya tidak cocok",
}
VERIFIERS = {"browser": None, "page": WITHOUT_ED25519}


def window(browser: PlaywrightBrowser, script: str | None = None) -> Chromium:
    opened = Chromium(browser, "", javascript=True)
    if script:
        opened.page.add_init_script(f"({script})()")
    opened.open(PAGE)
    return opened


@pytest.fixture(scope="module", params=VERIFIERS)
def verifier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def checker(verifier: str, chromium_process: PlaywrightBrowser) -> Iterator[Chromium]:
    """One window for many receipts, as the page promises to forget each."""
    opened = window(chromium_process, VERIFIERS[verifier])
    yield opened
    opened.close()


@pytest.fixture
def visit(chromium_process: PlaywrightBrowser) -> Iterator[Chromium]:
    opened = window(chromium_process)
    yield opened
    opened.close()


def give(page: Page, attempt: Attempt) -> None:
    page.set_input_files("#berkas", upload(attempt.file))
    page.fill("#kunci-publik", attempt.keys)
    if attempt.text is not None:
        page.set_input_files("#teks", upload(attempt.text))
        page.fill("#kunci", attempt.key)


def upload(content: bytes) -> FilePayload:
    return {"name": "berkas dari ponsel", "mimeType": "text/plain", "buffer": content}


def verdict(page: Page) -> str | None:
    page.get_by_role("button", name="Periksa", exact=True).click()
    return page.locator("main[data-verdict]").get_attribute("data-verdict")


def check(page: Page, attempt: Attempt) -> str | None:
    give(page, attempt)
    return verdict(page)


CHECK_ALL = """async (attempts) => {
    const at = (id) => document.getElementById(id);
    const choose = (id, content) => {
        const held = new DataTransfer();
        held.items.add(new File([Uint8Array.from(atob(content), (one) => one.charCodeAt(0))], id));
        at(id).files = held.files;
    };
    const found = [];
    for (const one of attempts) {
        at('kosongkan').click();
        choose('berkas', one.file);
        at('kunci-publik').value = one.keys;
        at('kunci').value = one.key;
        if (one.text !== null) choose('teks', one.text);
        const told = new Promise((resolve) => {
            new MutationObserver((_, observer) => {
                if (at('isi').dataset.verdict) { observer.disconnect(); resolve(); }
            }).observe(at('isi'), {attributes: true});
        });
        at('formulir').requestSubmit();
        await told;
        await new Promise((resolve) => setTimeout(resolve));  // until the page is done with it
        found.push([at('isi').dataset.verdict, at('isi').dataset.verifier || null]);
    }
    return found;
}"""
"""Gives the page one receipt after the other, as its form would, without a round trip for each."""


def verdicts(page: Page, attempts: Sequence[Attempt]) -> list[tuple[str, str | None]]:
    """What the page says of each, and whose Ed25519 it asked, if it came so far."""
    given = [
        {
            "file": b64encode(one.file).decode(),
            "keys": one.keys,
            "text": None if one.text is None else b64encode(one.text).decode(),
            "key": one.key,
        }
        for one in attempts
    ]
    return [(said, by) for said, by in page.evaluate(CHECK_ALL, given)]


def test_page_and_program_come_to_the_same_verdict(checker: Chromium, verifier: str) -> None:
    """Of every receipt in the table, with the browser's Ed25519 and with the page's own."""
    found = verdicts(checker.page, ATTEMPTS)
    assert [
        f"{one.name}: {said}, not {one.verdict}"
        for one, (said, _) in zip(ATTEMPTS, found, strict=True)
        if said != one.verdict
    ] == []
    assert {by for _, by in found} == {None, verifier}
    assert checker.requests == [PAGE]


def test_no_changed_letter_proves_anything_on_the_page(checker: Chromium) -> None:
    """One letter in each line, the signatures' included."""
    lines = receipts.receipt().split("\n")
    changed = []
    for place, line in enumerate(lines):
        middle = len(line) // 2
        other = "B" if line[middle : middle + 1] != "B" else "C"
        text = [*lines[:place], line[:middle] + other + line[middle + 1 :], *lines[place + 1 :]]
        changed.append(Attempt(f"line {place}", "", "\n".join(text).encode()))
    found = [said for said, _ in verdicts(checker.page, changed)]
    assert found == [receipts.verdict(one) for one in changed]
    assert "good" not in found


def test_says_in_plain_words_what_is_proven_and_what_is_not(visit: Chromium) -> None:
    assert check(visit.page, GOOD) == "good"
    told = visit.page.locator("#hasil").inner_text()
    proven, _, not_proven = told.partition("Yang tidak terbukti")
    assert told.startswith(TITLES["good"])
    assert receipts.TICKET in proven
    assert "diterima pada 23 November 2026" in proven
    assert f"{receipts.INDEX + 1} dari {receipts.SIZE}" in proven
    assert "huruf demi huruf" not in proven
    assert "Apa isi laporan itu" in not_proven
    assert "Siapa yang melapor" in not_proven
    assert "dari mana Anda mengambilnya" in not_proven


def test_with_text_and_key_it_says_what_was_reported(visit: Chromium) -> None:
    assert check(visit.page, WHOLE) == "whole"
    proven, _, not_proven = visit.page.locator("#hasil").inner_text().partition("Yang tidak")
    assert "tepat sama dengan berkas teks" in proven
    assert "Apa isi laporan itu" not in not_proven
    assert "Siapa yang melapor" in not_proven


@pytest.mark.parametrize("part", TITLES)
def test_each_part_that_fails_has_words_of_its_own(visit: Chromium, part: str) -> None:
    """And the answer has the focus, so that it is read out."""
    attempt = next(one for one in ATTEMPTS if one.verdict == part)
    check(visit.page, attempt)
    assert visit.page.locator("#hasil h2").inner_text() == TITLES[part]
    assert visit.page.evaluate("document.activeElement.id") == "hasil"
    assert visit.page.locator("#hasil p, #hasil li").count() > 0


def test_what_is_missing_is_named_with_its_field(visit: Chromium) -> None:
    page = visit.page
    assert verdict(page) == "keys"
    assert page.evaluate("document.activeElement.id") == "ringkasan"
    links = page.locator("#ringkasan a")
    assert links.all_inner_texts() == [
        "Pilih berkas bukti lapor, atau tempel isinya.",
        "Tempel kunci publik catatan.",
    ]
    links.nth(1).click()
    assert page.evaluate("document.activeElement.id") == "kunci-publik"
    assert page.locator("#kunci-publik").get_attribute("aria-invalid") == "true"
    page.fill("#kunci", receipts.KEY.hex())
    page.fill("#kunci-publik", receipts.VKEY)
    assert verdict(page) == "input"
    assert links.nth(1).inner_text().startswith("Pilih juga berkas teks laporan")


def test_a_pasted_receipt_forgives_space_around_it_alone(visit: Chromium) -> None:
    page = visit.page
    page.locator("summary").click()
    page.fill("#kunci-publik", receipts.VKEY)
    page.fill("#tempel", f"\n  {receipts.receipt()}\n\n")
    assert verdict(page) == "good"
    page.fill("#tempel", receipts.receipt().replace("index 6", "index  6"))
    assert verdict(page) == "file"


def test_a_verdict_goes_when_what_it_was_about_changes(visit: Chromium) -> None:
    page = visit.page
    assert check(page, WHOLE) == "whole"
    page.locator("#kunci").press("Backspace")
    assert page.locator("main[data-verdict]").count() == 0
    assert not page.locator("#hasil").is_visible()


def test_nothing_stays_once_the_page_is_emptied_or_left(visit: Chromium) -> None:
    page = visit.page
    for leave in (
        lambda: page.get_by_role("button", name="Kosongkan halaman").click(),
        lambda: (page.goto("about:blank"), page.go_back()),
        page.reload,
    ):
        check(page, WHOLE)
        leave()
        assert receipts.TICKET not in visit.html()
        assert page.input_value("#kunci") == page.input_value("#kunci-publik") == ""
        assert page.evaluate("document.getElementById('teks').files.length") == 0


def test_works_with_the_keyboard_alone(visit: Chromium) -> None:
    assert visit.tab_stops() == [
        "input[berkas]", "summary[Atau tempel isinya]", "textarea[kunci-publik]", "input[teks]",
        "textarea[kunci]", "button[Periksa]", "button[Kosongkan halaman]",
    ]  # fmt: skip


def test_without_scripts_it_names_the_command(chromium_process: PlaywrightBrowser) -> None:
    opened = Chromium(chromium_process, "")
    opened.open(PAGE)
    told = opened.text()
    opened.close()
    assert "memerlukan JavaScript" in told
    assert "suaka receipt verify" in told
    assert "Tidak ada yang keluar dari komputer ini" in told
    assert "Kunci publik" not in told


def test_its_policy_lets_nothing_out(visit: Chromium) -> None:
    """Also whoever wrote into the page could send nothing: the policy is in force in a file."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert visit.page.evaluate(INTRUDE, address) == [
            *("connect-src", "img-src", "script-src-elem"),
            None,
        ]
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
        # Chromium connects ahead of a form's check, so that here only its word is to be had.
        with visit.page.expect_console_message(lambda said: "form-action" in said.text):
            visit.page.evaluate("document.forms[1].submit()")
        assert visit.url() == PAGE


STATES = ("empty", "good", "whole", "wrong", "faults")


@pytest.mark.parametrize("state", [None, GOOD, WHOLE, ATTEMPTS[0], "faults"], ids=STATES)
def test_axe_finds_nothing(
    chromium_process: PlaywrightBrowser, state: Attempt | str | None
) -> None:
    context = chromium_process.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(PAGE)
    if isinstance(state, Attempt):
        check(page, state)
    elif state:
        page.locator("summary").click()
        verdict(page)
    axe.load(page)
    found = axe.by_day_and_night(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert found == []
    assert wide <= 360


def test_the_far_proofs_are_in_the_table() -> None:
    """Numbers beyond 2**53 are where JavaScript would go astray unseen."""
    far = [
        TlogProof.from_text(proof.text_of(one.file)) for one in ATTEMPTS if "2**53 + 7" in one.name
    ]
    assert [one.index for one in far] == [2**53 + 7]
