"""The only room that speaks to Zoom."""
