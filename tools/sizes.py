"""Report the modules that are longer than a module of this house likes to be.

A report, not a gate: it names each module over 250 lines and marks those over 400, which are two
modules. Exits 0 always.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

COMFORTABLE = 250
LIMIT = 400
PACKAGES = ("crypto", "sandbox", "casework", "witness", "portal", "tests", "bench", "tools")


def oversized(root: Path) -> Iterator[tuple[int, str]]:
    """Yield (lines, path relative to ``root``) of each Python module over ``COMFORTABLE``."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            lines = path.read_text("utf-8").count("\n")
            if lines > COMFORTABLE:
                yield lines, str(path.relative_to(root))


def main() -> int:
    """Print the report, longest first."""
    for lines, name in sorted(oversized(Path(__file__).resolve().parents[1]), reverse=True):
        print(f"{lines:5} {name}{'  <- two modules' if lines > LIMIT else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
