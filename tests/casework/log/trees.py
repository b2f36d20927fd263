"""What somebody who writes the database does to the tree."""

from sqlalchemy import delete, select

from casework.log import padding, tree
from casework.log.tables import Leaf, Node
from casework.store.unit import UnitOfWork


def rebuild(uow: UnitOfWork) -> None:
    """Make the tree fit the rows again, as an attacker would after changing them."""
    uow.session.flush()
    found = dict(uow.session.execute(select(Leaf.number, Leaf.hash)).all())
    for run in padding.runs(uow):
        digests = padding.hashes(uow.office.instance_id, run, found.get(run.first - 1))
        found |= dict(enumerate(digests, start=run.first))
    uow.session.execute(delete(Node))
    tree.add(uow.session, 0, [found[number] for number in sorted(found)])
