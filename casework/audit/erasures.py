"""Which bodies were rightly erased: one bit for each place of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.audit.findings import Finding, What
from casework.log import erase
from casework.log.tables import Leaf

if TYPE_CHECKING:
    from casework.audit.findings import Findings
    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork


class Bits:
    """A set of numbers below a size, an eighth of a byte for each."""

    def __init__(self, size: int) -> None:
        """Make an empty set."""
        self._size = size
        self._bits = bytearray(-(-size // 8))

    def add(self, number: int) -> None:
        """Take a number in; larger ones are ignored."""
        if 0 <= number < self._size:
            self._bits[number >> 3] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        """Return whether a number is in the set."""
        return 0 <= number < self._size and bool(self._bits[number >> 3] >> (number & 7) & 1)


def erasures(uow: UnitOfWork, chain: Roster | None, size: int, findings: Findings) -> Bits:
    """Return the numbers of all leaves that a guardian erased, and tell of every erasure.

    One that counts is a notice: what was erased can nobody check any more, but that it was, and
    why, is for whoever reads the audit to judge. A leaf's own body is looked at elsewhere.
    """
    found = Bits(size)
    query = select(Leaf).where(Leaf.event == erase.EVENT).order_by(Leaf.number)
    for row in uow.session.scalars(query.execution_options(yield_per=100)):
        said = erase.read(row, uow.office.instance_id)
        if said is None or chain is None or not erase.is_entitled(uow, row, said, chain):
            findings.add(Finding(What.ERASURE_WRONG, leaf=row.number))
            continue
        name = f"{len(said.leaves)} leaves: {said.reason}"
        findings.add(Finding(What.ERASED, leaf=row.number, name=name))
        for number in said.leaves:
            found.add(number)
    return found
