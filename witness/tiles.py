"""The tree of a log, read from its tiles (c2sp.org/tlog-tiles).

Nothing here is verified: whoever computes a proof or a root from tiles checks it against a signed
checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from crypto import merkle
from witness.refusals import TileUnfit

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
"""Hashes of a full tile."""

MAX_SIZE: Final = WIDTH * merkle.HASH_SIZE
"""Bytes of the largest tile."""

Fetch = Callable[[str], bytes]
"""Returns what a log serves under a path. Raises: TileMissing: nothing is there."""

_GROUP: Final = 1000


class TileMissing(TileUnfit):
    """The log serves no such tile."""


def path_of(level: int, number: int, width: int = WIDTH) -> str:
    """Return the path of a tile below the address of its log; ``width`` counts its hashes."""
    groups = [f"{number % _GROUP:03}"]
    while number := number // _GROUP:
        groups.insert(0, f"x{number % _GROUP:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def node_at(fetch: Fetch, size: int) -> merkle.NodeAt:
    """Return a reader of the tree of ``size`` leaves that fetches each tile once.

    Raises (the reader):
        TileUnfit: a tile is missing or has another length, or the tree has no such node.
        and whatever ``fetch`` raises.
    """

    @cache
    def tile(level: int, number: int) -> bytes:
        width = min(WIDTH, (size >> (HEIGHT * level)) - number * WIDTH)
        if width <= 0:
            raise TileUnfit("a tile beyond the tree")
        return _fetch(fetch, level, number, width)

    def node(level: int, index: int) -> bytes:
        level, height = divmod(level, HEIGHT)
        number, place = divmod(index << height, WIDTH)
        start, end = (at * merkle.HASH_SIZE for at in (place, place + (1 << height)))
        hashes = tile(level, number)[start:end]
        if len(hashes) != end - start:
            raise TileUnfit("a node beyond the tree")
        return _over(
            [hashes[at : at + merkle.HASH_SIZE] for at in range(0, end - start, merkle.HASH_SIZE)]
        )

    return node


def _fetch(fetch: Fetch, level: int, number: int, width: int) -> bytes:
    """A log may drop a partial tile once the full one is there."""
    expected = width * merkle.HASH_SIZE
    try:
        raw, served = fetch(path_of(level, number, width)), expected
    except TileMissing:
        if width == WIDTH:
            raise
        raw, served = fetch(path_of(level, number)), MAX_SIZE
    if len(raw) != served:
        raise TileUnfit(f"{path_of(level, number, width)} has another length")
    return raw[:expected]


def _over(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [merkle.node_hash(left, right) for left, right in pairs]
    return hashes[0]
