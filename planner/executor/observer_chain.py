"""Many observers as one: the journal first and from many threads at once, the others after it, one call at a time."""

from __future__ import annotations

import threading

from planner.events import Event, EventObserver


class ObserverChain:
    """An Observer that passes each event on, in order, to the journal and then to the `others`.

    When the journal raises, the others do not hear of the event: what is not durable did not happen.
    """

    def __init__(self, journal: EventObserver, *others: EventObserver) -> None:
        self._journal = journal
        self._others = others
        self._turn = threading.Lock()

    def on(self, event: Event) -> None:
        """Take one event."""
        self._journal.on(event)
        with self._turn:
            for other in self._others:
                other.on(event)
