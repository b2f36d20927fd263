"""From refusals and failures to status codes and HTML pages; HTTP codes exist only here.

No page and no log line holds anything of the request. An unexpected exception leaves one line: a
random reference that the page shows too, the exception's type, and the place in the code.
"""

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType, TracebackType
from typing import Any, Final

from litestar import Request
from litestar.exceptions import HTTPException
from litestar.response import Response
from litestar.types import ExceptionHandlersMap

from casework.errors import (
    CaseworkError,
    Conflict,
    Denied,
    Expired,
    InvalidInput,
    InvalidTransition,
    NotFound,
    Untrustworthy,
)
from casework.intake.watch import NotInLog
from casework.keys.memory import RolledBack
from casework.log.checkpoints import CheckpointDamaged
from casework.log.keys import LogKeyMissing, LogKeysBroken
from casework.log.tree import TreeDamaged
from casework.store.engine import Unavailable
from portal.web.pages import Pages, html, see_other
from portal.web.refusals import (
    BadForm,
    Busy,
    CsrfRefused,
    ForeignOrigin,
    KeptTooLong,
    Refusal,
    SignInRequired,
    TooLarge,
    WrongContentType,
)
from portal.web.settings import WebSettings

LOGGER: Final = logging.getLogger("suaka.portal")
_FALLBACK: Final = "errors/reason.html"
_OURS: Final = ("portal.", "casework.", "crypto.")
_STATUS: Final[Mapping[type[Exception], HTTPStatus]] = MappingProxyType(
    {
        NotFound: HTTPStatus.NOT_FOUND,
        Denied: HTTPStatus.FORBIDDEN,
        InvalidTransition: HTTPStatus.CONFLICT,
        InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
        Conflict: HTTPStatus.CONFLICT,
        Expired: HTTPStatus.UNAUTHORIZED,
        Untrustworthy: HTTPStatus.SERVICE_UNAVAILABLE,
        LogKeyMissing: HTTPStatus.SERVICE_UNAVAILABLE,
        Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
        BadForm: HTTPStatus.BAD_REQUEST,
        TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        KeptTooLong: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        WrongContentType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ForeignOrigin: HTTPStatus.FORBIDDEN,
        CsrfRefused: HTTPStatus.FORBIDDEN,
        Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
_REASONS: Final[Mapping[type[Exception], str]] = MappingProxyType(
    {
        NotFound: "not-found",
        Denied: "denied",
        InvalidTransition: "invalid-transition",
        InvalidInput: "invalid-input",
        Conflict: "conflict",
        Expired: "expired",
        Untrustworthy: "untrustworthy",
        NotInLog: "not-in-log",
        LogKeysBroken: "log-keys",
        TreeDamaged: "log-tree",
        CheckpointDamaged: "checkpoint-forged",
        LogKeyMissing: "unsigned",
        Unavailable: "unavailable",
    }
)
_HTTP_REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "bad-request",
        404: "not-found",
        405: "wrong-method",
        413: "too-large",
    }
)


_NO_DETAILS: Final[Mapping[str, object]] = MappingProxyType(
    {"reference": "", "retry_after": 0, "errors": MappingProxyType({})},
)


