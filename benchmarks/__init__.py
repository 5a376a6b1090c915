"""Measurements of what the project promises about its speed; `make bench` runs them all."""
