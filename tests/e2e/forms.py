"""A browser in its oldest form: reads the forms of a page and posts them, nothing else."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TypeVar

_SUBMIT = {"submit", "image"}
_NO_VALUE = {"reset", "button", "file"}

_T = TypeVar("_T")


@dataclass
class Control:
    """One field or button. ``value`` is what would be sent; None means that nothing is."""

    kind: str
    name: str
    value: str | None
    option: str = ""
    label: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass
class Form:
    """One form with its controls in document order; ``in_main`` tells where it stands."""

    attributes: dict[str, str]
    in_main: bool
    controls: list[Control] = field(default_factory=list)

    def fits(self, selector: str | None) -> bool:
        """Whether a simple selector (``#id``, ``.class``, ``[name=value]``, ``form…``) names it.

        Raises:
            ValueError: if the selector is of another form.
        """
        wanted = (selector or "").removeprefix("form")
        if not wanted:
            return True
        if wanted.startswith("#"):
            return self.attributes.get("id") == wanted[1:]
        if wanted.startswith("."):
            return wanted[1:] in self.attributes.get("class", "").split()
        if wanted.startswith("[") and wanted.endswith("]") and "=" in wanted:
            name, _, value = wanted[1:-1].partition("=")
            return self.attributes.get(name) == value.strip("\"'")
        raise ValueError(f"a plain browser does not understand the selector {selector!r}")

    def body(self, pressed: Control) -> list[tuple[str, str]]:
        """Return the pairs that pressing ``pressed`` sends, in document order."""
        return [
            (control.name, "\r\n".join(control.value.splitlines()))
            for control in self.controls
            if control.name
            and control.value is not None
            and (control is pressed or control.kind not in _SUBMIT)
        ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.title = ""
        self.links: list[tuple[str, str]] = []
        self._form: Form | None = None
        self._main = 0
        self._text: list[str] | None = None
        self._link = ""
        self._open: Control | None = None
        self._option: dict[str, str] | None = None
        self._strays: list[Control] = []

    def close(self) -> None:
        super().close()
        for stray in self._strays:
            for form in self.forms:
                if form.attributes.get("id") == stray.attributes["form"]:
                    form.controls.append(stray)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "main":
            self._main += 1
        elif tag == "form":
            self._form = Form(attributes, self._main > 0)
            self.forms.append(self._form)
        elif tag == "input":
            self._input(attributes)
        elif tag == "textarea":
            self._add(Control("textarea", attributes.get("name", ""), "", attributes=attributes))
            self._text = []
        elif tag == "button":
            kind = attributes.get("type", "submit")
            value = attributes.get("value", "")
            self._add(Control(kind, attributes.get("name", ""), value, attributes=attributes))
            self._text = []
        elif tag == "select":
            self._add(Control("select", attributes.get("name", ""), None, attributes=attributes))
        elif tag == "option":
            self._option = attributes
            self._text = []
        elif tag in {"title", "a"}:
            self._link = attributes.get("href", "")
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        text = "".join(self._text or ())
        if tag == "main":
            self._main -= 1
        elif tag == "form":
            self._form = None
        elif tag == "textarea" and self._open:
            self._open.value = text.removeprefix("\n")
        elif tag == "button" and self._open:
            self._open.label = " ".join(text.split())
        elif tag == "option" and self._open and self._option is not None:
            value = self._option.get("value", " ".join(text.split()))
            self._open.option += f"{value}\n"
            if self._open.value is None or "selected" in self._option:
                self._open.value = value
        elif tag == "title":
            self.title = text.strip()
        elif tag == "a":
            self.links.append((" ".join(text.split()), self._link))
        if tag in {"textarea", "button", "option", "title", "a"}:
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _input(self, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", "text").lower()
        value: str | None = attributes.get("value", "")
        option = ""
        if kind in {"radio", "checkbox"}:
            option = attributes.get("value", "on")
            value = option if "checked" in attributes else None
        elif kind in _NO_VALUE:
            value = None
        label = attributes.get("value", "")
        name = attributes.get("name", "")
        self._add(Control(kind, name, value, option, label, attributes))

    def _add(self, control: Control) -> None:
        self._open = control
        if "disabled" in control.attributes:
            return
        if "form" in control.attributes:
            self._strays.append(control)
        elif self._form is not None:
            self._form.controls.append(control)


@dataclass
class ParsedPage:
    """What a plain browser knows of a page."""

    title: str
    forms: list[Form]
    links: list[tuple[str, str]]

    @classmethod
    def parse(cls, html: str) -> "ParsedPage":
        reader = _Reader()
        reader.feed(html)
        reader.close()
        return cls(reader.title, reader.forms, reader.links)

    def fill(self, name: str, value: str, form: str | None) -> None:
        """Type into the only field of that name.

        Raises:
            LookupError: if there is none, or more than one.
        """
        self._only(
            [c for f in self._in(form) for c in f.controls if c.name == name and not c.option],
            f"field {name!r}",
        ).value = value

    def choose(self, name: str, value: str, form: str | None) -> None:
        """Choose a radio button or list entry, or tick a box, by name and value.

        Raises:
            LookupError: if there is no such choice, or more than one.
        """
        controls = [c for f in self._in(form) for c in f.controls if c.name == name and c.option]
        chosen = self._only(
            [c for c in controls if value in c.option.removesuffix("\n").split("\n")],
            f"choice {name!r} = {value!r}",
        )
        if chosen.kind == "radio":
            for other in controls:
                other.value = None
        chosen.value = value

    def press(self, text: str, form: str | None) -> tuple[Form, Control]:
        """Return the only button with this text and its form; one within main wins.

        Raises:
            LookupError: if there is none, or more than one.
        """
        found = [
            (f, c)
            for f in self._in(form)
            for c in f.controls
            if c.kind in _SUBMIT and c.label == text
        ]
        return self._only([pair for pair in found if pair[0].in_main] or found, f"button {text!r}")

    def _in(self, selector: str | None) -> list[Form]:
        return [form for form in self.forms if form.fits(selector)]

    @staticmethod
    def _only(found: list[_T], what: str) -> _T:
        if len(found) != 1:
            raise LookupError(f"{len(found)} times on this page: {what}")
        return found[0]