class ErrorPages:
    """The exception handlers of the application.

    Templates are `errors/{status}.html`, or `errors/reason.html` where there is none. Each is
    given `status` (int), `reason` (a key: see `portal.web.refusals`, this module and
    `casework.keys.memory.Rollback`, with dashes), `reference`
    (shown for 500, else empty), `retry_after` (seconds, or 0), `errors` (field -> message key) and
    `staff` (whether the officers' pages are what the reader came from).
    """

    def __init__(self, pages: Pages, settings: WebSettings) -> None:
        """Render with `pages` for the surface and sign-in paths of `settings`."""
        self._pages = pages
        self._settings = settings

    @property
    def handlers(self) -> ExceptionHandlersMap:
        """What Litestar takes as `exception_handlers`."""
        return {
            HTTPException: self.http,
            Refusal: self.refusal,
            CaseworkError: self.casework,
            Exception: self.unexpected,
        }

    def refusal(self, request: Request[Any, Any, Any], refused: Exception) -> Response[str]:
        """Show what the web layer refused; a missing session leads to the sign-in page."""
        if isinstance(refused, SignInRequired):
            return see_other(self._settings.sign_in[refused.kind])
        status = _status_of(refused)
        if status is None or not isinstance(refused, Refusal):
            return self.unexpected(request, refused)
        if isinstance(refused, Busy):
            headers = {"retry-after": str(refused.retry_after)}
            return self._page(
                request, status, refused.reason, headers=headers, retry_after=refused.retry_after
            )
        return self._page(request, status, refused.reason)

    def casework(self, request: Request[Any, Any, Any], refused: Exception) -> Response[str]:
        """Show what the domain refused."""
        status = _status_of(refused)
        if status is None:
            return self.unexpected(request, refused)
        # On a reporter's page a line would tell whoever did the damage when its reporter came back.
        if isinstance(refused, Untrustworthy) and self._is_staff(request):
            LOGGER.critical("%s: %s", _type_name(refused), refused)
        reason = _reason_of(refused)
        errors = dict(refused.errors) if isinstance(refused, InvalidInput) else {}
        # RFC 9110 §15.5.2 wants a challenge; an unknown scheme makes no browser ask for a password.
        unauthorized = status is HTTPStatus.UNAUTHORIZED
        headers = {"www-authenticate": "Suaka"} if unauthorized else None
        return self._page(request, status, reason, headers=headers, errors=errors)

    def http(self, request: Request[Any, Any, Any], refused: Exception) -> Response[str]:
        """Show what Litestar refused (no such page, wrong method, …), without its words."""
        code = getattr(refused, "status_code", 500)
        if not HTTPStatus.BAD_REQUEST <= code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return self.unexpected(request, refused)
        allow = (getattr(refused, "headers", None) or {}).get("allow")
        headers = {"allow": allow} if allow else None
        return self._page(
            request, HTTPStatus(code), _HTTP_REASONS.get(code, "refused"), headers=headers
        )

    def unexpected(self, request: Request[Any, Any, Any], failed: Exception) -> Response[str]:
        """Log a programmer's error without user data, and show a page with its reference."""
        reference = secrets.token_hex(4)
        LOGGER.error(
            "unexpected %s: %s at %s", reference, _type_name(failed), place(failed.__traceback__)
        )
        return self._page(
            request, HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", reference=reference
        )

    def _page(
        self,
        request: Request[Any, Any, Any],
        status: HTTPStatus,
        reason: str,
        headers: Mapping[str, str] | None = None,
        **details: object,
    ) -> Response[str]:
        staff = self._is_staff(request)
        template = f"errors/{status.value}.html"
        try:
            text = self._pages.text(
                template if self._pages.has(template) else _FALLBACK,
                **{
                    **_NO_DETAILS,
                    **details,
                    "status": status.value,
                    "reason": reason,
                    "staff": staff,
                },
            )
        except Exception as broken:  # noqa: BLE001 - see below
            # The page about a failure must not fail: a broken template costs its words only, while
            # an exception from here would reach the server and its log with its message.
            LOGGER.error(  # noqa: TRY400 - a traceback could hold user data
                "error page %d: %s at %s",
                status.value,
                _type_name(broken),
                place(broken.__traceback__),
            )
            body = f"{status.value} {details.get('reference', '')}".strip()
            return Response(body, status_code=status.value, media_type="text/plain")
        return html(text, status=status.value, headers=headers)

    def _is_staff(self, request: Request[Any, Any, Any]) -> bool:
        return self._settings.is_staff_path(request.scope["path"])


def place(traceback: TracebackType | None) -> str:
    """Name the innermost place in our own code (else the innermost at all) as module:function:line.

    Only names that stand in the source are used: no path, no value, no message.
    """
    found = innermost = "unknown"
    while traceback is not None:
        frame = traceback.tb_frame
        module = str(frame.f_globals.get("__name__", "unknown"))
        innermost = f"{module}:{frame.f_code.co_name}:{traceback.tb_lineno}"
        if module.startswith(_OURS):
            found = innermost
        traceback = traceback.tb_next
    return innermost if found == "unknown" else found


def _type_name(failed: BaseException) -> str:
    return f"{type(failed).__module__}.{type(failed).__qualname__}"


def _reason_of(refused: Exception) -> str:
    """Return the key of a refusal; what contradicts a memory is told apart by how it does."""
    if isinstance(refused, RolledBack):
        return refused.reason.value.replace("_", "-")
    return next(_REASONS[kind] for kind in type(refused).__mro__ if kind in _REASONS)


def _status_of(refused: Exception) -> HTTPStatus | None:
    return next((_STATUS[kind] for kind in type(refused).__mro__ if kind in _STATUS), None)
