"""The settings of one instance: ``suaka.toml`` in its folder, then the environment.

A wrong or unknown setting is refused by name. An environment variable ``SUAKA_<SECTION>_<NAME>``
(``SUAKA_WEB_PORT``) replaces the value of the file.
"""

from __future__ import annotations

import json
import os
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_origin

import msgspec

from casework.errors import CaseworkError
from casework.evidence import scan
from casework.notices.addresses import is_address
from crypto import kdf
from crypto.errors import CryptoError
from portal import asking

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_NAME = "suaka.toml"
PREFIX = "SUAKA_"


class SettingsError(CaseworkError):
    """The configuration cannot be used; the message names the file or variable and the setting."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections: immutable, and strict about names."""


class InstanceSection(Section, frozen=True):
    """Who this instance is. ``genesis`` is the hash printed in the key ceremony."""

    id: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=160)]
    profile: str
    mode: Literal["production", "demo"]
    genesis: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")] | None = None


class WebSection(Section, frozen=True):
    """How it is reached. ``origins``: every published origin (``https://…``)."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8000
    tls: bool = False
    origins: tuple[str, ...] = ()
    no_addresses: bool = False
    """Whether proxy and hosting were checked to keep no visitor's address (shown to reporters)."""
    away_url: str = "https://www.wikipedia.org/"
    away_label: str = "Wikipedia"


class StaffSection(Section, frozen=True):
    """How officers work here. ``second_factor`` may be off in a demo and nowhere else.

    ``many_cases``: how many cases one officer opens on one day before the guardian is told.
    """

    second_factor: bool = True
    many_cases: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 25


class MailSection(Section, frozen=True):
    """Notices to officers by SMTP; off while ``host`` is empty.

    ``hours``: local times at which waiting notices leave, all at once. ``password_file``: the
    file that holds the password, never the password itself.
    """

    host: str = ""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_file: str = ""
    sender: str = ""
    hours: tuple[
        Annotated[str, msgspec.Meta(pattern=r"\A([01][0-9]|2[0-3])\.[0-5][0-9]\Z")], ...
    ] = (
        "08.00",
        "13.00",
    )


class ScanSection(Section, frozen=True):
    """Malware scan of files; off while ``socket`` is empty.

    ``socket``: where clamd listens, as :class:`casework.evidence.scan.Scanner` takes it.
    """

    socket: str = ""


class LogSection(Section, frozen=True):
    """The log's public checkpoints: one every ``hours``, each larger by ``leaves`` leaves.

    More acts than ``leaves`` in one period would show in public: ``suaka doctor`` warns.
    ``witnesses``: for each, its key as it prints it, and after a space its address
    (``https://…``) unless checkpoints reach it by file. ``proxy``: address of an HTTP proxy
    (``http://…``) on the way to them; a ``.onion`` address needs one.
    """

    hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 6
    leaves: Annotated[int, msgspec.Meta(ge=256, le=1_048_576, multiple_of=256)] = 256
    witnesses: tuple[str, ...] = ()
    proxy: str = ""


class CostSection(Section, frozen=True):
    """Key stretching, as ``crypto.kdf`` writes it."""

    passphrase: str = kdf.PASSPHRASE.id
    secret_key: str = kdf.SECRET_KEY.id


class LimitSection(Section, frozen=True):
    """What the instance allows itself, all its processes together.

    ``kdf_at_once``: key stretchings at once in each of three lanes (reports, reporters who sign
    in, officers on known devices); ``unknown_at_once``: the same for officers on unknown devices.
    ``kdf_waiting``: how many wait for each lane, in each process.
    ``unknown_tries`` and ``device_tries``: wrong sign-ins of officers a minute, from all unknown
    devices together and from one known device.
    """

    kdf_at_once: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    unknown_at_once: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    kdf_waiting: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100
    unknown_tries: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 30
    device_tries: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 10
    report_burst: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 100
    reports_per_minute: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 30


