"""What the web layer refuses before any use case runs; status codes are given in portal.errors.

Each class carries a `reason`, the key under which an error template finds its sentence. None of
them carries a byte of the request.
"""

from typing import ClassVar


class Refusal(Exception):
    """Root of every refusal of the web layer."""

    reason: ClassVar[str] = "refused"

    def __init__(self) -> None:
        """Carry the reason and nothing else."""
        super().__init__(self.reason)


class BadForm(Refusal):
    """The form's body breaks a rule that no browser breaks."""

    reason = "bad-form"


class NotUtf8(BadForm):
    """The body, once percent-decoded, is not UTF-8."""

    reason = "not-utf8"


class ForbiddenCharacter(BadForm):
    """A field holds a NUL, or more combining marks in a row than any script has."""

    reason = "forbidden-character"


class TooManyFields(BadForm):
    """The body holds more fields than any page of ours has."""

    reason = "too-many-fields"


class RepeatedField(BadForm):
    """A field that stands once on the page came more than once."""

    reason = "repeated-field"


class CutShort(BadForm):
    """The client went away before the whole body had arrived."""

    reason = "cut-short"


class TooLarge(Refusal):
    """The body is longer than the limit of its form."""

    reason = "too-large"


class WrongContentType(Refusal):
    """The body is not `application/x-www-form-urlencoded`."""

    reason = "wrong-content-type"


class MultipartRefused(WrongContentType):
    """The body is `multipart/form-data`, where no file is expected."""

    reason = "multipart"


class ForeignOrigin(Refusal):
    """The browser says that another site, or another origin of this site, made this request."""

    reason = "foreign-origin"


class CsrfRefused(Refusal):
    """The form's token is missing, or belongs to another session or another purpose."""

    reason = "csrf"


class SignInRequired(Refusal):
    """The page needs a session, and there is none (any more)."""

    reason = "sign-in"

    def __init__(self, kind: str) -> None:
        """Say which kind of session is needed: `reporter` or `staff`."""
        super().__init__()
        self.kind = kind


class Busy(Refusal):
    """The instance does all the work that it allows itself; nothing is wrong with the request."""

    reason = "busy"

    def __init__(self, retry_after: int) -> None:
        """Say after how many whole seconds (at least 1) another try makes sense."""
        super().__init__()
        self.retry_after = max(1, retry_after)


class KeptTooLong(Refusal):
    """The text is too long to be carried over a sign-in."""

    reason = "kept-too-long"
