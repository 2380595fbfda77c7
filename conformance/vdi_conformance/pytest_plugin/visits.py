"""Each place that --tx names is examined before anything runs there, and is given workers then."""

import shlex
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from json import loads
from pathlib import PurePath
from typing import Any, Final

import execnet
import msgspec
import pytest

from vdi_conformance import __version__
from vdi_conformance.evidence.merging import first_difference, image, laid_out
from vdi_conformance.evidence.records import Party
from vdi_conformance.output.console import tell
from vdi_conformance.private_interfaces import keep_own_paths, without_copies
from vdi_conformance.pytest_plugin import visiting
from vdi_conformance.pytest_plugin.collected import FOREIGN, isolating
from vdi_conformance.pytest_plugin.examination import Asked, Examined, examined, suite_digest
from vdi_conformance.pytest_plugin.machines import EACH, MACHINES, ORDINAL, Visited, machine_of, place_of
from vdi_conformance.pytest_plugin.no_verdict import NoVerdict
from vdi_conformance.pytest_plugin.places import NoPlace, Place, make_patient, places_of, refuse_socket
from vdi_conformance.pytest_plugin.selection import needs_server
from vdi_conformance.report.wording import numbered
from vdi_conformance.untrusted.printable import shown

SENTENCE: Final = 8000
"""So many characters are told of why a place cannot be used."""
PATIENCE: Final = 300.0
"""So many seconds, before scaling, a place has to say who is under test there."""
CLOCKS: Final = 60
"""So many seconds clocks may differ before that is told."""
MODEL: Final = "main_thread_only"
"""How pytest-xdist has execnet run workers, too."""


def pay(config: pytest.Config) -> None:
    """Examine the places of a run over machines, or end with a usage error (exit code 4)."""
    try:
        places = _places(config)
        if not places:
            return
        _need_portable(config)
        config.stash[MACHINES] = visited = tuple(_told_apart([*_visit(config, places)]))
        (_need_one_adapter if config.getoption("dist") == EACH else _need_alike)(visited)
    except NoPlace as error:
        raise pytest.UsageError(shown(str(error), SENTENCE)) from error
    # Another worker in the place of one that was lost would wait for a machine that may be gone.
    if config.option.maxworkerrestart is None:
        config.option.maxworkerrestart = "0"
    config.pluginmanager.register(Places(config), "vdi-places")


def _places(config: pytest.Config) -> tuple[Place, ...]:
    """Give the places of a run over machines; none where its workers are started as those of -n are."""
    found = places_of(config.getoption("tx"))
    if config.getoption("dist") != EACH:
        return () if all(place.here for place in found) else found
    if many := [place.name for place in found if place.workers > 1]:
        raise NoPlace(f"--dist each would run checks more than once in {many[0]}: name each place once with --tx")
    if config.getoption("vdi_junit"):
        raise NoPlace("JUnit XML has no platforms: with --dist each, make one of the evidence of each (report junit)")
    return found


def _need_portable(config: pytest.Config) -> None:
    """Refuse what would be sought, or left, on the machines of the workers."""
    for option, name in (("allure_report_dir", "--alluredir"), ("rsyncdir", "--rsyncdir")):
        if config.getoption(option, None):
            raise NoPlace(f"{name} does not go with --tx and other machines: {_INSTEAD[name]}")
    paths = [word for word in map(str, config.invocation_params.args) if _is_path(config, word)]
    if paths:
        raise NoPlace(f"{paths[0]} is a path of this machine: name tests by --pyargs package.module, which all have")


_INSTEAD: Final = {
    "--alluredir": "its results would stay there; --vdi-html makes a page of the run",
    "--rsyncdir": "install what is needed there",
}


def _is_path(config: pytest.Config, word: str) -> bool:
    try:
        return (config.invocation_params.dir / word.partition("::")[0]).exists()
    except OSError:
        return False


def _asked(config: pytest.Config) -> Asked:
    return Asked(
        adapter=config.getoption("vdi_adapter"),
        server=config.getoption("vdi_server"),
        seed=config.getoption("vdi_seed"),
        timeout_scale=config.getoption("vdi_timeout_scale"),
        start=config.getoption("vdi_start"),
        probed=not (config.getoption("setupplan") or config.pluginmanager.is_blocked("vdi-probe")),
        with_statements=needs_server(config),
    )


def _visit(config: pytest.Config, places: Sequence[Place]) -> Iterator[Visited]:
    """Ask all places, which find out at once."""
    asked = _asked(config)
    question = {"digest": suite_digest(), "asked": msgspec.json.encode(asked).decode()}
    patience = PATIENCE * asked.timeout_scale
    group = execnet.Group(execmodel=MODEL)
    try:
        for proxy in config.getoption("px"):
            refuse_socket(proxy)
            group.makegateway(proxy)
        channels: dict[Place, execnet.Channel] = {}
        for place in (place for place in places if not place.here):
            with _reaching(place):
                channels[place] = _gateway(group, place).remote_exec(visiting.look, **question)
        for place in places:
            with _reaching(place):
                found = examined(asked) if place.here else _answer(place, channels[place].receive(patience))
            if found.trouble:
                raise NoPlace(f"{place.name}: {found.trouble}")
            _compare_clocks(place, found)
            yield Visited(place, found)
    finally:
        group.terminate(timeout=10)


