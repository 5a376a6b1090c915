"""rtms-audit: tells why Zoom's Realtime Media Streams (RTMS) did or did not start."""

__version__ = "0.1.0"
