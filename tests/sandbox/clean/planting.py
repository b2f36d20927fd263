"""Canaries for files: one per trace, by the name of the trace; and who of them is still there."""

import hashlib

from tests.canary import sweep_bytes


class Planting:
    """Hands out one canary per trace and remembers which."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}

    def __call__(self, trace: str) -> str:
        digest = hashlib.sha256(trace.encode()).hexdigest()
        return self.planted.setdefault(trace, f"Kenari{digest[:14]}")

    def raw(self, trace: str) -> bytes:
        return self(trace).encode()

    def found(self, data: bytes) -> set[str]:
        """Return the names of the traces whose canary is in ``data``, however it is dressed."""
        names = list(self.planted)
        findings = sweep_bytes(data, list(self.planted.values()))
        return {names[finding.secret] for finding in findings}

    def assert_all_in(self, data: bytes) -> None:
        """The positive: a search that is blind would find nothing afterwards, either."""
        assert set(self.planted) - self.found(data) == set()

    def assert_none_in(self, data: bytes) -> None:
        assert self.found(data) == set()
