"""Fill an instance with invented cases by SQL: rows as acts would leave them, nothing sealed."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pysqlite3 import dbapi2

from casework.handling.desk import NEVER

if TYPE_CHECKING:
    from pathlib import Path

FEW = 40
"""Cases on the operator's desk, spread over all the others."""

_PEOPLE = "SELECT username, id FROM person WHERE kind = 'officer'"

# `mark` runs evenly through 0-99: it decides the state. The few get one from their own number,
# so that an operator sees the same mixture however many cases there are.
_FRESH = """
CREATE TEMP TABLE fresh AS
WITH RECURSIVE
    counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < :count),
    marked AS (
        SELECT n, n % (:count / :few) = 0 AS few,
            CASE WHEN n % (:count / :few) = 0 THEN n / (:count / :few) * 5 % 100
                 ELSE n * 37 % 100 END AS mark
        FROM counted
    ),
    placed AS (
        SELECT *, CASE WHEN mark < 5 THEN 'ditolak' WHEN mark < 25 THEN 'diverifikasi'
            WHEN mark < 35 THEN 'terkirim' WHEN mark < 40 THEN 'submitted'
            WHEN mark < 50 THEN 'diteruskan' WHEN mark < 55 THEN 'telaah_awal'
            WHEN mark < 60 THEN 'diselidiki' ELSE 'selesai' END AS state
        FROM marked
    )
SELECT n, few, mark, state, lower(hex(randomblob(16))) AS id,
    lower(hex(randomblob(16))) AS reporter,
    CASE WHEN state IN ('submitted', 'terkirim') THEN NULL
         WHEN n / 100 % 10 < 4 THEN 'a' ELSE char(94 + n / 100 % 10) END AS category,
    CASE WHEN state IN ('ditolak', 'selesai') THEN :never
         ELSE date(:today, (n / 3 % 30 - 1) || ' days') END AS due,
    date(:today, '-' || (n % 700) || ' days') AS received
FROM placed
"""

_ROWS = (
    """
    INSERT INTO person (id, kind, username, recipient, verify_key, created_day)
    SELECT reporter, 'reporter', NULL, zeroblob(1216), randomblob(32), received FROM fresh
    ORDER BY reporter
    """,
    """
    INSERT INTO "case" (id, ticket, submission, receipt_open, profile, profile_version, state,
                        category, received, reporter, shred_version, revision)
    SELECT id, printf('BEN-%08d', n), randomblob(32), 0, :profile, :version, state,
           category, received, reporter, 1, 1 FROM fresh ORDER BY id
    """,
    """
    INSERT INTO deadline (id, case_id, rule, start, due, due_at, warn, calendar, status, closed)
    SELECT lower(hex(randomblob(16))), id, 'verification', received, due, NULL, NULL, 1,
           'running', NULL FROM fresh WHERE due <> :never ORDER BY 1
    """,
    """
    INSERT INTO "grant" (id, case_id, compartment, holder, share, roster_version, granted,
                         granter, signature, sealed)
    SELECT lower(hex(randomblob(16))), id, 'content', holder, 'whole', 1, received, reporter,
           randomblob(65), randomblob(200)
    FROM fresh, (SELECT :guardian AS holder UNION ALL SELECT :operator UNION ALL SELECT :irban)
    WHERE holder = :guardian OR holder = :operator AND few OR holder = :irban AND mark >= 5
    ORDER BY 1
    """,
    """
    INSERT INTO desk_entry (person, case_id, due, state, category)
    SELECT :guardian, id, due, state, category FROM fresh
    UNION ALL SELECT :operator, id, due, state, category FROM fresh WHERE few
    UNION ALL SELECT :irban, id, due, state, category FROM fresh WHERE mark >= 5
    ORDER BY 1, 2
    """,
    "INSERT INTO case_flag SELECT id, 'new_message' FROM fresh WHERE n % 9 = 0",
    "INSERT INTO case_flag SELECT id, 'review_requested' FROM fresh WHERE mark < 2",
)


def fill(database: Path, count: int, today: str, profile: str, version: int) -> None:
    """Add `count` cases (a multiple of `FEW`), all on the guardian's desk, `FEW` on an operator's.

    `today` is an ISO date; of the open cases, one in thirty is overdue by a day.
    """
    with closing(dbapi2.connect(str(database), isolation_level=None)) as connection:
        for pragma in ("synchronous = OFF", "cache_size = -262144", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        people = dict(connection.execute(_PEOPLE).fetchall())
        values = {
            "count": count,
            "few": FEW,
            "never": NEVER.isoformat(),
            "today": today,
            "profile": profile,
            "version": version,
            "guardian": people["inspektur"],
            "operator": people["operator"],
            "irban": people["irban"],
        }
        connection.execute("BEGIN")
        for statement in (_FRESH, *_ROWS):
            connection.execute(statement, values)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
