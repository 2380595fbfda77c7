"""`vdi-conformance adapter`: a skeleton to fill in, or one host of an adapter."""

from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli import skeletons, values
from vdi_conformance.cli.adapter_host import host
from vdi_conformance.cli.refusal import UsageRefusal
from vdi_conformance.cli.verb import Verb
from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.printable import shown

adapter = typer.Typer(name="adapter", help="Make adapters, and start one.", rich_markup_mode=None)
adapter.command(cls=Verb)(host)


@adapter.callback()
def group() -> None:
    """Make adapters: the small pieces of code that show an implementation to the suite."""


@adapter.command(cls=Verb)
def init(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write it.")] = Path("vdi_adapter"),
    lang: Annotated[
        str,
        typer.Option(
            metavar="LANGUAGE",
            parser=values.one_of("skeleton in the language", skeletons.languages()),
            autocompletion=values.completing(skeletons.languages),
            help=f"The language of the skeleton: {', '.join(skeletons.languages())}.",
        ),
    ] = "python",
    name: Annotated[str, typer.Option(metavar="NAME", help="The name of the implementation.")] = "My VDI",
) -> None:
    """Write a skeleton adapter and what to do next; existing files are never overwritten."""
    if not skeletons.NAME.fullmatch(name):
        raise UsageRefusal(
            f"the name {name!r} must be printable ASCII with at least one letter: choose another --name."
        )
    if not decoding.is_unicode(str(directory)):
        raise UsageRefusal(
            f"the skeleton cannot be written to {str(directory)!r}, which is not UTF-8: choose another directory."
        )
    made = skeletons.skeleton(lang, directory, name)
    _write(directory, made.texts)
    for path in made.texts:
        typer.echo(f"wrote {shown(str(path))}")
    typer.echo(shown(f"Read {list(made.texts)[-1]} next, then run:"))
    for command in made.commands:
        typer.echo(f"  {shown(command)}")


def _write(directory: Path, texts: dict[Path, str]) -> None:
    """Write new files, all of them or none."""
    for path in texts:
        if decoding.exists(path):
            raise UsageRefusal(f"{path} exists and is not overwritten: move it away or choose another directory.")
    written = []
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise UsageRefusal(
            f"cannot write the skeleton to {directory} ({error.strerror}): choose another directory."
        ) from error
