"""A broken profile is refused at load, with file and line; a sound one round-trips to structs."""

from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from casework.errors import NotFound
from casework.law.catalogue import ProfileCatalogue
from casework.law.load import ProfileError, load_profile
from casework.law.profile import Profile

SOUND = (files("casework") / "profiles" / "badung.toml").read_text(encoding="utf-8")
GOWA = (files("casework") / "profiles" / "gowa.toml").read_text(encoding="utf-8")

# What is replaced, by what, the text of the line that must be named, and what is said of it.
BAD = {
    "syntax": ('id = "badung"', 'id = "badung', 'id = "badung', "Illegal character"),
    "key twice": ("version = 1", "version = 1\nversion = 2", "version = 2", "Cannot overwrite"),
    "unknown top field": ("version = 1", "versions = 1", "versions = 1", "unknown field"),
    "unknown field": (
        'checklist = "kelengkapan_awal"',
        'cheklist = "kelengkapan_awal"',
        "cheklist =",
        "unknown field `cheklist` (transitions[0].cheklist)",
    ),
    "bad type": ("amount = 45", 'amount = "45"', 'amount = "45"', "Expected `int`, got `str`"),
    "bad enum": ('basis = "calendar"', 'basis = "lunar"', 'basis = "lunar"', "Invalid enum value"),
    "bad need": ('requires = ["note"]', 'requires = ["bribe"]', '["bribe"]', "Invalid enum"),
    "unknown zone": ('tz = "Asia/Makassar"', 'tz = "Asia/Kuta"', "Asia/Kuta", "time zone"),
    "version zero": ("version = 1", "version = 0", "version = 0", "counts from 1"),
    "whole week off": ("weekend = [6, 7]", "weekend = [1,2,3,4,5,6,7]", "weekend =", "weekend"),
    "duplicate id": (
        'id = "verifikator"',
        'id = "operator"',
        None,
        "duplicate id 'operator' in roles",
    ),
    "reserved id": ('id = "pengawas"', 'id = "system"', 'id = "system"', "cannot be an id"),
    "id with space": ('id = "pengawas"', 'id = "peng awas"', "peng awas", "cannot be an id"),
    "unknown from": ('from = ["submitted"]', 'from = ["masuk"]', '["masuk"]', "no 'masuk' in st"),
    "unknown to": ('to = "diteruskan"', 'to = "disana"', 'to = "disana"', "no 'disana' in states"),
    "unknown role": ('by = ["irban"]', 'by = ["camat"]', '["camat"]', "no 'camat' in roles"),
    "unknown checklist": (
        'checklist = "verifikasi"',
        'checklist = "lain"',
        'checklist = "lain"',
        "no 'lain' in checklists",
    ),
    "unknown document": (
        'documents = ["surat_tugas"]',
        'documents = ["nota"]',
        '["nota"]',
        "no 'nota' in documents",
    ),
    "unknown deadline": (
        'opens = ["analysis"]',
        'opens = ["analysa"]',
        '["analysa"]',
        "no 'analysa' in deadlines",
    ),
    "unknown flag": (
        'only_if = ["dianalisis"]',
        'only_if = ["dibaca"]',
        '["dibaca"]',
        "no 'dibaca' in flags",
    ),
    "flag never raised": ('raises = ["dianalisis"]', "", 'id = "dianalisis"', "nothing ever rai"),
    "unknown holder": (
        '{ compartment = "content", holder = "irban" }',
        '{ compartment = "content", holder = "camat" }',
        None,
        "no 'camat' in roles",
    ),
    "admin holds content": (
        '{ compartment = "content", holder = "irban" }',
        '{ compartment = "content", holder = "admin" }',
        None,
        "role 'admin' may not receive content",
    ),
    "unknown compartment": (
        '{ compartment = "content", holder = "irban" }',
        '{ compartment = "gossip", holder = "irban" }',
        None,
        "Invalid enum value 'gossip'",
    ),
    "compartment missing": ('id = "aph"', 'id = "investigation"', None, "compartments missing"),
    "one share only": (
        'shares = ["irban", "inspektur"]',
        'shares = ["irban", "irban"]',
        '["irban", "irban"]',
        "two different roles",
    ),
    "acting role holds nothing": (
        'label = "Verifikator"\nmay_receive = true',
        'label = "Verifikator"',
        None,
        "role 'verifikator' acts in 'verify', but may not receive",
    ),
    "nobody guards": ("may_guard = true", "may_guard = false", "[[roles]]", "no role may guard"),
    "nobody assignable": (
        "assignable = true",
        "assignable = false",
        'requires = ["assignees"]',
        "nothing to bring as assignees",
    ),
    "article missing": (
        'article = "Lampiran I.III Fitur 2; Pasal 4 ayat (2) dan Pasal 5"\n',
        "",
        'id = "verify"',
        "missing required field `article`",
    ),
    "article empty": (
        'article = "Lampiran I.III Fitur 2; Pasal 4 ayat (2) dan Pasal 5"',
        'article = " "',
        'article = " "',
        "article is empty",
    ),
    "marker without reason": (
        'article = "Lampiran I.III Fitur 2; Pasal 4 ayat (2) dan Pasal 5"',
        'article = "[C]"',
        'article = "[C]"',
        "neither cites nor explains",
    ),
    "public text empty": (
        'public_sentence = "Tim menilai langkah yang tepat."',
        'public_sentence = ""',
        'public_sentence = ""',
        "public_sentence is empty",
    ),
    "public label empty": (
        'public_label = "Diteruskan"',
        'public_label = ""',
        'public_label = ""',
        "public_label is empty",
    ),
    "unreachable": (
        'to = "telaah_awal"',
        'to = "diselidiki"',
        'id = "telaah_awal"',
        "unreachable state 'telaah_awal'",
    ),
    "dead end": (
        'from = ["telaah_awal", "diselidiki"]',
        'from = ["telaah_awal"]',
        'id = "diselidiki"',
        "dead end",
    ),
    "terminal left": (
        "open = false\nrejected = true",
        "open = false\nterminal = true",
        'id = "ditolak"',
        "is left by a transition",
    ),
    "terminal open": ("open = false\nterminal", "terminal", 'id = "selesai"', "cannot be open"),
    "unknown usual next": (
        'usual_next = "diselidiki"',
        'usual_next = "x"',
        'usual_next = "x"',
        "no 'x' in states",
    ),
    "second required field": (
        'label = "Kapan?"',
        'label = "Kapan?"\nrequired_for_submission = true',
        'id = "when_text"',
        "exactly one content field",
    ),
    "silent stop": ("Sekretaris Daerah berkedudukan", None, 'id = "sekda"', "does not say why"),
    "no rating scale": ("rating_scale = 5\n", "", 'requires = ["rating"]', "as rating"),
    "never": ("at_most = 1", "at_most = 0", "at_most = 0", "can never happen"),
    "system without lapse": (
        'by = ["irban"]',
        'by = ["system"]',
        'by = ["system"]',
        "only after a lapse",
    ),
    "amount zero": ("amount = 45", "amount = 0", "amount = 0", "at least 1"),
    "half ambiguous": (
        "amount = 45",
        "amount = 45\nambiguous = true",
        'id = "examination"',
        "belong together",
    ),
    "reminder beyond": (
        "amount = 45",
        "amount = 45\nremind_days_before = [46]",
        "remind_days_before",
        "within the span",
    ),
    "deadline never opens": (
        'opens = ["examination"]',
        "",
        'id = "examination"',
        "never opens or never ends",
    ),
    "lapse without transition": (
        'lapse = "flag"',
        'lapse = "withdraw"',
        'id = "completion"',
        "no transition follows its lapse",
    ),
    "ambiguous before a date": (
        "amount = 45",
        'amount = 45\ndirection = "before"\nambiguous = true\nearly_basis = "calendar"',
        'id = "examination"',
        "names one unit",
    ),
    "ambiguous hours": (
        "amount = 45",
        'amount = 45\nambiguous = true\nearly_basis = "hours"',
        'id = "examination"',
        "clock hours are not ambiguous",
    ),
    "document at submission": (
        "amount = 90",
        'amount = 90\nstarts_at = "surat_tugas"',
        'id = "feedback"',
        "a submission brings no document",
    ),
    "only if and unless": (
        'unless = ["review_requested"]',
        'unless = ["review_requested"]\nonly_if = ["review_requested"]',
        "unless =",
        "can never happen",
    ),
    "held before it is made": (
        'id = "aph"\nfrom_start = false',
        'id = "aph"\nfrom_start = false\nholders = ["inspektur"]',
        "holders =",
        "no holders at the start",
    ),
    "starts without document": (
        "amount = 45",
        'amount = 45\nstarts_at = "act_of_god"',
        "act_of_god",
        "no 'act_of_god' in documents",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_broken_profile_is_refused_with_file_and_line(name: str, tmp_path: Path) -> None:
    old, new, marker, said = BAD[name]
    assert old in SOUND
    if new is None:
        sentence = next(line for line in SOUND.splitlines() if old in line)
        text = SOUND.replace(sentence, "")
    else:
        text = SOUND.replace(old, new)
    broken = tmp_path / "broken.toml"
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as refused:
        load_profile(broken)
    messages = [line for line in str(refused.value).splitlines() if said in line]
    assert messages, str(refused.value)
    file, line_number, _ = messages[0].split(":", 2)
    assert file == "broken.toml"
    named = text.splitlines()[int(line_number) - 1 : int(line_number) + 1]
    if marker is not None:
        # A table is named by its header, whose next line is the id.
        assert any(marker in line for line in named), named


def test_inline_holdings_are_named_by_the_line_of_their_list(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    line = '    { compartment = "content", holder = "irban" },'
    broken.write_text(SOUND.replace(line, line.replace("irban", "camat")), encoding="utf-8")
    with pytest.raises(ProfileError) as refused:
        load_profile(broken)
    number = int(str(refused.value).split(":")[1])
    assert SOUND.splitlines()[number - 1] == "grants = ["
    assert SOUND.splitlines()[number] == line


def test_all_broken_references_are_named_at_once_in_order(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    text = SOUND.replace('by = ["irban"]', 'by = ["camat"]').replace("amount = 45", "amount = 0")
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as refused:
        load_profile(broken)
    lines = str(refused.value).splitlines()
    numbers = [int(line.split(":")[1]) for line in lines]
    assert len(lines) >= 3
    assert numbers == sorted(numbers)


def test_a_clock_that_starts_with_a_document_needs_that_document(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    text = GOWA.replace('documents = ["tanda_terima_lhp"]\n', "")
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError, match="opens 'recommendation' without its 'tanda_terima_lhp'"):
        load_profile(broken)


def test_a_file_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b'id = "\xff"')
    with pytest.raises(ProfileError, match=r"broken\.toml:1: not UTF-8"):
        load_profile(broken)


def test_a_profile_cannot_be_changed_after_loading(badung: Profile) -> None:
    with pytest.raises(AttributeError):
        badung.states[0].label = "lain"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        badung.version = 2  # type: ignore[misc]
    assert isinstance(badung.transitions, tuple)


def test_a_profile_survives_being_written_and_read_as_data(profile: Profile) -> None:
    assert msgspec.convert(msgspec.to_builtins(profile), Profile) == profile


def test_old_versions_stay_loadable_beside_the_latest(tmp_path: Path) -> None:
    (tmp_path / "badung.toml").write_text(
        SOUND.replace("version = 1\n", "version = 10\n"), encoding="utf-8"
    )
    (tmp_path / "badung-1.toml").write_text(SOUND, encoding="utf-8")
    (tmp_path / "badung-9.toml").write_text(
        SOUND.replace("version = 1\n", "version = 9\n"), encoding="utf-8"
    )
    (tmp_path / "notes.txt").write_text("not a profile", encoding="utf-8")
    catalogue = ProfileCatalogue.from_folder(tmp_path)
    assert catalogue.get("badung", 1).version == 1
    assert catalogue.latest("badung").version == 10
    assert catalogue.ids() == ("badung",)


def test_two_files_cannot_claim_one_version(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(SOUND, encoding="utf-8")
    with pytest.raises(ProfileError, match="badung version 1 exists twice"):
        ProfileCatalogue.from_folder(tmp_path)


def test_an_unknown_profile_or_version_is_not_found(catalogue: ProfileCatalogue) -> None:
    with pytest.raises(NotFound):
        catalogue.get("badung", 99)
    with pytest.raises(NotFound):
        catalogue.latest("atlantis")


def test_an_unknown_id_is_not_found(badung: Profile) -> None:
    with pytest.raises(NotFound):
        badung.state("nirvana")
