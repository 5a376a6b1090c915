"""The scopes that apps and tokens have unless a scenario says otherwise (names of Zoom's granular scopes, 2026-07)."""

MEDIA_SCOPES = {
    "audio": "meeting:read:meeting_audio",
    "video": "meeting:read:meeting_video",
    "deskshare": "meeting:read:meeting_screenshare",
    "transcript": "meeting:read:meeting_transcript",
    "chat": "meeting:read:meeting_chat",
}
"""Which scope gives which media address (developers.zoom.us/docs/rtms/meetings/work-with-streams, 2026)."""

DEFAULT_SCOPES = (
    "user:read:user",
    "user:read:settings",
    "user:read:list_permissions",
    "marketplace:read:app",
    "marketplace:read:list_user_app_requests",
    "meeting:read:meeting",
    "meeting:update:participant_rtms_app_status",
    *MEDIA_SCOPES.values(),
    "rtms:read:rtms_started",
    "rtms:read:rtms_stopped",
    "rtms:read:rtms_interrupted",
)
"""What a user-managed app asks for by default: all that RTMS for meetings and an audit need."""

AUDITOR_SCOPES = (
    "user:read:user:admin",
    "user:read:settings:admin",
    "user:read:list_permissions:admin",
    "user:read:list_users:admin",
    "user:read:summary:admin",
    "account:read:settings:admin",
    "billing:read:plan_usage:admin",
    "role:read:list_roles:admin",
    "group:read:list_groups:admin",
    "marketplace:read:app:admin",
    "marketplace:read:list_apps:admin",
    "marketplace:read:app_request:admin",
    "marketplace:update:app_request:admin",
    "marketplace:write:app_pre_approve:admin",
    "marketplace:write:app:admin",
    "marketplace:read:list_user_app_requests:admin",
    "marketplace:read:list_api_logs:admin",
    "marketplace_app:read:admin",
    "meeting:read:meeting:admin",
    "meeting:read:list_past_participants:admin",
    "meeting:update:participant_rtms_app_status:admin",
)
"""What a Server-to-Server app reads of its own account."""

CLIENT_SCOPES = (
    "marketplace:delete:event_subscription",
    "marketplace:read:list_event_subscriptions",
    "marketplace:update:client_secret",
    "marketplace:update:event_subscription",
    "marketplace:write:event_subscription",
    "marketplace:write:websocket_connection",
)
"""What a token of the app itself may do."""
