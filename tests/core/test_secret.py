"""The type in which secrets live."""

import pickle

import pytest

from rtms_audit.core.secret import Secret


def test_a_secret_shows_itself_to_nobody_but_who_asks() -> None:
    """Its text comes out of `reveal()` alone."""
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    assert [repr(secret), str(secret), f"{secret:>20}"] == ["Secret(****)", "****", "****"]


def test_a_secret_cannot_be_pickled_or_hashed() -> None:
    """It reaches neither a file nor a set by accident."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret("hunter2"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret("hunter2"))


def test_secrets_are_compared_by_their_text() -> None:
    """Two of one text are equal; a text is no secret; an empty one is false."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert (bool(Secret("a")), bool(Secret(""))) == (True, False)
