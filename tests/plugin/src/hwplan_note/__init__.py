"""The kind `Note` for hwplan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwplan_note.model import Note
from planner.plugins import Plugin

if TYPE_CHECKING:
    from planner.ports import Provider
    from providers.provider_tools import ProviderTools


def create(tools: ProviderTools) -> Provider:
    """The provider of one command."""
    from hwplan_note.provider import NoteProvider

    return NoteProvider((tools.sandbox or tools.folder) / "notes", tools.reveal)


note = Plugin(Note, create)
