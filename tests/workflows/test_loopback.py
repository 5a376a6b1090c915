"""The listener on 127.0.0.1: one callback in, one plain page out."""

import socket
import urllib.error
import urllib.request

import pytest

from rtms_audit.core.model import Environment, InstallKey
from rtms_audit.errors import AuditError, UserError, ZoomError
from rtms_audit.workflows.install import Callback, Finished, Outcome
from rtms_audit.workflows.loopback import LoopbackListener, is_loopback
from rtms_audit.workflows.page import plain_page

KEY = InstallKey("dev-co", Environment.PRODUCTION)


def finish(callback: Callback) -> Finished:
    """Install whoever brings the good state; refuse a foreign one; fail for a broken one."""
    if callback.state == "broken":
        raise ZoomError("Zoom is <away>.", next_step="Try again.")
    if callback.state != "good":
        return Finished(Outcome.STATE_UNKNOWN, None, "foreign", "begin again")
    return Finished(Outcome.INSTALLED, KEY, "notes is installed", "collect")


def get(url: str) -> tuple[int, str, str]:
    """Open an address as a browser does."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Security-Policy"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["Content-Security-Policy"]


def test_a_callback_is_finished_and_its_page_shown() -> None:
    """The page says what happened, and may load nothing."""
    with LoopbackListener(None, finish) as listener:
        status, page, policy = get(f"{listener.redirect_uri}?state=good&code=c")
        found = listener.wait(5)
    assert (status, found) == (200, Finished(Outcome.INSTALLED, KEY, "notes is installed", "collect"))
    assert "notes is installed" in page
    assert "default-src 'none'" in policy


def test_a_foreign_callback_does_not_end_the_wait() -> None:
    """Anybody on this machine may knock; only the callback of a known state counts."""
    with LoopbackListener(None, finish) as listener:
        assert get(f"{listener.redirect_uri}?state=foreign&code=c")[0] == 400
        assert listener.wait(0.05) is None


def test_other_paths_and_empty_callbacks_are_refused() -> None:
    """A favicon is no callback."""
    with LoopbackListener("http://127.0.0.1/cb", finish) as listener:
        assert listener.redirect_uri.endswith("/cb")
        assert get(listener.redirect_uri.replace("/cb", "/favicon.ico"))[0] == 404
        assert get(listener.redirect_uri)[0] == 400


def test_a_failure_is_shown_escaped_and_raised_to_the_command() -> None:
    """The page never carries markup of somebody else."""
    with LoopbackListener(None, finish) as listener:
        status, page, _ = get(f"{listener.redirect_uri}?state=broken&code=c")
        with pytest.raises(AuditError, match="away"):
            listener.wait(5)
    assert status == 502
    assert "&lt;away&gt;" in page


def test_a_port_in_use_is_one_sentence() -> None:
    """The next step offers another way."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"127.0.0.1:{port} cannot be listened at") as caught:
            LoopbackListener(f"http://127.0.0.1:{port}/cb", finish)
    assert "--paste" in (caught.value.next_step or "")


def test_loopback_addresses_are_told_from_hosted_ones() -> None:
    """Only http on this machine can be listened at."""
    assert is_loopback("http://127.0.0.1:8080/cb")
    assert is_loopback("http://localhost/cb")
    assert not is_loopback("https://audit.example.com/cb")


def test_a_bad_page_has_the_colour_of_refusal() -> None:
    """Good and bad are told apart at a glance."""
    assert plain_page("a", "b") != plain_page("a", "b", good=True)
