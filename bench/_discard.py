"""An application that reads a body and drops it: what the same server can do at best."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, get, post


@get("/", sync_to_thread=False)
def ready() -> str:
    """Say that the server is up."""
    return "ok"


@post("/", request_max_body_size=None, status_code=200)
async def drop(request: Request[Any, Any, Any]) -> str:
    """Read everything, keep nothing."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return str(size)


application = Litestar([ready, drop], openapi_config=None, logging_config=None)
