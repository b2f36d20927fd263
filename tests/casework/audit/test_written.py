"""One write to the database at a time: each is named, by the right word."""

import pytest

from casework.audit.findings import What
from tests.casework.audit.instances import Everything, after

ITEM = "(SELECT min(id) FROM item WHERE case_id = :closed)"
FILE = "(SELECT min(item_id) FROM file_part)"
LAST = "(SELECT max(number) FROM leaf)"
MESSAGE = "(SELECT number FROM leaf WHERE case_id = :closed AND event = 'message' LIMIT 1)"
ONE = "(SELECT min(id) FROM deadline WHERE case_id = :closed)"

WRITTEN: dict[str, tuple[str, set[What]]] = {
    "a leaf's row is gone": (f"DELETE FROM leaf WHERE number = {MESSAGE}", {What.LEAF_GONE}),
    "a body is gone": (f"UPDATE leaf SET body = NULL WHERE number = {MESSAGE}", {What.BODY_GONE}),
    "a body of no case is gone": ("UPDATE leaf SET body = NULL WHERE number = 0", {What.BODY_GONE}),
    "another body": (
        f"UPDATE leaf SET body = replace(body, 'message', 'opened') WHERE number = {MESSAGE}",
        {What.BODY_CHANGED},
    ),
    "another event in the column": (
        f"UPDATE leaf SET event = 'opened' WHERE number = {MESSAGE}", {What.COLUMNS_CHANGED}
    ),
    "a day that is none": (
        f"UPDATE leaf SET day = 'kemarin' WHERE number = {MESSAGE}",
        {What.COLUMNS_CHANGED, What.UNREADABLE},
    ),
    "a signature of zeroes": (
        f"UPDATE leaf SET signature = zeroblob(65) WHERE number = {MESSAGE}", {What.LEAF_UNPROVEN}
    ),
    "a leaf of no case unsigned": (
        "UPDATE leaf SET signature = NULL WHERE event = 'roster_changed'", {What.LEAF_UNSIGNED}
    ),
    "a leaf beyond the tree": (f"UPDATE leaf SET number = 9999 WHERE number = {LAST}",
        {What.LEAF_GONE, What.LEAF_BEYOND, What.ITEM_ADDED}),
    "a node is changed": (
        "UPDATE tree_node SET hash = zeroblob(32) WHERE level = 3 AND position = 5",
        {What.NODE_CHANGED},
    ),
    "a node is gone": ("DELETE FROM tree_node WHERE level = 3 AND position = 5", {What.NODE_GONE}),
    "a leaf hash is gone": (
        "DELETE FROM tree_node WHERE level = 0 AND position = 5", {What.NODE_GONE}
    ),
    "a leaf hash is changed": (
        "UPDATE tree_node SET hash = zeroblob(32) WHERE level = 0 AND position = 1",
        {What.NODE_CHANGED, What.LEAF_CHANGED, What.LINK_GONE},
    ),
    "a node beyond the tree": (
        "INSERT INTO tree_node VALUES (9, 40, zeroblob(32))", {What.NODE_BEYOND}
    ),
    "another seed": ("UPDATE padding SET seed = zeroblob(32) WHERE first < 300",
        {What.PADDING_CHANGED, What.LEAF_GONE}),
    "a run over a leaf": (
        "INSERT INTO padding VALUES (2, 1, zeroblob(32))", {What.PADDING_CHANGED}
    ),
    "a run beyond the tree": (
        "INSERT INTO padding VALUES (5000, 1, zeroblob(32))", {What.PADDING_BEYOND}
    ),
    "an erased leaf says something again": (
        "UPDATE leaf SET body = '{}' WHERE case_id = :erased",
        {What.BODY_BACK, What.CASE_GONE},
    ),
    "another state": ("UPDATE \"case\" SET state = 'terkirim' WHERE id = :closed",
        {What.CASE_CHANGED}),
    "another ticket": ("UPDATE \"case\" SET ticket = 'WBS-00000000' WHERE id = :closed",
        {What.CASE_CHANGED}),
    "another reporter": (
        ('UPDATE person SET verify_key = randomblob(32) WHERE id = '
        '(SELECT reporter FROM "case" WHERE id = :closed)'), {What.CASE_UNTOLD}
    ),
    "a case without its leaves": (
        "UPDATE \"case\" SET id = '00000000000000000000000000000abc' WHERE id = :running",
        {What.CASE_UNTOLD, What.CASE_GONE, What.STRAY},
    ),
    "an item is gone": (f"DELETE FROM item WHERE id = {ITEM}", {What.ITEM_GONE, What.STRAY}),
    "a sealed text is gone": (f"DELETE FROM part WHERE item_id = {ITEM}", {What.TEXT_GONE}),
    "another sealed text": (
        f"UPDATE part SET sealed = x'00' WHERE item_id = {ITEM}", {What.TEXT_CHANGED}
    ),
    "a second sealed text": (
        f"INSERT INTO part SELECT item_id, 2, 2, digest, sealed FROM part WHERE item_id = {ITEM}",
        {What.TEXT_ADDED},
    ),
    "an item of another leaf": (
        f"UPDATE item SET leaf = 0 WHERE id = {ITEM}", {What.ITEM_ADDED, What.ITEM_GONE}
    ),
    "another compartment of an item": (
        f"UPDATE item SET compartment = 'aph' WHERE id = {ITEM}", {What.ITEM_UNSIGNED}
    ),
    "the parts of a file are gone": (
        f"DELETE FROM file_part WHERE item_id = {FILE}", {What.FILE_GONE, What.BLOB_UNNAMED}
    ),
    "another digest of a part": (
        f"UPDATE file_part SET digest = zeroblob(32) WHERE item_id = {FILE}",
        {What.FILE_CHANGED, What.BLOB_CHANGED},
    ),
    "parts of a file that nobody brought": (
        ("INSERT INTO file_part SELECT min(id), 1, 1, '"
        f"{'0' * 32}', zeroblob(32), 5 FROM item WHERE kind = 'message'"),
        {What.FILE_ADDED, What.BLOB_GONE},
    ),
    "a key is gone": (
        ("DELETE FROM \"grant\" WHERE case_id = :closed AND compartment = 'content'"
        ' AND holder <> (SELECT reporter FROM "case" WHERE id = :closed)'),
        {What.GRANT_GONE},
    ),
    "a key for somebody else": (
        ('UPDATE "grant" SET holder = :admin WHERE id ='
        ' (SELECT min(id) FROM "grant" WHERE case_id = :closed)'),
        {What.GRANT_GONE, What.GRANT_ADDED, What.GRANT_FORGED},
    ),
    "a key changed": (
        ('UPDATE "grant" SET sealed = zeroblob(999) WHERE id ='
        ' (SELECT min(id) FROM "grant" WHERE case_id = :closed)'),
        {What.GRANT_FORGED},
    ),
    "a compartment is gone": (
        "DELETE FROM compartment WHERE case_id = :closed AND kind = 'handling'",
        {What.COMPARTMENT_GONE},
    ),
    "a compartment more": (
        "INSERT INTO compartment VALUES (:closed, 'aph', '2026-11-23')", {What.COMPARTMENT_ADDED}
    ),
    "a clock is gone": (f"DELETE FROM deadline WHERE id = {ONE}", {What.DEADLINE_GONE}),
    "a clock that runs on": (
        ("UPDATE deadline SET status = 'running', closed = NULL WHERE id ="
        " (SELECT id FROM deadline WHERE case_id = :closed AND status <> 'running' LIMIT 1)"),
        {What.DEADLINE_CHANGED},
    ),
    "a later due day": (
        "UPDATE deadline SET due = date(due, '+30 days'), due_at = NULL WHERE case_id = :running",
        {What.DEADLINE_CHANGED},
    ),
    "a clock more": (
        "INSERT INTO deadline SELECT '" + "a" * 32 + "', case_id, rule, start, due, due_at, warn,"
        f" calendar, status, closed FROM deadline WHERE id = {ONE}",
        {What.DEADLINE_ADDED},
    ),
    "an entry of the roster is gone": (
        "DELETE FROM roster WHERE version = (SELECT max(version) FROM roster)", {What.ROSTER_GONE}
    ),
    "an officer is gone": (
        "DELETE FROM person WHERE username = 'pengganti'", {What.OFFICER_GONE}
    ),
    "an officer's keys": (
        "UPDATE person SET verify_key = randomblob(32) WHERE username = 'tim'",
        {What.OFFICER_CHANGED},
    ),
    "a key of the log is gone": ("DELETE FROM log_key WHERE number = 3", {What.LOG_KEY_GONE}),
    "a hand-over changed": (
        "UPDATE log_key SET handover = replace(handover, '/v1', '/v2') WHERE number = 2",
        {What.LOG_KEYS_BROKEN, What.LOG_KEY_CHANGED},
    ),
    "a checkpoint changed": (
        "UPDATE checkpoint SET signed = replace(signed, '512', '513') WHERE size = 512",
        {What.CHECKPOINT_FORGED},
    ),
    "a checkpoint is gone": ("DELETE FROM checkpoint WHERE size = 512", {What.CHECKPOINT_GONE}),
    "checkpoints in another order": (
        "UPDATE checkpoint SET hour = 0 WHERE size = 512", {What.CHECKPOINT_ORDER}
    ),
    "a hash that is text": (
        "UPDATE tree_node SET hash = 'x' WHERE level = 0 AND position = 1", {What.LEAF_CHANGED}
    ),
    "a place that is text": (
        "UPDATE tree_node SET position = 'x' WHERE level = 0 AND position = 1", {What.NODE_GONE}
    ),
    "a seed that is text": (
        "UPDATE padding SET seed = 'x' WHERE first < 300", {What.PADDING_CHANGED}
    ),
    "a size that is text": (
        "UPDATE checkpoint SET size = 'x' WHERE size = 512", {What.CHECKPOINT_FORGED}
    ),
    "a body that is bytes": ("UPDATE leaf SET body = zeroblob(3) WHERE number = 0",
        {What.BODY_CHANGED}),
    "an entry of the roster that is bytes": (
        "UPDATE roster SET body = zeroblob(3) WHERE version = 1", {What.UNREADABLE}
    ),
    "a digest that is a number": (
        "UPDATE item SET digest = -1 WHERE case_id = :closed", {What.UNREADABLE}
    ),
    "a value of another type": (
        "UPDATE item SET day = 'kemarin' WHERE case_id = :closed", {What.UNREADABLE}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_what_was_written_to_the_database_is_named(shared: Everything, name: str) -> None:
    statement, expected = WRITTEN[name]
    report = after(shared, statement)
    assert expected <= set(report.numbers), report.findings[:5]
    assert not report.sound
