"""The spine: people, roster, log, cases, calendar."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this migration."""
    op.create_table(
        "calendar",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.CheckConstraint("source <> ''", name=op.f("ck_calendar_source_named")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_calendar_version_positive")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_calendar")),
    )
    op.create_table(
        "leaf",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("actor", sa.String(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_leaf_hash_length")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_leaf_number_positive")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_leaf")),
    )
    with op.batch_alter_table("leaf", schema=None) as batch_op:
        batch_op.create_index("ix_leaf_case_id", ["case_id", "number"], unique=False)

    op.create_table(
        "person",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("username", sa.String(length=32), nullable=True),
        sa.Column("recipient", sa.LargeBinary(length=1216), nullable=False),
        sa.Column("verify_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_day", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'officer') = (username IS NOT NULL)",
            name=op.f("ck_person_username_of_officer"),
        ),
        sa.CheckConstraint("kind IN ('officer', 'reporter')", name=op.f("ck_person_kind_known")),
        sa.CheckConstraint("length(id) = 32", name=op.f("ck_person_id_length")),
        sa.CheckConstraint("length(recipient) = 1216", name=op.f("ck_person_recipient_length")),
        sa.CheckConstraint(
            "length(username) BETWEEN 3 AND 32", name=op.f("ck_person_username_length")
        ),
        sa.CheckConstraint("length(verify_key) = 32", name=op.f("ck_person_verify_key_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("username", name=op.f("uq_person_username")),
        sa.UniqueConstraint("verify_key", name=op.f("uq_person_verify_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "roster",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signer", sa.String(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=65), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "length(body) BETWEEN 2 AND 1048576", name=op.f("ck_roster_body_length")
        ),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_roster_hash_length")),
        sa.CheckConstraint("length(signature) = 65", name=op.f("ck_roster_signature_length")),
        sa.CheckConstraint("length(signer) BETWEEN 1 AND 32", name=op.f("ck_roster_signer_length")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_roster_version_positive")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_roster")),
        sa.UniqueConstraint("hash", name=op.f("uq_roster_hash")),
    )
    op.create_table(
        "case",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("ticket", sa.String(), nullable=False),
        sa.Column("submission", sa.LargeBinary(), nullable=False),
        sa.Column("receipt_open", sa.Boolean(), nullable=False),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column("profile_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("received", sa.Date(), nullable=False),
        sa.Column("reporter", sa.String(length=32), nullable=False),
        sa.Column("shred_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(id) = 32", name=op.f("ck_case_id_length")),
        sa.CheckConstraint("length(submission) = 32", name=op.f("ck_case_submission_length")),
        sa.CheckConstraint("length(ticket) = 12", name=op.f("ck_case_ticket_length")),
        sa.CheckConstraint("profile_version >= 1", name=op.f("ck_case_profile_version_positive")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_case_revision_positive")),
        sa.CheckConstraint("shred_version >= 1", name=op.f("ck_case_shred_version_positive")),
        sa.ForeignKeyConstraint(["reporter"], ["person.id"], name=op.f("fk_case_reporter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("reporter", name=op.f("uq_case_reporter")),
        sa.UniqueConstraint("submission", name=op.f("uq_case_submission")),
        sa.UniqueConstraint("ticket", name=op.f("uq_case_ticket")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "enrolment",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("position", sa.String(length=160), nullable=False),
        sa.Column("roles", sa.String(length=512), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 160", name=op.f("ck_enrolment_name_length")),
        sa.CheckConstraint(
            "length(position) BETWEEN 1 AND 160", name=op.f("ck_enrolment_position_length")
        ),
        sa.CheckConstraint(
            "length(roles) BETWEEN 1 AND 512", name=op.f("ck_enrolment_roles_length")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_enrolment_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_enrolment")),
    )
    op.create_table(
        "holiday",
        sa.Column("calendar", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('libur_nasional', 'cuti_bersama', 'dispensasi_daerah', 'penutupan_kantor', 'hari_kerja_pengganti')",
            name=op.f("ck_holiday_kind_known"),
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_holiday_name_given")),
        sa.ForeignKeyConstraint(
            ["calendar"], ["calendar.version"], name=op.f("fk_holiday_calendar")
        ),
        sa.PrimaryKeyConstraint("calendar", "day", "kind", name=op.f("pk_holiday")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "wrap",
        sa.Column("locator", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("kdf_id", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=8192), nullable=False),
        sa.CheckConstraint("kind IN ('passphrase', 'secret_key')", name=op.f("ck_wrap_kind_known")),
        sa.CheckConstraint("length(kdf_id) BETWEEN 1 AND 64", name=op.f("ck_wrap_kdf_id_length")),
        sa.CheckConstraint("length(locator) = 32", name=op.f("ck_wrap_locator_length")),
        sa.CheckConstraint(
            "length(sealed) BETWEEN 64 AND 8192", name=op.f("ck_wrap_sealed_length")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_wrap_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("locator", name=op.f("pk_wrap")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("wrap", schema=None) as batch_op:
        batch_op.create_index("ix_wrap_kind_kdf_id", ["kind", "kdf_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_wrap_person"), ["person"], unique=False)

    op.create_table(
        "assignment",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_assignment_case_id")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_assignment_person")),
        sa.PrimaryKeyConstraint("case_id", "person", name=op.f("pk_assignment")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "case_flag",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("flag", sa.String(), nullable=False),
        sa.CheckConstraint("flag <> ''", name=op.f("ck_case_flag_flag_named")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_flag_case_id")),
        sa.PrimaryKeyConstraint("case_id", "flag", name=op.f("pk_case_flag")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "compartment",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('content', 'mailbox', 'handling', 'investigation', 'aph', 'contact', 'identity')",
            name=op.f("ck_compartment_kind_known"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_compartment_case_id")),
        sa.PrimaryKeyConstraint("case_id", "kind", name=op.f("pk_compartment")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deadline",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("warn", sa.Date(), nullable=True),
        sa.Column("calendar", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("closed", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(status = 'running') = (closed IS NULL)",
            name=op.f("ck_deadline_closed_when_not_running"),
        ),
        sa.CheckConstraint("rule <> ''", name=op.f("ck_deadline_rule_named")),
        sa.CheckConstraint(
            "status IN ('running', 'met', 'stopped')", name=op.f("ck_deadline_status_known")
        ),
        sa.CheckConstraint("length(id) = 32", name=op.f("ck_deadline_id_length")),
        sa.ForeignKeyConstraint(
            ["calendar"], ["calendar.version"], name=op.f("fk_deadline_calendar")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_deadline_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("deadline", schema=None) as batch_op:
        batch_op.create_index("ix_deadline_case_id_status", ["case_id", "status"], unique=False)
        batch_op.create_index("ix_deadline_status_due", ["status", "due"], unique=False)

    op.create_table(
        "desk_entry",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_desk_entry_case_id")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_desk_entry_person")),
        sa.PrimaryKeyConstraint("person", "case_id", name=op.f("pk_desk_entry")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("desk_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_desk_entry_both", ["person", "state", "category", "due", "case_id"], unique=False
        )
        batch_op.create_index("ix_desk_entry_case", ["case_id"], unique=False)
        batch_op.create_index(
            "ix_desk_entry_category", ["person", "category", "due", "case_id"], unique=False
        )
        batch_op.create_index("ix_desk_entry_due", ["person", "due", "case_id"], unique=False)
        batch_op.create_index(
            "ix_desk_entry_state", ["person", "state", "due", "case_id"], unique=False
        )

    op.create_table(
        "grant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("compartment", sa.String(), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("roster_version", sa.Integer(), nullable=False),
        sa.Column("granted", sa.Date(), nullable=False),
        sa.Column("granter", sa.String(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "compartment IN ('content', 'mailbox', 'handling', 'investigation', 'aph', 'contact', 'identity')",
            name=op.f("ck_grant_compartment_known"),
        ),
        sa.CheckConstraint("share IN ('whole', 'a', 'b')", name=op.f("ck_grant_share_known")),
        sa.CheckConstraint("length(granter) = 32", name=op.f("ck_grant_granter_length")),
        sa.CheckConstraint("length(holder) = 32", name=op.f("ck_grant_holder_length")),
        sa.CheckConstraint("length(id) = 32", name=op.f("ck_grant_id_length")),
        sa.CheckConstraint("roster_version >= 1", name=op.f("ck_grant_roster_version_positive")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_grant_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
        sa.UniqueConstraint(
            "case_id",
            "compartment",
            "holder",
            "share",
            name=op.f("uq_grant_case_id_compartment_holder_share"),
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("grant", schema=None) as batch_op:
        batch_op.create_index("ix_grant_holder_case_id", ["holder", "case_id"], unique=False)

    op.create_table(
        "item",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("compartment", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "compartment IN ('content', 'mailbox', 'handling', 'investigation', 'aph', 'contact', 'identity')",
            name=op.f("ck_item_compartment_known"),
        ),
        sa.CheckConstraint("kind <> ''", name=op.f("ck_item_kind_named")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_item_digest_length")),
        sa.CheckConstraint("length(id) = 32", name=op.f("ck_item_id_length")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_item_version_positive")),
        sa.ForeignKeyConstraint(["author"], ["person.id"], name=op.f("fk_item_author")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_item_case_id")),
        sa.ForeignKeyConstraint(["leaf"], ["leaf.number"], name=op.f("fk_item_leaf")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.create_index("ix_item_case_id_leaf", ["case_id", "leaf"], unique=False)

    op.create_table(
        "part",
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_part_digest_length")),
        sa.CheckConstraint("number <= count", name=op.f("ck_part_number_within_count")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_part_number_positive")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_part_item_id")),
        sa.PrimaryKeyConstraint("item_id", "number", name=op.f("pk_part")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Migrations only go forward: restore a backup instead."""
    raise NotImplementedError
