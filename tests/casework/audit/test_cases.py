"""Cases are read some at a time, and let go before the next are read."""

import gc

import pytest

from casework.audit import cases
from casework.audit.cases import Cases
from casework.audit.erasures import Bits
from casework.audit.findings import Counts, Findings
from casework.keys import roster
from tests.casework.audit.instances import Everything


@pytest.mark.parametrize("most", [1, 40, 4096])
def test_cases_are_read_by_their_leaves(
    honest: Everything, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Together they have so many at most, but for a case that is read alone."""
    monkeypatch.setattr(cases, "LEAVES_AT_ONCE", most)
    counts, findings, groups = Counts(), Findings(), []
    with honest.bench.office.read() as uow:
        looked = Cases(uow, roster.load(uow), Bits(0), findings, counts, sealed=False)
        for done in looked.look():
            groups.append(done)
            kept = [one for one in gc.get_objects() if isinstance(one, cases._Some)]
            assert kept == [], "nothing of them is held while the next are read"
    assert sum(groups) == counts.cases > 2
    assert list(findings) == []
    if most == 1:
        assert set(groups) == {1}
    if most == 4096:
        assert len(groups) == 1
