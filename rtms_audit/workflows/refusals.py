"""What a token call that failed means: for the grant, for our configuration, or for nothing but the moment."""

from collections.abc import Mapping

from rtms_audit.core.model import InstallKey
from rtms_audit.errors import ZoomError
from rtms_audit.store.records import GrantRecord, GrantStatus, IntentRecord
from rtms_audit.zoom.oauth import OAuthProblem, ProblemKind, TokenAnswer

ENDED: Mapping[ProblemKind, str] = {
    ProblemKind.GRANT_DEAD: "Zoom no longer knows the refresh token (invalid_grant)",
    ProblemKind.NO_AUTHORIZATION: "Zoom has no authorization for this token (4737)",
    ProblemKind.USER_REMOVED: "the user who installed was removed from the account (4735)",
    ProblemKind.APPROVAL_WITHDRAWN: "an administrator withdrew the approval of the app (4738)",
    ProblemKind.REUSED: "the refresh token had been used before (4740)",
    ProblemKind.SUPERSEDED: "a later authorization of the same user replaced this one (4741)",
    ProblemKind.APP_DISABLED: "Zoom disabled the app (4717)",
}
"""The refusals that end a grant, in words (`zoom/skills` oauth/references/oauth-errors.md, 2026-07-13)."""

REMEDIES: Mapping[ProblemKind, str] = {
    ProblemKind.APPROVAL_WITHDRAWN: "Ask the account's administrator to approve the app again, then install again.",
    ProblemKind.APP_DISABLED: "Ask Zoom why the app was disabled; nothing on this side helps until it is enabled.",
    ProblemKind.USER_REMOVED: "Let another user of the account install the app.",
}

TRANSIENT = frozenset({ProblemKind.TRANSIENT, ProblemKind.RATE_LIMITED})

SAVED = "saved"
"""How an intent ends whose new tokens are stored."""

UNANSWERED = "unanswered"
"""How an intent ends whose call Zoom may have carried out: no answer, or one that was not Zoom's own."""


class GrantEndedError(ZoomError):
    """The grant of an install works no longer; it is marked, and kept."""


class RefreshFailedError(ZoomError):
    """The refresh did not succeed this time; the grant stays as it was."""


def passes(answer: TokenAnswer) -> bool:
    """Whether the call failed in a way that says nothing about grant or credentials: another try may succeed."""
    return answer.problem is not None and answer.problem.kind in TRANSIENT


def outcome_of(answer: TokenAnswer) -> str:
    """Name how a call that gave no tokens ended, in the word that its intent is closed with."""
    kind = problem_in(answer).kind
    return UNANSWERED if kind is ProblemKind.TRANSIENT else str(kind)


def is_uncertain(intent: IntentRecord) -> bool:
    """Whether nobody knows if Zoom carried out the refresh of this intent: it was interrupted, or not answered."""
    return intent.closed_at is None or intent.outcome == UNANSWERED


def ending_of(kind: ProblemKind, earlier: IntentRecord | None) -> str:
    """Say why a grant ended; `earlier` is a refresh with the same token whose outcome nobody saw.

    A token that Zoom refuses right after such a refresh was, most likely, replaced by it. That is said as far as it is
    known, and no further.
    """
    reason = ENDED[kind]
    if earlier is not None and kind in (ProblemKind.GRANT_DEAD, ProblemKind.REUSED):
        reason += (
            f"; an earlier refresh was interrupted at {earlier.at:%Y-%m-%d %H:%M:%S} UTC, most likely after Zoom had "
            "already replaced the token"
        )
    return reason


def ended(grant: GrantRecord) -> GrantEndedError:
    """Make the error of using a grant that was marked as ended before."""
    if grant.status is GrantStatus.SUPERSEDED:
        return GrantEndedError(
            f"The install of {name_of(grant)} was replaced by a newer one.", next_step="Run the command again."
        )
    return GrantEndedError(
        f"The install of {name_of(grant)} is {grant.status}: {grant.reason or 'no reason was recorded'}.",
        next_step=reinstall(grant),
    )


def refusal(grant: GrantRecord, problem: OAuthProblem) -> RefreshFailedError:
    """Make the error of a refresh that failed and left the grant as it was."""
    if problem.kind in TRANSIENT:
        return RefreshFailedError(
            f"Zoom's token address did not answer properly for {name_of(grant)}: {in_words(problem)}.",
            next_step="Nothing was lost; run the command again in a few minutes.",
        )
    if problem.kind is ProblemKind.CLIENT_INVALID:
        return RefreshFailedError(
            f"Zoom refuses the client id and secret of {grant.app}'s {grant.environment} pair: {in_words(problem)}.",
            next_step=f"Run `rtms-audit app check {grant.app}`; the install itself is kept.",
        )
    return RefreshFailedError(
        f"Zoom refused to refresh {name_of(grant)}: {in_words(problem)}.",
        next_step="The install is kept; look the code up with `rtms-audit codes`.",
    )


def problem_in(answer: TokenAnswer) -> OAuthProblem:
    """Give the problem of an answer without tokens."""
    if answer.problem is None:
        raise AssertionError("a token answer holds tokens or a problem")
    return answer.problem


def in_words(problem: OAuthProblem) -> str:
    """Say a problem in Zoom's words, with the HTTP status."""
    said = problem.reason or problem.error or "no reason given"
    return f"{said} (HTTP {problem.status})" if problem.status is not None else said


def name_of(grant: GrantRecord) -> InstallKey:
    """Name the install that a grant is of."""
    return InstallKey(grant.account, grant.environment)


def reinstall(grant: GrantRecord) -> str:
    """Say how to install again."""
    return f"Install again: rtms-audit install {grant.account} --environment {grant.environment}"
