"""Witnesses of the log as the settings name them, and how they are asked over a network."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
from anyio import fail_after

from casework.errors import CaseworkError
from casework.log.asking import Answer, Unreachable
from casework.log.witnesses import Witness
from crypto.errors import CryptoError
from crypto.note import Kind, NoteKey
from crypto.witness_request import MAX_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_WITNESSES: Final = 15
"""So many are asked at once, and their lines stay a small part of a checkpoint."""

STEP_SECONDS: Final = 10
"""How long one step (connecting, the next bytes) may take."""

WHOLE_SECONDS: Final = 30
"""How long one question may take in all, however slowly its answer drips."""

PATH: Final = "/add-checkpoint"
_KINDS: Final = ("http://", "https://")


class BadAddress(CaseworkError):
    """A setting names no witness, no address or no proxy; the message is the sentence."""


class _Unwaited(ThreadPoolExecutor):
    """Threads that a loop does not wait for at its end.

    Names are looked up in them. The system's resolver cannot be interrupted and knows no deadline;
    its thread ends by itself, and only the end of the whole process waits for that.
    """

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - the signature of the base
        """Take nothing more, and wait for nothing."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)


@dataclass(frozen=True)
class HttpAsk:
    """Asks witnesses by HTTP; ``proxy`` is on the way to all but those on this machine.

    No redirect is followed, no cookie kept, no compression accepted, nothing taken from the
    environment, and nothing is logged.
    """

    proxy: str = ""
    step: float = STEP_SECONDS
    whole: float = WHOLE_SECONDS

    def __call__(self, url: str, body: bytes) -> Answer:
        """Post a request; the answer may have 64 KiB. Raises: Unreachable."""
        try:
            return asyncio.run(self._post(url, body))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            # By its type alone: the library's own message names the address.
            raise Unreachable(type(error).__name__) from None

    async def _post(self, url: str, body: bytes) -> Answer:
        asyncio.get_running_loop().set_default_executor(_Unwaited())
        proxy = None if not self.proxy or _is_here(urlsplit(url).hostname or "") else self.proxy
        client = httpx.AsyncClient(
            timeout=self.step,
            follow_redirects=False,
            trust_env=False,
            proxy=proxy,
            headers={"accept-encoding": "identity", "user-agent": "suaka-log"},
        )
        # A deadline over everything: limits of single steps alone would let bytes drip for ever.
        with fail_after(self.whole):
            async with client, client.stream("POST", url + PATH, content=body) as answer:
                if "content-encoding" in answer.headers:
                    raise Unreachable("compressed")
                raw = bytearray()
                async for chunk in answer.aiter_raw():
                    raw += chunk
                    if len(raw) > MAX_SIZE:
                        raise Unreachable("too large")
                return Answer(answer.status_code, bytes(raw))


def ask_of(witnesses: Sequence[Witness], proxy: str) -> HttpAsk | None:
    """Return how to ask these witnesses, ``None`` if none of them has an address."""
    return HttpAsk(proxy) if any(one.url for one in witnesses) else None


def witnesses_of(lines: Sequence[str]) -> tuple[Witness, ...]:
    """Return the witnesses that the setting lists: keys, each with its address behind it, or none.

    Where a list is split at spaces, as in the environment, an address belongs to the key before.

    Raises:
        BadAddress: one is no key of a witness, or listed twice, there are more than 15, or an
            address is none that is accepted (see :func:`_check_address`).
    """
    found: list[Witness] = []
    for place, word in enumerate(" ".join(lines).split(), start=1):
        key = _key_in(word)
        if key is not None:
            found.append(Witness(key))
        elif found and not found[-1].url:
            last = found[-1].key
            found[-1] = Witness(last, _check_address(word, last.name))
        else:
            # Not repeated: it may be a secret key, or an address with a password.
            raise BadAddress(f"log.witnesses: entry {place} is no public key of a witness")
    names = [one.key.name for one in found]
    for name in names:
        # Two keys of one name would be one witness who counts twice.
        if names.count(name) > 1:
            raise BadAddress(f"log.witnesses: {name} is listed twice")
    if len(found) > MOST_WITNESSES:
        raise BadAddress(f"log.witnesses: {len(found)} are too many, at most {MOST_WITNESSES}")
    return tuple(found)


def check_proxy(address: str, witnesses: Sequence[Witness] = ()) -> None:
    """Refuse what is no address of an HTTP proxy, and none where a witness needs one.

    Raises:
        BadAddress: it is another one; or there is none, and a witness is at a ``.onion``, whose
            name would go to the system's resolver, and from there to whoever listens.
    """
    if address and (not address.startswith(_KINDS) or not _host(address)):
        raise BadAddress("log.proxy: an HTTP proxy is needed, http://HOST:PORT")
    for one in witnesses:
        if not address and _is_onion(_host(one.url)):
            raise BadAddress(
                f"log.witnesses: {one.key.name} is at a .onion address: log.proxy is needed, an "
                "HTTP proxy that leads into Tor"
            )


def _key_in(word: str) -> NoteKey | None:
    """Return the key of a witness, ``None`` if a word is no key. Raises: BadAddress."""
    try:
        key = NoteKey.from_text(word)
    except CryptoError:
        return None
    if key.kind is not Kind.WITNESS:
        raise BadAddress(f"log.witnesses: {key.name} is the key of a log, not of a witness")
    return key


def _check_address(address: str, name: str) -> str:
    """Return an address without a slash at its end.

    It begins with ``https://``. ``http://`` is accepted where nobody in between could learn of
    the requests or hold them back: on this machine (the end of a tunnel) and for ``.onion``.

    Raises:
        BadAddress: it is another one, or has a user, a query or a fragment.
    """
    host = _host(address)
    named = f"log.witnesses: what stands after {name}"
    if not address.startswith(_KINDS) or not host:
        raise BadAddress(f"{named} is neither a witness's key nor an address (https://...)")
    if address.startswith("http://") and not (_is_here(host) or _is_onion(host)):
        raise BadAddress(f"{named}: https:// is needed, but on this machine and for .onion")
    if any(one in address for one in "@?#"):
        raise BadAddress(f"{named} must have no user, no question mark and no hash")
    return address.rstrip("/")


def _host(address: str) -> str:
    """Return the host of an address, an empty text if it has none."""
    try:
        parts = urlsplit(address)
        _ = parts.port
        httpx.URL(address)
    except (ValueError, httpx.InvalidURL):
        return ""
    return parts.hostname or ""


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_onion(host: str) -> bool:
    return host.rstrip(".").endswith(".onion")
