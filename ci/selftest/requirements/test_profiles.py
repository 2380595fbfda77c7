"""Profiles: what is frozen stays, what they list there is, and what a requirement is to them."""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import profiles as writer
from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.requirements import Requirement, catalogue
from vdi_conformance.requirements.profiles import REACHED, Profile, newest, parse, profile, profiles, texts
from vdi_conformance.requirements.values import Challenge

FROZEN = Path(__file__).resolve().parents[2] / "frozen-profiles.tsv"
TOML = """
name = "small"
version = 2
about = "a few requirements"
server = "statement"
joining = false
derived = false
topics = ["GBH"]
scored = ["GBH-01", "GBH-10"]
reported = ["GBH-05"]
excluded = ["GBH-08"]

[optional]
GBH-10 = "null_out_pointers"
"""


def requirement(id_: str) -> Requirement:
    found = catalogue().get(id_)
    assert found is not None
    return found


@pytest.fixture
def small() -> Profile:
    """A profile that is not shipped."""
    return parse(TOML.encode(), "small-2.toml")


def test_what_is_frozen_has_not_changed() -> None:
    _, *lines = FROZEN.read_text("utf-8").splitlines()
    for label, digest in (line.split("\t") for line in lines):
        message = f"{label} is frozen: put it back, and let ci/profiles.py write a new version"
        assert hashlib.sha256(texts()[label]).hexdigest() == digest, message


def test_each_profile_holds_more_than_the_one_before() -> None:
    assert [one.name for one in newest()] == ["core", "shared-buffers", "full"]
    core, shared, full = newest()
    assert core.scored < shared.scored < full.scored


@pytest.mark.parametrize("one", profiles().values(), ids=profiles())
def test_a_profile_lists_requirements_of_the_library_alone(one: Profile) -> None:
    listed = one.scored | one.reported | one.excluded
    assert [id_ for id_ in sorted(listed) if (found := catalogue().get(id_)) is None or found.binds != "library"] == []


@pytest.mark.parametrize("one", profiles().values(), ids=profiles())
def test_what_is_scored_decides_and_can_be_judged_at_the_level_of_the_profile(one: Profile) -> None:
    scored = [requirement(id_) for id_ in one.scored]
    assert {found.level for found in scored} <= {"MUST", "SHOULD"}
    if one.server != "scripted":
        assert {found.reach for found in scored} <= set(REACHED[one.server])
    assert one.derived or "derived" not in {found.source_class for found in scored}


@pytest.mark.parametrize("one", newest(), ids=[one.name for one in newest()])
def test_only_what_the_catalogue_calls_optional_may_be_not_applicable(one: Profile) -> None:
    assert one.optional == {id_: requirement(id_).optional for id_ in one.scored if requirement(id_).optional}


@pytest.mark.parametrize("one", newest(), ids=[one.name for one in newest()])
def test_each_scored_requirement_has_a_check_that_counts(one: Profile) -> None:
    judged: dict[str, set[str]] = {}
    for id_, checks in checks_by_requirement().items():
        for check in checks:
            judged.setdefault(check, set()).add(id_)
    counting = {id_ for requirements in judged.values() if one.counts(requirements) for id_ in requirements}
    assert sorted(one.scored - counting) == []


def test_labels_and_names_lead_to_profiles() -> None:
    core = profile("core")
    assert profile(core.label) == core
    assert profiles()[core.label] == core
    assert core.sha256 == hashlib.sha256(texts()[core.label]).hexdigest()
    with pytest.raises(
        ValueError, match="there is no profile 'cor'; nearest: core; known are core, shared-buffers, full"
    ):
        profile("cor")


def test_a_requirement_that_came_later_is_provisional(small: Profile) -> None:
    standings = {id_: small.standing(requirement(id_)) for id_ in ("GBH-01", "GBH-05", "GBH-08", "GBH-02", "MBH-01")}
    assert standings == {
        "GBH-01": "scored",
        "GBH-05": "reported",
        "GBH-08": None,
        "GBH-02": "provisional",
        "MBH-01": None,
    }
    assert small.standing(replace(requirement("GBH-02"), binds="server")) is None
    assert small.standing(replace(requirement("GBH-02"), reach="scripted")) is None


def test_a_check_belongs_to_a_profile_that_has_all_its_requirements(small: Profile) -> None:
    assert small.selects([requirement("GBH-01"), requirement("GBH-02")])
    assert not small.selects([requirement("GBH-01"), requirement("MBH-01")])
    assert small.counts(["GBH-01", "GBH-10"])
    assert not small.counts(["GBH-01", "GBH-02"])


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('reported = ["GBH-05"]', 'reported = ["GBH-01"]', "small-2.toml lists GBH-01 more than once"),
        ("version = 2", 'version = "2"', "small-2.toml is no profile"),
        ('server = "statement"', 'server = "none"', "small-2.toml is no profile"),
        ("derived = false\n", "", "small-2.toml is no profile"),
        ("joining = false", "joining = ", "small-2.toml is no profile"),
        ("joining = false", "joins = false", "small-2.toml is no profile"),
    ],
)
def test_a_file_that_is_no_profile_is_refused(before: str, after: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse(TOML.replace(before, after).encode(), "small-2.toml")


def test_freezing_lists_what_there_is_and_refuses_what_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "DIRECTORY", tmp_path)
    monkeypatch.setattr(writer, "FROZEN", tmp_path / "frozen.tsv")
    (tmp_path / "frozen.tsv").write_text("profile\tsha256\n", "utf-8")
    (tmp_path / "small-2.toml").write_bytes(TOML.encode())
    writer.freeze()
    assert writer.frozen() == {"small-2": hashlib.sha256(TOML.encode()).hexdigest()}
    (tmp_path / "small-2.toml").write_bytes(TOML.replace("GBH-05", "GBH-06").encode())
    with pytest.raises(SystemExit, match=r"small-2\.toml is frozen and was changed"):
        writer.freeze()


def test_a_challenged_requirement_is_provisional_in_the_next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = "CMP-03"
    assert profile("core").standing(requirement(id_)) == "scored"
    challenged = replace(requirement(id_), challenge=Challenge(date(2027, 1, 31), "It is too strict."))
    known = tuple(challenged if one.id == id_ else one for one in catalogue().requirements)
    monkeypatch.setattr(writer, "catalogue", lambda: replace(catalogue(), requirements=known))
    found = parse(writer.text("core", 2, writer.RULES["core"], frozenset()), "core-2.toml")
    assert found.standing(challenged) == "provisional"
    assert not found.counts([id_])
