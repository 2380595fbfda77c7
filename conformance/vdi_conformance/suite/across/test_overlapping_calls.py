"""Overlapping calls: what each gives is what it may give in some order of them, as the documents have it."""

from typing import Final

import pytest

from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.histories import rounds
from vdi_conformance.histories.charging import Beside
from vdi_conformance.histories.check import Overlap, WorkingSet, finish, overlapping_on, set_to_work

BESIDE: Final = pytest.mark.parametrize("beside", ["threads", "objects", "processes"])
BESIDE_SHARED: Final = pytest.mark.parametrize("beside", ["threads", "processes"])
SHARING: Final = ("get_buffer_handle", "map_buffer_handle", "get_configuration", "create", "join")
OTHERS: Final = ("get_command", "map_buffer_handle", "open_device", "get_buffer_handle", "get_configuration")


def _in_pairs(testbed: Testbed, overlap: Overlap, about: str) -> None:
    overlapping = overlapping_on(testbed, overlap.beside)
    set_to_work(overlapping, rounds.layout(overlap.beside), overlap.beside)
    rounds.in_pairs(overlapping, overlap, about, SHARING, turns=6)
    finish(overlapping.walk)


@BESIDE
@vdi_requirement("GBH-17", "GBH-01")
def test_get_buffer_handle_overlaps_with_others(testbed: Testbed, beside: Beside) -> None:
    """GetBufferHandle gives the handle of its buffer while threads, objects and processes make other calls."""
    judged = ("GBH-17", "GBH-01") if beside == "threads" else ("GBH-01", "GBH-17")
    _in_pairs(testbed, Overlap(beside, judged), "get_buffer_handle")


@BESIDE
@vdi_requirement("MBH-26", "MBH-17")
def test_map_buffer_handle_overlaps_with_others(testbed: Testbed, beside: Beside) -> None:
    """MapBufferHandle gives the memory of its buffer while threads, objects and processes make other calls."""
    judged = ("MBH-26", "MBH-17") if beside == "threads" else ("MBH-17", "MBH-26")
    _in_pairs(testbed, Overlap(beside, judged), "map_buffer_handle")


@BESIDE
@vdi_requirement("CFG-09", "CRE-02", "SEC-03")
def test_get_configuration_overlaps_with_others(testbed: Testbed, beside: Beside) -> None:
    """GetConfiguration of a configured set gives NOERROR while threads, objects and processes make other calls."""
    _in_pairs(testbed, Overlap(beside, ("CFG-09", "CRE-02", "SEC-03")), "get_configuration")


@BESIDE_SHARED
@vdi_requirement("OPD-05", "OPD-01", "THR-01")
def test_open_device_overlaps_with_others(testbed: Testbed, beside: Beside) -> None:
    """OpenDevice opens a device once while threads and processes open the same, and make other calls."""
    overlap = Overlap(beside, ("OPD-05", "OPD-01", "THR-01"))
    overlapping = overlapping_on(testbed, beside)
    rounds.opening(overlapping, overlap, SHARING, sets=2)


@BESIDE_SHARED
@vdi_requirement("CMD-01", "CMD-11", "CMD-12", "CMD-24", "CMP-01")
def test_transfers_of_devices_overlap(testbed: Testbed, beside: Beside) -> None:
    """GetCommand gives each command once, on its device, in its order, while others are sent, fetched and completed."""
    overlap = Overlap(beside, ("CMD-01", "CMD-11", "CMD-12", "CMD-24", "CMP-01"))
    overlapping = overlapping_on(testbed, beside)
    owners = (1, 1, 1) if beside == "threads" else (1, 2, 3)
    set_to_work(overlapping, WorkingSet(4, owners, buffers=False), beside)
    rounds.transferring(overlapping, overlap, turns=16)
    finish(overlapping.walk)


@BESIDE
@vdi_requirement("ABT-03", "ABT-04", "ABT-05", "ABT-09", "ABT-01", "ABT-11", "CMD-09", "CMP-20")
def test_an_abort_overlaps_with_others(testbed: Testbed, beside: Beside) -> None:
    """SignalAbort ends the set for whoever calls afterwards, and wakes who waits, whatever is called meanwhile."""
    overlap = Overlap(beside, ("ABT-03", "ABT-04", "ABT-05", "ABT-09", "ABT-01", "ABT-11", "CMD-09", "CMP-20"))
    rounds.aborting(overlapping_on(testbed, beside), overlap, OTHERS, sets=12)


@BESIDE_SHARED
@vdi_requirement("ABT-17", "CFG-07", "CMP-20", "ABT-05")
def test_an_abort_of_the_server_overlaps_with_others(testbed: Testbed, beside: Beside) -> None:
    """An abort of the server ends the set and wakes who waits, whatever threads and processes call meanwhile."""
    overlap = Overlap(beside, ("ABT-17", "CFG-07", "CMP-20", "ABT-05"))
    rounds.aborting_by_the_server(overlapping_on(testbed, beside), overlap, sets=12)


@vdi_requirement("THR-05")
@vdi_requirement("ABT-04", "ABT-01", "ABT-09", "ABT-11")
def test_ends_overlap_with_waits_for_the_configuration(testbed: Testbed) -> None:
    """SignalAbort and Close end each wait for the configuration, whatever other threads call at that moment."""
    overlap = Overlap("threads", ("ABT-04", "ABT-01", "ABT-09", "ABT-11", "THR-05"))
    rounds.ending_waits(overlapping_on(testbed, "threads"), overlap, turns=42)


@BESIDE
@vdi_requirement("NAM-08", "CRE-01", "CRE-02", "SEC-02")
def test_creating_joining_and_closing_overlap(testbed: Testbed, beside: Beside) -> None:
    """CreateEx, OpenInSecondaryEx, SignalAbort and Close give, called at once, what they give in some order."""
    overlap = Overlap(beside, ("NAM-08", "CRE-01", "CRE-02", "SEC-02"))
    rounds.coming_and_going(overlapping_on(testbed, beside), overlap, turns=24)


@vdi_requirement("SEC-01", "GBH-01", "MBH-17")
def test_joining_overlaps_with_others(testbed: Testbed) -> None:
    """OpenInSecondaryEx lets each of several processes in at the same moment, and disturbs nobody who works."""
    overlap = Overlap("processes", ("SEC-01", "GBH-01", "MBH-17"))
    rounds.joining(overlapping_on(testbed, "processes"), overlap, turns=24)


@vdi_requirement("ST-48")
def test_every_call_of_several_processes_gives_what_the_model_permits(testbed: Testbed) -> None:
    """Each of the calls that several processes make at once gives what the documents permit in some order of them."""
    overlapping = overlapping_on(testbed, "processes")
    rounds.walking(overlapping, Overlap("processes", ("ST-48",)), testbed.seed, sets=6, turns=8)
