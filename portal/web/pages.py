"""Templates to responses: one Jinja environment, autoescaped and strict, with gettext.

Indonesian is the source language of the templates; without a catalogue they show as written.
"""

import re
from collections.abc import Mapping
from datetime import date
from gettext import NullTranslations
from typing import Any, Final

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from litestar.response import Response
from markupsafe import Markup, escape

TEMPLATE_PACKAGE: Final = "templates"
NBSP: Final = "\u00a0"
# Source texts of the catalogue; what a person reads is the translation.
_MONTHS: Final = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip
_PARAGRAPH_BREAK: Final = re.compile(r"\n[ \t]*\n\s*")
_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")


class Pages:
    """Renders templates of the `templates` package; the same in a checkout and a wheel."""

    def __init__(
        self,
        *,
        context: Mapping[str, object] | None = None,
        translations: NullTranslations | None = None,
        package: str = TEMPLATE_PACKAGE,
        compiled: BytecodeCache | None = None,
    ) -> None:
        """Prepare the environment; `context` is what every template may use (instance, demo, …).

        `compiled` keeps compiled templates for the next environment in this process; it is never
        a place on a disk, from where others could give us code to run.
        """
        self._translations = translations or NullTranslations()
        self._environment = _environment(package, self._translations, compiled)
        self._environment.globals.update(context or {})
        self._environment.filters["tanggal"] = self.tanggal
        self._names = frozenset(self._environment.list_templates(extensions=["html"]))

    def tanggal(self, day: date | str) -> str:
        """Write a day, given as a date or in ISO 8601, as `22 November 2026` with no-break spaces.

        Raises:
            ValueError: if a text is not an ISO date.
        """
        found = date.fromisoformat(day) if isinstance(day, str) else day
        month = self._translations.gettext(_MONTHS[found.month - 1])
        return f"{found.day}{NBSP}{month}{NBSP}{found.year}"

    def text(self, template: str, **context: object) -> str:
        """Render a template to text.

        Raises:
            jinja2.TemplateNotFound: if the package has no such template.
            jinja2.UndefinedError: if the template uses a name that nobody gave it.
        """
        return self._environment.get_template(template).render(**context)

    def render(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None,
        **context: object,
    ) -> Response[str]:  # fmt: skip
        """Render a template to an HTML response with the given status; raises as `text` does."""
        return html(self.text(template, **context), status=status, headers=headers)

    def message(self, key: str) -> str:
        """Return the sentence for a message key of the domain (`macros/messages.html`)."""
        module = self._environment.get_template("macros/messages.html").module
        return str(getattr(module, "message")(key)).strip()  # noqa: B009 - a macro

    def words(self, template: str, macro: str, *values: object) -> str:
        """Return what a macro of a template says of some values, as plain text."""
        module = self._environment.get_template(template).module
        said: Markup = getattr(module, macro)(*values)
        return said.striptags()

    def has(self, template: str) -> bool:
        """Tell whether the package has a template of this name."""
        return template in self._names


def html(
    text: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[str]:
    """Send rendered HTML (UTF-8) with the given status and extra headers."""
    return Response(text, status_code=status, media_type="text/html", headers=dict(headers or {}))


def see_other(path: str) -> Response[str]:
    """Redirect to a page of ours after a form (RFC 9110 §15.4.4).

    Raises:
        ValueError: if `path` could lead to another site or break the header.
    """
    if not _LOCAL_PATH.fullmatch(path):
        msg = "a redirect stays on this site"
        raise ValueError(msg)
    return html("", status=303, headers={"location": path})


def _environment(
    package: str, translations: NullTranslations, compiled: BytecodeCache | None
) -> Environment:
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=compiled,
    )
    install: Any = getattr(environment, "install_gettext_translations")  # noqa: B009 - set by i18n
    install(translations, newstyle=True)
    environment.filters["nl2p"] = nl2p
    environment.filters["nbsp"] = nbsp
    environment.filters["angka"] = angka
    return environment


def nl2p(text: str) -> Markup:
    """Escape a text and keep its shape: empty lines part paragraphs, line ends are `<br>`."""
    paragraphs = (part.strip("\n") for part in _PARAGRAPH_BREAK.split(text.strip()))
    return Markup("\n").join(
        Markup("<p>{}</p>").format(Markup("<br>\n").join(escape(line) for line in part.split("\n")))
        for part in paragraphs
        if part
    )


def nbsp(text: str) -> str:
    """Keep a short group (a ticket, a date, a number with its unit) on one line."""
    return text.replace(" ", NBSP)


def angka(number: int) -> str:
    """Write a whole number with Indonesian thousands points: `1.234.567`."""
    return f"{number:,}".replace(",", ".")
