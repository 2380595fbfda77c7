"""The values of options: how a word is read, what it is refused for, and how a shell completes it."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import typer

from vdi_conformance.harness.endurance import SIZES
from vdi_conformance.untrusted import bounds
from vdi_conformance.untrusted.nearest import meant

ADAPTERS: Final = ("emulator", "sqlserver")
T = TypeVar("T")


def _read_by(read: Callable[[str], T]) -> Callable[[object], T]:
    """Make what typer reads an option by; it hands over defaults too, which are no text."""

    def refusing(value: object) -> T:
        try:
            return read(str(value))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return refusing


def whole(least: int, most: int) -> Callable[[object], int]:
    """Read a whole number between two others."""
    return _read_by(lambda word: bounds.whole(word, least, most))


seed: Final = _read_by(bounds.seed)
stretch: Final = _read_by(bounds.stretch)
workers: Final = _read_by(bounds.workers)
shard: Final = _read_by(lambda word: "{}/{}".format(*bounds.shard(word)))
challenge: Final = _read_by(bounds.challenge)


def one_of(kind: str, words: Iterable[str]) -> Callable[[str], str]:
    """Read one of a few words; others are refused, and the nearest are named."""
    known = tuple(words)

    def read(value: str) -> str:
        if value in known:
            return value
        raise typer.BadParameter(f"there is no {kind} {bounds.shown(value)}; {meant(value, known)}")

    return read


def completing(words: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Complete to one of these words, or the same in small letters; they are found when they are needed."""

    def complete(incomplete: str) -> list[str]:
        offered = (word.lower() if incomplete.islower() else word for word in words())
        return [word for word in offered if word.startswith(incomplete)]

    return complete


def timeout_scale() -> Any:
    """Make the option that stretches time limits."""
    return typer.Option(metavar="F", parser=stretch, help="Stretch every time limit by this factor.")


def server() -> Any:
    """Make the option that names the server of one adapter."""
    return typer.Option(
        metavar="REF",
        autocompletion=adapters,
        help="The server, where the adapter is not to bring its own; none for no server.",
    )


def format_of(*known: str, remark: str = "") -> Any:
    """Make the option that says in which of a few formats something is told."""
    return typer.Option(
        metavar="F",
        parser=one_of("format", known),
        autocompletion=completing(lambda: known),
        help=f"One of {', '.join(known)}{remark}.",
    )


def endurance(help_: str) -> Any:
    """Make the option that asks for the checks of endurance."""
    return typer.Option(metavar="SIZE", callback=_size, autocompletion=completing(lambda: SIZES), help=help_)


def _size(value: str | None) -> str | None:
    return None if value is None else one_of("size of endurance", SIZES)(value)


def record() -> Any:
    """Make the argument that names the evidence of a run."""
    return typer.Argument(metavar="EVIDENCE", help="The record of a run (run --evidence).")


@completing
def profile_names() -> Iterable[str]:
    """Name the profiles, and their versions."""
    from vdi_conformance.requirements.profiles import newest, profiles

    return [*(one.name for one in newest()), *profiles()]


@completing
def topics() -> Iterable[str]:
    """Name the topics of the catalogue."""
    from vdi_conformance.requirements import catalogue

    return catalogue().topics


@completing
def requirement_ids() -> Iterable[str]:
    """Name the requirements."""
    from vdi_conformance.requirements import catalogue

    return [requirement.id for requirement in catalogue().requirements]


@completing
def question_ids() -> Iterable[str]:
    """Name the open questions."""
    from vdi_conformance.requirements import catalogue

    return catalogue().questions


adapters: Final = completing(lambda: ADAPTERS)
