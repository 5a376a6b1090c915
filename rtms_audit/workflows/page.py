"""The plain page that a browser is shown when it comes back from Zoom, by whichever listener it meets."""

from html import escape

from rtms_audit.workflows.install import Finished, Outcome

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The address of this page holds a code: it is not to be kept, framed or passed on."""

TITLES = {
    Outcome.INSTALLED: "Installed",
    Outcome.DENIED: "Not allowed",
    Outcome.STATE_UNKNOWN: "Unknown callback",
    Outcome.STATE_USED: "Used before",
    Outcome.STATE_EXPIRED: "Too late",
    Outcome.CODE_REFUSED: "Code refused",
    Outcome.CLIENT_REFUSED: "Credentials refused",
    Outcome.WRONG_ACCOUNT: "Wrong account",
    Outcome.TIMED_OUT: "Timed out",
}

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – rtms-audit</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; color: #1c2430; }}
h1 {{ font-size: 1.4rem; border-left: .4rem solid {colour}; padding-left: .8rem; }}
p.next {{ color: #526070; }}
</style>
<h1>{title}</h1>
<p>{message}</p>
<p class="next">{next_step}</p>
</html>
"""


def outcome_page(finished: Finished) -> str:
    """Write the page of an outcome."""
    good = finished.outcome is Outcome.INSTALLED
    next_step = "You can close this page and go back to the terminal." if good else finished.next_step
    return plain_page(TITLES[finished.outcome], finished.message, next_step, good=good)


def plain_page(title: str, message: str, next_step: str = "", *, good: bool = False) -> str:
    """Write a page with a title, a sentence and what to do next."""
    colour = "#1a7f4b" if good else "#b3261e"
    return _PAGE.format(title=escape(title), message=escape(message), next_step=escape(next_step), colour=colour)
