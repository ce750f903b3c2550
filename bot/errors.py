"""The small tree of errors that the chat machine raises and understands."""

from __future__ import annotations


class BotError(Exception):
    """Something went wrong in a way that the machine knows how to handle.

    ``code`` names the problem for logs and metrics, ``permanent`` says that trying again is useless.
    The text never holds a secret, a URL with a token, or personal data.
    """

    code = "error"
    permanent = True

    def __init__(self, text: str = "", *, code: str | None = None, permanent: bool | None = None) -> None:
        super().__init__(text or self.code)
        if code is not None:
            self.code = code
        if permanent is not None:
            self.permanent = permanent


class ForgedCallback(BotError):
    """The callback is not from the platform (signature, receiver id or age): HTTP 403."""

    code = "forged"


class MalformedCallback(BotError):
    """The callback cannot be read at all: HTTP 400."""

    code = "malformed"


class StaleVersion(BotError):
    """Another turn of the same conversation was stored first; this one must be thought again."""

    code = "stale_version"
    permanent = False


class PlatformError(BotError):
    """The platform's API answered with an error code; ``detail`` is what else is known, without any secret.

    ``code`` is the number unless the channel knows a word for it that holds for all channels ("window_used_up").
    """

    code = "platform"

    def __init__(self, errcode: int, text: str = "", *, permanent: bool, code: str = "") -> None:
        super().__init__(f"platform error {errcode} {text}".strip(), code=code or str(errcode), permanent=permanent)
        self.errcode = errcode
        self.detail = text


class PlatformUnreachable(BotError):
    """The request certainly did not reach the platform (refused, no route, no name): safe to repeat."""

    code = "unreachable"
    permanent = False


class ResultUnknown(BotError):
    """The request left and no answer came: it may or may not have taken effect."""

    code = "result_unknown"
    permanent = False


class NotPublic(BotError):
    """Something that is not for everybody was about to be said in a group; it stays unsaid."""

    code = "not_public"


class MediaTooLarge(BotError):
    """The file is larger than we accept."""

    code = "too_large"


class OverRate(BotError):
    """The platform takes no more for now; nothing was tried. ``seconds``: when it may be tried again."""

    code = "over_rate"
    permanent = False

    def __init__(self, seconds: float) -> None:
        super().__init__(f"over the platform's rate for {seconds:.1f} s")
        self.seconds = seconds
