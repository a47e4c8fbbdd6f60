"""Sample rate of all audio."""

SAMPLE_RATE = 16_000
"""Sampling rate of every clip, in Hz."""
