"""A whole document is masked at once: what a field gives away is masked in every text."""

import string
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.pseudonyms import redact_document
from rtms_audit.core.redact import Level

ID = "KDcuGIm1QgePTO8WbOqwIQ"
ids = st.text(string.ascii_letters + string.digits, min_size=20, max_size=22).filter(lambda text: not text.islower())
meetings = st.integers(10**8, 10**11 - 1)


@given(id_=ids, meeting=meetings, email=st.emails(), name=st.sampled_from(["Jane Doe", "Ada König"]))
def test_planted_values_never_survive(id_: str, meeting: int, email: str, name: str) -> None:
    """A value masked in a field is masked in prose, keys and numbers of the document, wherever they stand."""
    document = [
        f"asked by {name} about {meeting} and {id_}, {email}",
        {"operator_id": id_, "meeting_id": meeting, "display_name": name, "contact_email": email},
        {"deep": [{f"key {id_}": f"seen {name}'s {id_}/{meeting}"}], "plain": meeting},
    ]
    shown = repr(redact_document(document, level=Level.PERSONAL))
    for planted in (id_, str(meeting), name):
        assert planted not in shown
    assert email not in shown


def test_one_value_has_one_pseudonym() -> None:
    """Fields of other names, paths, prose and encoded forms all show the same pseudonym."""
    uuid = "4444AAAiAAAAAiAiAiiAii=="
    document = {
        "id": ID,
        "host_id": ID,
        "note": f"host {ID} left",
        "path": f"/v2/users/{ID}/settings",
        "uuid": uuid,
        "link": "x?y=4444AAAiAAAAAiAiAiiAii%3D%3D",
    }
    shown: Any = redact_document(document, level=Level.PERSONAL)
    mask = shown["host_id"]
    assert mask.startswith("user-")
    assert (shown["id"], shown["note"], shown["path"]) == (mask, f"host {mask} left", f"/v2/users/{mask}/settings")
    assert shown["link"] == f"x?y={shown['uuid']}"


def test_common_words_and_short_values_stay_in_prose() -> None:
    """A role that states something is masked in its field, and the same word in a sentence stays."""
    shown: Any = redact_document({"by": "developer", "id": 18, "note": "the developer saw 18"}, level=Level.PERSONAL)
    assert shown["by"].startswith("name-")
    assert shown["note"] == "the developer saw 18"


def test_only_secrets_go_at_the_lower_level() -> None:
    """At the lower level people stay readable, secrets do not."""
    document = {"host_id": ID, "note": f"{ID} has access_token=abcDEF1234567890xyz"}
    assert redact_document(document) == {"host_id": ID, "note": f"{ID} has access_token=[secret]"}


@given(id_=ids, meeting=meetings)
def test_masking_twice_changes_nothing(id_: str, meeting: int) -> None:
    """What was masked once stays as it is."""
    document = {"user_id": id_, "meeting_number": meeting, "note": f"Meeting does not exist: {meeting}. {id_}"}
    once = redact_document(document, level=Level.PERSONAL)
    assert redact_document(once, level=Level.PERSONAL) == once
