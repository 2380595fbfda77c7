"""Right applications are judged conformant, and of each wrong one the judge tells which rule it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selftest.applications.sites import JudgedSite, application_named, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selftest.applications.sites import Listed


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JudgedSite]:
    """A broker in this process."""
    made = JudgedSite(tmp_path_factory.mktemp("judged"))
    yield made
    made.threads.shutdown()


@pytest.mark.parametrize("listed", [pytest.param(one, id=one.application) for one in listed() if not one.needs_library])
def test_the_judge_tells_which_rule_is_broken(site: JudgedSite, listed: Listed) -> None:
    evidence = site.judged(application_named(listed.application)).evidence(listed.application)
    broken = {
        requirement: check.cause.sentence
        for check in evidence.checks
        if check.cause is not None
        for requirement in check.broken
    }
    assert [*broken] == [listed.breaks] if listed.breaks else not broken, broken
    if listed.whole:
        assert evidence.footer.exit_code == 0, [one.id for one in evidence.checks if one.verdict == "not tested"]
    if any(check.verdict == "failed" for check in evidence.checks):
        assert evidence.footer.exit_code == 1
