"""Examples that exploring runs found to fail, which others try first; workers on other machines are sent them."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from vdi_conformance.harness.found_examples import ExamplesOf, ForeignExample, packed, shared, unpack
from vdi_conformance.harness.testbed import EXAMPLES
from vdi_conformance.pytest_plugin.checks import check_id, requirements_of
from vdi_conformance.pytest_plugin.machines import machine_of

_KEY: Final = "vdi_examples"


class Examples:
    """The databases of one process: directories of its machine."""

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = directories

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Give each check its own examples."""
        database = shared(self._directories)
        for item in items:
            if requirements_of(item):
                item.stash[EXAMPLES] = ExamplesOf(check_id(item), database)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send all examples to a worker that has other directories."""
        visited = machine_of(node.config, node)
        if visited is not None and not visited.place.here:
            node.workerinput[_KEY] = packed(self._directories)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Keep what a worker has sent."""
        try:
            unpack(getattr(node, "workeroutput", {}).get(_KEY, {}), self._directories[0])
        except ForeignExample as error:
            raise pytest.UsageError(str(error)) from error


class SentExamples:
    """In a worker on another machine: those that it was sent, in a directory of its own, and those that it finds."""

    def __init__(self, sent: dict[str, bytes]) -> None:
        self._sent = sent
        self.directory = Path(tempfile.mkdtemp(prefix="vdi-examples-"))
        unpack(sent, self.directory)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send what is new."""
        found = packed([self.directory])
        session.config.workeroutput[_KEY] = {  # type: ignore[attr-defined]
            place: example for place, example in found.items() if place not in self._sent
        }

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.directory, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Take part where directories are named, and the run explores."""
    directories = [Path(one) for one in config.getoption("vdi_examples")]
    if not directories:
        return
    if not config.getoption("vdi_seed"):
        raise pytest.UsageError(
            "--vdi-examples is for runs that explore: name a seed by --vdi-seed, since a run without one is the same "
            "everywhere"
        )
    sent = getattr(config, "workerinput", {}).get(_KEY)
    if sent is not None:
        examples = SentExamples(sent)
        config.pluginmanager.register(examples, "vdi-sent-examples")
        directories = [examples.directory]
    config.pluginmanager.register(Examples(directories), "vdi-example-databases")