def _told_apart(visited: Sequence[Visited]) -> Iterator[Visited]:
    """Tell places of one computer apart by their Pythons, or else by numbers."""
    names = [one.place.name for one in visited]
    pythons = {(one.place.name, one.found.python) for one in visited}
    told = [
        f"{name}, Python {one.found.python}" if len([one for one in pythons if one[0] == name]) > 1 else name
        for name, one in zip(names, visited, strict=True)
    ]
    for name, one in zip(numbered(told), visited, strict=True):
        yield replace(one, place=replace(one.place, name=name))


def _gateway(group: execnet.Group, place: Place) -> execnet.Gateway:
    spec = execnet.XSpec(place.spec)
    make_patient(spec)
    return group.makegateway(spec)


@contextmanager
def _reaching(place: Place) -> Iterator[None]:
    """Say what keeps a place from being reached; ssh and Python have told more on standard error."""
    try:
        yield
    except execnet.HostNotFound as error:
        raise NoPlace(unreached(place.name)) from error
    except execnet.TimeoutError as error:
        raise NoPlace(f"{place.name} did not say in time who is under test there: see what keeps it busy") from error
    except (OSError, EOFError, execnet.RemoteError) as error:
        *_, reason = str(error).splitlines() or [type(error).__name__]
        raise NoPlace(
            f"no Python answers in {place.name} ({reason}): "
            "name one that is there with //python=, and a directory that can be entered with //chdir="
        ) from error


def unreached(name: str) -> str:
    """Say that ssh does not get through."""
    return f"ssh does not reach {name}: see that `ssh -o BatchMode=yes {name}` logs in, which asks for nothing"


def _answer(place: Place, sent: object) -> Examined:
    """Take what a place has sent; another suite there is refused."""
    told = loads(str(sent))
    if told["answer"]:
        return msgspec.json.decode(told["answer"], type=Examined)
    where, version = f"{told['interpreter']} in {place.name}", told["version"]
    if not version:
        raise NoPlace(f"{where} has no vdi-conformance ({told['missing']}): install version {__version__} there")
    if version != __version__:
        raise NoPlace(f"{where} has vdi-conformance {version}, this is {__version__}: install the same version there")
    raise NoPlace(f"{where} has other code of vdi-conformance {version} than this: install the same wheel there")


def _compare_clocks(place: Place, found: Examined) -> None:
    ahead = round(found.clock - time.time())
    if abs(ahead) > CLOCKS:
        way = "ahead" if ahead > 0 else "behind"
        tell(f"The clock of {place.name} is {abs(ahead)} s {way}: no verdict depends on it, its own logs do.")


def _need_one_adapter(visited: Sequence[Visited]) -> None:
    """Refuse places that have different adapters: that their verdicts differ would say nothing of platforms."""
    first, *others = visited
    for other in others:
        if (here := first.parties[0].name) != (there := other.parties[0].name):
            raise NoPlace(
                f"{first.place.name} and {other.place.name} are not platforms of one adapter ({here} and {there}): "
                "let the reference lead to the same one in every place"
            )


def _need_alike(visited: Sequence[Visited]) -> None:
    """Refuse places that differ in what the header of a run says of all of them."""
    first, *others = visited
    own = _compared(first)
    for other in others:
        if (difference := first_difference(own, _compared(other))) is not None:
            name, here, there = difference
            raise NoPlace(
                f"{first.place.name} and {other.place.name} cannot share a run, since their {name} differs "
                f"({here} and {there}): make them alike, or give each its own verdicts by --dist each"
            )


def _compared(visited: Visited) -> dict[str, object]:
    found = visited.found
    told = {"platform": image(found.platform), "python": found.python, "tools": found.tools, "plugins": found.plugins}
    parties = {role: _party(party) for role, party in zip(("client", "server"), visited.parties, strict=True)}
    return dict(laid_out({**told, **parties}))


def _party(party: Party) -> dict[str, object]:
    """Give what a party is; its files may lie elsewhere on each machine, and what the system loads is its own."""
    files = sorted(
        (PurePath(path.replace("\\", "/")).name, pin.sha256) for path, pin in party.pins.items() if pin.kind != "loaded"
    )
    plain: dict[str, object] = msgspec.to_builtins(msgspec.structs.replace(party, pins={}))
    return {**plain, "pins": dict(files)}


class Places:
    """Starts the workers of such a run, and tells each its number in its place."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._workers: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_xdist_setupnodes(self, config: pytest.Config, specs: Sequence[execnet.XSpec]) -> None:
        """Change how places are reached, before they are."""
        without_copies(config)
        for spec in specs:
            make_patient(spec)

    def pytest_xdist_newgateway(self, gateway: execnet.Gateway) -> None:
        """Give the process there its options, before it becomes a worker."""
        visited = place_of(self._config, gateway)
        assert visited is not None
        if not visited.place.here:
            keep_own_paths(gateway.spec)
            options = None
            if self._config.getoption("vdi_isolated"):
                package = visited.found.package
                options = shlex.join([*isolating(package), f"{package}/suite"])
            gateway.remote_exec(visiting.prepare, options=options, unwanted=list(FOREIGN)).receive(PATIENCE)

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker how many are in its place before it."""
        visited = machine_of(self._config, node)
        assert visited is not None
        node.workerinput[ORDINAL] = self._workers[visited.place.name]
        self._workers[visited.place.name] += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Say in a sentence that a machine which could be reached cannot be reached any more."""
        if isinstance(excinfo.value, execnet.HostNotFound):
            raise NoVerdict(unreached(str(excinfo.value)))
