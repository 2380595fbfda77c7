"""What --tx names is read before anything is started: places, their names and their workers."""

import platform

import pytest
from execnet import XSpec

from vdi_conformance.pytest_plugin.places import PATIENT, NoPlace, make_patient, places_of


@pytest.mark.parametrize(
    ("word", "name", "workers", "here"),
    [
        ("popen", platform.node(), 1, True),
        ("3*popen", platform.node(), 3, True),
        ("popen//env:TMPDIR=x", platform.node(), 1, True),
        ("popen//python=python3.13", platform.node(), 1, False),
        ("popen//chdir=elsewhere", platform.node(), 1, False),
        ("popen//via=proxy", platform.node(), 1, False),
        ("popen//id=mine", "mine", 1, True),
        ("ssh=ci@build-7//chdir=work", "build-7", 1, False),
        ("ssh=-p 2201 ci@build-7", "build-7", 1, False),
        ("2*ssh=win11//python=py", "win11", 2, False),
        ("ssh=ci@build-7//id=Debian 12", "Debian 12", 1, False),
    ],
)
def test_a_place_is_called_what_its_user_calls_it(word: str, name: str, workers: int, here: bool) -> None:
    (place,) = places_of([word])
    assert (place.name, place.workers, place.here) == (name, workers, here)


def test_a_place_that_is_named_twice_has_the_workers_of_both() -> None:
    here, there = places_of(["popen", "ssh=a", "2*popen"])
    assert (here.workers, there.workers) == (3, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "names no place"),
        (["0*popen"], "names no place"),
        ([""], "specifies no place"),
        (["ssh=a//ssh=b"], "duplicate key"),
        (["chdir=work"], "does not say how a place is reached"),
        (["2*ssh=a//id=b"], "cannot all be called b"),
        (["socket=10.1.2.3:8888"], "everybody may run code"),
    ],
)
def test_what_is_no_place_is_refused(words: list[str], told: str) -> None:
    with pytest.raises(NoPlace, match=told):
        places_of(words)


def test_ssh_neither_asks_nor_waits_without_end_and_options_of_the_user_come_first() -> None:
    spec = XSpec("ssh=-o ConnectTimeout=5 a")
    make_patient(spec)
    make_patient(spec)
    assert spec.ssh == f"-o ConnectTimeout=5 a {PATIENT}"
    local = XSpec("popen")
    make_patient(local)
    assert local.ssh is None
