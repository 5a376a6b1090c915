"""What a script may switch while the sandbox runs (`POST {control_url}/settings`) or a scenario from the start."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

WebhookUrls = str | dict[str, str | dict[str, str | None] | None] | None


class Settings(BaseModel):
    """The sandbox's switches. Names and values are part of the script interface; an unknown name is refused."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    @field_validator("*", mode="before")
    @classmethod
    def _yaml_words(cls, value: object) -> object:
        """Take the truth values that YAML makes of a bare `on` and `off` for these words."""
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value

    access_token_ttl: float = Field(default=3599, gt=0)
    """Seconds an access token lives (Zoom: 3600 or 3599)."""
    refresh_rotation: Literal["strict", "grace", "tolerance"] = "strict"
    """What happens to a used refresh token: dead at once; good for `grace_s` more; good `tolerance` more times."""
    grace_s: float = Field(default=60, ge=0)
    tolerance: int = Field(default=2, ge=0)
    supersede: Literal["on", "off"] = "on"
    """Whether a new authorization by the same user of the same app ends the earlier one (Zoom's code 4741)."""
    latency_ms: float = Field(default=0, ge=0)
    """Added to every OAuth and REST answer."""
    auth_failure: Literal["status-3", "close-1000"] = "status-3"
    """How a wrong handshake signature is answered: documented status 3, or the bare close that was observed."""
    auth_failure_stop_s: float = Field(default=1, ge=0)
    """Seconds until `rtms_stopped` 18 follows a wrong signature (about 1 s in the one log that is public)."""
    duplicate_connection: Literal["status-8", "kick-first"] = "status-8"
    handshake_reply: Literal["on", "off"] = "on"
    """Off: the sandbox accepts sockets and never answers a handshake."""
    forced_status: dict[Literal["signaling", "media"], int] = {}
    """A status code that handshakes are answered with whatever they say, to see what a client makes of it."""
    frames: Literal["mirror", "binary", "text"] = "mirror"
    """WebSocket frames the sandbox sends: as the client speaks, or always one kind."""
    keepalive_s: float = Field(default=10, gt=0)
    keepalive_sequence: Literal["on", "off"] = "on"
    """Zoom's SDK answers a keep-alive only if it carries a sequence; the documented example has none."""
    keepalive_misses: int = Field(default=3, ge=1)
    attach_window_s: float = Field(default=60, gt=0)
    reconnect_window_s: float = Field(default=60, gt=0)
    media_reconnect_window_s: float = Field(default=65, gt=0)
    media_url_kinds: Literal["by-scope", "all-only", "none"] = "by-scope"
    transport: Literal["ws", "wss"] = "ws"
    """Which address a started event names; `wss` needs a sandbox that was started with TLS."""
    payload_shape: Literal["flat", "nested"] = "flat"
    rate_limits: Literal["on", "off"] = "on"
    rate_limit_headers: Literal["all", "category"] = "all"
    rate_limit_code: Literal[429, 4001] = 429
    scope_error: Literal["by-family", "4711", "4700", "104", "201"] = "by-family"
    """How a missing scope is told: as the API family does, or always one way (104 is malformed JSON, as at Zoom)."""
    webhook_retry_clock: Literal["real", "fast"] = "real"
    """Retries after 5, 20 and 60 minutes, or the same six thousand times faster (50, 200 and 600 ms)."""
    webhook_timeout_s: float = Field(default=3, gt=0)
    webhook_duplicates: int = Field(default=0, ge=0)
    """Every event is delivered this many times more, with the same request id."""
    webhook_order: Literal["in-order", "reversed"] = "in-order"
    """Reversed: an event waits until the next one has been sent (or half a second has passed)."""
    webhook_url: WebhookUrls = None
    """Where events go: one address for all, or per environment, or per app and environment."""

    def changed(self, changes: dict[str, object]) -> "Settings":
        """Return these settings with some changed.

        Raises pydantic.ValidationError for an unknown name or value.
        """
        return Settings.model_validate({**self.model_dump(), **changes})
