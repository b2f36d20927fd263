"""The witness over HTTP: one address, ``POST /add-checkpoint`` (c2sp.org/tlog-witness).

Nothing about a request is logged. Whoever may reach it learns sizes of trees, which are public.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from anyio import fail_after, to_thread
from litestar import Litestar, MediaType, Request, post
from litestar.exceptions import HTTPException
from litestar.response import Response

from crypto.errors import CryptoError, LimitExceeded
from crypto.witness_request import MAX_SIZE, AddCheckpoint
from witness import refusals
from witness.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from witness.refusals import WitnessError

LOGGER: Final = logging.getLogger("suaka.witness")
FOLDER: Final = "WITNESS_FOLDER"
PATH: Final = "/add-checkpoint"
PLAIN: Final = "text/plain; charset=utf-8"
TREE_SIZE: Final = "text/x.tlog.size"
BODY_SECONDS: Final = 30
"""How long a request may take to arrive."""

_STATUS: Final[Mapping[type[WitnessError], HTTPStatus]] = MappingProxyType(
    {
        refusals.UnknownLog: HTTPStatus.NOT_FOUND,
        refusals.NotSigned: HTTPStatus.FORBIDDEN,
        refusals.OldBeyondNew: HTTPStatus.BAD_REQUEST,
        refusals.SizeDiffers: HTTPStatus.CONFLICT,
        refusals.Forked: HTTPStatus.CONFLICT,
        refusals.ProofWrong: HTTPStatus.UNPROCESSABLE_ENTITY,
        refusals.ClockBehind: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)


def application() -> Litestar:
    """Return the application of the witness whose folder the environment names.

    Raises:
        OSError, KeyExposed, Damaged: there is no witness.
    """
    return build(Keeper.open(Path(os.environ[FOLDER])), _posix_now)


def build(keeper: Keeper, clock: Callable[[], int]) -> Litestar:
    """Return the application of a witness; ``clock`` tells the POSIX time."""

    @post(PATH, status_code=HTTPStatus.OK)
    async def add_checkpoint(request: Request[Any, Any, Any]) -> Response[str]:
        """Cosign a checkpoint, or say why not."""
        try:
            raw = await _body(request)
        except TimeoutError:
            return _answer(HTTPStatus.REQUEST_TIMEOUT)
        return await to_thread.run_sync(partial(_decide, keeper, raw, clock))

    return Litestar(
        route_handlers=[add_checkpoint],
        request_max_body_size=MAX_SIZE,
        exception_handlers={HTTPException: _refused, Exception: _failed},
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )


async def _body(request: Request[Any, Any, Any]) -> bytes:
    """Read the body; more than 64 KiB of it are refused by Litestar while they arrive."""
    raw = bytearray()
    with fail_after(BODY_SECONDS):
        async for chunk in request.stream():
            raw += chunk
    return bytes(raw)


def _decide(keeper: Keeper, raw: bytes, clock: Callable[[], int]) -> Response[str]:
    try:
        return _answer(HTTPStatus.OK, keeper.add(AddCheckpoint.from_bytes(raw), clock()))
    except refusals.SizeDiffers as refused:
        return _answer(HTTPStatus.CONFLICT, f"{refused.newest}\n", TREE_SIZE)
    except refusals.WitnessError as refused:
        status = next((_STATUS[one] for one in type(refused).__mro__ if one in _STATUS), None)
        if status is None:
            raise
        return _answer(status)
    except LimitExceeded:
        return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except CryptoError:
        return _answer(HTTPStatus.BAD_REQUEST)


def _answer(status: HTTPStatus, text: str = "", kind: str = PLAIN) -> Response[str]:
    # As a header: Litestar would add a charset to any type of text, which the size must not have.
    return Response(
        text or f"{status.phrase}\n",
        status_code=status,
        media_type=MediaType.TEXT,
        headers={"content-type": kind},
    )


def _refused(_request: Request[Any, Any, Any], refused: HTTPException) -> Response[str]:
    return _answer(HTTPStatus(refused.status_code))


def _failed(_request: Request[Any, Any, Any], failed: Exception) -> Response[str]:
    """One line for the administrator, without anything of the request.

    It names a file that is damaged or cannot be written; no name of a file comes from a request.
    """
    said = type(failed).__name__
    if isinstance(failed, refusals.Damaged | OSError):
        said = f"{said}: {failed}"
    LOGGER.error("failed: %s", said)
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR)


def _posix_now() -> int:
    return int(datetime.now(UTC).timestamp())
