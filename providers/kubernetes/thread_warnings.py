"""Collects the warnings of an API server for the thread whose calls they are about."""

from __future__ import annotations

import threading


class ThreadWarnings(threading.local):
    """Collects the warnings of an API server, for each thread its own, each with the address that it is about."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []

    def add(self, texts: tuple[tuple[str, str], ...]) -> None:
        """Add warnings, each as its address and its text."""
        self.texts.extend(texts)

    def drain(self) -> tuple[tuple[str, str], ...]:
        """All since the last time."""
        texts, self.texts = tuple(self.texts), []
        return texts

    def drain_about(self, about: str) -> tuple[str, ...]:
        """All since the last time, each once, sorted; those about another address begin with it."""
        found = set(self.drain())
        return tuple(sorted(text if where == about else f"{where}: {text}" for where, text in found))
