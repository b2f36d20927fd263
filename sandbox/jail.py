"""Placeholder until the confined process is there: refuses everything."""

from collections.abc import Iterable

from sandbox.contract import Failed, Failure, FileKind, Result, Task


class Jail:
    """Refuses everything."""

    confined = False

    @classmethod
    def find(cls) -> "Jail":
        """Return it."""
        return cls()

    def run(self, task: Task, pieces: Iterable[bytes], *, kind: FileKind, page: int = 1) -> Result:
        """Refuse."""
        del task, kind, page
        for _ in pieces:
            pass
        raise Failed(Failure.UNSUPPORTED)
