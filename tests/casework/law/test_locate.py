"""A path into a profile leads to the line where it stands."""

import tomllib
from collections.abc import Iterator
from importlib.resources import files

import pytest

from casework.law.locate import LineIndex, Path

TEXT = '''id = "x"  # [[not.a.table]]
note = """
[[states]]
id = "inside a string"
"""
list = [
    { a = 1 },
    "]",
]

[one]
"quoted" = 1

[[states]]
id = "first"

[[states]]
id = "second"

[[states.items]]
label = "deep"
literal = \'\'\'
[x]\'\'\'
after = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("id",), 1),
        (("note",), 2),
        (("list",), 6),
        (("list", 1), 6),
        (("one",), 11),
        (("one", "quoted"), 12),
        (("states", 0), 14),
        (("states", 0, "id"), 15),
        (("states", 1, "id"), 18),
        (("states", 1, "items", 0), 20),
        (("states", 1, "items", 0, "label"), 21),
        (("states", 1, "items", 0, "after"), 24),
        (("states", 1, "missing"), 17),
        (("nowhere",), 1),
    ],
)
def test_a_path_is_found_past_strings_and_brackets(path: Path, line: int) -> None:
    tomllib.loads(TEXT)
    assert LineIndex(TEXT).line(path) == line


@pytest.mark.parametrize("name", ["badung", "gowa"])
def test_every_key_of_a_shipped_profile_is_found_on_its_own_line(name: str) -> None:
    text = (files("casework") / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    lines = text.splitlines()
    index = LineIndex(text)
    paths = list(_keys(tomllib.loads(text)))
    assert len(paths) > 500
    for path in paths:
        assert lines[index.line(path) - 1].startswith(f"{path[-1]} = "), path
    assert len({index.line(path) for path in paths}) == len(paths)


def _keys(table: dict[str, object], at: Path = ()) -> Iterator[Path]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _keys(value, (*at, key))
        elif _is_table_array(key, value):
            for n, row in enumerate(value):  # type: ignore[arg-type,var-annotated]
                yield from _keys(row, (*at, key, n))
        else:
            yield (*at, key)


def _is_table_array(key: str, value: object) -> bool:
    inline = {"grants", "revokes"}
    return isinstance(value, list) and isinstance(value[0], dict) and key not in inline
