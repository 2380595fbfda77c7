"""The skeletons of `adapter init`: one folder of `templates` a language, filled in for an implementation; pure.

`template.toml` of a folder is for this module alone: `adapter` is what names the skeleton to the suite, within its
directory, and `build` holds the commands that make it ready before, word by word; where `inside` is true, all commands
are for that directory, for tools that can be told of no other. Every other file becomes one of the skeleton, in
whatever subfolder. What is filled in, in texts and in names of files:

- `"skeleton"`, with its quotes, becomes the name of the implementation as a string literal;
- `SkeletonAdapter` becomes the name as that of a class;
- `{{directory}}` becomes the directory of the skeleton as commands have to name it;
- `{{build}}` and `{{command}}` become the commands that make the skeleton ready, a line each, and that run the suite.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

NAME: Final = re.compile(r"[ -~]*[A-Za-z][ -~]*")
"""What an implementation may be called."""
TEMPLATES: Final = files("vdi_conformance.cli") / "templates"
"""One folder a language."""
_ABOUT: Final = "template.toml"
_READ_LAST: Final = "README.md"
_MADE_BY_PYTHON: Final = "__pycache__"


class Skeleton(NamedTuple):
    """The texts of a skeleton by their paths, of which README.md is the last, and the commands to run next."""

    texts: dict[Path, str]
    commands: tuple[str, ...]


def languages() -> tuple[str, ...]:
    """Name the languages that there is a skeleton in."""
    return tuple(sorted(folder.name for folder in TEMPLATES.iterdir() if (folder / _ABOUT).is_file()))


def skeleton(language: str, directory: Path, name: str) -> Skeleton:
    """Fill in the skeleton of a language for the implementation of that name."""
    template = TEMPLATES / language
    about = tomllib.loads((template / _ABOUT).read_text(encoding="utf-8"))
    seen_from = Path() if (inside := about.get("inside", False)) else directory
    fills = {'"skeleton"': json.dumps(name), "SkeletonAdapter": class_name(name), "{{directory}}": seen_from.as_posix()}
    reference = (seen_from / _filled(about["adapter"], fills)).as_posix()
    build = [_command(["cd", directory.as_posix()])] if inside else []
    build += [_command([_filled(word, fills) for word in words]) for words in about.get("build", ())]
    run = _command(["vdi-conformance", "run", "--adapter", reference])
    fills |= {"{{build}}": "\n".join(build), "{{command}}": run}
    texts = {
        directory / _filled(place.as_posix(), fills): _filled(file.read_text(encoding="utf-8"), fills)
        for place, file in sorted(_files_of(template), key=lambda entry: (entry[0].as_posix() == _READ_LAST, entry[0]))
    }
    return Skeleton(texts, (*build, run))


def class_name(name: str) -> str:
    """Turn the name of an implementation into a class name: "Acme VDI 2" becomes AcmeVdi2Adapter."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(word.capitalize() for word in words) + "Adapter"
    return joined if joined[0].isalpha() else f"Vdi{joined}"


def _files_of(template: Traversable) -> Iterator[tuple[PurePosixPath, Traversable]]:
    """Give what a template consists of, in all its subfolders; an installer may have compiled what is in Python."""
    for entry in template.iterdir():
        if entry.is_file() and entry.name != _ABOUT:
            yield PurePosixPath(entry.name), entry
        elif entry.is_dir() and entry.name != _MADE_BY_PYTHON:
            yield from ((entry.name / place, file) for place, file in _files_of(entry))


def _filled(text: str, fills: Mapping[str, str]) -> str:
    for placeholder, value in fills.items():
        text = text.replace(placeholder, value)
    return text


def _command(words: list[str]) -> str:
    """Write a command so that shells of every system take it."""
    return " ".join(f'"{word}"' if " " in word else word for word in words)
