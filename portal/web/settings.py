"""What the web layer must be told about the instance that it serves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

SIGN_IN_PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {"reporter": "/masuk", "staff": "/petugas/masuk"},
)

STAFF_PATH: Final = "/petugas"


class Surface(StrEnum):
    """Whose pages one process serves."""

    PUBLIC = "public"
    STAFF = "staff"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Settings of one web process.

    `surface` says whose pages this process serves. `tls` says that browsers reach it over HTTPS
    only: cookies become `__Host-` and Secure, and HSTS is sent. `origins` lists every origin under
    which the portal is published (`https://…` without a trailing slash); if empty, the request's
    Host header decides, which is for the demonstration only. `max_body` is the hard limit in bytes
    for any request body, above the limit of each form. `sign_in` maps a session kind to its
    sign-in path.
    """

    surface: Surface = Surface.BOTH
    tls: bool = False
    origins: tuple[str, ...] = ()
    max_body: int = 1024 * 1024
    sign_in: Mapping[str, str] = field(default_factory=lambda: SIGN_IN_PATHS)

    def is_staff_path(self, path: str) -> bool:
        """Tell whether a page here is an officer's; on a shared surface the path decides."""
        if self.surface is Surface.BOTH:
            return path == STAFF_PATH or path.startswith(STAFF_PATH + "/")
        return self.surface is Surface.STAFF
