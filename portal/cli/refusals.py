"""What the command line says when something is refused: one English sentence for each error.

The web pages have their own sentences, in Indonesian, in ``templates/``. Nothing that was typed
secretly is ever repeated: the errors themselves hold no secret, and a programmer's error is
named by its type and its place in the code alone.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alembic.util.exc import CommandError
from pysqlite3 import dbapi2
from sqlalchemy.exc import SQLAlchemyError

from casework import errors as domain
from casework.evidence.limits import Full
from casework.intake.sealing import NotReceiving
from casework.keys import passphrases
from casework.keys.accounts import CostTooLow, KeysSwapped
from casework.keys.approvals import WordsDiffer
from casework.keys.chain import RosterBroken
from casework.keys.enrol import GenesisExists, KeysDiffer
from casework.keys.factors import ClockOff, FactorMissing, TooManyCodes, WrongCode
from casework.keys.invitations import InvitationRefused
from casework.keys.memory import RolledBack
from casework.keys.obstacles import Obstacle, RecoveryRefused
from casework.keys.parts import UnreadableFile
from casework.keys.restoration import NOT_GUARDIAN
from casework.keys.shares import MOST_SHARES, SharesWrong
from casework.keys.tables import LINE_MAX
from casework.keys.vocabulary import Flaw
from casework.law.load import ProfileError
from casework.log import proof
from casework.log.asking import Unreachable
from casework.log.keys import LogKeyMissing, LogKeysBroken
from casework.log.tree import TreeDamaged
from casework.store.backup.manifest import ArchiveUnfit
from casework.store.engine import StorageUnfit, Unavailable
from crypto import errors as sealing
from portal.asking import BadAddress
from portal.errors import place
from portal.settings import SettingsError
from portal.wiring import NotReady
from witness import refusals as witnessing

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refused(domain.CaseworkError):
    """The command line itself refuses; the message is the sentence."""


INPUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "username_shape": "3 to 32 characters: a-z, 0-9, dot, hyphen, underscore; a letter or "
        "digit first",
        "username_taken": "somebody is enrolled under this name already",
        "line_shape": f"one line of 1 to {LINE_MAX} characters",
        "roles_unknown": "one or more different roles of the profile",
        "roles_admin": "who administers the system holds no other role",
        "roles_exclude": "one person may not hold these roles together",
        "person_unknown": "nobody of this name enrolled here",
        "reason_shape": f"one line of 1 to {LINE_MAX} characters",
        "until_past": "the last day is not before today",
        "passphrase_length": f"{passphrases.SHORTEST} to {passphrases.LONGEST} characters",
        "passphrase_weak": "too easily guessed: five or more words that do not belong together",
        "passphrase_wrong": "the passphrase in force is another one",
        "passphrase_same": "the new one must differ from the old one",
        "passphrase_not_drawn": "this is not the one that was shown: seven words in lower case, "
        "one space between them",
        "law.reason_required": "say why",
        "notice.address": "one plain mail address",
        "shares_out_of_range": f"at least 2 are needed, and at most {MOST_SHARES} are made",
    }
)
"""Message key of :class:`casework.errors.InvalidInput` -> what is allowed."""

PROBLEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "custody.last_holder": "nobody else in office holds a part of it: approve somebody for "
        "the role and let the leaver sign in once, which passes the keys on; or use the recovery",
        "custody.last_share": "the last share of an identity in office would go: with "
        "--give-up-shares it can be opened by the recovery alone from then on",
        "leaving.guardian": "this officer is the guardian: name another one first",
        "leaving.role_vacant": "this officer is the last holder of a role that reports need: "
        "approve somebody for it first, and let the leaver sign in once to pass the keys on",
        "leaving.cases_left": "this officer still holds cases",
        "leaving.damaged": "the case is damaged: see suaka doctor",
        "leaving.busy": "somebody acts on it just now: try again",
        "leaving.approver_excluded": "the approver is recused from it: another one must do it",
        "leaving.successor_required": "no successor is named",
        "leaving.successor_self": "the successor must be somebody else",
        "leaving.successor_unknown": "the successor is not in office today",
        "leaving.successor_excluded": "the successor is recused from it, or handed it over before",
        "leaving.successor_role": "the successor has no role that may hold it",
        "leaving.reason_long": "a reason of at most 160 characters",
    }
)
"""Message key -> why a case or an officer stays as they are, and what to do."""

FLAWS: Final[Mapping[Flaw, str]] = MappingProxyType(
    {
        Flaw.MISSING: "there is no entry",
        Flaw.MALFORMED: "the entry has a field that is missing, unknown or of a wrong form",
        Flaw.NOT_CANONICAL: "the entry is not written canonically",
        Flaw.KIND: "a genesis comes first and only once",
        Flaw.INSTANCE: "the entry belongs to another instance",
        Flaw.VERSION: "the entry has another number",
        Flaw.PREVIOUS: "the entry does not continue the one before",
        Flaw.PINNED: "it is not the genesis that the configuration pins",
        Flaw.HASH: "the stored hash is not that of the entry",
        Flaw.DAY: "the entry is dated before the one before it",
        Flaw.ORDER: "people, periods or roles are not in order",
        Flaw.DUPLICATE: "one person stands there twice for the same day",
        Flaw.OVERLAP: "one person has two periods that touch the same day",
        Flaw.PERIOD: "a period ends before it begins",
        Flaw.PAST: "an entry would change what the roster said of days before it",
        Flaw.ROLE: "a role is not one of the profile",
        Flaw.ADMIN: "who administers the system would hold another role",
        Flaw.KEY: "a key is none",
        Flaw.KEY_CHANGED: "an officer would get other keys: new keys are a new enrolment",
        Flaw.KEY_REUSED: "two people would have the same key",
        Flaw.HANDLE: "a username would change or belong to two people",
        Flaw.GUARDIAN: "the guardian named does not hold a role that may guard",
        Flaw.SIGNER: "the signer may not make this change",
        Flaw.SELF: "nobody approves themselves",
        Flaw.SIGNATURE: "the signature is wrong",
        Flaw.RECOVERY: "only the share holders together name another recovery key",
        Flaw.EMPTY: "the entry changes nothing",
        Flaw.EXCLUDES: "one person would hold roles that exclude each other",
    }
)
"""What is wrong with an entry of the roster."""

OBSTACLES: Final[Mapping[Obstacle, str]] = MappingProxyType(
    {
        Obstacle.NOTHING: "there is nothing to recover and nothing to decide",
        Obstacle.RECEIVER: "this person is not in office and not named by this decision",
        Obstacle.MAY_NOT_HOLD: "nobody named may hold this by the regulation",
        Obstacle.GRANT: "a sealed key in the file is not genuine: export again",
        Obstacle.ALL: "this file holds all keys: it is only for a new recovery key (--new-shares)",
        Obstacle.NOT_ALL: "a new recovery key needs everything: export with --all",
        Obstacle.GUARDIAN: "this person is not in office in a role that may guard",
        Obstacle.NO_GUARDIAN: "the guardian would be out of office: name the next (--guardian)",
        Obstacle.OTHER_INSTANCE: "the file belongs to another instance",
        Obstacle.OTHER_CHAIN: "the file was made from another roster than this instance's",
        Obstacle.MOVED_ON: "the roster has changed since the export: export again",
        Obstacle.SIGNATURE: "the recovery key in force did not sign this file, or it was changed",
        Obstacle.DAY: "the date of the offline machine is wrong; give it with --day; see",
        Obstacle.IMPORTER: "this officer is in no role that receives cases",
        Obstacle.IMPORTED: "this file was imported before, completely",
        Obstacle.STILL_HELD: "somebody in office holds what would be recovered: export again",
        Obstacle.UNKNOWN_CASE: "the file names a case that is not here",
        Obstacle.NEW_CASES: "cases came in or moved since the export: stop the public pages, "
        "export again; cases concerned",
    }
)
"""What stands in the way of a recovery."""

DENIED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name or passphrase": "the name or the passphrase is wrong",
        "not active on the roster": "this officer is not in office on the roster today",
        Flaw.SIGNER.value: "this officer may not approve these roles",
        Flaw.SELF.value: "nobody approves themselves",
        Flaw.GUARDIAN.value: "this officer may not guard, or the guardian is somebody else",
        "no role that audits": "only who audits sees who did what",
        "no role that monitors": "only who monitors or audits sees numbers",
        "neither guardian nor auditor": "only the guardian and who audits see this",
        "not the guardian": "only the guardian in office names the next one",
        NOT_GUARDIAN: "only the guardian confirms a restore",
    }
)

_OWN_WORDS: Final = (Refused, SettingsError, NotReady, StorageUnfit, ArchiveUnfit, BadAddress)
"""Errors whose message is a sentence already."""

_SENTENCES: Final[Mapping[type[Exception], str]] = MappingProxyType(
    {
        GenesisExists: "this instance has its genesis already; there is never a second one",
        UnreadableFile: "the file is not the one expected here, or was changed",
        KeysDiffer: "the genesis names an officer by other keys or another username than were "
        "enrolled here: export again and repeat the ceremony",
        InvitationRefused: "this invitation does not work: mistyped, used, withdrawn, or older "
        "than 72 hours",
        WordsDiffer: "the eight words are other ones by now: somebody changed keys, roles or "
        "person",
        KeysSwapped: "the passphrase is right, but the stored keys are not this person's: "
        "somebody wrote to the database",
        RolledBack: "this officer has seen another roster or log than the one stored: an old copy "
        "of the database was put back; after an honest restore: suaka restore confirm",
        LogKeyMissing: "keys/log.key is missing or holds another key than the one in force: put "
        "back its copy; without it the log has no further checkpoints",
        LogKeysBroken: "a public key of the log is stored that the one before it did not sign: "
        "somebody wrote to the database",
        TreeDamaged: "a node of the log's tree is gone: somebody wrote to the database; run suaka "
        "audit verify",
        ClockOff: "this code is right at another hour: set the clock of the phone or of this "
        "machine; the phone is ahead by this much, or behind if negative",
        TooManyCodes: "too many codes were wrong: wait five minutes, or use a recovery code",
        WrongCode: "the code is wrong, or was used before",
        FactorMissing: "this officer has no second factor of their own making: somebody wrote to "
        "the database, or none was ever set up (suaka factor)",
        CostTooLow: "section costs of suaka.toml is below the floor for production",
        RecoveryRefused: "the recovery stops here",
        SharesWrong: "these shares do not give the recovery key",
        Unavailable: "a database is locked, full or unreadable just now; nothing was changed",
        Full: "no further file fits: see the limits under [evidence]",
        NotReceiving: "no report can be received: an operator and the guardian must be in office",
        ProfileError: "a regulation cannot be used",
        proof.Damaged: "the file is damaged, or no receipt: take the file as it was handed out",
        proof.TooLarge: "the file is larger than any receipt",
        proof.UnknownSigner: "unknown key: none of the given keys is named under this receipt",
        proof.Forged: "the signature is wrong: what a key of the log signed was changed, or it "
        "never signed this",
        proof.NotInTree: "not in the tree: what the receipt tells is not in the log that was "
        "signed",
        proof.NotASubmission: "what it tells is in the log, but is no report received there",
        proof.OtherText: "the receipt is genuine, but this is another text, or the key is another "
        "report's",
        proof.BadKey: "the key of a report is 64 hex digits, spaces aside",
        proof.BadLogKeys: "not the public keys of a log: one a line, as name+id+key",
        Unreachable: "a witness of the log gives no usable answer",
        domain.InvalidTransition: "the profile has no such step here",
        domain.NotFound: "not found",
        domain.Denied: "this is not allowed",
        domain.Conflict: "somebody else changed this meanwhile: look again",
        domain.Expired: "this has run out",
        domain.Untrustworthy: "what is stored contradicts itself: somebody wrote behind the "
        "portal's back, or a disk is failing",
        witnessing.UnknownLog: "this witness does not trust this log yet: suaka witness trust",
        witnessing.NotSigned: "no trusted key of the log has signed this: it is not genuine, "
        "or the log has a new key (suaka witness trust)",
        witnessing.KeyRetired: "only a key that counts no more, or not at this size, has signed "
        "this (suaka witness trusted): if it came from the log's administrator, ask in writing "
        "which key the log signs with",
        witnessing.OldBeyondNew: "the request is wrong: it begins at a size beyond its checkpoint",
        witnessing.SizeDiffers: "the request begins elsewhere than this witness left off: ask the "
        "log's administrator for one that begins there",
        witnessing.Forked: "NOT COSIGNED: the log has signed two different trees of one size; the "
        "proof is kept under conflicts/, tell everybody who relies on this log",
        witnessing.ForkNotKept: "NOT COSIGNED: the log has signed two different trees of one size; "
        "so many proofs of that are under conflicts/ already that this one is not kept, tell "
        "everybody who relies on this log",
        witnessing.ProofWrong: "NOT COSIGNED: nothing shows that this tree grew from the one "
        "cosigned before; ask for the request again, and if it stays so, the log was rewritten",
        witnessing.Shrunk: "the log shows an older checkpoint than the newest one cosigned here: "
        "an old copy was put back, or what serves it lags; size",
        witnessing.ClockBehind: "the clock of this machine is behind the newest cosignature: set "
        "it right first",
        witnessing.Damaged: "a file of this witness was changed, or a disk is failing",
        witnessing.AlreadyMade: "the folder holds something already: choose a new one",
        witnessing.KeyExposed: "others may read the secret key: make the file readable for its "
        "owner alone (chmod 600)",
        witnessing.NotALogKey: "this is not the public key of a log",
        witnessing.NotAHandover: "this is no hand-over of a log's key, or was damaged: take the "
        "file that suaka log rotate made, or the notes as the log publishes them",
        witnessing.UnknownKey: "this names no key of a trusted log, or several: suaka witness "
        "trusted lists them; the whole key works, too",
        witnessing.LastKey: "no other key of this log is trusted: trust its new one first",
        witnessing.TileUnfit: "the log does not serve the tree that its checkpoint speaks of",
        sealing.WrongKey: "a key does not open what it should open",
        sealing.Tampered: "something sealed or signed was changed",
        sealing.Malformed: "something stored has a form that it should not have",
        sealing.LimitExceeded: "a limit was passed, or memory is short",
        CommandError: "the database was made by a newer program: install that version",
        SQLAlchemyError: "a database file cannot be used: it is locked, damaged or none at all",
        dbapi2.Error: "a database file cannot be used: it is locked, damaged or none at all",
        UnicodeDecodeError: "a text that was read is not UTF-8",
    }
)
_DETAILED: Final = (
    *(ClockOff, domain.NotFound, UnreadableFile, CostTooLow, ProfileError, KeysDiffer),
    *(
        witnessing.UnknownLog,
        witnessing.Shrunk,
        witnessing.SizeDiffers,
        witnessing.Damaged,
        witnessing.KeyExposed,
    ),
)
"""Errors whose message is an identifier or a place in a file, worth adding."""


def sentence(refused: Exception) -> str:
    """Return one line that says what was refused and, where possible, what to do."""
    if isinstance(refused, _OWN_WORDS):
        return str(refused)
    if isinstance(refused, domain.InvalidInput):
        known_keys = {**INPUT, **PROBLEMS}
        return "; ".join(
            f"{name}: {known_keys.get(key, key)}" for name, key in refused.errors.items()
        )
    if isinstance(refused, RosterBroken):
        return f"the roster is refused at entry {refused.version}: {FLAWS[refused.flaw]}"
    if isinstance(refused, RecoveryRefused):
        return ": ".join(part for part in (OBSTACLES[refused.obstacle], refused.detail) if part)
    if isinstance(refused, domain.Denied) and str(refused) in DENIED:
        return DENIED[str(refused)]
    if isinstance(refused, OSError) and refused.strerror:
        return ": ".join(str(part) for part in (refused.filename, refused.strerror) if part)
    known = known_as(refused)
    if known is None:
        where = place(refused.__traceback__)
        return f"unexpected {type(refused).__name__} at {where}: please report this line"
    detail = f": {refused}" if isinstance(refused, _DETAILED) and str(refused) else ""
    return known + detail


def known_as(refused: Exception) -> str | None:
    """Return the sentence for the nearest known kind of an error."""
    return next((_SENTENCES[kind] for kind in type(refused).__mro__ if kind in _SENTENCES), None)
