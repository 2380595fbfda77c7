"""What takes part in a run beside the suite: the versions of its tools, and every plugin of pytest that was loaded."""

from importlib.metadata import PackageNotFoundError, packages_distributions, version
from types import ModuleType
from typing import Any, Final

import pytest

from vdi_conformance.evidence.records import TOOLS

OURS: Final = ("_pytest", "pytest", "vdi_conformance", "vdi_fixtures")
"""The packages whose plugins are part of pytest or of the suite."""


def tools() -> dict[str, str]:
    """Give the versions of the distributions that take part in verdicts; "unknown" where one does not say."""
    return {name: _version(name) for name in TOOLS}


def plugins(config: pytest.Config) -> dict[str, str]:
    """Give the versions of all other plugins by their distributions; those of none by their modules, without one."""
    manager = config.pluginmanager
    foreign = {_package(plugin) for _, plugin in manager.list_name_plugin() if plugin is not None} - {*OURS}
    told = {_package(plugin): (found.project_name, found.version) for plugin, found in manager.list_plugin_distinfo()}
    if unknown := foreign - told.keys():
        installed = packages_distributions()
        told |= {
            package: (installed[package][0], _version(installed[package][0])) if package in installed else (package, "")
            for package in unknown
        }
    return dict(sorted(told[package] for package in foreign))


def _package(plugin: Any) -> str:
    module = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__
    return str(module).partition(".")[0]


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
