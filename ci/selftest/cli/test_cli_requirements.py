"""`vdi-conformance requirements`: the list, one row, and ids that do not exist."""

import pytest

from vdi_conformance.cli import main
from vdi_conformance.requirements import catalogue


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["requirements", *arguments]) == 0
    return capsys.readouterr().out


def test_the_list_has_every_requirement_once(capsys: pytest.CaptureFixture[str]) -> None:
    first_words = [line.split()[0] for line in shown(capsys).splitlines() if line.split()]
    ids = {row.id for row in catalogue().rows}
    assert sorted(word for word in first_words if word in ids) == sorted(ids)


def test_a_topic_restricts_the_list_whatever_its_case(capsys: pytest.CaptureFixture[str]) -> None:
    output = shown(capsys, "--topic", "gbh", "--topic", "MBH")
    assert "GBH-01" in output
    assert "MBH-01" in output
    assert "CMP-01" not in output


@pytest.mark.parametrize("id", ["GBH-01", "gbh-01"])
def test_one_requirement_is_shown_with_the_address_of_its_source(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = catalogue().get("GBH-01")
    assert row is not None
    output = shown(capsys, id)
    assert " ".join(row.statement.split()) in " ".join(output.split())
    address = catalogue().sources["learn:getbufferhandle"].address
    assert any(line.endswith(address) for line in output.splitlines())


def test_every_requirement_can_be_shown_with_its_sources_and_questions(capsys: pytest.CaptureFixture[str]) -> None:
    for row in catalogue().rows:
        output = " ".join(shown(capsys, row.id).split())
        assert row.level in output
        assert all(f"{question} " in output for question in row.questions), row.id
        assert "Source" in output, row.id


@pytest.mark.parametrize(
    ("arguments", "nearest"), [(["GBH-1"], "GBH-01"), (["mbh-0l"], "MBH-01"), (["--topic", "GBB"], "GBH")]
)
def test_an_unknown_name_is_refused_and_the_nearest_are_named(
    arguments: list[str], nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["requirements", *arguments]) == 4
    sentence = capsys.readouterr().err
    assert nearest in sentence
    assert arguments[-1] in sentence