class EvidenceSection(Section, frozen=True):
    """How much may be kept of files, in MiB but for the numbers of files.

    ``case_files``: from one reporter; ``officer_files``: from the officers of one case together.
    ``instance_mib``: of all files, 0 where only the disk decides. Below ``low_water_mib`` of free
    space no file is taken, so that there is always room for the text of a report.
    """

    file_mib: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 512
    case_files: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    officer_files: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200
    case_mib: Annotated[int, msgspec.Meta(ge=1, le=1_048_576)] = 4096
    instance_mib: Annotated[int, msgspec.Meta(ge=0)] = 0
    low_water_mib: Annotated[int, msgspec.Meta(ge=0)] = 1024


class Settings(Section, frozen=True):
    """Everything that an instance's operator decides."""

    instance: InstanceSection
    web: WebSection = WebSection()
    staff: StaffSection = StaffSection()
    mail: MailSection = MailSection()
    scan: ScanSection = ScanSection()
    costs: CostSection = CostSection()
    limits: LimitSection = LimitSection()
    evidence: EvidenceSection = EvidenceSection()
    log: LogSection = LogSection()

    @property
    def production(self) -> bool:
        """Whether real reports are received here."""
        return self.instance.mode == "production"


def load(folder: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of the instance in ``folder``.

    Raises:
        SettingsError: the file is missing or no TOML, or a setting is unknown or wrong.
    """
    path = folder / FILE_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{FILE_NAME} not found: is this an instance's folder?") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{FILE_NAME}: {error}") from None
    _apply(document, os.environ if environ is None else environ)
    try:
        settings = msgspec.convert(document, Settings)
        for cost in (settings.costs.passphrase, settings.costs.secret_key):
            kdf.Kdf.parse(cost)
    except (msgspec.ValidationError, CryptoError) as error:
        raise SettingsError(f"{FILE_NAME}: {error}") from None
    if settings.production and settings.web.tls and not settings.web.origins:
        raise SettingsError(f"{FILE_NAME}: web.origins must list the published addresses")
    if settings.production and not settings.staff.second_factor:
        raise SettingsError(f"{FILE_NAME}: staff.second_factor may be off in a demo only")
    if settings.mail.host and not settings.mail.sender:
        raise SettingsError(f"{FILE_NAME}: mail.sender is needed where mail.host is set")
    if settings.mail.sender and not is_address(settings.mail.sender):
        raise SettingsError(f"{FILE_NAME}: mail.sender is no plain mail address")
    if settings.mail.host and settings.mail.security == "none" and settings.mail.username:
        raise SettingsError(f"{FILE_NAME}: mail.security is none: the password would travel open")
    if settings.scan.socket and not scan.is_address(settings.scan.socket):
        raise SettingsError(
            f"{FILE_NAME}: scan.socket is neither the absolute path of a socket nor "
            "127.0.0.1:PORT: files must not leave this machine"
        )
    try:
        witnesses = asking.witnesses_of(settings.log.witnesses)
        asking.check_proxy(settings.log.proxy, witnesses)
    except asking.BadAddress as error:
        raise SettingsError(f"{FILE_NAME}: {error}") from None
    return settings


def write(folder: Path, settings: Settings) -> None:
    """Write the settings file anew (whole or not at all), mode 0600."""
    lines = []
    for section, values in msgspec.to_builtins(settings).items():
        lines.append(f"[{section}]")
        for name, value in values.items():
            if value is not None:
                # A TOML basic string, integer, boolean or array of strings reads like JSON, but
                # for the one control character that JSON leaves as it is.
                text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
                lines.append(f"{name} = {text}")
        lines.append("")
    temporary = folder / f".{FILE_NAME}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / FILE_NAME)


def _apply(document: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Put the environment's settings over the file's. Raises: SettingsError."""
    for variable, text in environ.items():
        if not variable.startswith(PREFIX):
            continue
        section, _, name = variable.removeprefix(PREFIX).lower().partition("_")
        known = {entry.name: entry for entry in msgspec.structs.fields(Settings)}
        names = (
            {entry.name: entry for entry in msgspec.structs.fields(known[section].type)}
            if section in known
            else {}
        )
        if name not in names:
            raise SettingsError(f"{variable}: unknown setting")
        try:
            value = msgspec.convert(_split(text, names[name].type), names[name].type, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{variable}: {error}") from None
        document.setdefault(section, {})[name] = value


def _split(text: str, wanted: object) -> object:
    return text.split() if get_origin(wanted) is tuple else text
