"""Command lines that others are to copy, held against the command."""

import shlex

import typer.main

from vdi_conformance.cli import app


def unknown_options(line: str) -> set[str]:
    """Give the options of a line that the verb it names does not have; a verb that there is not is a KeyError."""
    words = shlex.split(line, comments=True)[1:]
    command = typer.main.get_command(app)
    while (further := getattr(command, "commands", None)) is not None and not words[0].startswith("-"):
        command = further[words.pop(0)]
    own = words[: words.index("--")] if "--" in words else words
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return {word for word in own if word.startswith("-")} - known
