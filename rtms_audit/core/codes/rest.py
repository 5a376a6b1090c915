"""Codes in the body `{code, message}` of Zoom's REST answers: the RTMS calls, and the calls that the audit makes."""

from functools import partial

from rtms_audit.core.codes import sources as at
from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault
from rtms_audit.core.codes.rest_rtms import RTMS_CODES

KIND = "rest"

_code = partial(Code, kind=KIND)
_marketplace = partial(_code, source=(at.SPEC_MARKETPLACE,), date="2026-02", fault=Fault.CALLER)
REAUTHORIZE = "Add the scope to the app and authorize again; scopes are frozen when the user consents."
ONLY_PAID = (
    "Not an error of the app: the account's plan does not have this call. Take it as evidence of a free account."
)

_ACCESS = (
    _code(
        number=104,
        name="SCOPE_MISSING_NEWER_API",
        meaning="The token lacks a scope; this number comes from newer product APIs.",
        fault=Fault.APP_OWNER,
        remedy=REAUTHORIZE,
        source=(at.forum(111305), at.forum(115792)),
        date="2026-11",
        confidence=Confidence.OBSERVED,
        trap="The body is not valid JSON: quotes inside the message are not escaped.",
    ),
    _code(
        number=124,
        name="INVALID_ACCESS_TOKEN",
        meaning="The access token is invalid or expired: also after the user removed the app, or a token was "
        "superseded.",
        fault=Fault.CALLER,
        remedy="Refresh once; if the refresh is refused too, the user has to install again.",
        source=(at.SPEC_MARKETPLACE, at.SPEC_USERS, at.THIRD_PARTY_2026),
        date="2026-10",
        trap="HTTP 401 in practice; the specification also has it under 400.",
    ),
    _code(
        number=200,
        name="ONLY_FOR_PAID_ACCOUNTS",
        meaning="'Only available for paid accounts': the account of this call is a free one. In the Video SDK's RTMS "
        "call: "
        "only for Video SDK accounts.",
        fault=Fault.NOBODY,
        remedy=ONLY_PAID,
        source=(at.SPEC_ACCOUNTS, at.SPEC_USERS, at.SPEC_BILLING, at.SPEC_VIDEO_SDK),
        date="2026-02",
        trap="It may come with HTTP 200: an answer that looks like a success and is a refusal.",
    ),
    _code(
        number=201,
        name="NO_PERMISSION_OR_SCOPE",
        meaning="Marketplace calls: the token lacks a scope, or may not reach this resource.",
        fault=Fault.APP_OWNER,
        remedy=f"Read the message. {REAUTHORIZE}",
        source=(at.SPEC_MARKETPLACE, at.SKILLS_MARKETPLACE),
        date="2026-07",
        trap="It comes with HTTP 401, but the token is not dead; refreshing it does not help.",
    ),
    _code(
        number=300,
        name="VALIDATION_FAILED",
        meaning="A value of the request is not valid, such as an id or a page token.",
        fault=Fault.CALLER,
        remedy="Read 'errors' in the body, which names the field; page tokens live 15 minutes.",
        source=(at.API_ERRORS, at.SPEC_USERS),
        date="2026-02",
    ),
    _marketplace(
        number=301,
        name="WRONG_QUERY",
        meaning="API call log: the query of the request is not valid.",
        remedy="Check the parameters of the request.",
    ),
    _code(
        number=403,
        name="SHARED_ACCESS_MISSING",
        meaning="The authenticated user may not reach the targeted resource, such as another user's object.",
        fault=Fault.CALLER,
        remedy="Ask for the installed user's own objects, or have shared access permission given.",
        source=(at.API_USE,),
        date="2026-02",
    ),
    _code(
        number=429,
        name="TOO_MANY_REQUESTS",
        meaning="A rate limit of the account was reached; the limits are shared by all apps on it.",
        fault=Fault.CALLER,
        remedy="Wait: about a second, or until the time in Retry-After (an ISO time) for the daily limit.",
        source=(at.RATE_LIMITS, at.SKILLS_RATE_LIMITS),
        date="2026-02",
        trap="Bodies with code 4001 were seen as well; go by the HTTP status.",
    ),
    _code(
        number=4001,
        name="TOO_MANY_REQUESTS_PER_SECOND",
        meaning="The limit per second was reached.",
        fault=Fault.CALLER,
        remedy="Wait about a second.",
        source=(at.THIRD_PARTY_2026,),
        date="2026-10",
        confidence=Confidence.OBSERVED,
    ),
    _code(
        number=4700,
        name="CLASSIC_SCOPE_MISSING",
        meaning="The token lacks a classic scope, or is empty.",
        fault=Fault.APP_OWNER,
        remedy=REAUTHORIZE,
        source=(at.API_ERRORS, at.SPEC_ACCOUNTS),
        date="2026-02",
        trap="On the authorize page 4700 means an invalid redirect address or scope (see oauth).",
    ),
    _code(
        number=4711,
        name="GRANULAR_SCOPE_MISSING",
        meaning="The token lacks a granular scope; the message lists which would do.",
        fault=Fault.APP_OWNER,
        remedy=REAUTHORIZE,
        source=(at.forum(108207), at.CONNECTOR),
        date="2026-11",
        confidence=Confidence.COMMUNITY,
        trap="It comes with HTTP 400, not 401 or 403.",
    ),
)

