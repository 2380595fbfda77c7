"""The pytest plugin: inert until --vdi-adapter is given, then one plugin a concern."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options; all begin with --vdi-."""
    group = parser.getgroup("vdi", "conformance of Virtual Device Interface adapters")
    add = group.addoption
    add("--vdi-adapter", metavar="REF", help="emulator, package.module:Class, path/file.py:Class or manifest.toml")
    add(
        "--vdi-server",
        metavar="REF",
        help="adapter for the server role, or none (default: the adapter's own, else emulator)",
    )
    add("--vdi-profile", metavar="NAME", help="the checks of this profile; the verdict is by its requirements")
    add("--vdi-topic", action="append", default=[], metavar="TOPIC", help="only this topic, such as GBH; repeatable")
    add("--vdi-requirement", action="append", default=[], metavar="ID", help="only checks that judge it; repeatable")
    add("--vdi-check", action="append", default=[], metavar="ID", help="only the check of this id; repeatable")
    add("--vdi-failed-in", metavar="FILE", help="only what failed or was not tested by this evidence")
    add("--vdi-shard", metavar="K/N", help="only the checks of this one of N shards, such as 3/8")
    add(
        "--vdi-endurance",
        metavar="SIZE",
        help="the checks of endurance in place of all others: small, medium or large",
    )
    add("--vdi-crash-points", action="store_true", help="every crash point, in place of all other checks")
    add(
        "--vdi-every-combination",
        action="store_true",
        help="try each combination of conditions with a statement too, where a server is told every step",
    )
    add("--vdi-timeout-scale", metavar="F", help="stretch every time limit (at least 1)")
    add("--vdi-seed", metavar="S", help="seed of everything that is chosen at random")
    add(
        "--vdi-examples",
        action="append",
        default=[],
        metavar="DIR",
        help="try first what earlier runs with a seed found to fail, and keep it there; further ones are only read",
    )
    add(
        "--vdi-challenge", metavar="TEXT", help="enter this into the evidence, which shows that it is of no earlier run"
    )
    add("--vdi-baseline", metavar="FILE", help="the known failures, strictly (TOML)")
    add("--vdi-evidence", metavar="FILE", help="write the evidence of the run there (JSON Lines)")
    add("--vdi-junit", metavar="FILE", help="write JUnit XML there at the end of the run")
    add("--vdi-html", metavar="FILE", help="write the run as a web page there at its end")
    add("--vdi-markdown", metavar="FILE", help="write the run in Markdown there at its end, for a job's summary")
    add("--vdi-proof", metavar="FILE", help="make the trials of this plan, which `vdi-conformance prove` writes")
    add(
        "--vdi-isolated",
        action="store_true",
        help="keep settings of working directories on other machines out, as `vdi-conformance run` does here",
    )
    add(
        "--vdi-start",
        choices=["forkserver", "spawn"],
        help="how processes are started (default: the fastest there is)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugins when an adapter is named."""
    config.addinivalue_line("markers", "vdi_requirement(*ids): the requirements that a check judges")
    config.addinivalue_line("markers", "vdi_timing: its subject is elapsed time, so that it waits for time to pass")
    config.addinivalue_line("markers", "vdi_endurance: it goes on for so long that only --vdi-endurance runs it")
    config.addinivalue_line(
        "markers", "vdi_crash_point: one of the points that --vdi-crash-points runs in place of all"
    )
    config.addinivalue_line(
        "markers", "vdi_begun_early(begin): what begins with the first check, and is looked at last"
    )
    if config.getoption("vdi_adapter") is None:
        _without_adapter(config)
        return
    from vdi_conformance.pytest_plugin import (
        adapter,
        baseline,
        bounds,
        failed_in,
        machines,
        no_verdict,
        outputs,
        phases,
        profile,
        repetition,
        selection,
        shards,
        usage_errors,
    )

    first = (no_verdict, bounds, usage_errors, repetition, outputs)
    for plugin in (*first, baseline, profile, shards, machines, adapter, failed_in, selection, phases):
        config.pluginmanager.register(plugin, f"vdi-{plugin.__name__.rpartition('.')[2]}")
    if config.getoption("vdi_examples"):
        from vdi_conformance.pytest_plugin import examples

        config.pluginmanager.register(examples, "vdi-examples")
    if config.getoption("collectonly"):
        return
    if config.getoption("vdi_proof"):
        from vdi_conformance.pytest_plugin import proof

        config.pluginmanager.register(proof, "vdi-proof")
        config.pluginmanager.register(proof.Trials(config), "vdi-trials")
        return
    from vdi_conformance.pytest_plugin import evidence, session, terminal

    for plugin in (session, evidence, terminal):
        config.pluginmanager.register(plugin, f"vdi-{plugin.__name__.rpartition('.')[2]}")
    # What only some runs ask for is imported only then: the start of every worker counts.
    if any(config.getoption(f"vdi_{name}") for name in outputs.REPORTS):
        from vdi_conformance.pytest_plugin import report_files

        config.pluginmanager.register(report_files, "vdi-report-files")
    if config.getoption("allure_report_dir", None):
        from vdi_conformance.pytest_plugin import allure

        config.pluginmanager.register(allure, "vdi-allure")


def _without_adapter(config: pytest.Config) -> None:
    """Let everything be as it is without us, but for what cannot be meant."""
    from vdi_conformance.pytest_plugin import usage_errors, without_adapter

    ours = {name: value for name, value in vars(config.option).items() if name.startswith("vdi_")}
    without_adapter.refuse_options(
        [f"--{name.replace('_', '-')}" for name, value in ours.items() if value not in (None, [], False)]
    )
    if not config.getoption("collectonly"):
        config.pluginmanager.register(usage_errors, "vdi-refusing")
        config.pluginmanager.register(without_adapter, "vdi-unnamed")
