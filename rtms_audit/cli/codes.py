"""`rtms-audit codes`: what Zoom's numbers and words mean."""

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object
from rtms_audit.cli.options import style_of
from rtms_audit.errors import UserError


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("kind", required=False)
@click.argument("number", required=False)
@format_option("table", "json", "csv", "markdown")
@pass_context_object
def codes(context: Context, *, kind: str | None, number: str | None, format_: str) -> None:
    """Say what a number of Zoom's means, who is at fault, what to do, and where that is known from.

    Without arguments the kinds are listed. A number or words alone are looked for in every kind: stop reason 18, status
    18 and message type 18 are three things.

    \b
    For example:
      rtms-audit codes
      rtms-audit codes stop-reason
      rtms-audit codes stop-reason 18
      rtms-audit codes 960
    """
    from rtms_audit.report.codes import kinds_text

    style = style_of(context)
    if kind is None:
        echo_result(kinds_text(format_=format_, style=style))
    elif number is None:
        echo_result(_one_word(kind, format_, context))
    else:
        echo_result(_exact(kind, number, format_, context))


def _one_word(word: str, format_: str, context: Context) -> str:
    """Return a kind's table, or the codes of all kinds that the word finds."""
    from rtms_audit.core.codes import KINDS, search
    from rtms_audit.report.codes import codes_text, kind_text

    kind = KINDS.get(word.strip().lower().replace("_", "-"))
    if kind:
        return kind_text(kind, format_=format_, style=style_of(context))
    found = search(word)
    if not found and not word.lstrip("-").isalnum():
        raise UserError(f"no code holds {word!r}", next_step="`rtms-audit codes` lists the kinds.")
    return codes_text(found, format_=format_, style=style_of(context)) if found else _unknown(word, format_)


def _exact(kind: str, number: str, format_: str, context: Context) -> str:
    from rtms_audit.core.codes import lookup
    from rtms_audit.report.codes import codes_text

    try:
        code = lookup(kind, number)
    except ValueError as error:
        raise UserError(str(error), next_step="`rtms-audit codes` lists the kinds.") from None
    return (
        codes_text([code], format_=format_, style=style_of(context)) if code else _unknown(f"{kind} {number}", format_)
    )


def _unknown(text: str, format_: str) -> str:
    """Say that a code is unknown, which is an answer: the audit keeps such numbers and shows them."""
    from rtms_audit.report.codes import codes_text

    if format_ != "table":
        return codes_text([], format_=format_)
    return (
        f"{text}: unknown. No table we know of holds it; the audit keeps and shows such a code, "
        "and never fails on it.\n"
        "Next: `rtms-audit codes` lists the kinds, `rtms-audit codes KIND` all that is known of one."
    )
