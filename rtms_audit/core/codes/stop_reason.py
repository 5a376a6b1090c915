"""Stop reasons: why Zoom ended a stream, in `stop_reason` of `*.rtms_stopped` and in stream and session updates."""

from functools import partial

from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault
from rtms_audit.core.codes.sources import DATA_TYPES, FAILOVER, SKILLS_DATA_TYPES, forum

KIND = "stop-reason"
AGAIN = "The stream is gone; start RTMS again with a new start call or a new meeting."

_code = partial(Code, kind=KIND, source=(DATA_TYPES, SKILLS_DATA_TYPES), date="2026")
_ordinary = partial(_code, fault=Fault.NOBODY, remedy="Nothing to repair: the stream had started, and ended by intent.")
_link = partial(_code, source=(DATA_TYPES, FAILOVER))

STOP_REASONS = CodeKind(
    KIND,
    "Stop reasons of a stream",
    "A stop reason speaks of the stream and not of the account: a stream that is stopped had been started, so "
    "entitlement, sharing and trigger were fine at that moment. Zoom's webhook schema of 2026-02 lists only 1 to 11; "
    "the data types of 2026 list 0 to 26, and 18 was received in practice. After 10 to 19 and 24 the stream is gone "
    "and "
    "has to be started again.",
    (
        _code(
            number=0,
            name="UNDEFINED",
            meaning="No reason was given.",
            fault=Fault.UNKNOWN,
            remedy="Look at what the sockets reported just before.",
        ),
        _ordinary(number=1, name="HOST_TRIGGERED", meaning="The host stopped the stream."),
        _ordinary(
            number=2, name="USER_TRIGGERED", meaning="The app's user, or a stop call in that user's name, stopped it."
        ),
        _ordinary(
            number=3,
            name="USER_LEFT",
            meaning="The app's user left the meeting.",
            remedy="Nothing to repair. Who wants the stream to go on must keep the app's user in the meeting; since "
            "2026-10-30 continuous sharing is the default.",
        ),
        _ordinary(number=4, name="USER_EJECTED", meaning="The host removed the app's user from the meeting."),
        _ordinary(
            number=5,
            name="HOST_DISABLED_APP",
            meaning="The host switched the app off in the meeting (older name: APP_DISABLED_BY_HOST).",
            fault=Fault.HOST,
        ),
        _ordinary(number=6, name="MEETING_ENDED", meaning="The meeting is over."),
        _ordinary(number=7, name="STREAM_CANCELED", meaning="The stream was cancelled by somebody."),
        _ordinary(
            number=8,
            name="STREAM_REVOKED",
            meaning="The right to the stream was taken back.",
            fault=Fault.HOST,
            remedy="Delete what was recorded of this stream: Zoom asks for it with this reason.",
        ),
        _ordinary(
            number=9,
            name="ALL_APPS_DISABLED",
            meaning="The host switched all apps off in the meeting.",
            fault=Fault.HOST,
        ),
        _link(
            number=10,
            name="INTERNAL_EXCEPTION",
            meaning="Something failed on Zoom's side.",
            fault=Fault.ZOOM,
            remedy=f"{AGAIN} If it comes back, ask Zoom, with the stream id and the time.",
        ),
        _link(
            number=11,
            name="CONNECTION_TIMEOUT",
            meaning="A connection timed out; it probably means that no receiver connected within about 60 seconds.",
            fault=Fault.RECEIVER,
            remedy="See that the receiver runs and connects within 60 seconds of the event; then start again.",
            confidence=Confidence.INFERENCE,
            source=(DATA_TYPES, forum(144332)),
            trap="The name is documented; that it is the receiver who was late is a conclusion.",
        ),
        _link(
            number=12,
            name="INSTANCE_CONNECTION_INTERRUPTED",
            meaning="RTMS lost its own connection to the meeting (older name: MEETING_CONNECTION_INTERRUPTED).",
            fault=Fault.ZOOM,
            remedy=AGAIN,
        ),
        _link(
            number=13,
            name="SIGNAL_CONNECTION_INTERRUPTED",
            meaning="The signaling connection to the receiver was lost.",
            fault=Fault.RECEIVER,
            remedy=f"Look at the receiver's network and log at that moment. {AGAIN}",
        ),
        _link(
            number=14,
            name="DATA_CONNECTION_INTERRUPTED",
            meaning="The media connection to the receiver was lost.",
            fault=Fault.RECEIVER,
            remedy=f"Look at the receiver's network and log at that moment. {AGAIN}",
            trap="As a handshake status, 14 is a media type that is not valid.",
        ),
        _link(
            number=15,
            name="SIGNAL_CONNECTION_CLOSED_ABNORMALLY",
            meaning="The receiver's side closed the signaling connection in an abnormal way.",
            fault=Fault.RECEIVER,
            remedy=f"Look for a crash or restart of the receiver. {AGAIN}",
        ),
        _link(
            number=16,
            name="DATA_CONNECTION_CLOSED_ABNORMALLY",
            meaning="The receiver's side closed the media connection in an abnormal way.",
            fault=Fault.RECEIVER,
            remedy=f"Look for a crash or restart of the receiver. {AGAIN}",
            trap="As a handshake status, 16 is a second media connection.",
        ),
        _link(
            number=17,
            name="EXIT_SIGNAL",
            meaning="An exit signal was received; the documents do not say by which side.",
            fault=Fault.UNKNOWN,
            remedy=AGAIN,
        ),
        _link(
            number=18,
            name="AUTHENTICATION_FAILURE",
            meaning="The app that connected to the stream failed authentication; what authenticates it is the "
            "signature "
            "of its handshake.",
            fault=Fault.RECEIVER,
            remedy="Sign with the client id and secret of the app and environment whose event announced the stream. "
            "Look "
            "for ZM_RTMS_CLIENT and ZM_RTMS_SECRET in the environment: Zoom's SDK prefers them to its arguments.",
            source=(DATA_TYPES, SKILLS_DATA_TYPES, forum(142247)),
            trap="Stop reason 18, handshake status 18 (audio parameters) and message type 18 (chat) are three things. "
            "The name is documented, its causes are not; it is absent from the webhook schema although Zoom sends it. "
            "It says nothing about the account's plan or Developer Pack.",
        ),
        _link(
            number=19,
            name="AWAIT_RECONNECTION_TIMEOUT",
            meaning="The receiver did not come back within the time that Zoom waits for a reconnection.",
            fault=Fault.RECEIVER,
            remedy=f"Reconnect both sockets at once when one is lost. {AGAIN}",
        ),
        _ordinary(
            number=20,
            name="RECEIVER_REQUEST_CLOSE",
            meaning="The receiver asked for the end of the stream (message 21).",
        ),
        _ordinary(number=21, name="CUSTOMER_DISCONNECTED", meaning="Contact Center: the customer hung up."),
        _ordinary(number=22, name="AGENT_DISCONNECTED", meaning="Contact Center: the agent hung up."),
        _code(
            number=23,
            name="ADMIN_DISABLED_APP",
            meaning="An administrator switched the app off while the stream ran.",
            fault=Fault.ADMIN,
            remedy="Ask the account's administrator to allow the app again, then start again.",
        ),
        _link(
            number=24,
            name="KEEP_ALIVE_TIMEOUT",
            meaning="Three keep-alive requests in a row were not answered.",
            fault=Fault.RECEIVER,
            remedy="Answer message 12 with message 13 on the signaling and on every media socket, also while busy. "
            + AGAIN,
        ),
        _ordinary(
            number=25, name="MANUAL_API_TRIGGERED", meaning="Contact Center: the stream was stopped through the API."
        ),
        _code(
            number=26,
            name="STREAMING_NOT_SUPPORTED",
            meaning="Contact Center: the queue cannot be streamed.",
            fault=Fault.ADMIN,
            remedy="Have the queue's settings looked at by the Contact Center's administrator.",
        ),
    ),
)
"""Stop reasons 0 to 26, from Zoom's data types of 2026 (the webhook schema of 2026-02, at the address of its events,
lists fewer)."""
