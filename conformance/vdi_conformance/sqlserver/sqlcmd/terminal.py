"""Where sqlcmd and osql are started, as they see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminal(Protocol):
    """The streams and the files of whoever started the program."""

    @property
    def is_interactive(self) -> bool:
        """Whether a person types the input."""
        ...

    def write(self, text: str, is_error: bool = False) -> None:
        """Write to standard error, or to standard output, or to where that was redirected."""
        ...

    def redirect(self, path: str) -> None:
        """Let standard output be a file from here on; an OSError where that cannot be."""
        ...

    def read(self, path: str) -> str:
        """Read a file; an OSError where that cannot be."""
        ...

    def lines(self) -> Iterator[str]:
        """Give the lines of standard input without their ends."""
        ...
