"""What flows: a generated tone, still pictures, and sentences as transcript and chat.

Codecs other than L16 and G.711 are labelled and not encoded: the bytes have their size, a decoder would hear noise.
"""

import base64
import math
import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import count

L16, G711, G722, OPUS = 1, 2, 3, 4
SAMPLE_RATES = {0: 8000, 1: 16000, 2: 32000, 3: 48000}
TONE_HZ = 440
LOUDNESS = 6000
FIRST_USER_ID = 16778240
SENTENCES = (
    "Good morning, everybody.",
    "Let us look at the figures of last week.",
    "The new version goes out on Thursday.",
    "Any questions so far?",
)
REMARKS = ("Hello!", "Here is the link: https://example.com/notes", "Thank you.")
_JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
_PNG = bytes.fromhex("89504e470d0a1a0a0000000049454e44ae426082")
_H264 = bytes.fromhex("0000000167640028acd940780227e5c05a808080a0")
_PICTURES = {5: _JPEG, 6: _PNG, 7: _H264}
_SECOND_MS = 1000


@lru_cache(maxsize=32)
def tone_frames(codec: int, rate: int, channels: int, frame_ms: int) -> tuple[str, ...]:
    """Return base64 frames of an endless tone; play them in a circle."""
    samples = rate * frame_ms // _SECOND_MS
    rounds = rate // math.gcd(samples, rate)
    return tuple(_frame(codec, rate, channels, start * samples, samples) for start in range(rounds))


def _frame(codec: int, rate: int, channels: int, start: int, samples: int) -> str:
    tone = [
        int(LOUDNESS * math.sin(2 * math.pi * TONE_HZ * (number % rate) / rate))
        for number in range(start, start + samples)
    ]
    return base64.b64encode(_encode(codec, tone, channels)).decode()


def _encode(codec: int, tone: list[int], channels: int) -> bytes:
    if codec == L16:
        return b"".join(struct.pack("<h", value) * channels for value in tone)
    if codec == G711:
        return bytes(_mu_law(value) for value in tone)
    if codec == OPUS:
        label = 0xFC if channels > 1 else 0xF8  # one 20 ms fullband frame
        return bytes([label, *(value >> 8 & 0xFF for value in tone[::12])])
    return bytes(value >> 8 & 0xFF for value in tone[::2])


def _mu_law(value: int) -> int:
    """Return one sample in G.711 µ-law."""
    sign = 0x80 if value < 0 else 0
    magnitude = min(abs(value), 32635) + 132
    exponent = max(magnitude.bit_length() - 8, 0)
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


def audio_plan(params: Mapping[str, object]) -> tuple[float, Iterator[dict[str, object]]]:
    """Return seconds between frames and the endless contents of audio messages."""
    send_ms = _number(params["send_rate"])
    rate = SAMPLE_RATES[_number(params["sample_rate"])]
    frames = tone_frames(_number(params["codec"]), rate, _number(params["channel"]), send_ms)
    who = (
        {"user_id": 0, "user_name": ""}
        if params["data_opt"] == 1
        else {"user_id": FIRST_USER_ID, "user_name": "Speaker"}
    )
    length = len(base64.b64decode(frames[0]))
    return send_ms / _SECOND_MS, ({**who, "data": frames[number % len(frames)], "length": length} for number in count())


def picture_plan(params: Mapping[str, object]) -> tuple[float, Iterator[dict[str, object]]]:
    """Return seconds between pictures and the endless contents of video or share messages."""
    picture = _PICTURES[_number(params["codec"])]
    data = base64.b64encode(picture).decode()
    content = {"user_id": FIRST_USER_ID, "user_name": "Speaker", "data": data, "length": len(picture)}
    return 1 / _number(params["fps"]), (dict(content) for _ in count())


def text_plan(sentences: tuple[str, ...], language: int | None) -> tuple[float, Iterator[dict[str, object]]]:
    """Return seconds between texts and the endless contents of transcript (with a language) or chat messages."""
    more: dict[str, object] = {} if language is None else {"language": max(language, 0)}

    def contents() -> Iterator[dict[str, object]]:
        for number in count():
            text = sentences[number % len(sentences)]
            yield {"user_id": FIRST_USER_ID, "user_name": "Speaker", "data": text, "length": len(text.encode()), **more}

    return 1.0, contents()


def plan(kind: str, params: Mapping[str, object]) -> tuple[int, float, Iterator[dict[str, object]]]:
    """Return message type, pace in seconds and contents for one medium."""
    if kind == "audio":
        return 14, *audio_plan(params)
    if kind == "transcript":
        return 17, *text_plan(SENTENCES, _number(params["src_language"]))
    if kind == "chat":
        return 18, *text_plan(REMARKS, None)
    return 15 if kind == "video" else 16, *picture_plan(params)


def _number(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101  (the handshake has judged it)
    return value