_PEOPLE = (
    _code(
        number=1001,
        name="USER_DOES_NOT_EXIST",
        meaning="There is no such user for this token: another account's user, an id where 'me' is needed, or 'me' "
        "with a "
        "Server-to-Server token.",
        fault=Fault.CALLER,
        remedy="Use 'me' with a user's own token and a real id with a Server-to-Server token.",
        source=(at.SPEC_USERS,),
        date="2026-02",
        trap="With a user-level token it does not mean that the user is gone.",
    ),
    _marketplace(
        number=1002,
        name="USER_UNKNOWN_FOR_ENTITLEMENTS",
        meaning="Marketplace entitlements: no such user.",
        remedy="Check the user id.",
    ),
    _code(
        number=1010,
        name="USER_OF_ANOTHER_ACCOUNT",
        meaning="The user does not belong to this account.",
        fault=Fault.CALLER,
        remedy="Use an id of the account whose token is used.",
        source=(at.SPEC_MEETINGS,),
        date="2025-12",
        confidence=Confidence.SECONDARY,
        trap="From older specifications; the present one has no error table for meetings.",
    ),
    _code(
        number=1034,
        name="ROLE_REFUSED",
        meaning="A call about roles was refused.",
        fault=Fault.CALLER,
        remedy="Read the message; roles need a paid account and a role scope.",
        source=(at.SPEC_ACCOUNTS,),
        date="2026-02",
    ),
    _code(
        number=1120,
        name="INVITATION_NOT_FOUND",
        meaning="The invitation of this user was not found or has expired; the user is still pending.",
        fault=Fault.CALLER,
        remedy="Have the user accept a new invitation.",
        source=(at.SPEC_USERS,),
        date="2026-02",
    ),
    _code(
        number=2001,
        name="ACCOUNT_DOES_NOT_EXIST",
        meaning="There is no such account for this token.",
        fault=Fault.CALLER,
        remedy="Use 'me'; other account ids are for master accounts.",
        source=(at.SPEC_ACCOUNTS,),
        date="2026-02",
    ),
    _code(
        number=2300,
        name="ENDPOINT_NOT_RECOGNIZED",
        meaning="There is no such call: a wrong path or method.",
        fault=Fault.CALLER,
        remedy="Check the path; the RTMS call is PATCH /v2/live_meetings/{meetingId}/rtms_app/status, not under "
        "/meetings.",
        source=(at.SPEC_USERS, at.SPEC_MEETINGS),
        date="2026-02",
        trap="2300 is about the address of the call, 2308 and 2310 are about RTMS.",
    ),
    _code(
        number=3161,
        name="HOSTING_NOT_ALLOWED",
        meaning="The user account may not host or schedule meetings: a licence matter.",
        fault=Fault.ADMIN,
        remedy="Give the user a licence that includes meetings.",
        source=(at.CONNECTOR,),
        date="2026-11",
        confidence=Confidence.COMMUNITY,
    ),
    _code(
        number=4130,
        name="GROUP_DOES_NOT_EXIST",
        meaning="There is no such group.",
        fault=Fault.CALLER,
        remedy="Check the group id.",
        source=(at.SPEC_USERS,),
        date="2026-02",
    ),
    _code(
        number=12700,
        name="METRICS_REFUSED",
        meaning="A dashboard call about a meeting was refused.",
        fault=Fault.CALLER,
        remedy="Read the message; dashboards need a Business or higher account.",
        source=(at.SPEC_ACCOUNTS,),
        date="2026-02",
    ),
    _code(
        number=12702,
        name="MEETING_TOO_OLD",
        meaning="Meetings of more than a year ago cannot be read.",
        fault=Fault.CALLER,
        remedy="Ask for a newer meeting.",
        source=(at.SPEC_ACCOUNTS,),
        date="2026-02",
    ),
)

