"""Reading profiles: TOML to frozen structs, refused with file and line when anything is off."""

import re
import tomllib
from importlib.resources.abc import Traversable

import msgspec

from casework.law.checks import problems
from casework.law.locate import LineIndex, Path
from casework.law.profile import Profile

_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_MSGSPEC_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_UNKNOWN_FIELD = re.compile(r"unknown field `([^`]+)`")


class ProfileError(Exception):
    """A profile file is not usable; each line of the message reads ``file:line: what``."""


def load_profile(source: Traversable) -> Profile:
    """Read one profile file (a path or a packaged resource) and check it as a whole.

    Raises:
        ProfileError: naming file and line of a syntax error, of the first unknown, missing or
            ill-typed field, or of every broken reference.
        OSError: if the file cannot be read.
    """
    try:
        text = source.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ProfileError(f"{source.name}:1: not UTF-8") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_LINE.search(str(error))
        line = int(found[1]) if found else len(text.splitlines())
        raise ProfileError(
            f"{source.name}:{line}: {_TOML_LINE.sub('', str(error)).strip()}"
        ) from None
    index = LineIndex(text)
    try:
        profile = msgspec.convert(data, Profile)
    except msgspec.ValidationError as error:
        what, path = _explain(str(error))
        raise ProfileError(f"{source.name}:{index.line(path)}: {what}") from None
    found_problems = sorted((index.line(path), what) for path, what in problems(profile))
    if found_problems:
        raise ProfileError("\n".join(f"{source.name}:{n}: {what}" for n, what in found_problems))
    return profile


def _explain(message: str) -> tuple[str, Path]:
    """Split a msgspec message into what is wrong and the path where."""
    parts = _MSGSPEC_PATH.match(message)
    what, where = (parts["what"], parts["path"] or "") if parts else (message, "")
    path: Path = tuple(
        int(position) if position else name
        for name, position in re.findall(r"\.([\w\-]+)|\[(\d+)\]", where)
    )
    if unknown := _UNKNOWN_FIELD.search(what):
        path = (*path, unknown[1])
    dotted = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return f"{what} ({dotted.lstrip('.')})" if dotted else what, path
