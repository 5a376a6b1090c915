"""The web side: OAuth callback, webhook receiver, observations API, dashboard."""
