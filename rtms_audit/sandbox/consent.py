"""The pages a browser sees at the authorize address: whom to act as, or why it cannot be done."""

from html import escape
from urllib.parse import urlencode

from rtms_audit.sandbox.world import AppEnvironment, World

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}}li{{margin:.4em 0}}
.note{{color:#555}}code{{background:#eee;padding:0 .2em}}</style></head>
<body><h1>{title}</h1>
{body}
<p class="note">This is the rtms-audit sandbox, not Zoom.</p></body></html>
"""


def refusal_page(title: str, sentence: str) -> str:
    """Return a page that ends the story: no redirect follows."""
    return _FRAME.format(title=escape(title), body=f"<p>{escape(sentence)}</p>")


def consent_page(world: World, client: AppEnvironment, query: dict[str, str]) -> str:
    """Return the page that lists everybody who could consent, and a way to refuse."""
    people = []
    for account in world.accounts.values():
        for user in account.users:
            link = escape("?" + urlencode({**query, "login_hint": user.spec.email}))
            who = escape(f"{user.display_name} ({user.spec.email})")
            where = f"<b>{escape(account.label)}</b>, plan {account.spec.plan}"
            people.append(f'<li><a href="{link}">{who}</a> of {where}</li>')
    scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in client.app.spec.scopes)
    deny = escape("?" + urlencode({**query, "decision": "deny"}))
    body = (
        f"<p><b>{escape(client.app.spec.name)}</b> ({client.name}) asks for:</p><ul>{scopes}</ul>"
        f'<p>Allow as</p><ul>{"".join(people)}</ul><p><a href="{deny}">Decline</a></p>'
    )
    return _FRAME.format(title=f"Authorize {escape(client.app.spec.name)}", body=body)


def device_page(user_codes: list[str], accounts: list[str]) -> str:
    """Return the page where somebody types a device's code (here: picks it) and says who they are."""
    rows = [
        f"<li><code>{escape(code)}</code>: "
        + ", ".join(
            f'<a href="?{escape(urlencode({"user_code": code, "login_hint": a}))}">{escape(a)}</a>' for a in accounts
        )
        + f' or <a href="?{escape(urlencode({"user_code": code, "decision": "deny"}))}">decline</a></li>'
        for code in user_codes
    ]
    return _FRAME.format(
        title="Activate a device", body=f"<ul>{''.join(rows) or '<li>No device is waiting.</li>'}</ul>"
    )
