"""The checks: one link of the causal chain per file, and one tuple that holds them in causal order."""

from rtms_audit.core.checks import (
    allowed,
    app_type,
    client,
    clients,
    concurrency,
    connections,
    credentials,
    distribution,
    ending,
    endpoint,
    entitlement,
    environments,
    grant,
    host_approval,
    host_policy,
    host_presence,
    install,
    keepalive,
    media_flow,
    media_request,
    meeting,
    network,
    plan,
    platform,
    protocol,
    receiver,
    scopes,
    service,
    sharing,
    starter_installed,
    starter_presence,
    starter_role,
    subscription,
    tls,
    trigger,
    verified,
)
from rtms_audit.core.checks.check import from_module

CHECKS = tuple(
    map(
        from_module,
        (
            *(app_type, distribution, client, install, grant, scopes),
            *(entitlement, plan, verified),
            *(sharing, allowed, trigger),
            *(starter_role, starter_presence, host_presence, host_approval, host_policy, clients, meeting, concurrency),
            *(starter_installed, subscription, endpoint),
            *(platform, receiver, network, tls, credentials, environments, connections, protocol),
            *(media_request, keepalive, media_flow),
            *(service, ending),
        ),
    )
)
"""Every check, in causal order."""
