"""What verbs have in common that write files: the same refusals, the same last line."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vdi_conformance.cli.refusal import UsageRefusal, refusing
from vdi_conformance.output import files
from vdi_conformance.output.console import Guarded, tell

if TYPE_CHECKING:
    from rich.console import RenderableType


def writable(path: Path | None) -> Path | None:
    """Refuse a file that cannot be written before anything is run."""
    try:
        if path is not None:
            files.require_writable(path)
    except files.NotWritable as error:
        raise typer.BadParameter(str(error)) from error
    return path


def distinct(outputs: Iterable[tuple[str, Path | None]], inputs: Iterable[tuple[str, Path | None]] = ()) -> None:
    """Refuse outputs that are one file, or one that is read."""
    with refusing(files.NotWritable):
        files.require_distinct(_given(outputs), _given(inputs))


def _given(named: Iterable[tuple[str, Path | None]]) -> list[files.Named]:
    return [(name, path) for name, path in named if path is not None]


def read_by(reference: str | None) -> list[tuple[str, Path | None]]:
    """Give the file that a reference to an adapter names, if it does."""
    return [("the adapter", path) for path in files.read_by(reference or "")]


def written(path: Path, data: bytes) -> None:
    """Write a file, and say so where it gets into nobody's way."""
    with refusing(files.NotWritable):
        files.write(path, data)
    tell(f"wrote {path}")


def show(parts: Iterable["RenderableType"]) -> None:
    """Draw parts on standard output, one below the other; a Text with `no_wrap` is a line that must not be broken."""
    # Here, since what draws takes long to import, and most verbs draw nothing.
    from rich.console import Console
    from rich.text import Text

    with Console(markup=False, highlight=False, emoji=False) as console:
        for part in parts:
            console.print(part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap))


def to_standard_output(data: bytes) -> None:
    """Write bytes where texts go."""
    stream = sys.stdout
    if isinstance(stream, Guarded):
        stream.write_bytes(data)


def look_here() -> None:
    """Let package.module:Class be found in the current directory, where console scripts do not look."""
    try:
        sys.path.append(str(Path.cwd()))
    except OSError as error:
        raise UsageRefusal(f"the current directory is gone ({error.strerror}): change to one that exists.") from error
