"""Where in a TOML text a key or table stands, so that an error can name its line.

``tomllib`` keeps no positions. This scanner follows only what positions need: table headers,
keys, and the strings and brackets that values may stretch over. It is used on texts that
``tomllib`` has already accepted.
"""

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([\w.\-]+)\s*\]\]?")
_KEY = re.compile(r'^\s*"?([\w\-]+)"?\s*=')
_TOKEN = re.compile(
    r'"""|\'\'\'|"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*|[\[\]{}]',
)


class LineIndex:
    """Maps a path such as ``("states", 2, "label")`` to the line where it begins (from 1)."""

    def __init__(self, text: str) -> None:
        """Scan ``text`` once."""
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        table: Path = ()
        fence = ""
        depth = 0
        for number, line in enumerate(text.splitlines(), start=1):
            if not fence and depth == 0:
                if header := _HEADER.match(line):
                    table = self._enter(header[1], header[2].split("."), number)
                    continue
                if key := _KEY.match(line):
                    self._lines[(*table, key[1])] = number
            fence, depth = _scan(line, fence, depth)

    def line(self, path: Path) -> int:
        """Return the line of ``path``, or of the nearest thing around it that is known."""
        for length in range(len(path), 0, -1):
            if found := self._lines.get(path[:length]):
                return found
        return 1

    def _enter(self, bracket: str, names: list[str], number: int) -> Path:
        """Return the path of a table header; a dotted name means the latest element so far."""
        path: Path = ()
        for name in names[:-1]:
            path = (*path, name)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        path = (*path, names[-1])
        self._lines.setdefault(path, number)
        if bracket == "[[":
            position = self._counts.get(path, 0)
            self._counts[path] = position + 1
            path = (*path, position)
            self._lines[path] = number
        return path


def _scan(line: str, fence: str, depth: int) -> tuple[str, int]:
    """Return the open multi-line string fence ("" if none) and bracket depth after ``line``."""
    at = 0
    while at < len(line):
        if fence:
            end = line.find(fence, at)
            if end < 0:
                return fence, depth
            at, fence = end + len(fence), ""
            continue
        token = _TOKEN.search(line, at)
        if token is None:
            break
        at = token.end()
        if token[0] in {'"""', "'''"}:
            fence = token[0]
        elif token[0] in {"[", "{"}:
            depth += 1
        elif token[0] in {"]", "}"}:
            depth -= 1
    return fence, depth
