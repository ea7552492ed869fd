"""Whole numbers in texts of others. Python's own test for digits takes those of every script, and its reader refuses or
takes long for very many of them. Pure."""

from __future__ import annotations

_MOST_DIGITS = 18  # fits 64 bits


def parse_whole_number(text: str) -> int | None:
    """The number that a text of ASCII digits is, at most 18 of them; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
