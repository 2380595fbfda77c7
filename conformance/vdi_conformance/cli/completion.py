"""Installs and shows what makes a shell complete the command line; typer does it, here its endings become ours."""

from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from subprocess import SubprocessError
from typing import Final

import typer

from vdi_conformance.cli.refusal import UsageRefusal

OPTIONS: Final = ("--install-completion", "--show-completion")
SHELLS: Final = "bash, zsh, fish or PowerShell"


def completion(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Do what one of the options asks for; a UsageRefusal where the shell or its files do not allow it."""
    told = StringIO()
    code: object = 0
    try:
        with redirect_stdout(told), redirect_stderr(told):
            code = app([*arguments], prog_name=app.info.name, standalone_mode=False)
    except SystemExit as ended:
        code = ended.code
    except (OSError, SubprocessError) as error:
        cause = getattr(error, "strerror", None) or "the shell refused to say where they are"
        raise UsageRefusal(
            f"the files of the shell cannot be written ({cause}): use {OPTIONS[1]} and put it there yourself."
        ) from error
    if code:
        raise UsageRefusal(f"the shell that this was started from is not known: start it from {SHELLS}.")
    typer.echo(told.getvalue(), nl=False)
    return 0
