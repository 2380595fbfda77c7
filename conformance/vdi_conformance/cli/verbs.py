"""The verbs of the command: each is imported only where it is asked for, so that the others cost no time."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from vdi_conformance.cli.verb import Verb

VERBS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "run": "Run the checks on an adapter.",
        "replay": "Play a walk that failed once more.",
        "report": "Make a report of a whole run from its evidence.",
        "reproduce": "Write failed checks as programs that need no suite.",
        "compare": "Show what changed between runs, regressions first.",
        "matrix": "Show requirements by platform, those that differ first.",
        "diff": "Show the shortest sequence on which two adapters part.",
        "certify": "Judge an adapter by a profile, and certify the outcome.",
        "sign": "Sign a certificate, beside those who have signed it already.",
        "verify": "Check a certificate, without a network.",
        "challenge": "Pack what it takes to dispute a requirement.",
        "prove": "Show that the suite finds what is wrong, and nothing else.",
        "requirements": "List what is required, or show one requirement in full.",
        "questions": "List what the documents leave open.",
        "conditions": "List the conditions under which sharing is tried.",
        "statements": "Print the T-SQL that `--server sqlserver` would run.",
        "schema": "Print a published schema, or the names of all.",
        "doctor": "Test a host, and say how to mend what is wrong.",
        "evidence": "Work with the records of runs.",
        "baseline": "Keep the list of known failures.",
        "keys": "Make keys for signatures.",
        "adapter": "Make adapters, and start one.",
        "emulator": "Be a SQL Server, as far as backup programs see one.",
    }
)
"""Each verb has a module of its name, and in that a function or a group of the same name; and what it is for."""


class Verbs(TyperGroup):
    """A group whose commands are made when they are asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = cast("MutableMapping[str, Any]", _OnDemand())

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Spare typer to find out what flag None is, for which it imports more than a verb does."""
        for parameter in self.get_params(ctx):
            if getattr(parameter, "is_bool_flag", False) and parameter.default is None:
                parameter.default = False
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the verbs in the order in which a newcomer needs them."""
        return [*self.commands]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the verbs by what is known of them without their modules."""
        listed = [TyperCommand(name, help=about) for name, about in VERBS.items()]
        TyperGroup(commands=listed).format_commands(ctx, formatter)


class _OnDemand(Mapping[str, Any]):
    """The commands by their names."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in VERBS:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = _made(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)


def _made(name: str) -> Any:
    """Make the command of a verb, as it is made in a group that has it from the beginning."""
    verb = getattr(import_module(f"vdi_conformance.cli.{name}"), name)
    group = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    group.callback()(lambda: None)
    if isinstance(verb, typer.Typer):
        group.add_typer(verb)
    else:
        group.command(cls=Verb)(verb)
    made: Mapping[str, Any] = cast("Any", get_command(group)).commands
    return made[name]
