"""Examples that a run with a seed found to fail are tried first by later ones, whoever shares their directory."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis.database import InMemoryExampleDatabase

from selftest.suite.runs import RunSuite, run_suite_in
from selftest.suite.test_exploring import DRAWN, Counting
from vdi_conformance.harness.exploration import Exploration
from vdi_conformance.harness.found_examples import ExamplesOf, ForeignExample, add, contents, in_directories, in_memory
from vdi_conformance.harness.judging import ConformanceFailure

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

    from vdi_conformance.harness.testbed import Testbed


def attempts(seed: int, examples: "ExampleDatabase | None") -> list[list[int]]:
    """Explore with a seed, and give what was tried until the first failure."""
    tried: list[list[int]] = []

    def attempt(_: None, example: list[int]) -> None:
        tried.append(example)
        if sum(example) > 700:
            raise ConformanceFailure("it is too big")

    testbed = cast("Testbed", Counting(seed, examples=examples))
    with pytest.raises(ConformanceFailure):
        Exploration(testbed, lambda: None, attempt).run(DRAWN, examples=200)
    return tried[: 1 + next(at for at, one in enumerate(tried) if sum(one) > 700)]


def test_what_failed_before_is_tried_first(tmp_path: Path) -> None:
    alone = attempts(3, None)
    assert len(alone) > 2
    directories = [tmp_path / "own", tmp_path / "others"]
    attempts(4, ExamplesOf("a", in_directories(directories[1:])))
    assert len(attempts(3, ExamplesOf("a", in_directories(directories)))) < len(alone)
    assert attempts(3, ExamplesOf("another", in_directories(directories[1:]))) == alone


def test_only_the_first_directory_is_written_to(tmp_path: Path) -> None:
    own, others = tmp_path / "own", tmp_path / "others"
    ExamplesOf("a", in_directories([others])).save(b"key", b"theirs")
    before = contents(in_directories([others]))
    examples = ExamplesOf("a", in_directories([own, others]))
    examples.save(b"key", b"mine")
    examples.delete(b"key", b"theirs")
    assert {*examples.fetch(b"key")} == {b"mine", b"theirs"}
    assert contents(in_directories([others])) == before


def test_examples_travel(tmp_path: Path) -> None:
    here, there = in_directories([tmp_path / "here"]), in_directories([tmp_path / "there"])
    ExamplesOf("a", here).save(b"key", b"example")
    add(there, contents(in_memory(contents(here))))
    assert [*ExamplesOf("a", there).fetch(b"key")] == [b"example"]


def test_no_example_gets_out_of_its_directory(tmp_path: Path) -> None:
    add(in_directories([tmp_path / "examples"]), [(b"../x", b"1"), (b"/etc/x", b"2"), (b"\0", b"3")])
    assert [path.name for path in tmp_path.iterdir()] == ["examples"]


@pytest.mark.parametrize(
    "sent", [("key", b""), (b"key", None), (b"key",), b"key", (b"key", b"x" * 100_000), (b"x" * 100_000, b"")]
)
def test_what_is_no_example_is_refused(sent: object, tmp_path: Path) -> None:
    with pytest.raises(ForeignExample, match="no example of Hypothesis"):
        add(in_directories([tmp_path / "examples"]), [sent])
    assert list(tmp_path.iterdir()) == []


def test_an_example_belongs_to_one_check() -> None:
    both = InMemoryExampleDatabase()
    ExamplesOf("a", both).save(b"key", b"example")
    assert [*ExamplesOf("b", both).fetch(b"key")] == []
    ExamplesOf("b", both).delete(b"key", b"example")
    assert [*ExamplesOf("a", both).fetch(b"key")] == [b"example"]


FAULT = "vdi_fixtures.broken.gbh.invalid_never_given:Broken"
PROPERTY = ("--", "-k", "any_address_outside_the_set_has_no_handle")


@pytest.fixture
def run_suite(tmp_path: Path) -> RunSuite:
    """Run the property that finds the fault."""
    return partial(run_suite_in, tmp_path, "--adapter", FAULT)


@pytest.mark.long
def test_a_run_without_a_seed_has_none(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite(f"--examples={tmp_path / 'examples'}", *PROPERTY)
    assert run.exit_code == 4, run.output
    assert "name a seed by --vdi-seed" in run.output


@pytest.mark.long
def test_a_worker_elsewhere_sends_what_it_found(run_suite: RunSuite, tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    (tmp_path / "there").mkdir()
    there = f"--tx=popen//chdir={tmp_path / 'there'}//env:TMPDIR={tmp_path / 'there'}"
    run = run_suite("--seed=5", f"--examples={examples}", there, *PROPERTY)
    assert run.exit_code == 1, run.output
    found = contents(in_directories([examples]))
    assert found
    assert list((tmp_path / "there").iterdir()) == []
    again = run_suite("--seed=6", f"--examples={examples}", there, *PROPERTY)
    assert again.exit_code == 1, again.output
    assert {*contents(in_directories([examples]))} >= {*found}
