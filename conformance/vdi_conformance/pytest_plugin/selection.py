"""Which checks a run executes: those of a profile, a topic, a requirement or an id, and what it says of that."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import pytest

from vdi_conformance import crash_points
from vdi_conformance.harness.endurance import MARKER, SIZES
from vdi_conformance.pytest_plugin.checks import DIRECTORY, SUITE, check_id, files_with, requirements_of, suite_files
from vdi_conformance.pytest_plugin.failed_in import EARLIER
from vdi_conformance.pytest_plugin.parties import NONE
from vdi_conformance.pytest_plugin.profile import PROFILE
from vdi_conformance.pytest_plugin.usage_errors import refuse
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import Profile
from vdi_conformance.untrusted.nearest import meant
from vdi_conformance.untrusted.printable import shown

NARROWING: Final = {
    "vdi_profile": "profile",
    "vdi_topic": "topic",
    "vdi_requirement": "requirement",
    "vdi_check": "check",
    "vdi_shard": "shard",
    "vdi_endurance": "endurance",
    "keyword": "-k",
    "markexpr": "-m",
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
}
"""The options that leave checks out, and how a selection names them."""
BY_SERVERS: Final = ("statement", "scripted")
"""What a requirement reaches that only a server can show."""


def pytest_configure(config: pytest.Config) -> None:
    """Refuse topics and requirements that there are not, before any worker starts."""
    size = config.getoption("vdi_endurance")
    if size is not None and config.getoption("vdi_crash_points"):
        raise pytest.UsageError(
            "--endurance and --crash-points each run in place of all other checks: name one of them"
        )
    for kind, asked, known in (
        ("size of endurance", set() if size is None else {size}, list(SIZES)),
        ("topic", _topics(config), catalogue().topics),
        ("requirement", _requirements(config), [requirement.id for requirement in catalogue().requirements]),
    ):
        if unknown := sorted(asked.difference(known)):
            remedy = "" if known == list(SIZES) else "; `vdi-conformance requirements` lists them all"
            raise pytest.UsageError(f"{_none(kind, unknown, known)}{remedy}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files of the suite unread in which none of the checks is that were named: that takes a run's first second.

    All are read where a check names no file of the suite, so that what is nearest to it can be found.
    """
    if DIRECTORY not in collection_path.parents or collection_path not in suite_files():
        return None
    named = config.getoption("vdi_check") or _failed(config) or ()
    wanted = files_with(named) or suite_files()
    return True if collection_path not in wanted else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the selected checks; tests that judge nothing are left alone."""
    topics, requirements, ids = _topics(config), _requirements(config), set(config.getoption("vdi_check"))
    known = {check_id(item) for item in items if requirements_of(item)}
    if missing := sorted(ids - known):
        refuse(config, items, f"{_none('check', missing, known)}; `vdi-conformance requirements ID` lists those of one")
        return
    if not ids and (gone := sorted((_failed(config) or frozenset()) - known)):
        refuse(config, items, f"{shown(', '.join(gone))} is no check any more: run the whole suite")
        return
    profile = config.stash[PROFILE]
    kept = [
        item
        for item in items
        if not requirements_of(item)
        or (
            _in_tier(item, config)
            and _selected(item, topics, requirements, ids)
            and ((failed := _failed(config)) is None or check_id(item) in failed)
            and _in_profile(item, profile)
            and _is_served(item, config)
        )
    ]
    if left_out := ids - {check_id(item) for item in kept}:
        enduring = {check_id(item) for item in items if item.get_closest_marker(MARKER)}
        refuse(config, items, never_executed(left_out, bool(left_out & enduring)))
        return
    chosen = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = kept


def needs_server(config: pytest.Config) -> bool:
    """Whether the run has a server, and what is selected may need one."""
    if without_server(config):
        return False
    chosen, topics = _requirements(config), _topics(config)
    requirements = [
        requirement
        for requirement in catalogue().requirements
        if requirement.id in chosen or requirement.id.partition("-")[0] in topics
    ]
    return not requirements or any(requirement.reach in BY_SERVERS for requirement in requirements)


def without_server(config: pytest.Config) -> bool:
    """Whether the run is to do without a server."""
    return bool(config.getoption("vdi_server") == NONE)


def _is_served(item: pytest.Item, config: pytest.Config) -> bool:
    """Whether a check is about what shows with the server of the run, or without one; those that are named stay."""
    if not without_server(config) or is_named(item):
        return True
    return not any(
        requirement.reach in BY_SERVERS for id in requirements_of(item) if (requirement := catalogue().get(id))
    )


def never_executed(missing: set[str], enduring: bool = False) -> str:
    """Say that checks were named which were not executed, although they are there; some may be of endurance."""
    remedy = "leave out the other options that select checks"
    if enduring:
        remedy = f"checks of endurance need the option --endurance, which takes {', '.join(SIZES)}"
    return f"{shown(', '.join(sorted(missing)))} was not executed: {remedy}"


def _none(kind: str, unknown: Sequence[str], known: Iterable[str]) -> str:
    """Name what there is not, and what is nearest to the first of it."""
    named = ", ".join(map(repr, unknown))
    return f"there is no {kind} {shown(named)}; {meant(unknown[0], known)}"


def _topics(config: pytest.Config) -> set[str]:
    return {topic.upper() for topic in config.getoption("vdi_topic")}


def _failed(config: pytest.Config) -> frozenset[str] | None:
    """Name the checks that an earlier run leaves to be run again; None where no run was named."""
    earlier = config.stash[EARLIER]
    return None if earlier is None else earlier.checks


def _requirements(config: pytest.Config) -> set[str]:
    return {requirement.upper() for requirement in config.getoption("vdi_requirement")}


def _in_tier(item: pytest.Item, config: pytest.Config) -> bool:
    """Whether a check is one of endurance, or a crash point, where these are asked for, and where they are not another.

    Some crash points are among the others as well.
    """
    if config.getoption("vdi_crash_points"):
        return item.get_closest_marker(crash_points.MARKER) is not None
    return (item.get_closest_marker(MARKER) is not None) == (config.getoption("vdi_endurance") is not None)


def _selected(item: pytest.Item, topics: set[str], requirements: set[str], ids: set[str]) -> bool:
    judged = set(requirements_of(item))
    groups = {requirement.partition("-")[0] for requirement in judged}
    return (
        (not topics or bool(topics & groups))
        and (not requirements or bool(requirements & judged))
        and (not ids or check_id(item) in ids)
    )


def _in_profile(item: pytest.Item, profile: Profile | None) -> bool:
    return profile is None or profile.selects(
        requirement for id in requirements_of(item) if (requirement := catalogue().get(id))
    )


def selection(config: pytest.Config) -> list[str]:
    """Say what narrows the run down; nothing where every check is to be executed."""
    said = [f"server {NONE}"] if without_server(config) else []
    if (earlier := config.stash[EARLIER]) is not None:
        said.append(f"failed in the run of {earlier.started}")
    if config.getoption("vdi_crash_points"):
        said.append(crash_points.SELECTION)
    if config.getoption("lf", None):
        said.append("--lf")
    for option, word in NARROWING.items():
        given = getattr(config.option, option) or ()
        said += [f"{word} {value}" for value in ([given] if isinstance(given, str) else given)]
    places = [place for place in config.args if place != "--"]
    return said if any(_holds_the_suite(config, place) for place in places) else [*said, *places]


def _holds_the_suite(config: pytest.Config, place: str) -> bool:
    directory = (config.invocation_params.dir / place.partition("::")[0]).resolve()
    return place == SUITE or DIRECTORY.is_relative_to(directory)


def is_named(item: pytest.Item) -> bool:
    """Whether the run was told to execute this very check."""
    return check_id(item) in item.config.getoption("vdi_check")
