"""Evidence: parts of files in the blob folder, and files that are still arriving."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this migration."""
    op.create_table(
        "file_part",
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("blob", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_file_part_number_positive")),
        sa.CheckConstraint("number <= count", name=op.f("ck_file_part_number_within_count")),
        sa.CheckConstraint("length(blob) = 32", name=op.f("ck_file_part_blob_length")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_file_part_digest_length")),
        sa.CheckConstraint("size >= 1", name=op.f("ck_file_part_size_positive")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_file_part_item_id")),
        sa.PrimaryKeyConstraint("item_id", "number", name=op.f("pk_file_part")),
        sa.UniqueConstraint("blob", name=op.f("uq_file_part_blob")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("compartment", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(id) = 32", name=op.f("ck_upload_id_length")),
        sa.CheckConstraint(
            "compartment IN ('content', 'mailbox', 'handling', 'investigation', 'aph', 'contact', 'identity')",
            name=op.f("ck_upload_compartment_known"),
        ),
        sa.CheckConstraint("count >= 1", name=op.f("ck_upload_count_positive")),
        sa.ForeignKeyConstraint(["author"], ["person.id"], name=op.f("fk_upload_author")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_upload_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_upload_case_id_author", "upload", ["case_id", "author"])
    op.create_table(
        "upload_part",
        sa.Column("upload_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("blob", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_upload_part_number_positive")),
        sa.CheckConstraint("length(blob) = 32", name=op.f("ck_upload_part_blob_length")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_upload_part_digest_length")),
        sa.CheckConstraint("size >= 1", name=op.f("ck_upload_part_size_positive")),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["upload.id"],
            name=op.f("fk_upload_part_upload_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_upload_part")),
        sa.UniqueConstraint("blob", name=op.f("uq_upload_part_blob")),
        sqlite_with_rowid=False,
    )
