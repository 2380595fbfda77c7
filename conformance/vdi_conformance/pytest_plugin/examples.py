"""Examples that exploring runs found to fail, which others try first; workers on other machines are sent them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from vdi_conformance.harness.found_examples import ExamplesOf, ForeignExample, add, contents, in_directories, in_memory
from vdi_conformance.harness.testbed import EXAMPLES
from vdi_conformance.pytest_plugin.checks import check_id, requirements_of
from vdi_conformance.pytest_plugin.machines import machine_of

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

_KEY: Final = "vdi_examples"


class Examples:
    """The database of one process: that of directories, or in a worker on another machine one in its memory."""

    def __init__(self, database: "ExampleDatabase", is_sent: bool) -> None:
        self._database = database
        self._is_sent = is_sent

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Give each check its own examples."""
        for item in items:
            if requirements_of(item):
                item.stash[EXAMPLES] = ExamplesOf(check_id(item), self._database)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send all examples to a worker that has other directories."""
        visited = machine_of(node.config, node)
        if visited is not None and not visited.place.here:
            node.workerinput[_KEY] = contents(self._database)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send back those that were sent, and what was found besides."""
        if self._is_sent:
            session.config.workeroutput[_KEY] = contents(self._database)  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Keep what a worker has sent."""
        try:
            add(self._database, getattr(node, "workeroutput", {}).get(_KEY, ()))
        except ForeignExample as error:
            raise pytest.UsageError(str(error)) from error


def pytest_configure(config: pytest.Config) -> None:
    """Take part in a run that explores."""
    if not config.getoption("vdi_seed"):
        raise pytest.UsageError(
            "--vdi-examples is for runs that explore: name a seed by --vdi-seed, since a run without one is the same "
            "everywhere"
        )
    sent = getattr(config, "workerinput", {}).get(_KEY)
    directories = [Path(one) for one in config.getoption("vdi_examples")]
    database = in_directories(directories) if sent is None else in_memory(sent)
    config.pluginmanager.register(Examples(database, sent is not None), "vdi-example-databases")