_NO_APP = "Check the app id, and that the token belongs to the account that owns the app."
_TIMES = "Ask for at most seven days, from before to, times as yyyy-MM-ddTHH:mm:ssZ."
_MARKETPLACE = tuple(
    _marketplace(number=number, name=name, meaning=meaning, remedy=remedy)
    for number, name, meaning, remedy in (
        (1003, "SUBSCRIPTION_REFUSED", "Event subscription: the request was refused.", "Read the message."),
        (1300, "SUBSCRIPTION_INVALID", "Event subscription: a value is not valid.", "Read the message."),
        (1401, "APP_NOT_FOUND", "Marketplace: there is no such app for this token.", _NO_APP),
        (1402, "APP_NOT_MONETIZED", "Entitlements: the app is not sold. The usual answer.", "Nothing to do."),
        (1403, "MARKETPLACE_REFUSED", "Marketplace: the request was refused.", "Read the message."),
        (1404, "PRE_APPROVAL_OFF", "Pre-approval is not switched on for the app.", "Nothing to approve."),
        (1500, "MAY_NOT_PRE_APPROVE", "This user may not pre-approve the app, or the request is not valid.", _NO_APP),
        (1501, "LOG_TIMES_REVERSED", "Webhook log: 'to' lies before 'from'.", _TIMES),
        (1502, "LOG_RANGE_TOO_LONG", "Webhook log: more than seven days were asked for.", _TIMES),
        (1503, "LOG_TIME_FORMAT", "Webhook log: a time is not in the right format.", _TIMES),
        (1504, "LOG_TIMES_REFUSED", "Webhook log: the times were refused.", _TIMES),
        (1505, "MARKETPLACE_NOT_PERMITTED", "Marketplace: not permitted, or a type is not valid.", "Read the message."),
        (1506, "LOG_REQUEST_INVALID", "Webhook log: the request is not valid.", "Check the parameters of the request."),
        (1601, "SUBSCRIPTION_NOT_FOUND", "There is no such event subscription.", "Check the subscription id."),
        (1602, "EVENT_NOT_ALLOWED", "The event is not allowed for the app: its scope is missing.", REAUTHORIZE),
        (
            1701,
            "SUBSCRIPTION_REFUSED_1701",
            "Event subscription: what is asked for was not found.",
            "Read the message.",
        ),
        (
            1801,
            "SUBSCRIPTION_REFUSED_1801",
            "Event subscription: what is asked for was not found.",
            "Read the message.",
        ),
    )
)

REST_CODES = CodeKind(
    KIND,
    "Codes in REST answers",
    "Key on code and HTTP status together: several codes come with other statuses than one expects, and some errors "
    "come "
    "with HTTP 200. A start answered with 204 is accepted, which does not prove a stream. Zoom documents no error "
    "table "
    "for the RTMS call of meetings; what stands here comes from its troubleshooting page, its Video SDK specification, "
    "the forum and third parties.",
    tuple(sorted((*RTMS_CODES, *_ACCESS, *_PEOPLE, *_MARKETPLACE), key=lambda code: int(code.number))),
)
"""REST codes, each with the source that says it."""
