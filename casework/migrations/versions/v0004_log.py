"""The log becomes a tree: its nodes, dummy leaves, published checkpoints and public keys."""

import sqlalchemy as sa
from alembic import op

from crypto import merkle

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this migration, and build the tree over the leaves that are there."""
    op.create_table(
        "tree_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("level BETWEEN 0 AND 62", name=op.f("ck_tree_node_level_known")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_tree_node_position_positive")),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_tree_node_hash_length")),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_tree_node")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "padding",
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("first >= 0", name=op.f("ck_padding_first_positive")),
        sa.CheckConstraint("count >= 1", name=op.f("ck_padding_count_positive")),
        sa.CheckConstraint("length(seed) = 32", name=op.f("ck_padding_seed_length")),
        sa.PrimaryKeyConstraint("first", name=op.f("pk_padding")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoint",
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("signed", sa.String(), nullable=False),
        sa.CheckConstraint("hour BETWEEN 0 AND 10000000", name=op.f("ck_checkpoint_hour_possible")),
        sa.CheckConstraint("size >= 1", name=op.f("ck_checkpoint_size_positive")),
        sa.PrimaryKeyConstraint("hour", name=op.f("pk_checkpoint")),
        sa.UniqueConstraint("size", name=op.f("uq_checkpoint_size")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_key",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("vkey", sa.String(), nullable=False),
        sa.Column("handover", sa.String(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_log_key_number_positive")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_key")),
        sa.UniqueConstraint("vkey", name=op.f("uq_log_key_vkey")),
        sqlite_with_rowid=False,
    )
    _build()


def _build() -> None:
    """Write every node of the tree over the leaves in the order of their numbers."""
    connection = op.get_bind()
    leaf = sa.table("leaf", sa.column("number"), sa.column("hash"))
    node = sa.table("tree_node", sa.column("level"), sa.column("position"), sa.column("hash"))
    known: dict[tuple[int, int], bytes] = {}
    for place, row in enumerate(connection.execute(sa.select(leaf).order_by(leaf.c.number)).all()):
        if row.number != place:
            raise ValueError(f"leaf {place} is missing: run suaka doctor of the version before")
        made = [(0, place, row.hash)]
        made += merkle.completed(place, row.hash, lambda level, index: known[level, index])
        known.update({(level, index): digest for level, index, digest in made})
        connection.execute(
            sa.insert(node),
            [{"level": level, "position": index, "hash": h} for level, index, h in made],
        )
