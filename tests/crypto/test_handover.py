"""crypto.handover: both keys sign that one follows the other; nothing else passes for it."""

import pytest

from crypto import checkpoint, handover
from crypto.errors import Malformed, Tampered
from crypto.handover import Handover
from crypto.note import Kind, NoteSigner, SignedNote

OLD, NEW, OTHER = (NoteSigner("log.example", Kind.LOG, bytes([n]) * 32) for n in (1, 2, 3))
FOREIGN = NoteSigner("other.example", Kind.LOG, bytes(32))
WITNESS = NoteSigner("log.example", Kind.WITNESS, bytes(32))
SAID = Handover(OLD.key, NEW.key, 512)
TEXT = (
    f"log.example\nkey-handover/v1\n{OLD.key.to_text()}\n{NEW.key.to_text()}\n512\n"  # as written
)


def test_what_both_signed_is_what_is_read() -> None:
    assert SAID.to_text() == TEXT
    assert handover.of(SignedNote.from_text(SAID.sign([OLD, NEW]).to_text())) == SAID


def test_the_first_key_signs_for_itself() -> None:
    first = Handover(None, OLD.key, 0)
    assert first.to_text().splitlines()[2] == "-"
    assert handover.of(first.sign([OLD])) == first


@pytest.mark.parametrize("signers", [[OLD], [NEW], [OTHER], [OLD, OTHER], [NEW, OTHER]])
def test_one_signature_is_not_two(signers: list[NoteSigner]) -> None:
    with pytest.raises(Tampered):
        handover.of(SAID.sign(signers))


def test_a_changed_text_is_refused() -> None:
    signed = SAID.sign([OLD, NEW])
    for changed in (TEXT.replace("512", "513"), Handover(OLD.key, OTHER.key, 512).to_text()):
        with pytest.raises(Tampered):
            handover.of(SignedNote(changed, signed.signatures))


@pytest.mark.parametrize(
    ("old", "new"),
    [(OLD, OLD), (OLD, FOREIGN), (WITNESS, NEW), (OLD, WITNESS), (None, WITNESS)],
    ids=["itself", "another log", "from a witness", "to a witness", "first witness"],
)
def test_only_two_keys_of_one_log_follow_each_other(
    old: NoteSigner | None, new: NoteSigner
) -> None:
    with pytest.raises(Malformed):
        Handover(None if old is None else old.key, new.key, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "\n",
        TEXT.replace("v1", "v2"),
        TEXT.replace("log.example\n", "other.example\n", 1),
        TEXT.replace("512", "0512"),
        TEXT.replace("512", "-1"),
        TEXT.replace(OLD.key.to_text(), ""),
    ],
)
def test_another_text_is_none(text: str) -> None:
    with pytest.raises(Malformed):
        Handover.from_text(text)


def test_a_hand_over_is_no_checkpoint_and_the_other_way_round() -> None:
    with pytest.raises(Malformed):
        checkpoint.of(SAID.sign([OLD, NEW]), [OLD.key, NEW.key])
    made = checkpoint.Checkpoint("log.example", 3, bytes(32)).sign([OLD, NEW])
    with pytest.raises(Malformed):
        handover.of(made)
