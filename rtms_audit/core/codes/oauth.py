"""OAuth errors: the numbers of Zoom's error pages, and the `{reason, error}` pairs of the token address."""

from functools import partial

from rtms_audit.core.codes import sources as at
from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault

KIND = "oauth"
REINSTALL = "The user has to install the app again."
PAIR = "Check client id and secret of this environment; development and production have different ones."

_code = partial(Code, kind=KIND)
_number = partial(_code, source=(at.OAUTH_ERRORS, at.SKILLS_OAUTH_ERRORS), date="2026-07")

_NUMBERS = (
    _number(
        number=4700,
        name="TOKEN_EMPTY",
        meaning="The token is empty; also a catch-all. On the authorize page: the redirect address or a scope is "
        "invalid.",
        fault=Fault.APP_OWNER,
        remedy="Compare redirect address and scopes with the app's settings; leave scope out of the authorize address.",
        trap="In a REST answer 4700 is a missing classic scope.",
    ),
    _number(
        number=4702,
        name="CLIENT_INVALID",
        meaning="The client id or secret is wrong, or the app is gone.",
        fault=Fault.APP_OWNER,
        remedy=PAIR,
    ),
    _number(
        number=4704,
        name="CLIENT_INVALID",
        meaning="The client id or secret is wrong, or the app is gone.",
        fault=Fault.APP_OWNER,
        remedy=PAIR,
    ),
    _number(
        number=4705,
        name="GRANT_TYPE_UNSUPPORTED",
        meaning="The app does not support this grant type.",
        fault=Fault.APP_OWNER,
        remedy="Use the grant of the app's kind: authorization code for a General app, account credentials for "
        "Server-to-Server.",
    ),
    _number(
        number=4706,
        name="CLIENT_OR_GRANT_MISSING",
        meaning="The client id and secret, or the grant type, are missing in the request.",
        fault=Fault.CALLER,
        remedy="Send HTTP Basic with client id and secret, and grant_type.",
    ),
    _number(
        number=4709,
        name="REDIRECT_MISMATCH",
        meaning="The redirect address is missing, or is not the one of the authorize request or the app's list.",
        fault=Fault.APP_OWNER,
        remedy="Use exactly the address that is registered for this environment.",
    ),
    _number(
        number=4711,
        name="SCOPES_DIFFER",
        meaning="The scopes of the token are not those of the client.",
        fault=Fault.APP_OWNER,
        remedy=f"The app's scopes changed after the install. {REINSTALL}",
        trap="In a REST answer 4711 is a missing granular scope.",
    ),
    _number(
        number=4717,
        name="APP_DISABLED",
        meaning="The app was disabled by Zoom.",
        fault=Fault.ZOOM,
        remedy="The app's owner has to ask Zoom why.",
    ),
    _number(
        number=4724,
        name="JWT_INVALID",
        meaning="The token in the header is not a valid JWT.",
        fault=Fault.CALLER,
        remedy="Send the access token unchanged as Bearer.",
    ),
    _number(
        number=4732,
        name="CODE_NOT_CREATED",
        meaning="Zoom failed to create the authorization code.",
        fault=Fault.ZOOM,
        remedy="Try again.",
    ),
    _number(
        number=4733,
        name="CODE_EXPIRED",
        meaning="The authorization code is older than five minutes.",
        fault=Fault.CALLER,
        remedy="Start the install again, and exchange the code at once.",
    ),
    _number(
        number=4734,
        name="CODE_INVALID",
        meaning="The authorization code is not valid, or was used already.",
        fault=Fault.CALLER,
        remedy="Start the install again.",
    ),
    _number(
        number=4735,
        name="USER_REMOVED",
        meaning="The user whom the token belongs to is no longer in the account.",
        fault=Fault.ADMIN,
        remedy="Somebody who is in the account has to install.",
    ),
    _number(
        number=4737,
        name="NO_AUTHORIZATION",
        meaning="There is no authorization for this token.",
        fault=Fault.STARTER,
        remedy=REINSTALL,
    ),
    _number(
        number=4738,
        name="APPROVAL_WITHDRAWN",
        meaning="An administrator switched the app's pre-approval off, which disabled the token.",
        fault=Fault.ADMIN,
        remedy="Ask the account's administrator to approve the app again, then install again.",
    ),
    _number(
        number=4740,
        name="TOKEN_REUSED",
        meaning="The token id lies outside of the range in which a spent refresh token may be used again (tokens of "
        "version 7 only).",
        fault=Fault.CALLER,
        remedy=f"Two parts of the program refreshed with the same token; refresh one at a time. {REINSTALL}",
    ),
    _number(
        number=4741,
        name="SUPERSEDED",
        meaning="The token was revoked, since a later authorization of the same user replaced it.",
        fault=Fault.CALLER,
        remedy="Use the tokens of the newest authorization; one user and app have one living pair.",
    ),
)

