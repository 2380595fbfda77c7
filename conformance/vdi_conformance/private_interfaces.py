"""All that the project uses of private interfaces of pytest and pytest-xdist, and why no public one does."""

from collections.abc import Callable
from typing import Any

import pytest
from _pytest.outcomes import Exit, Skipped
from _pytest.runner import runtestprotocol

# pytest.exit.Exception and pytest.skip.Exception are these classes, but no type checker takes the attribute of a
# function for a base class.
ExitRun = Exit
Skip = Skipped


def run_again(check: pytest.Function, next_item: pytest.Item) -> list[pytest.TestReport]:
    """Run all phases of a check anew; what its session shares stays until the next item does without it.

    The public way to run an item is a hook, which tells every plugin of each phase. And an item keeps what its fixtures
    gave: only `_initrequest` makes it as new, which plugins that repeat tests call too.
    """
    check._initrequest()
    return runtestprotocol(check, log=False, nextitem=next_item)


def stream_of(config: pytest.Config) -> Any:
    """Give the stream that pytest's own account goes to; its writer has no public name for it."""
    return config.get_terminal_writer()._file


def replace_stream(config: pytest.Config, wrap: Callable[[Any], Any]) -> Any:
    """Put another stream in its place, and give that; pytest takes one from nobody."""
    writer = config.get_terminal_writer()
    writer._file = wrapped = wrap(writer._file)
    return wrapped


def forget_interruption(reporter: Any) -> None:
    """Keep pytest from telling at its end what ended the run; no hook and no option keeps it from that."""
    reporter._keyboardinterrupt_memo = None


def without_copies(config: pytest.Config) -> None:
    """Keep pytest-xdist from copying its own pytest into the working directories of other machines.

    They have one of their own, whose version was asked for. There is no option for that; the copying is deprecated.
    """
    session: Any = config.pluginmanager.get_plugin("dsession")
    session.nodemanager.roots.clear()


def keep_own_paths(spec: Any) -> None:
    """Keep pytest-xdist from giving another interpreter of this machine the module path of this one.

    It does so with every process that this one starts, whichever Python that is.
    """
    spec.popen = None
