"""People: invitations, second factors, devices, catching up, notices; leaves to be searched by."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BATCH = 1000


def upgrade() -> None:
    """Apply this migration."""
    _leaves()
    op.create_table(
        "notice_run",
        sa.Column("slot", sa.String(length=16), nullable=False),
        sa.CheckConstraint("length(slot) = 16", name=op.f("ck_notice_run_slot_length")),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_notice_run")),
    )
    op.create_table(
        "catch_up",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("roster_version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.CheckConstraint("roster_version >= 1", name=op.f("ck_catch_up_roster_version_positive")),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_catch_up_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_catch_up")),
    )
    op.create_table(
        "device",
        sa.Column("name_of_token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("seen_day", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "length(name_of_token) = 32", name=op.f("ck_device_name_of_token_length")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_device_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("name_of_token", "person", name=op.f("pk_device")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_person"), ["person"], unique=False)

    op.create_table(
        "factor",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=8192), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=65), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("missed_step", sa.Integer(), nullable=False),
        sa.CheckConstraint("last_step >= 0", name=op.f("ck_factor_last_step_positive")),
        sa.CheckConstraint(
            "missed >= 0 AND missed_step >= 0", name=op.f("ck_factor_missed_positive")
        ),
        sa.CheckConstraint(
            "length(sealed) BETWEEN 64 AND 8192", name=op.f("ck_factor_sealed_length")
        ),
        sa.CheckConstraint("length(signature) = 65", name=op.f("ck_factor_signature_length")),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_factor_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_factor")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name_of_token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("position", sa.String(length=160), nullable=False),
        sa.Column("roles", sa.String(length=512), nullable=False),
        sa.Column("created_day", sa.Date(), nullable=False),
        sa.Column("expires", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=True),
        sa.Column("person", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "NOT (withdrawn AND person IS NOT NULL)", name=op.f("ck_invitation_withdrawn_or_used")
        ),
        sa.CheckConstraint("length(id) = 32", name=op.f("ck_invitation_id_length")),
        sa.CheckConstraint(
            "length(name) BETWEEN 1 AND 160", name=op.f("ck_invitation_name_length")
        ),
        sa.CheckConstraint(
            "length(name_of_token) = 32", name=op.f("ck_invitation_name_of_token_length")
        ),
        sa.CheckConstraint(
            "length(position) BETWEEN 1 AND 160", name=op.f("ck_invitation_position_length")
        ),
        sa.CheckConstraint(
            "length(roles) BETWEEN 1 AND 512", name=op.f("ck_invitation_roles_length")
        ),
        sa.CheckConstraint(
            "length(username) BETWEEN 3 AND 32", name=op.f("ck_invitation_username_length")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_invitation_person")),
        sa.ForeignKeyConstraint(["replaces"], ["person.id"], name=op.f("fk_invitation_replaces")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("name_of_token", name=op.f("uq_invitation_name_of_token")),
        sa.UniqueConstraint("person", name=op.f("uq_invitation_person")),
    )
    op.create_table(
        "notice_address",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("upto", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "length(address) BETWEEN 3 AND 254", name=op.f("ck_notice_address_address_length")
        ),
        sa.CheckConstraint("upto >= 0", name=op.f("ck_notice_address_upto_positive")),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_notice_address_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_notice_address")),
    )


def _leaves() -> None:
    """Give each leaf the columns that it is searched by; a leaf that cannot be read keeps none.

    Added in place: a table that items refer to is not rebuilt under their feet.
    """
    op.execute(
        "ALTER TABLE leaf ADD COLUMN event VARCHAR(32) NOT NULL DEFAULT 'unread'"
        " CONSTRAINT ck_leaf_event_named CHECK (event <> '')"
    )
    op.execute("ALTER TABLE leaf ADD COLUMN day DATE NOT NULL DEFAULT '1970-01-01'")
    connection = op.get_bind()
    last = -1
    while rows := connection.execute(
        sa.text("SELECT number, body FROM leaf WHERE number > :last ORDER BY number LIMIT :most"),
        {"last": last, "most": _BATCH},
    ).all():
        last = rows[-1].number
        read = [_read(row.number, row.body) for row in rows if row.body is not None]
        if read:
            connection.execute(
                sa.text("UPDATE leaf SET event = :event, day = :day WHERE number = :number"), read
            )
    op.create_index("ix_leaf_day", "leaf", ["day", "number"])
    op.create_index("ix_leaf_actor_event_day", "leaf", ["actor", "event", "day"])
    op.create_index("ix_leaf_actor_day", "leaf", ["actor", "day", "number"])
    op.create_index("ix_leaf_event_day", "leaf", ["event", "day", "number"])


def _read(number: int, body: str) -> dict[str, object]:
    try:
        said = json.loads(body)
        return {"number": number, "event": str(said["event"])[:32], "day": str(said["day"])[:10]}
    except (ValueError, KeyError, TypeError):
        return {"number": number, "event": "unread", "day": "1970-01-01"}
