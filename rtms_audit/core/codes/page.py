"""The text of docs/codes.md: every code of every kind, from the same tables that the program judges with."""

from rtms_audit.core.codes import KINDS, Code, CodeKind, Confidence

_HEAD = """# Codes

What Zoom's numbers and words mean, who has to act, and where that is known from. `rtms-audit codes KIND NUMBER` shows one
entry, `rtms-audit codes NUMBER` searches all kinds. The page is generated from `rtms_audit/core/codes/`; a number that is
not here is shown as unknown and kept.

The last column says how a meaning is known and of when the source is: *documented* by Zoom, said by Zoom's *staff*,
*measured* with Zoom's SDK, *observed* live by a third party, asserted by the *community*, *secondary* (quoted from a source
that was not read), or an *inference*.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    contents = "\n".join(f"- [{kind.title}](#{kind.id}) ({len(kind.codes)})" for kind in KINDS.values())
    return "\n".join((_HEAD, contents, "", *(_section(kind) for kind in KINDS.values())))


def _section(kind: CodeKind) -> str:
    rows = "\n".join(_row(code) for code in kind.codes)
    return (
        f'<a id="{kind.id}"></a>\n\n## {kind.title}\n\nKind `{kind.id}`. {kind.note}\n\n'
        f"| code | name | meaning | fault | what to do | source |\n|---|---|---|---|---|---|\n{rows}\n"
    )


def _row(code: Code) -> str:
    meaning = f"{code.meaning} *Mind:* {code.trap}" if code.trap else code.meaning
    links = ", ".join(f"<{address}>" if address.startswith("https://") else address for address in code.source)
    known = f"{Confidence(code.confidence)}, {code.date}"
    cells = (str(code.number), f"`{code.name}`", meaning, str(code.fault), code.remedy, f"{known}: {links}")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
