"""The second factor: time-based codes (RFC 6238) and single-use recovery codes.

The secret is sealed to the officer and signed by them: whoever writes the database can take it
away, but not put another in its place, and nobody signs in without one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final, Literal, NoReturn

import msgspec
import pyotp

from casework.errors import CaseworkError, Untrustworthy
from casework.keys.chain import Instance, PersonId
from casework.keys.tables import FactorRow
from casework.log import leaf
from crypto import age, canonical, signatures
from crypto.errors import CryptoError
from crypto.labels import Label, Purpose, derive

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

STEP_SECONDS: Final = 30
DRIFT_STEPS: Final = 1
"""Steps before and after the present one whose codes are accepted (RFC 6238 §5.2)."""

CODES: Final = 10
"""Recovery codes of one sheet."""

FREE_MISSES: Final = 5
"""Wrong codes in a row after which the authenticator's codes are looked at only now and then."""

WAIT_STEPS: Final = 10
"""Time steps between two looks from then on: five minutes (RFC 4226 §7.3)."""

SECRET_LENGTH: Final = 32
"""Characters of the secret in Base32: 160 bits (RFC 4226 §4)."""

_CODE_LENGTH: Final = 12
_CODE_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_DIGITS: Final = re.compile(r"[0-9]{6}")
_HALF_HOUR_STEPS: Final = 1800 // STEP_SECONDS
_FARTHEST_HALF_HOURS: Final = 28
"""Fourteen hours: no two time zones of people who meet are further apart."""


class WrongCode(CaseworkError):
    """The code is not right, or was used before."""


class ClockOff(WrongCode):
    """The code would be right at another hour: a clock is wrong by ``hours``.

    Positive: the officer's clock is fast, or ours slow.
    """

    def __init__(self, hours: float) -> None:
        """Say by how much."""
        super().__init__(f"{hours:+g} h")
        self.hours = hours


class TooManyCodes(WrongCode):
    """So many codes were wrong that this one was not looked at; a recovery code always is."""


class FactorMissing(Untrustworthy):
    """An officer has no second factor, or another than they made: somebody wrote there."""


@dataclass(frozen=True)
class NewFactor:
    """A second factor that its owner has not confirmed yet."""

    secret: str = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Proof:
    """What a right code was: ``codes_left`` counts recovery codes if it was one of them.

    ``missed`` is how many codes in a row were wrong before it.
    """

    codes_left: int | None
    missed: int


class _Factor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal[1] = 1
    instance: Instance
    person: PersonId
    secret: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z2-7]{32}\Z")]
    codes: Annotated[tuple[str, ...], msgspec.Meta(max_length=CODES)]


def new() -> NewFactor:
    """Return a fresh secret and ten fresh recovery codes of 59 bits each."""
    return NewFactor(pyotp.random_base32(SECRET_LENGTH), new_codes())


def new_codes() -> tuple[str, ...]:
    """Return ten recovery codes as they are printed: three groups of four."""
    return tuple(_new_code() for _ in range(CODES))


def uri(office_name: str, username: str, secret: str) -> str:
    """Return what an authenticator reads from a QR code (otpauth key URI)."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=f"Suaka {office_name}")


def confirm(secret: str, typed: str, now: int) -> int:
    """Return the time step of a code that proves the authenticator has the secret.

    Raises:
        ClockOff: it would be right at another hour.
        WrongCode: it is not.
    """
    step = _step_of(secret, typed, now)
    if step is None:
        _refuse(secret, typed, now)
    return step


def store(uow: UnitOfWork, actor: Actor, made: NewFactor, step: int) -> None:
    """Keep an officer's new factor in place of the old one; ``step`` is the one just used."""
    kept = tuple(_kept(code) for code in made.codes)
    _write(uow, actor, _factor(uow, actor, made.secret, kept), step)


def change(uow: UnitOfWork, actor: Actor, made: NewFactor, step: int) -> None:
    """Replace the factor of an officer in office, and leave a trace of it in the log."""
    store(uow, actor, made, step)
    leaf.append(uow, leaf.Draft("factor_changed", actor.person_id), actor.person.signing)


def change_codes(uow: UnitOfWork, actor: Actor, codes: tuple[str, ...]) -> None:
    """Replace the recovery codes alone, and leave a trace of it in the log.

    Raises:
        FactorMissing: see :func:`check`.
    """
    row, factor = _read(uow, actor)
    kept = tuple(_kept(code) for code in codes)
    _write(uow, actor, msgspec.structs.replace(factor, codes=kept), row.last_step)
    leaf.append(uow, leaf.Draft("codes_changed", actor.person_id), actor.person.signing)


def codes_left(uow: UnitOfWork, actor: Actor) -> int:
    """Return how many recovery codes are unused. Raises: FactorMissing."""
    return len(_read(uow, actor)[1].codes)


def prove(office: Office, actor: Actor, typed: str) -> Proof:
    """Check a code in a transaction of its own, and remember a wrong one.

    Whoever guesses has the passphrase or an open session already, so neither stops them: what
    does is that codes are soon looked at once in five minutes. The owner is not locked out by
    it, for a recovery code has 59 bits and is always looked at. Raises: as :func:`check`.
    """
    with office.write() as uow:
        try:
            return check(uow, actor, typed)
        except TooManyCodes:
            raise
        except WrongCode as wrong:
            refused = wrong
            row, _ = _read(uow, actor)
            row.missed, row.missed_step = row.missed + 1, _step_at(uow)
    raise refused


