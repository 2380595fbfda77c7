"""The same targets under atheris, which follows the lines that inputs reach; it is no dependency, and may be missing.

It has wheels for some versions of CPython on Linux; where there is none, it is built with Clang.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from fuzzing.corpus import examples_of
from fuzzing.trying import Defect, attempt
from fuzzing.watching import watching

if TYPE_CHECKING:
    from fuzzing.target import Target


class NoAtheris(Exception):
    """Atheris is not installed; the text is one sentence with the remedy."""


def load() -> Any:
    """Give the module."""
    try:
        return importlib.import_module("atheris")
    except ImportError as error:
        raise NoAtheris(
            f"atheris cannot be imported here ({error}): install it with {sys.executable} -m pip install atheris, "
            "which needs Clang where there is no wheel for this Python"
        ) from error


def follow(atheris: Any, target: Target, inputs: int, seed: int, found: Path) -> None:
    """Try inputs until so many were tried, or one broke a rule, which goes to a directory; atheris ends the process."""
    found.mkdir(parents=True, exist_ok=True)
    examples = examples_of(target)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        home, corpus = Path(name) / "home", Path(name) / "corpus"
        home.mkdir()
        corpus.mkdir()
        for number, data in enumerate(examples):
            (corpus / str(number)).write_bytes(data)
        with target.opened(home) as read, watching(Path(name)) as watch:

            def one(data: bytes) -> None:
                outcome = attempt(read, watch, data)
                if isinstance(outcome, Defect):
                    raise AssertionError(outcome.account)

            def mutated(data: bytes, most: int, number: int) -> bytes:
                made = target.mutate(Random(number), [data, *examples])
                return made[:most]

            options = [f"-runs={inputs}", f"-seed={seed + 1}", "-max_len=65536", f"-artifact_prefix={found}{os.sep}"]
            atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=mutated)
            atheris.Fuzz()
