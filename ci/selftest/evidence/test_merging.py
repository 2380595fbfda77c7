"""The shards of a run: which checks belong to which, and what makes a whole run of them again."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from selftest.report.made import check, run
from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.merging import Named, NotMergeable, merged
from vdi_conformance.evidence.records import Shard
from vdi_conformance.evidence.shards import belongs, shard, whole
from vdi_conformance.pytest_plugin.collected import held

OF = 3
IDS = tuple(f"MBH/made[{number}]" for number in range(40))
STARTS = tuple(f"2026-01-01T00:00:{10 - number:02}+00:00" for number in range(OF))


def made(number: int, **header: Any) -> Evidence:
    """The evidence of one shard."""
    part = Shard(number=number, of=OF)
    own = [check(id_) for id_ in IDS if belongs(id_, part)]
    told = {"selection": ["topic MBH", f"shard {part.label}"], "shard": part, "started": STARTS[number - 1]}
    found = run(*own, **(told | header))
    return Evidence(found.header, found.checks, msgspec.structs.replace(found.footer, whole=whole(IDS), duration=4.0))


def named(shards: Sequence[Evidence]) -> list[Named]:
    return [Named(f"{place}.jsonl", one) for place, one in enumerate(shards, 1)]


def three() -> list[Evidence]:
    return [made(number) for number in range(1, OF + 1)]


@pytest.mark.parametrize("of", [1, 2, 8, 16])
def test_each_check_of_the_suite_is_in_one_shard_and_shards_are_of_a_size(of: int) -> None:
    shards = [Shard(number=number, of=of) for number in range(1, of + 1)]
    sizes = Counter[int]()
    for id_ in held():
        (own,) = [one.number for one in shards if belongs(id_, one)]
        sizes[own] += 1
    mean = len(held()) / of
    assert all(0.7 * mean < sizes[one.number] < 1.3 * mean for one in shards)


def test_a_shard_is_known_by_the_id_alone_for_all_time() -> None:
    assert [number for number in range(1, 9) if belongs("GBH/a_check[primary]", shard(f"{number}/8"))] == [1]


@pytest.mark.parametrize("word", ["", "3", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/3", "1/1001", "²/3"])
def test_what_is_no_shard_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="is no shard such as 3/8"):
        shard(word)


def test_shards_make_the_whole_run_in_whatever_order_they_are_given() -> None:
    found = merged(named(three()[::-1]))
    assert sorted(one.id for one in found.checks) == sorted(IDS)
    assert found.header == msgspec.structs.replace(
        made(1).header, selection=["topic MBH"], shard=None, started=STARTS[-1]
    )
    assert found.duration == 6.0


def test_kernels_of_one_image_may_have_different_releases() -> None:
    platforms = ("Linux-6.8.0-1021-azure-x86_64-with-glibc2.39", "Linux-6.11.0-1018-azure-x86_64-with-glibc2.39")
    shards = [made(1, platform=platforms[0]), made(2, platform=platforms[1]), made(3, platform=platforms[0])]
    assert len(merged(named(shards)).checks) == len(IDS)


def test_a_check_that_a_run_without_a_server_left_out_is_not_missing() -> None:
    first, *others = three()
    gone, *left = first.checks
    said = whole(IDS, [gone.id])
    found = merged(
        named([Evidence(first.header, tuple(left), msgspec.structs.replace(first.footer, whole=said)), *others])
    )
    assert {one.id for one in found.checks} == {*IDS} - {gone.id}


def _without_a_check(shards: list[Evidence]) -> list[Evidence]:
    first, *others = shards
    return [Evidence(first.header, first.checks[1:], first.footer), *others]


def _with_a_foreign_check(shards: list[Evidence]) -> list[Evidence]:
    first, second, third = shards
    return [Evidence(first.header, (*first.checks, second.checks[0]), first.footer), second, third]


def _narrowed(shards: list[Evidence]) -> list[Evidence]:
    first, *others = shards
    return [
        Evidence(first.header, first.checks, msgspec.structs.replace(first.footer, narrowed=["1 of 9 checks"])),
        *others,
    ]


def _silent(shards: list[Evidence]) -> list[Evidence]:
    first, *others = shards
    return [Evidence(first.header, first.checks, msgspec.structs.replace(first.footer, whole=None)), *others]


def _another_whole(shards: list[Evidence]) -> list[Evidence]:
    *others, last = shards
    other = whole([*IDS[1:], "MBH/another"])
    return [*others, Evidence(last.header, last.checks, msgspec.structs.replace(last.footer, whole=other))]


def _changed(**header: Any) -> Callable[[list[Evidence]], list[Evidence]]:
    return lambda shards: [*shards[:-1], made(OF, **header)]


CLIENT = made(1).header.client


def _endless(shards: list[Evidence]) -> list[Evidence]:
    first, *others = shards
    return [Evidence(first.header, first.checks, msgspec.structs.replace(first.footer, duration=1e308)), *others]


REFUSED: dict[str, tuple[Callable[[list[Evidence]], list[Evidence]], str]] = {
    "none": (lambda _: [], "there is no evidence"),
    "missing": (lambda shards: shards[:2], "shard 3/3 is missing"),
    "two missing": (lambda shards: shards[1:2], "shard 1/3, 3/3 is missing"),
    "twice": (lambda shards: [*shards, shards[0]], "1.jsonl and 4.jsonl are both of shard 1/3"),
    "a whole run": (lambda shards: [*shards, run(check("MBH/made[0]"))], "4.jsonl is of no shard"),
    "another number": (
        lambda shards: [*shards[:2], made(3, shard=Shard(number=3, of=4))],
        "number of shards differs (3 and 4)",
    ),
    "no number": (
        lambda shards: [*shards[:2], made(3, shard=Shard(number=0, of=0))],
        "3.jsonl is of shard 0/0, which no run has",
    ),
    "a number without end": (
        lambda shards: [*shards[:2], made(3, shard=Shard(number=1, of=10**15))],
        "3.jsonl is of shard 1/1000000000000000, which no run has",
    ),
    "no time": (_changed(started=""), "3.jsonl does not say when it began and ended"),
    "no end": (_endless, "1.jsonl does not say when it began and ended"),
    "seed": (_changed(seed=1), "their seed differs (0 and 1)"),
    "scale": (_changed(timeout_scale=2.0), "their timeout_scale differs"),
    "suite": (_changed(suite_version="2"), "their suite_version differs"),
    "catalogue": (_changed(catalogue_sha256="1" * 64), "their catalogue_sha256 differs"),
    "client": (_changed(client=msgspec.structs.replace(CLIENT, version="2")), "their client.version differs (1 and 2)"),
    "server": (_changed(server=msgspec.structs.replace(CLIENT, version="2")), "their server.version differs"),
    "python": (_changed(python="3.12"), "their python differs (3.11 and 3.12)"),
    "platform": (_changed(platform="there"), "their platform differs (here and there)"),
    "architecture": (
        lambda _: [made(1, platform="Linux-6.8.0-aarch64"), made(2, platform="Linux-6.8.0-x86_64"), made(3)],
        "their platform differs (Linux-aarch64 and Linux-x86_64)",
    ),
    "tools": (_changed(tools={"pytest": "8"}), "their tools.hypothesis differs (6 and nothing)"),
    "plugins": (_changed(plugins={}), "their plugins.pytest-xdist differs (3 and nothing)"),
    "selection": (_changed(selection=["topic GBH", "shard 3/3"]), "their selection differs"),
    "baseline": (_changed(baseline_sha256="2" * 64), "their baseline_sha256 differs"),
    "a check of another shard": (_with_a_foreign_check, "which is of another shard"),
    "a check is gone": (_without_a_check, "the shards hold 39 checks, which are not the 40"),
    "a shard left checks out": (_narrowed, "1.jsonl has not all of its shard (1 of 9 checks)"),
    "a shard without the whole": (_silent, "1.jsonl does not say what the whole run has"),
    "another whole of one size": (_another_whole, "the shards hold 40 checks, which are not the 40"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_whole_run_is_refused_by_name(case: str) -> None:
    change, sentence = REFUSED[case]
    with pytest.raises(NotMergeable, match=re.escape(sentence)):
        merged(named(change(three())))
