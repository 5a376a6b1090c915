"""Judging media parameters: every wrong field has its own status number."""

import base64

import pytest

from rtms_audit.sandbox.handshake import judge_params, signature
from rtms_audit.sandbox.media import plan, tone_frames

AUDIO = [
    ({}, 0),
    ({"content_type": 2, "codec": 4, "sample_rate": 3, "channel": 2, "data_opt": 2, "send_rate": 20}, 0),
    ({"content_type": 1, "codec": 2, "sample_rate": 0}, 0),
    ({"content_type": 2, "codec": 3, "sample_rate": 1}, 0),
    ({"send_rate": 1000}, 0),
    ({"content_type": 3}, 19),
    ({"sample_rate": 4}, 20),
    ({"channel": 3}, 21),
    ({"codec": 5}, 22),
    ({"data_opt": 3}, 23),
    ({"send_rate": 30}, 24),
    ({"codec": 4}, 18),
    ({"content_type": 1, "codec": 1}, 18),
    ({"content_type": 1, "codec": 3, "channel": 2}, 18),
    ({"channel": True}, 21),
    ({"codec": None}, 0),
    ([], 18),
]
OTHERS = [
    ("video", {}, 0),
    ("video", {"codec": 7, "fps": 30}, 0),
    ("video", {"content_type": 2}, 26),
    ("video", {"codec": 4}, 27),
    ("video", {"resolution": 9}, 28),
    ("video", {"data_opt": 1}, 29),
    ("video", {"fps": 6}, 30),
    ("video", "x", 25),
    ("deskshare", {}, 0),
    ("deskshare", {"content_type": 2}, 32),
    ("deskshare", {"codec": 1}, 33),
    ("deskshare", {"resolution": 0}, 34),
    ("deskshare", {"fps": 0}, 35),
    ("deskshare", 5, 31),
    ("transcript", {"src_language": -1}, 0),
    ("transcript", {"content_type": 2}, 37),
    ("transcript", {"src_language": 37}, 43),
    ("transcript", [], 36),
    ("chat", {"content_type": 1}, 39),
    ("chat", 1, 38),
]


@pytest.mark.parametrize(("params", "status"), AUDIO)
def test_audio_parameters(params: object, status: int) -> None:
    """Audio is judged field by field and then as a whole combination."""
    assert judge_params(("audio",), {"audio": params})[0] == status


@pytest.mark.parametrize(("kind", "params", "status"), OTHERS)
def test_other_parameters(kind: str, params: object, status: int) -> None:
    """Each other medium has its own numbers."""
    assert judge_params((kind,), {kind: params})[0] == status


def test_signature_is_hmac_over_commas() -> None:
    """The signature is the lower-case hex HMAC-SHA256 of id, meeting and stream, joined by commas."""
    expected = "1c87d3a7d44e2bb6dca5a0d44fd373f5997a15782893c35e3e7939d2d92c4129"
    assert signature("id", "secret", "uuid==", "stream") == expected


@pytest.mark.parametrize(
    ("codec", "rate", "channels", "size"),
    [
        (1, 16000, 1, 640),
        (1, 48000, 2, 3840),
        (2, 8000, 1, 160),
        (3, 16000, 1, 160),
        (4, 48000, 2, 81),
        (4, 48000, 1, 81),
    ],
)
def test_tone_frames_have_the_size_of_their_codec(codec: int, rate: int, channels: int, size: int) -> None:
    """Twenty milliseconds of each codec have their bytes, and the circle of frames closes."""
    frames = tone_frames(codec, rate, channels, 20)
    assert {len(base64.b64decode(frame)) for frame in frames} == {size}
    assert len(frames) == 50


def test_language_is_carried_by_transcripts_alone() -> None:
    """Transcripts name a language (0 or more), chat does not."""
    _, _, transcript = plan("transcript", {"src_language": -1})
    _, _, chat = plan("chat", {})
    assert next(transcript)["language"] == 0
    assert "language" not in next(chat)
