"""`vdi-conformance adapter`: a skeleton adapter to fill in."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.adapter_host import host
from vdi_conformance.cli.refusal import UsageRefusal, unknown
from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.printable import shown

TEMPLATES: Final = files("vdi_conformance.cli") / "templates"
LANGUAGES: Final = ("python",)
NAME: Final = re.compile(r"[ -~]*[A-Za-z][ -~]*")
adapter = typer.Typer(name="adapter", help="Make adapters, and start one.", rich_markup_mode=None)

adapter.command()(host)


@adapter.callback()
def group() -> None:
    """Make adapters: the small pieces of code that show an implementation to the suite."""


@adapter.command()
def init(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write it.")] = Path("vdi_adapter"),
    lang: Annotated[
        str,
        typer.Option(
            metavar="LANGUAGE",
            autocompletion=values.completing(lambda: LANGUAGES),
            help="The language of the skeleton: python.",
        ),
    ] = "python",
    name: Annotated[str, typer.Option(metavar="NAME", help="The name of the implementation.")] = "My VDI",
) -> None:
    """Write a skeleton adapter and what to do next; existing files are never overwritten."""
    if lang not in LANGUAGES:
        raise unknown("skeleton in the language", lang, LANGUAGES)
    if not NAME.fullmatch(name):
        raise UsageRefusal(
            f"the name {name!r} must be printable ASCII with at least one letter: choose another --name."
        )
    if not decoding.is_unicode(str(directory)):
        raise UsageRefusal(
            f"the skeleton cannot be written to {str(directory)!r}, which is not UTF-8: choose another directory."
        )
    written = write_skeleton(directory, lang, name)
    for path in written:
        typer.echo(f"wrote {shown(str(path))}")
    typer.echo(shown(f"Read {written[-1]} next, then run: {command(directory, name)}"))


def class_name(name: str) -> str:
    """Turn the name of an implementation into a class name: "Acme VDI 2" becomes AcmeVdi2Adapter."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(word.capitalize() for word in words) + "Adapter"
    return joined if joined[0].isalpha() else f"Vdi{joined}"


def command(directory: Path, name: str) -> str:
    """Give the command line that runs the suite on the skeleton."""
    reference = f"{(directory / 'adapter.py').as_posix()}:{class_name(name)}"
    quoted = f'"{reference}"' if " " in reference else reference
    return f"vdi-conformance run --adapter {quoted}"


def write_skeleton(directory: Path, lang: str, name: str) -> list[Path]:
    """Write the files of a template, all of them or none, and give their paths."""
    values = {
        '"skeleton"': json.dumps(name),
        "SkeletonAdapter": class_name(name),
        "{{command}}": command(directory, name),
    }
    texts = {}
    for file in ("adapter.py", "README.md"):
        text = (TEMPLATES / lang / file).read_text(encoding="utf-8")
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        texts[directory / file] = text
    for path in texts:
        if decoding.exists(path):
            raise UsageRefusal(f"{path} exists and is not overwritten: move it away or choose another directory.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8", newline="\n") as file_object:
                file_object.write(text)
    except OSError as error:
        raise UsageRefusal(
            f"cannot write the skeleton to {directory} ({error.strerror}): choose another directory."
        ) from error
    return list(texts)
