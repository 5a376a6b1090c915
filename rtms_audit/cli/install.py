"""`rtms-audit install`: consent in a browser, and the grant that comes of it."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from rtms_audit.cli.common import Context, echo_result, pass_context_object, talk
from rtms_audit.cli.options import ENVIRONMENTS, app_option
from rtms_audit.cli.services import live
from rtms_audit.errors import UserError

if TYPE_CHECKING:
    from rtms_audit.core.model import InstallKey
    from rtms_audit.workflows.install import Begun, Browser, Callback, Finished, Installer
    from rtms_audit.workflows.services import Services

TIMEOUT = 300


@click.command()
@click.argument("account")
@click.option("--environment", type=click.Choice(ENVIRONMENTS), required=True, help="Which pair to install.")
@click.option("--no-browser", is_flag=True, help="Print the authorize address alone, and wait for the callback.")
@click.option("--paste", is_flag=True, help="Print the address; paste the address that the browser ended at.")
@click.option(
    "--timeout",
    type=click.IntRange(1, 3600),
    default=TIMEOUT,
    show_default=True,
    help="Seconds to wait; --paste waits for you.",
)
@app_option
@pass_context_object
def install(
    context: Context, *, account: str, environment: str, no_browser: bool, paste: bool, timeout: int, app: str | None
) -> None:
    """Install the app into an account.

    The browser comes back to this command at 127.0.0.1, or to `rtms-audit serve` where the redirect address registered
    is a hosted one. Whoever signs in must be the account that is meant; otherwise nothing is stored.

    \b
    For example:
      rtms-audit install outsider --environment production
      rtms-audit install outsider --environment production --no-browser
    """
    import webbrowser

    from rtms_audit.core.model import Environment, InstallKey
    from rtms_audit.workflows.install import Installer, InstallRefusedError, Outcome

    if no_browser and paste:
        raise UserError("--no-browser and --paste exclude each other.", next_step="Give one of them.")
    browser: Browser = _print_address if no_browser or paste else webbrowser.open
    with live(context) as services:
        key = InstallKey(account, Environment(environment))
        way = CallbackWay(Installer(services), services, app=services.store.app(app).name, key=key)
        finished = way.paste() if paste else way.wait(browser, timeout)
    if finished.outcome is not Outcome.INSTALLED:
        raise InstallRefusedError(finished)
    # With --no-browser standard output holds the address and nothing else.
    (talk if no_browser else echo_result)(finished.message)
    talk(f"Next: {finished.next_step}")


class CallbackWay:
    """The three ways in which a callback can come back."""

    def __init__(
        self,
        installer: "Installer",
        services: "Services",
        *,
        app: str,
        key: "InstallKey",
        say: Callable[[str], None] = talk,
    ) -> None:
        self.installer = installer
        self.services = services
        self.app = app
        self.key = key
        self.say = say
        services.store.account(key.account)
        self.redirect_uri = services.store.credentials(app=app, environment=key.environment).redirect_uri

    def begin(self, redirect_uri: str) -> "Begun":
        """Begin the install, to come back at an address."""
        return self.installer.begin(
            app=self.app, account=self.key.account, environment=self.key.environment, redirect_uri=redirect_uri
        )

    def wait(self, browser: "Browser", timeout: float) -> "Finished":
        """Listen at the loopback address, or wait for `serve` to receive the callback at the hosted one."""
        from rtms_audit.workflows.install import wait_for_callback
        from rtms_audit.workflows.loopback import LoopbackListener, is_loopback

        if self.redirect_uri is not None and not is_loopback(self.redirect_uri):
            begun = self.begin(self.redirect_uri)
            _open(browser, begun)
            self.say("Waiting for the callback, which `rtms-audit serve` receives …")
            return wait_for_callback(self.installer, begun, self.services, timeout=timeout)
        with LoopbackListener(self.redirect_uri, self.finish) as listener:
            begun = self.begin(listener.redirect_uri)
            _open(browser, begun)
            self.say("Waiting for the callback …")
            return listener.wait(timeout) or self.installer.time_out(begun)

    def finish(self, callback: "Callback") -> "Finished":
        """Take a callback to its end."""
        return self.installer.finish(callback, app=self.app)

    def paste(self) -> "Finished":
        """Ask for the address that the browser ended at."""
        from urllib.parse import parse_qsl, urlsplit

        from rtms_audit.workflows.install import Callback
        from rtms_audit.workflows.install_outcome import again

        begun = self.begin(self.redirect_uri or "http://127.0.0.1/oauth/callback")
        _print_address(begun.authorize_url)
        pasted = click.prompt("Paste the address that the browser ended at", err=True)
        query = dict(parse_qsl(urlsplit(pasted.strip()).query))
        if not query.keys() & {"code", "error", "state"}:
            raise UserError(
                "That address holds neither a code nor an error of Zoom's.",
                next_step=f"Copy the whole address from the browser's address bar, and begin again: {again(self.key)}",
            )
        return self.finish(Callback.of(query))


def _open(browser: "Browser", begun: "Begun") -> None:
    if not browser(begun.authorize_url):
        # Standard output, as with --no-browser: the talk takes the state out, and the address is of no use without it.
        talk("No browser could be opened. Open this address:")
        _print_address(begun.authorize_url)


def _print_address(address: str) -> bool:
    echo_result(address)
    sys.stdout.flush()
    return True
