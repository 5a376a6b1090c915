"""What the repository promises about itself: what it ships, what it depends on, what it never mentions."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import rtms_audit

ROOT = Path(__file__).parents[1]
EXTRAS_WITHOUT_BOUND = re.compile(r"types-")


def setup_cfg() -> configparser.ConfigParser:
    """Read the project's metadata."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def requirements() -> list[Requirement]:
    """Return what the project needs to run."""
    return [Requirement(line) for line in setup_cfg()["options"]["install_requires"].split("\n") if line]


def optional_requirements() -> list[Requirement]:
    """Return what the extras add."""
    lists = setup_cfg()["options.extras_require"].values()
    return [Requirement(line) for text in lists for line in text.split("\n") if line]


def tracked_files() -> list[Path]:
    """Return the files that git knows and that still exist."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel from a copy of the source, without network and without leaving traces in the source."""
    folder = tmp_path_factory.mktemp("wheel")
    for path in tracked_files():
        copy = folder / "source" / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*command, "--wheel-dir", folder, folder / "source"], check=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    """Templates, scenarios, the typing marker: what lies in the package folder is in the wheel."""
    package = {str(path.relative_to(ROOT)) for path in tracked_files() if path.is_relative_to(ROOT / "rtms_audit")}
    assert package - set(wheel.namelist()) == set()
    assert "rtms_audit/py.typed" in package


@pytest.mark.parametrize("suffix", [".html.j2", ".css", ".yaml"])
def test_wheel_holds_templates_and_scenarios(wheel: zipfile.ZipFile, suffix: str) -> None:
    """The pages that are filled and the worlds of the sandbox travel with the package."""
    assert any(name.startswith("rtms_audit/") and name.endswith(suffix) for name in wheel.namelist())


def test_wheel_holds_the_migrations(wheel: zipfile.ZipFile) -> None:
    """Every migration of the repository is in the wheel, so that an installed program can upgrade its database."""
    shipped = {Path(name).name for name in wheel.namelist() if "migrations/" in name}
    written = {path.name for path in tracked_files() if path.is_relative_to(ROOT / "migrations")}
    assert written
    assert {name for name in written if name.endswith(".py")} - shipped == set()


def test_wheel_holds_nothing_but_the_program(wheel: zipfile.ZipFile) -> None:
    """No test, benchmark or cassette is installed with the program."""
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {"rtms_audit", f"rtms_audit-{rtms_audit.__version__}.dist-info"}


def test_there_is_one_version(wheel: zipfile.ZipFile) -> None:
    """The package, its metadata, the wheel and the changelog name the same version."""
    assert metadata.version("rtms-audit") == rtms_audit.__version__
    assert f"rtms_audit-{rtms_audit.__version__}-" in str(wheel.filename)
    released = re.findall(r"^## \[?(\d[^\s\]]*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert released[0] == rtms_audit.__version__
    assert released == sorted(released, key=Version, reverse=True)


def test_no_file_speaks_of_where_it_was_made() -> None:
    """No file names a registry of packages, a path of somebody's machine, or work that was left undone."""
    words = ["/wo" + "rk/", "/ro" + "ot/", "/tmp/te" + "am", "TO" + "DO", "FIX" + "ME"]
    words += [host + tld for host, tld in [("pypi", ".org"), ("pythonhosted", ".org"), ("npmjs", ".org")]]
    forbidden = re.compile("|".join(map(re.escape, words)).encode())
    found = {
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked_files()
        for match in forbidden.finditer(path.read_bytes())
    }
    assert found == set()


def test_every_dependency_has_a_lower_bound() -> None:
    """Each requirement names the oldest version that the tests were run with."""
    for requirement in [*requirements(), *optional_requirements()]:
        bounds = [specifier for specifier in requirement.specifier if specifier.operator == ">="]
        assert bounds or EXTRAS_WITHOUT_BOUND.match(requirement.name), str(requirement)


def test_a_library_has_one_bound() -> None:
    """A library that several lists name is bounded alike in all of them."""
    bounds: dict[str, str] = {}
    for requirement in [*requirements(), *optional_requirements()]:
        assert bounds.setdefault(requirement.name, str(requirement.specifier)) == str(requirement.specifier)


def test_oldest_versions_as_constraints() -> None:
    """`make test-lowest` pins exactly one version for each bounded requirement."""
    result = subprocess.run(
        [sys.executable, ROOT / "tests" / "lowest.py"], capture_output=True, text=True, check=True
    ).stdout
    pins = {requirement.name: requirement for requirement in map(Requirement, result.split())}
    assert len(pins) == len(result.split())
    assert {requirement.name for requirement in requirements()} <= set(pins)
    assert all(next(iter(pin.specifier)).operator == "==" for pin in pins.values())


def test_changelog_says_why_each_dependency_was_chosen() -> None:
    """One line of the changelog per library that is installed with the program."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^- `([\w-]+)`", changelog, re.MULTILINE))
    assert {requirement.name for requirement in requirements()} - explained == set()


def test_generated_pages_are_fresh(tmp_path: Path) -> None:
    """docs/checks.md and docs/codes.md say what the source says; `make docs` writes them anew."""
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", tmp_path], check=True)
    for name in ("checks.md", "codes.md"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_front_door() -> None:
    """`make help` names the targets that scripts and people rely on."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[1] for line in listed.splitlines()}
    assert {"all", "demo", "test", "check", "bench", "snapshots", "docs", "clean", "help"} <= targets
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_suite(tmp_path: Path) -> Run:
    """Run a small suite of its own under the rules of tests/conftest.py."""
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)

    def run(source: str, *options: str, ci: str = "false") -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_it.py").write_text(source, encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *options, str(tmp_path)],
            cwd=tmp_path,
            env=os.environ | {"CI": ci},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_skip_is_a_failure_in_ci(run_suite: Run) -> None:
    """A test that skips itself for want of a browser or a database fails in CI and nowhere else."""
    source = "import pytest\n\ndef test_browser():\n    pytest.skip('no browser')\n"
    assert "1 skipped" in run_suite(source).stdout
    in_ci = run_suite(source, ci="true")
    assert in_ci.returncode == 1
    assert "in CI nothing is" in in_ci.stdout
    assert "no browser" in in_ci.stdout


def test_snapshots_are_written_on_demand_only(run_suite: Run, tmp_path: Path) -> None:
    """A text that differs fails with the way out; `--update-snapshots` writes it; the next run agrees."""
    source = "def test_text(snapshot):\n    snapshot('{}', 'text.txt')\n"
    assert "make snapshots" in run_suite(source.format("one")).stdout
    assert run_suite(source.format("one"), "--update-snapshots").returncode == 0
    assert run_suite(source.format("one")).returncode == 0
    assert run_suite(source.format("two")).returncode == 1
    assert (tmp_path / "snapshots" / "text.txt").read_text(encoding="utf-8") == "one"


def test_snapshots_are_not_written_in_ci(run_suite: Run) -> None:
    """In CI nobody would read what was written."""
    result = run_suite("", "--update-snapshots", ci="true")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR


def test_tests_have_an_empty_home(run_suite: Run) -> None:
    """What a test writes to the user's folders goes to an empty place, and the user's settings do not reach it."""
    source = (
        "import os, pathlib\n\n"
        "def test_home():\n"
        "    assert list(pathlib.Path.home().iterdir()) == []\n"
        "    assert 'RTMS_AUDIT_DATABASE_URL' not in os.environ\n"
        "    assert os.environ['XDG_DATA_HOME'].startswith(str(pathlib.Path.home()))\n"
    )
    result = run_suite(source)
    assert result.returncode == 0, result.stdout
