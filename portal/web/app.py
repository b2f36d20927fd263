"""Put the web layer around the handlers: the one place that calls Litestar's constructor.

What Litestar would do on its own and must not: parse bodies, set cookies, answer errors in JSON
that echo the request, log tracebacks, document the API.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Litestar
from litestar.types import ControllerRouterHandler

from portal.errors import ErrorPages
from portal.web.forms import PortalRequest
from portal.web.headers import SecurityHeaders
from portal.web.lingering import Lingering
from portal.web.origin import SameOrigin
from portal.web.pages import Pages
from portal.web.settings import WebSettings
from portal.web.statics import static_files


def build(
    route_handlers: Sequence[ControllerRouterHandler],
    pages: Pages,
    settings: WebSettings,
    **extra: Any,
) -> Litestar:
    """Return the ASGI application of these handlers; `extra` (lifespan, state) goes to Litestar.

    Raises:
        litestar.exceptions.ImproperlyConfiguredException: if handlers contradict each other.
        TypeError: if `extra` tries to replace a part of this layer.
    """
    return Litestar(
        route_handlers=[*route_handlers, static_files()],
        request_class=PortalRequest,
        request_max_body_size=settings.max_body,
        middleware=[Lingering],
        guards=[SameOrigin(settings.origins)],
        before_send=[SecurityHeaders(tls=settings.tls)],
        exception_handlers=ErrorPages(pages, settings).handlers,
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
        **extra,
    )
