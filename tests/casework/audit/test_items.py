"""What a leaf brought is there once."""

import json

from sqlalchemy import delete, select, text

from casework.audit.findings import What
from casework.case import items
from casework.case.tables import Item, Part
from casework.log.tables import Leaf
from casework.store.base import new_id
from casework.store.unit import UnitOfWork
from crypto.labels import Purpose
from tests.casework.audit.instances import Everything


def twice(uow: UnitOfWork, own: Everything, item: Item, **changes: object) -> str:
    """Let the author of an item sign the same once more, as another item of the same leaf."""
    names = [column.name for column in Item.__table__.columns]
    copy = Item(**{name: getattr(item, name) for name in names} | {"id": new_id()} | changes)
    author = next(one for one in own.bench.officers.values() if one.person_id == item.author)
    said = items.statement(own.bench.office.instance_id, copy)
    copy.signature = author.person.signing.sign(Purpose.ITEM, said)
    uow.session.add(copy)
    uow.session.flush()
    part = uow.session.get_one(Part, (item.id, 1))
    uow.session.add(
        Part(item_id=copy.id, number=1, count=1, digest=part.digest, sealed=part.sealed)
    )
    return copy.id


def test_a_second_item_of_the_same_text_is_added(own: Everything) -> None:
    with own.bench.office.write() as uow:
        item = uow.session.scalars(
            select(Item).where(
                Item.case_id == own.closed.case_id,
                Item.kind == "message",
                Item.author == own.bench["operator"].person_id,
            )
        ).one()
        pair = {item.id, twice(uow, own, item)}
        leaf = item.leaf
    (one,) = own.audit().findings
    assert (one.what, one.leaf) == (What.ITEM_ADDED, leaf)
    assert one.name in pair


def test_a_second_item_does_not_stand_for_another(own: Everything) -> None:
    """The leaf brought two; there are two again."""
    with own.bench.office.write() as uow:
        officers = [one.person_id for one in own.bench.officers.values()]
        several = uow.session.execute(
            text("SELECT leaf FROM item WHERE author IN"
                 " (SELECT person FROM enrolment) GROUP BY leaf HAVING count(*) = 2 LIMIT 1")
        ).scalar_one()  # fmt: skip
        first, second = uow.session.scalars(select(Item).where(Item.leaf == several))
        assert first.author in officers
        twice(uow, own, first)
        uow.session.execute(delete(Part).where(Part.item_id == second.id))
        uow.session.execute(delete(Item).where(Item.id == second.id))
    assert dict(own.audit().numbers) == {What.ITEM_GONE: 1, What.ITEM_ADDED: 1}


def test_what_else_a_leaf_names_is_no_item(own: Everything) -> None:
    """Such as a key that it gave; the sealed text does not fit then, or is that key."""
    with own.bench.office.write() as uow:
        leaf = uow.session.scalars(
            select(Leaf).where(Leaf.case_id == own.closed.case_id, Leaf.event == "accept")
        ).one()
        brought = uow.session.scalars(select(Item).where(Item.leaf == leaf.number)).all()
        named = {bytes.fromhex(one) for one in json.loads(str(leaf.body))["objects"]}
        other = min(named - {one.digest for one in brought})
        twice(uow, own, brought[0], digest=other)
    numbers = own.audit().numbers
    assert numbers[What.ITEM_ADDED] == 1
    assert What.ITEM_GONE not in numbers
