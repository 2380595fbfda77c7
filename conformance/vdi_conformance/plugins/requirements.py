"""Which requirements a check judges: selection by topic and id, stable ids, and the level of a check."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

from vdi_conformance.nearest import meant
from vdi_conformance.plugins.profile import PROFILE
from vdi_conformance.plugins.refusing import refuse
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import Profile

SUITE: Final = "vdi_conformance.suite"
DIRECTORY: Final = Path(str(files(SUITE))).resolve()
NARROWING: Final = {
    "vdi_profile": "profile",
    "vdi_topic": "topic",
    "vdi_requirement": "requirement",
    "vdi_check": "check",
    "keyword": "-k",
    "markexpr": "-m",
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
}
"""The options that leave checks out, and how a selection names them."""


def pytest_configure(config: pytest.Config) -> None:
    """Refuse topics and requirements that there are not, before any worker starts."""
    for kind, asked, known in (
        ("topic", _topics(config), catalogue().topics),
        ("requirement", _requirements(config), [row.id for row in catalogue().rows]),
    ):
        if unknown := sorted(asked.difference(known)):
            raise pytest.UsageError(f"{_none(kind, unknown, known)}; `vdi-conformance requirements` lists them all")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files of the suite unread in which none of the checks is that were named: that takes a run's first second.

    All are read where a check names no file of the suite, so that what is nearest to it can be found.
    """
    wanted = {f"test_{id_.partition('/')[0]}.py" for id_ in config.getoption("vdi_check")}
    if not wanted or collection_path.parent != DIRECTORY or not collection_path.name.startswith("test_"):
        return None
    return (collection_path.name not in wanted and wanted <= _names()) or None


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in DIRECTORY.iterdir())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the selected checks; tests that judge nothing are left alone."""
    topics, requirements, ids = _topics(config), _requirements(config), set(config.getoption("vdi_check"))
    known = {check_id(item) for item in items if rows_of(item)}
    if missing := sorted(ids - known):
        refuse(config, items, f"{_none('check', missing, known)}; `vdi-conformance requirements ID` lists those of one")
        return
    profile = config.stash[PROFILE]
    kept = [
        item
        for item in items
        if not rows_of(item) or (_selected(item, topics, requirements, ids) and _in_profile(item, profile))
    ]
    if left_out := ids - {check_id(item) for item in kept}:
        refuse(config, items, never_executed(left_out))
        return
    chosen = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = kept


def never_executed(missing: set[str]) -> str:
    """Say that checks were named which were not executed, although they are there."""
    return f"{', '.join(sorted(missing))} was not executed: leave out the other options that select checks"


def _none(kind: str, unknown: Sequence[str], known: Iterable[str]) -> str:
    """Name what there is not, and what is nearest to the first of it."""
    named = ", ".join(map(repr, unknown))
    return f"there is no {kind} {named}; {meant(unknown[0], known)}"


def _topics(config: pytest.Config) -> set[str]:
    return {topic.upper() for topic in config.getoption("vdi_topic")}


def _requirements(config: pytest.Config) -> set[str]:
    return {requirement.upper() for requirement in config.getoption("vdi_requirement")}


def _selected(item: pytest.Item, topics: set[str], requirements: set[str], ids: set[str]) -> bool:
    rows = set(rows_of(item))
    groups = {row.partition("-")[0] for row in rows}
    return (
        (not topics or bool(topics & groups))
        and (not requirements or bool(requirements & rows))
        and (not ids or check_id(item) in ids)
    )


def _in_profile(item: pytest.Item, profile: Profile | None) -> bool:
    return profile is None or profile.selects(row for id in rows_of(item) if (row := catalogue().get(id)))


def selection(config: pytest.Config) -> list[str]:
    """Say what narrows the run down; nothing where every check is to be executed."""
    said = []
    for option, word in NARROWING.items():
        given = getattr(config.option, option) or ()
        said += [f"{word} {value}" for value in ([given] if isinstance(given, str) else given)]
    places = [place for place in config.args if place != "--"]
    return said if any(_holds_the_suite(config, place) for place in places) else [*said, *places]


def _holds_the_suite(config: pytest.Config, place: str) -> bool:
    directory = (config.invocation_params.dir / place.partition("::")[0]).resolve()
    return place == SUITE or DIRECTORY.is_relative_to(directory)


def rows_of(item: pytest.Item) -> list[str]:
    """Name the requirements that a test judges; none for a test that is no check."""
    return [row for mark in item.iter_markers("judges") for row in mark.args]


def level_of(rows: list[str]) -> str:
    """Give the level of a check: that of its rows, which are of one severity."""
    found = [row.level for id in rows if (row := catalogue().get(id)) is not None]
    return found[0]


def check_id(item: pytest.Item) -> str:
    """Name a check, stably over versions and machines: its topic, its name and its parameters."""
    return id_of_node(item.nodeid)


def id_of_node(node: str) -> str:
    """Name the check that pytest calls by this node id."""
    path, _, name = node.partition("::")
    return f"{PurePosixPath(path).stem.removeprefix('test_')}/{name.removeprefix('test_')}"
