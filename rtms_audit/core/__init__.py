"""The pure core: observations in, diagnoses out; standard library only, no clock, no I/O."""
