"""The shard of a run: its checks are kept, and what all shards hold together is noted for its footer."""

from typing import Any, Final

import msgspec
import pytest

from vdi_conformance.evidence.records import Shard, Whole
from vdi_conformance.evidence.shards import belongs, shard, whole
from vdi_conformance.pytest_plugin.checks import check_id, requirements_of

SHARD: Final = pytest.StashKey[Shard | None]()
_WHOLE: Final = pytest.StashKey[Whole]()
_KEY: Final = "vdi_whole"


def pytest_configure(config: pytest.Config) -> None:
    """Read the option, or end with a usage error (exit code 4); it then has one spelling."""
    word = config.getoption("vdi_shard")
    try:
        config.stash[SHARD] = found = None if word is None else shard(word)
    except ValueError as error:
        raise pytest.UsageError(f"--vdi-shard: {error}") from error
    config.option.vdi_shard = found and found.label


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the checks of the shard, once all other options have had their say; tests that judge nothing stay."""
    if (found := config.stash[SHARD]) is None:
        return
    checks = {check_id(item): item for item in items if requirements_of(item)}
    config.stash[_WHOLE] = held = whole(checks)
    if hasattr(config, "workeroutput"):
        config.workeroutput[_KEY] = msgspec.to_builtins(held)
    others = [item for id_, item in checks.items() if not belongs(id_, found)]
    config.hook.pytest_deselected(items=others)
    left = {*others}
    items[:] = [item for item in items if item not in left]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker of pytest-xdist has noted; all note the same."""
    if held := getattr(node, "workeroutput", {}).get(_KEY):
        node.config.stash[_WHOLE] = msgspec.convert(held, Whole)


def whole_of(config: pytest.Config, left_out: set[str]) -> Whole | None:
    """Give what the shard is a part of; `left_out` are its checks that turned out to be none of the run."""
    held = config.stash.get(_WHOLE, None)
    return None if held is None else msgspec.structs.replace(held, left_out=sorted(left_out))


def elsewhere(config: pytest.Config, check: str) -> bool:
    """Whether a check is one of another shard."""
    found = config.stash[SHARD]
    return found is not None and not belongs(check, found)
