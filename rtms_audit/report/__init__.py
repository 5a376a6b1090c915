"""Renderers: core types in, text or bytes out."""
