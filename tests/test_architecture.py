"""The arrows of the design hold, and each contract that guards them notices when one is broken."""

import ast
import configparser
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rtms_audit"


@dataclass(frozen=True)
class Planted:
    """One import that the contract `contract` forbids, in the module `module` (a path inside the package)."""

    contract: str
    module: str
    statement: str

    def __str__(self) -> str:
        """Name the test case."""
        return f"{self.contract}: {self.statement} in {self.module}"


PLANTED = (
    Planted("arrows", "core/model.py", "import rtms_audit.store"),
    Planted("arrows", "zoom/__init__.py", "import rtms_audit.store"),
    Planted("arrows", "store/__init__.py", "import rtms_audit.zoom"),
    Planted("arrows", "report/__init__.py", "import rtms_audit.store"),
    Planted("arrows", "workflows/__init__.py", "import rtms_audit.web"),
    Planted("arrows", "web/__init__.py", "import rtms_audit.cli"),
    Planted("arrows", "cli/main.py", "import rtms_audit.__main__"),
    Planted("arrows", "errors.py", "import rtms_audit.core"),
    Planted("arrows", "core/model.py", "import rtms_audit.settings"),
    Planted("arrows", "attic.py", "import json"),
    Planted("core-is-pure", "core/model.py", "import time"),
    Planted("core-is-pure", "core/verdicts.py", "import socket"),
    Planted("core-uses-no-library", "core/model.py", "import tenacity"),
    Planted("sandbox-stands-apart", "sandbox/__init__.py", "import rtms_audit.core.model"),
    Planted("sandbox-stands-apart", "sandbox/__init__.py", "import rtms_audit.settings"),
    Planted("sandbox-has-two-doors", "workflows/__init__.py", "import rtms_audit.sandbox"),
    Planted("sandbox-has-two-doors", "cli/main.py", "import rtms_audit.sandbox"),
    Planted("speaks-to-zoom", "workflows/__init__.py", "import requests"),
    Planted("speaks-to-zoom", "sandbox/__init__.py", "import authlib"),
    Planted("keeps-data", "workflows/__init__.py", "import sqlmodel"),
    Planted("keeps-data", "cli/main.py", "import sqlalchemy"),
    Planted("keeps-data", "zoom/__init__.py", "import cryptography"),
    Planted("keeps-data", "workflows/__init__.py", "import alembic"),
    Planted("reads-the-command-line", "workflows/__init__.py", "import click"),
    Planted("serves-http", "cli/main.py", "import uvicorn"),
    Planted("serves-http", "workflows/__init__.py", "import fastapi"),
    Planted("serves-http", "zoom/__init__.py", "import starlette"),
    Planted("opens-sockets", "sandbox/__init__.py", "import websockets"),
    Planted("loads-zooms-sdk", "workflows/__init__.py", "import rtms"),
    Planted("draws-tables", "cli/main.py", "import tabulate"),
    Planted("fills-pages", "cli/main.py", "import jinja2"),
    Planted("reads-yaml", "core/model.py", "import yaml"),
    Planted("reads-yaml", "workflows/__init__.py", "import yaml"),
)


def contracts() -> dict[str, str]:
    """Return the name of each contract in setup.cfg by its id."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    sections = [section for section in config.sections() if section.startswith("importlinter:contract:")]
    return {section.rpartition(":")[2]: config[section]["name"] for section in sections}


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package that lies in `tree`."""
    lint_imports = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([lint_imports, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the package and its contracts to a place where they may be spoilt."""
    shutil.copytree(PACKAGE, tmp_path / "rtms_audit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    return tmp_path


def test_the_house_keeps_its_contracts() -> None:
    """The package as it is breaks none of the contracts."""
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout
    assert f"Contracts: {len(contracts())} kept, 0 broken." in result.stdout


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_broken_contract_is_named(copy: Path, planted: Planted) -> None:
    """An import planted where a contract forbids it makes the check fail and name that contract."""
    with (copy / "rtms_audit" / planted.module).open("a", encoding="utf-8") as module:
        module.write(f"\n{planted.statement}\n")
    result = lint(copy)
    assert result.returncode == 1
    assert f"{contracts()[planted.contract]} BROKEN" in result.stdout


def test_every_contract_was_tried() -> None:
    """No contract stands in setup.cfg without a planted violation here."""
    assert {planted.contract for planted in PLANTED} == set(contracts())


def test_core_imports_the_standard_library_alone() -> None:
    """Whatever core imports is Python's own, core itself or the errors; a list of libraries could have holes."""
    allowed = sys.stdlib_module_names | {"rtms_audit"}
    for path in (PACKAGE / "core").rglob("*.py"):
        for name in imported(path):
            top = name.partition(".")[0]
            assert top in allowed, f"{path} imports {name}"
            inside = name.startswith(("rtms_audit.core", "rtms_audit.errors"))
            assert top != "rtms_audit" or inside, f"{path} imports {name}"


def imported(path: Path) -> set[str]:
    """Return the full names of the modules that a source file imports anywhere, functions included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names