def check(uow: UnitOfWork, actor: Actor, typed: str) -> Proof:
    """Accept a code from the authenticator, or a recovery code, each of them once.

    Call it in a writing unit of work: what was used is remembered in the same transaction. Where
    somebody could guess, call :func:`prove`.

    Raises:
        ClockOff: the code would be right at another hour.
        TooManyCodes: it was not looked at.
        WrongCode: it is wrong or was used.
        FactorMissing: there is no factor of this officer's own making.
    """
    row, factor = _read(uow, actor)
    now, missed = int(uow.now().timestamp()), row.missed
    # Only a look moves the beginning of a wait: a guesser cannot draw it out for the owner.
    waited = _step_at(uow) - row.missed_step
    waiting = missed >= FREE_MISSES and 0 <= waited < WAIT_STEPS
    step = None if waiting else _step_of(factor.secret, typed, now)
    if step is not None:
        if step <= row.last_step:
            raise WrongCode("used before")
        row.last_step, row.missed = step, 0
        uow.session.flush()
        return Proof(None, missed)
    given = _kept(typed)
    left = tuple(code for code in factor.codes if not hmac.compare_digest(code, given))
    if len(left) == len(factor.codes):
        if waiting:
            raise TooManyCodes("not looked at")
        _refuse(factor.secret, typed, now)
    _write(uow, actor, msgspec.structs.replace(factor, codes=left), row.last_step)
    return Proof(len(left), missed)


def exists(uow: UnitOfWork, person_id: str) -> bool:
    """Return whether there is a factor in a person's name."""
    return uow.session.get(FactorRow, person_id) is not None


def _step_at(uow: UnitOfWork) -> int:
    return int(uow.now().timestamp()) // STEP_SECONDS


def _step_of(secret: str, typed: str, now: int) -> int | None:
    """Return the step near now whose code was typed; every step is compared."""
    code, here, found = _digits(typed), now // STEP_SECONDS, None
    totp = pyotp.TOTP(secret)
    for step in range(here - DRIFT_STEPS, here + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            found = step
    return found


def _refuse(secret: str, typed: str, now: int) -> NoReturn:
    """Raise the refusal that fits: a clock that is off by whole or half hours is named.

    Only so few steps are tried that a guess is hardly ever told from any other wrong code.
    """
    totp, code, here = pyotp.TOTP(secret), _digits(typed).encode(), now // STEP_SECONDS
    off = None
    for half_hours in range(-_FARTHEST_HALF_HOURS, _FARTHEST_HALF_HOURS + 1):
        middle = here + half_hours * _HALF_HOUR_STEPS
        for step in range(middle - DRIFT_STEPS, middle + DRIFT_STEPS + 1):
            if step >= 0 and hmac.compare_digest(totp.generate_otp(step).encode(), code):
                off = half_hours
    if off:
        raise ClockOff(off / 2)
    raise WrongCode("wrong")


def _digits(typed: str) -> str:
    """Return six digits however they were spaced, or a text that no code equals."""
    text = "".join(typed.split())
    return text if _DIGITS.fullmatch(text) else "-"


def _new_code() -> str:
    letters = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, _CODE_LENGTH, 4))


def _kept(code: str) -> str:
    """Return what is kept of a recovery code: it has entropy of its own, so one hash is enough."""
    text = "".join(char for char in code.casefold() if char.isalnum())
    return derive(Label.RECOVERY_CODE, text.encode("utf-8", "surrogatepass") or b"-").hex()


def _factor(uow: UnitOfWork, actor: Actor, secret: str, codes: tuple[str, ...]) -> _Factor:
    return _Factor(
        instance=uow.office.instance_id, person=actor.person_id, secret=secret, codes=codes
    )


def _write(uow: UnitOfWork, actor: Actor, factor: _Factor, step: int) -> None:
    body = canonical.encode(msgspec.to_builtins(factor))
    sealed = age.encrypt(body, [actor.person.identity.recipient])
    signature = actor.person.signing.sign(Purpose.FACTOR, _statement(uow, actor, sealed))
    row = uow.session.get(FactorRow, actor.person_id)
    if row is None:
        row = FactorRow(person=actor.person_id)
        uow.session.add(row)
    row.sealed, row.signature, row.last_step = sealed, signature, step
    row.missed, row.missed_step = 0, 0
    uow.session.flush()


def _read(uow: UnitOfWork, actor: Actor) -> tuple[FactorRow, _Factor]:
    """Return an officer's factor. Raises: FactorMissing."""
    row = uow.session.get(FactorRow, actor.person_id)
    if row is None:
        raise FactorMissing
    try:
        # The signature first: nothing that this officer did not write is even opened.
        signatures.verify(
            actor.person.signing.verify_key,
            Purpose.FACTOR,
            _statement(uow, actor, row.sealed),
            row.signature,
        )
        body = canonical.decode(age.decrypt(row.sealed, [actor.person.identity]))
        factor = msgspec.convert(body, _Factor, strict=True)
    except (CryptoError, msgspec.ValidationError):
        raise FactorMissing from None
    if (factor.instance, factor.person) != (uow.office.instance_id, actor.person_id):
        raise FactorMissing
    return row, factor


def _statement(uow: UnitOfWork, actor: Actor, sealed: bytes) -> dict[str, str]:
    return {
        "instance": uow.office.instance_id,
        "person": actor.person_id,
        "sha256": hashlib.sha256(sealed).hexdigest(),
    }
