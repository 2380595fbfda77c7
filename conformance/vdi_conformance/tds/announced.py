"""A session whose runs are announced, so that a cancel is neither lost nor meant for another run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vdi_conformance.tds.answers import Answer, Parameter, Session


class AnnouncedSession:
    """Runs batches and calls of a session, and calls `started` when a cancel is about the one that was asked for last.

    A session forgets earlier cancels when it is asked for something, so that one which comes just before would be lost.
    """

    def __init__(self, session: Session, started: Callable[[], None]) -> None:
        self._session = session
        self._started = started

    def batch(self, text: str, parameters: Sequence[Parameter] = ()) -> Iterator[Answer]:
        """Run a batch."""
        answers = self._session.batch(text, parameters)
        self._started()
        return answers

    def call(self, procedure: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Run a procedure."""
        answers = self._session.call(procedure, parameters)
        self._started()
        return answers