_pair = partial(_code, date="2026-11")
_PAIRS = (
    _pair(
        number="invalid_grant",
        name="INVALID_GRANT",
        meaning="'Invalid Token!': the refresh token is dead, or was rotated already. 'Invalid authorization code': "
        "the "
        "code has expired or was used.",
        fault=Fault.CALLER,
        remedy=f"See whether a newer token was stored meanwhile; if not: {REINSTALL[0].lower()}{REINSTALL[1:]}",
        source=("https://github.com/raycast/extensions/issues/10896", at.forum(137623)),
        confidence=Confidence.OBSERVED,
    ),
    _pair(
        number="invalid_client",
        name="INVALID_CLIENT",
        meaning="'Invalid client_id or client_secret': the pair is wrong, or is that of the other environment.",
        fault=Fault.APP_OWNER,
        remedy=PAIR,
        source=("https://docs.unified.to/skills/zoom-oauth-app/SKILL.md",),
        confidence=Confidence.OBSERVED,
        trap="The grant is not dead; a wrong configuration must never delete it.",
    ),
    _pair(
        number="invalid_request",
        name="INVALID_REQUEST",
        meaning="Read the reason: 'Invalid Token!' is a dead refresh token (2021 variant); 'Account does not exist', "
        "'Account does not enabled the OAuth app type' and 'The app is not activated' are about Server-to-Server apps.",
        fault=Fault.CALLER,
        remedy="Act on the reason.",
        source=("https://github.com/calcom/cal.diy/pull/729", at.CONNECTOR),
        confidence=Confidence.COMMUNITY,
    ),
    _pair(
        number="unsupported_grant_type",
        name="UNSUPPORTED_GRANT_TYPE",
        meaning="The app is not of the kind that this grant needs.",
        fault=Fault.APP_OWNER,
        remedy="Use the grant of the app's kind.",
        source=(at.CONNECTOR,),
        confidence=Confidence.COMMUNITY,
    ),
    _pair(
        number="unauthorized_client",
        name="UNAUTHORIZED_CLIENT",
        meaning="The grant is not enabled for the app, or its approval is missing.",
        fault=Fault.ADMIN,
        remedy="Ask the account's administrator whether the app is approved.",
        source=(at.CONNECTOR,),
        confidence=Confidence.COMMUNITY,
    ),
    _pair(
        number="access_denied",
        name="ACCESS_DENIED",
        meaning="The user declined on the consent page or the device page.",
        fault=Fault.STARTER,
        remedy="Start the install again, if it was not meant.",
        source=("https://developers.zoom.us/docs/rooms/oauth/",),
        trap="Documented for the device flow; how a decline looks on the redirect address is not verified.",
    ),
    _pair(
        number="authorization_pending",
        name="AUTHORIZATION_PENDING",
        meaning="Device flow: the user has not answered yet.",
        fault=Fault.NOBODY,
        remedy="Ask again after the interval.",
        source=("https://developers.zoom.us/docs/rooms/oauth/",),
    ),
    _pair(
        number="slow_down",
        name="SLOW_DOWN",
        meaning="Device flow: asked too often.",
        fault=Fault.CALLER,
        remedy="Wait five seconds more between questions.",
        source=("https://developers.zoom.us/docs/rooms/oauth/",),
    ),
    _pair(
        number="expired_token",
        name="EXPIRED_TOKEN",
        meaning="Device flow: the device code has expired (15 minutes).",
        fault=Fault.CALLER,
        remedy="Start the install again.",
        source=("https://developers.zoom.us/docs/rooms/oauth/",),
    ),
)

OAUTH_CODES = CodeKind(
    KIND,
    "OAuth errors",
    "The token address answers {reason, error}, not {code, message}; the words stand under 'error'. The numbers are "
    "documented for error pages and messages; with which status and body 4717, 4735, 4738 and 4741 come on a refresh "
    "is "
    "not known.",
    (*_NUMBERS, *_PAIRS),
)
"""OAuth numbers 47xx and the words of the token address."""
