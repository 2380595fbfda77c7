"""Which requirements a check judges: selection by topic and id, stable ids, and the level of a check."""

import pytest

from vdi_conformance.requirements import catalogue


def pytest_configure(config: pytest.Config) -> None:
    """Refuse topics that there are not, before any worker starts."""
    if unknown := _topics(config) - set(catalogue().topics):
        raise pytest.UsageError(
            f"unknown topic {', '.join(sorted(unknown))}: known are {', '.join(catalogue().topics)}"
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the selected checks; tests that judge nothing are left alone."""
    topics, ids = _topics(config), set(config.getoption("vdi_check"))
    missing = ids - {check_id(item) for item in items}
    # A worker of pytest-xdist cannot end the run: there the controller notices at the end what never came.
    if missing and not hasattr(config, "workerinput"):
        raise pytest.UsageError(no_such_check(missing))
    kept = [item for item in items if not rows_of(item) or _selected(item, topics, ids)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def no_such_check(missing: set[str]) -> str:
    """Say that checks were named that there are not."""
    return f"there is no check {', '.join(sorted(missing))}: its id stands in the summary of a run"


def _topics(config: pytest.Config) -> set[str]:
    return {topic.upper() for topic in config.getoption("vdi_topic")}


def _selected(item: pytest.Item, topics: set[str], ids: set[str]) -> bool:
    groups = {row.partition("-")[0] for row in rows_of(item)}
    return (not topics or bool(topics & groups)) and (not ids or check_id(item) in ids)


def rows_of(item: pytest.Item) -> list[str]:
    """Name the requirements that a test judges; none for a test that is no check."""
    return [row for mark in item.iter_markers("judges") for row in mark.args]


def level_of(rows: list[str]) -> str:
    """Give the level of a check: that of its rows, which are of one severity."""
    found = [row.level for id in rows if (row := catalogue().get(id)) is not None]
    return found[0]


def check_id(item: pytest.Item) -> str:
    """Name a check, stably over versions and machines: its topic, its name and its parameters."""
    topic = item.path.stem.removeprefix("test_")
    return f"{topic}/{item.name.removeprefix('test_')}"
