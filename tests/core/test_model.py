"""Naming installs."""

import pytest

from rtms_audit.core.model import Environment, InstallKey


@pytest.mark.parametrize("text", ["acme/production", "a/b/development"])
def test_an_install_is_written_as_account_and_environment(text: str) -> None:
    """What is written reads back; an account may hold a slash."""
    assert str(InstallKey.parse(text)) == text


@pytest.mark.parametrize("text", ["acme", "/production", "acme/", "acme/staging", ""])
def test_what_is_no_install_is_refused(text: str) -> None:
    """Account and environment are both needed."""
    with pytest.raises(ValueError, match=r"form account/environment|not a valid"):
        InstallKey.parse(text)


def test_installs_stand_in_the_order_of_their_names() -> None:
    """By account, then by environment."""
    keys = [InstallKey(account, environment) for account in "ba" for environment in Environment]
    assert [str(key) for key in sorted(keys)][:3] == ["a/development", "a/production", "a/unknown"]
