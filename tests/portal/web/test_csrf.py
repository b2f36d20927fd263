"""portal.web.csrf: a form works in the session and for the purpose it was made for."""

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from portal.web.csrf import check, issue
from portal.web.refusals import CsrfRefused

MINE, THEIRS = b"m" * 32, b"t" * 32


def test_a_token_of_this_session_and_purpose_is_accepted() -> None:
    """Also twice: two tabs and the back button must work."""
    token = issue(MINE, "catat")
    check(MINE, "catat", token)
    check(MINE, "catat", token)


@pytest.mark.parametrize("token", ["", "x", "x.y", "é", "." * 300, "A" * 100_000, "\x00"])
def test_what_is_no_token_is_refused(token: str) -> None:
    """Whatever a form may carry, the answer is the same."""
    with pytest.raises(CsrfRefused):
        check(MINE, "catat", token)


def test_a_token_of_another_session_is_refused() -> None:
    """An officer cannot be made to post somebody else's form."""
    with pytest.raises(CsrfRefused):
        check(MINE, "catat", issue(THEIRS, "catat"))


def test_a_token_for_another_purpose_is_refused() -> None:
    """A token read off a harmless form does not sign a grave one."""
    with pytest.raises(CsrfRefused):
        check(MINE, "terima", issue(MINE, "catat"))


def test_every_character_of_a_token_counts() -> None:
    """Changing any one of them makes it invalid."""
    token = issue(MINE, "catat")
    for at, character in enumerate(token[:-1]):
        changed = token[:at] + ("A" if character != "A" else "B") + token[at + 1 :]
        with pytest.raises(CsrfRefused):
            check(MINE, "catat", changed)


def test_tokens_differ_on_each_page() -> None:
    """A token repeated on every page could be guessed through compression (BREACH)."""
    assert issue(MINE, "catat") != issue(MINE, "catat")


def test_a_post_needs_the_token(client: TestClient[Litestar]) -> None:
    """In the application: with it 200, without it 403 and nothing happens."""
    client.post("/petugas/masuk")
    token = client.get("/petugas").text
    assert client.post("/petugas/catat", data={"csrf": token}).status_code == 200
    assert client.post("/petugas/catat", data={"lain": "1"}).status_code == 403
    assert client.post("/petugas/catat", data={"csrf": token + "x"}).status_code == 403


def test_a_token_replayed_after_a_new_sign_in_is_refused(client: TestClient[Litestar]) -> None:
    """A token ends with its session."""
    client.post("/petugas/masuk")
    token = client.get("/petugas").text
    client.post("/petugas/masuk")
    assert client.post("/petugas/catat", data={"csrf": token}).status_code == 403
