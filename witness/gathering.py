"""Cosigning from what a log serves itself: its checkpoint and the tiles of its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto import merkle
from crypto.errors import Malformed, Tampered
from crypto.witness_request import AddCheckpoint
from witness import tiles
from witness.refusals import Shrunk, SizeDiffers, TileUnfit

if TYPE_CHECKING:
    from crypto.checkpoint import Checkpoint
    from crypto.note import SignedNote
    from witness.keeper import Keeper


def cosign(keeper: Keeper, signed: SignedNote, fetch: tiles.Fetch, now: int) -> str:
    """Cosign a checkpoint by a proof computed from tiles; return the lines of the cosignature.

    No tile is trusted: they must make up the tree that the log signed, and the proof is checked
    as that of any request. Nothing is fetched before the log's signature is verified.

    Raises:
        Malformed: the note is no checkpoint.
        TileUnfit: the tiles are not those of the tree that the log signed.
        Shrunk: the log shows an older checkpoint than the newest one cosigned here.
        WitnessError: as :meth:`~witness.keeper.Keeper.add`; ``ProofWrong`` means that the log
            was rewritten, since its own tiles make up the other tree.
        and whatever ``fetch`` raises.
    """
    found = keeper.check(signed)
    newest = keeper.latest(found.origin)
    old = newest.checkpoint.size if newest else 0
    proof = _proof(found, old, fetch) if 0 < old < found.size else ()
    try:
        return keeper.add(AddCheckpoint(min(old, found.size), proof, signed), now)
    except SizeDiffers as refused:
        if refused.newest > found.size:
            raise Shrunk(str(found.size)) from refused
        raise


def clear(keeper: Keeper, origin: str, fetch: tiles.Fetch) -> None:
    """Drop each unproven checkpoint from which the newest cosigned tree is shown to have grown.

    No tile is trusted here, either. What stays below that size is of another tree, or the tiles
    are.

    Raises:
        UnknownLog, Damaged: as :meth:`~witness.keeper.Keeper.latest`.
        TileUnfit: a tile is missing or has another length.
        and whatever ``fetch`` raises.
    """
    newest, record = keeper.latest(origin), keeper.record(origin)
    if newest is None:
        return
    tree = newest.checkpoint
    node_at = tiles.node_at(fetch, tree.size)
    for path, mark in record.unproven():
        if mark.size > tree.size:
            continue
        proof = merkle.prove_consistency(node_at, mark.size, tree.size)
        try:
            merkle.check_consistency(mark.size, tree.size, proof, mark.root, tree.root)
        except (Tampered, Malformed):
            continue
        with record.locked():
            path.unlink(missing_ok=True)


def _proof(found: Checkpoint, old: int, fetch: tiles.Fetch) -> tuple[bytes, ...]:
    node_at = tiles.node_at(fetch, found.size)
    if merkle.root(node_at, found.size) != found.root:
        raise TileUnfit("the tiles are of another tree")
    return tuple(merkle.prove_consistency(node_at, old, found.size))
