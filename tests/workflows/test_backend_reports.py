"""What backends report: read strictly, and kept only whole."""

import json
from typing import Any

import pytest

from rtms_audit.core.model import Kind
from rtms_audit.errors import UserError
from rtms_audit.workflows.backend_reports import read_reports

GOOD = {"kind": "sdk", "install": "dev-co/production", "sdk": "rtms-node", "callback": "onJoinConfirm", "reason": 960}


def read(world: Any, document: object) -> Any:
    """Read a report."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_reports(body, world.services)


def test_one_or_several_observations_are_read(world: Any) -> None:
    """A missing time is now; a time without zone is UTC."""
    assert read(world, GOOD)[0].at == world.clock()
    first, second = read(
        world,
        [{**GOOD, "at": "2026-03-02T10:00:00"}, {"kind": "keepalive", "install": "dev-co/production", "missed": 3}],
    )
    assert first.at.isoformat() == "2026-03-02T10:00:00+00:00"
    assert (first.kind, first.fields["reason"], second.kind) == (Kind.SDK, 960, Kind.KEEPALIVE)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"{", "not JSON"),
        ([], "1 to 1000"),
        (["x"], "observation 1 is not a mapping"),
        ({**GOOD, "kind": "rest"}, "none of sdk"),
        ({**GOOD, "install": "x"}, "account/environment"),
        ({**GOOD, "install": "nobody/production"}, "no account 'nobody'"),
        ({**GOOD, "at": "soon"}, "is not a time"),
        ([GOOD, {**GOOD, "reason": "many"}], "observation 2"),
        ({**GOOD, "colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(world: Any, document: object, said: str) -> None:
    """One sentence."""
    with pytest.raises(UserError, match=said):
        read(world, document)
