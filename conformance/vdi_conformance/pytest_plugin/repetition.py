"""Refuses what runs a check more than once: a verdict that one may have again until it pleases is none."""

from typing import Final

import pytest

REPEATING: Final = {
    "reruns": "--reruns",
    "force_flaky": "--force-flaky",
    "retries": "--retries",
    "flake_finder_enable": "--flake-finder",
    "looponfail": "--looponfail",
}
"""Options of pytest and its plugins, by the names under which they are kept; each is off where it is falsy."""
_REMEDY: Final = "each check is run once, so leave that out"


def pytest_configure(config: pytest.Config) -> None:
    """Refuse such options before any worker starts."""
    given = [said for option, said in REPEATING.items() if config.getoption(option, None)]
    if (config.getoption("count", None) or 1) != 1:
        given.append("--count")
    given += [f"{name} in the settings of pytest" for name in ("reruns", "retries") if _set(config, name)]
    if given:
        raise pytest.UsageError(f"{', '.join(given)} would run checks more than once: {_REMEDY}")


def _set(config: pytest.Config, name: str) -> bool:
    """Whether a setting of a plugin is there and on; settings that no plugin asks for are unknown."""
    try:
        return str(config.getini(name) or "0") not in ("0", "[]")
    except (KeyError, ValueError):
        return False


class Once:
    """Watches that every check begins once."""

    def __init__(self) -> None:
        self._begun: dict[str, set[str]] = {}

    def repeated(self, report: pytest.TestReport, check: str) -> str | None:
        """Take the report of a phase; give the sentence that ends the run where the check has had that phase before."""
        phases = self._begun.setdefault(check, set())
        if report.when in phases:
            return f"the check {check} was run more than once, as plugins that repeat tests do: {_REMEDY}"
        phases.add(report.when)
        return None
