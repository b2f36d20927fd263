"""portal.web.statics: only the files that are ours, by exact name."""

import pytest

from tests.portal.web.conftest import Site, raw


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/..\\suaka.css",
        "/static//etc/passwd",
        "/static/__init__.py",
        "/static/",
        "/static/SUAKA.CSS",
        "/static/suaka.css%00",
        "/static/suaka.css\0",
    ],
)
def test_nothing_else_is_served(site: Site, path: str) -> None:
    """Climbing out, sources, folders and other spellings are all the same: not found."""
    assert raw(site.app, "GET", path, {}, [b""]).status == 404
