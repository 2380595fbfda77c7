"""Says in plain words what typer finds wrong with a command line."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from vdi_conformance.untrusted.nearest import meant

NO_COMMAND: Final = re.compile(r"No such command '(.*?)'\.", re.DOTALL)
EXTRA: Final = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", re.DOTALL)


def sentence(error: Any, command: Any, given: Sequence[str]) -> str:
    """Give one sentence with the remedy; typer does not export the classes of its errors, so they go by name."""
    help_ = f"try `{_path(command, given)} --help`"
    match type(error).__name__:
        case "NoSuchOption":
            known = _options(error.ctx)
            return f"there is no option {error.option_name}; {meant(error.option_name, known)}; {help_}."
        case "MissingParameter":
            return f"{_name(error.param)} is missing: {help_}."
        case "BadParameter" if error.param is not None:
            return f"{_name(error.param)}: {error.message.rstrip('.')}."
        case "BadOptionUsage":
            wants = "takes no value" if "does not take" in error.message else "needs a value"
            return f"{error.option_name} {wants}: {help_}."
    return f"{_of_arguments(error.message, error.ctx)}; {help_}."


def _path(command: Any, given: Sequence[str]) -> str:
    """Name the command that was meant, as far as there is one."""
    path = [str(command.name)]
    for word in given:
        if (command := getattr(command, "commands", {}).get(word)) is None:
            break
        path.append(word)
    return " ".join(path)


def _of_arguments(message: str, context: Any) -> str:
    """Say what is wrong with the words that are no options."""
    commands = list(getattr(context.command, "commands", ())) if context is not None else []
    if (found := NO_COMMAND.match(message)) is not None:
        return f"there is no command {found[1]!r}; {meant(found[1], commands)}"
    if commands:
        return f"a command is missing, one of {', '.join(commands)}"
    if (found := EXTRA.match(message)) is not None:
        return f"{found[1]} is more than is expected"
    return message.rstrip(".")


def _options(context: Any) -> Iterable[str]:
    parameters = [] if context is None else context.command.get_params(context)
    return [name for parameter in parameters for name in parameter.opts if name.startswith("--")]


def _name(parameter: Any) -> str:
    """Call a parameter what the help calls it."""
    names = [name for name in parameter.opts if name.startswith("-")]
    return str(max(names, key=len) if names else (parameter.metavar or parameter.name.upper()).strip("[]"))
