"""Standard output that may be gone, full, or unable to show a letter: told once, and never taken for a verdict."""

import codecs
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO

CLOSED: Final = "standard output was closed"


class Guarded:
    """A text stream: its first failure is told in a sentence to whoever listens, and what follows goes nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._listeners: list[Callable[[str], None]] = []
        self._lost = False

    def listen(self, listener: Callable[[str], None]) -> None:
        """Have a failure told to one more."""
        self._listeners.append(listener)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def encoding(self) -> str:
        """Claim more than ASCII: whoever prints would go around this stream otherwise, and letters are spelled out."""
        found = self._stream.encoding or "utf-8"
        return "utf-8" if codecs.lookup(found).name == "ascii" else found

    def write(self, text: str) -> int:
        """Write a text; letters that the stream does not have are spelled out."""
        self._attempt(lambda: self._stream.write(self._spelled(text)))
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Write bytes after all that was written before, and see them off."""

        def all_of_it() -> None:
            self._stream.flush()
            self._stream.buffer.write(data)
            self._stream.buffer.flush()

        self._attempt(all_of_it)

    def flush(self) -> None:
        """See off what was written."""
        self._attempt(self._stream.flush)

    def _spelled(self, text: str) -> str:
        encoding = self._stream.encoding or "utf-8"
        try:
            text.encode(encoding, self._stream.errors or "strict")
        except UnicodeEncodeError:
            return text.encode(encoding, "backslashreplace").decode(encoding)
        return text

    def _attempt(self, do: Callable[[], object]) -> None:
        if self._lost:
            return
        try:
            do()
        except (OSError, ValueError) as error:
            self._lost = True
            _empty(self._stream)
            cause = CLOSED if isinstance(error, ValueError) else getattr(error, "strerror", None) or str(error)
            sentence = f"standard output takes no more ({cause}): let its reader read to the end, or make room"
            for listener in self._listeners:
                listener(sentence)


def _empty(stream: TextIO) -> None:
    """Let what is still in the buffers of a stream go nowhere, or the interpreter would fail at its end."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        descriptor = stream.fileno()
        there = os.dup(descriptor)
        try:
            os.dup2(nowhere.fileno(), descriptor)
            stream.flush()
        finally:
            os.dup2(there, descriptor)
            os.close(there)


def tell(sentence: str) -> None:
    """Say something on standard error, where there is one that takes it."""
    with suppress(OSError, ValueError, AttributeError):
        stream = Guarded(sys.stderr)
        stream.write(f"{sentence}\n")
        stream.flush()
