"""Prints the oldest version that setup.cfg allows of each dependency, as constraints for pip."""

import configparser
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement


def lowest(setup_cfg: Path) -> Iterator[str]:
    """Yield `NAME==VERSION` for each requirement with a lower bound, of the project and of all its extras."""
    config = configparser.ConfigParser()
    config.read(setup_cfg, encoding="utf-8")
    lists = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    for line in sorted({line for text in lists for line in text.splitlines() if line}):
        requirement = Requirement(line)
        bound = [specifier.version for specifier in requirement.specifier if specifier.operator == ">="]
        if bound:
            yield f"{requirement.name}=={bound[0]}"


if __name__ == "__main__":
    print("\n".join(lowest(Path(__file__).parents[1] / "setup.cfg")))  # noqa: T201 - a constraints file is its result
