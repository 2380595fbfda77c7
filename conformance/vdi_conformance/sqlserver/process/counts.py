"""What an emulator has done since its start, for the account at its end."""

from __future__ import annotations

import threading
from collections import Counter
from typing import NamedTuple

from vdi_conformance.counting import counted


class Account(NamedTuple):
    """Numbers of sets, of their commands and of the bytes these moved; of statements, and the numbers of errors."""

    sets: int = 0
    commands: int = 0
    transferred: int = 0
    statements: int = 0
    failed: int = 0
    errors: tuple[int, ...] = ()

    def sentence(self) -> str:
        """Tell it in one line."""
        how = f"{self.failed} failed ({', '.join(map(str, self.errors))})" if self.failed else "all of them well"
        ends = f"{counted(self.statements, 'statement')}, {how}" if self.statements else "no statements"
        moved = f"{counted(self.commands, 'command')}, {counted(self.transferred, 'byte')}"
        return f"{counted(self.sets, 'set')}, {moved}; {ends}"


class Counts:
    """Counts on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: Counter[str] = Counter()
        self._errors: dict[int, None] = {}

    def add(self, what: str, how_many: int = 1) -> None:
        """Count something, by the name of its field in the account."""
        with self._lock:
            self._numbers[what] += how_many

    def add_error(self, number: int) -> None:
        """Remember the number of an error."""
        with self._lock:
            self._errors[number] = None

    def account(self) -> Account:
        """Give what was counted so far."""
        with self._lock:
            return Account(**self._numbers, errors=tuple(sorted(self._errors)))
