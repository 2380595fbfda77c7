"""Refuses, before any other file is touched, outputs that would get into each other's or somebody else's way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from vdi_conformance.output.files import Named, NotWritable, read_by, require_distinct, require_writable

REPORTS: Final = {"junit": "JUnit XML", "html": "web page", "markdown": "Markdown"}
"""The reports that are written at the end of a run: the formats, which name their options, and what they are called."""
OUTPUTS: Final = {"vdi_evidence": "evidence", **{f"vdi_{name}": name for name in REPORTS}, "xmlpath": "--junit-xml"}
READ: Final = {
    "vdi_baseline": "baseline",
    "vdi_failed_in": "failed-in",
    "vdi_adapter": "adapter",
    "vdi_server": "server",
    "vdi_proof": "plan",
}


def pytest_configure(config: pytest.Config) -> None:
    """Hold the options against each other, on the controller."""
    if hasattr(config, "workerinput"):
        return
    outputs = list(_named(config, OUTPUTS))
    try:
        require_distinct([*outputs, *_named(config, {"allure_report_dir": "allure"})], _inputs(config))
        for _, path in outputs:
            require_writable(path)
    except NotWritable as error:
        raise pytest.UsageError(str(error)) from error


def _inputs(config: pytest.Config) -> Iterator[Named]:
    """Give the files that are read."""
    for name, path in _named(config, READ):
        yield from ((name, file) for file in read_by(str(path)))


def _named(config: pytest.Config, options: dict[str, str]) -> Iterator[Named]:
    for option, name in options.items():
        if given := config.getoption(option, None):
            yield name, Path(given)
