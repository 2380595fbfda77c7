"""The documented server interface: what may be called when, and what its buffers are."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import BufferView, mark, require_unchanged
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_FLUSH, VDF_WRITE_MEDIA
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_INVALID, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE, MAX_ALIGNMENT

SIZE = 65536
TOO_MANY = 1 << 30
"""So many buffers are 64 TiB."""
BUFFERS_IN_TURN = 20
"""More than what lies beside those that were requested could hold."""
FILE_NOT_FOUND = 0x80070002


@vdi_requirement("SRV-01")
def test_a_set_is_opened_by_one_server(testbed: Testbed) -> None:
    """Open of the server gives VD_E_PROTOCOL for a set that another server has opened, at whatever step that is."""
    connected, second = testbed.scripted_created(), testbed.server()
    connected.server.open(None, connected.set_name).expect(NOERROR)
    second.open(None, connected.set_name).expect(VD_E_PROTOCOL)
    scripted = testbed.scripted_created()
    scripted.begin_configuration()
    second.open(None, scripted.set_name).expect(VD_E_PROTOCOL)
    scripted.end_configuration()
    second.open(None, scripted.set_name).expect(VD_E_PROTOCOL)
    scripted.primary.get_configuration().expect(NOERROR)


@vdi_requirement("SRV-02")
def test_a_set_that_nobody_created_is_not_opened(testbed: Testbed) -> None:
    """Open of the server for an unknown name gives VD_E_INVALID or 0x80070002 (recorded)."""
    answer = testbed.server().open(None, testbed.name())
    answer.permit("Q54", "Open of a set that nobody created", VD_E_INVALID, FILE_NOT_FOUND)


@vdi_requirement("SRV-03")
def test_the_configuration_begins_and_ends_once(testbed: Testbed) -> None:
    """BeginConfiguration is legal once, EndConfiguration once after it; otherwise they give VD_E_PROTOCOL."""
    scripted = testbed.scripted_created()
    server, half = scripted.server, (VDF_WRITE_MEDIA, 0, 512, SIZE, INFINITE)
    server.open(None, scripted.set_name).expect(NOERROR)
    server.end_configuration().expect(VD_E_PROTOCOL)
    server.begin_configuration(*half).expect(NOERROR)
    server.begin_configuration(*half).expect(VD_E_PROTOCOL)
    scripted.primary.get_configuration(0).expect(VD_E_TIMEOUT)
    server.end_configuration().expect(NOERROR)
    scripted.primary.get_configuration().expect(NOERROR)
    server.end_configuration().expect(VD_E_PROTOCOL)
    server.begin_configuration(*half).expect(VD_E_PROTOCOL)


@pytest.mark.parametrize("alignment", [0, 512, 4096, 65536], ids=["no wish", "a block", "a page", "the largest"])
@vdi_requirement("CFG-20")
def test_the_server_may_ask_for_any_legal_alignment(testbed: Testbed, alignment: int) -> None:
    """The returned alignment is a power of 2, not below the server's wish or blockSize, not above 65536."""
    scripted = testbed.scripted_created()
    scripted.server.open(None, scripted.set_name).expect(NOERROR)
    scripted.server.begin_configuration(VDF_WRITE_MEDIA, alignment, 512, SIZE, INFINITE).expect(NOERROR)
    scripted.server.end_configuration().expect(NOERROR)
    found = scripted.primary.get_configuration().expect(NOERROR).alignment
    if found < max(alignment, 512) or found & (found - 1) or found > MAX_ALIGNMENT:
        raise ConformanceFailure(f"alignment is {found}, the server asked for {alignment} with blocks of 512 bytes")


@vdi_requirement("SRV-04")
def test_no_command_is_sent_to_a_device_that_the_server_has_not_opened(testbed: Testbed) -> None:
    """SendCommand gives VD_E_PROTOCOL until the server has opened the device, and NOERROR then."""
    scripted = testbed.scripted_created()
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR)
    scripted.server.send_command(scripted.set_name, VDC_FLUSH, 0, 0, 0, 99).expect(VD_E_PROTOCOL)
    scripted.primary.open_device(scripted.set_name).expect(NOERROR, by="OPD-01")
    scripted.server.send_command(scripted.set_name, VDC_FLUSH, 0, 0, 0, 99).expect(VD_E_PROTOCOL)
    scripted.server.open_device(scripted.set_name).expect(NOERROR)
    scripted.server.send_command(scripted.set_name, VDC_FLUSH, 0, 0, 0, 100).expect(NOERROR)


@vdi_requirement("SRV-13")
def test_only_a_device_that_the_server_opened_is_closed(testbed: Testbed) -> None:
    """CloseDevice gives VD_E_PROTOCOL before the server opened the device; a second one harms no other device."""
    scripted = testbed.scripted_created(Scenario(devices=2))
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR)
    first = scripted.device_names[0]
    scripted.server.close_device(first).expect(VD_E_PROTOCOL)
    for index in range(2):
        scripted.open_device(index)
    scripted.close_device(0)
    scripted.server.close_device(first)  # what this gives is not stated
    assert scripted.passes(1, 1), "the set was aborted"
    scripted.device.get_command().expect(VD_E_CLOSE)


def begun(testbed: Testbed, scenario: Scenario) -> ScriptedSet:
    """Bring a set so far that its server may ask for buffers."""
    scripted = testbed.scripted_created(scenario)
    scripted.begin_configuration()
    return scripted


def take(scripted: ScriptedSet, count: int, alignment: int = 512) -> list[int]:
    """Take so many buffers."""
    return [scripted.server.allocate_buffer(SIZE, alignment).expect(NOERROR) for _ in range(count)]


def require_apart(addresses: list[int], zone: int) -> None:
    """Fail the check where buffers with their zones overlap."""
    ordered = sorted(addresses)
    for lower, upper in pairwise(ordered):
        if upper - zone < lower + SIZE:
            raise ConformanceFailure(f"buffers lie at {lower:#x} and {upper:#x}, with a zone of {zone} bytes")


@pytest.mark.parametrize(
    ("zone", "alignment"),
    [(0, 512), (24, 512), (4096, 512), (1, 65536)],
    ids=["no zone", "24 bytes", "a page", "one byte at the largest alignment"],
)
@vdi_requirement("SRV-08")
def test_the_size_of_a_buffer_leaves_its_prefix_zone_out(testbed: Testbed, zone: int, alignment: int) -> None:
    """The size given to AllocateBuffer excludes the prefix zone: buffers and their zones do not overlap."""
    scripted = begun(testbed, Scenario(prefix_zone_size=zone))
    scripted.server.request_buffers(SIZE, alignment, 3).expect(NOERROR)
    scripted.server.end_configuration().expect(NOERROR)
    addresses = take(scripted, 3, alignment)
    require_apart(addresses, zone)
    require_own_bytes(scripted, [(address, SIZE) for address in addresses])


@vdi_requirement("SRV-08")
def test_the_alignment_of_a_buffer_is_a_power_of_2(testbed: Testbed) -> None:
    """AllocateBuffer refuses an alignment that is no power of 2, and keeps to one that is."""
    scripted = begun(testbed, Scenario())
    scripted.server.request_buffers(SIZE, 4096, 2).expect(NOERROR)
    scripted.server.end_configuration().expect(NOERROR)
    scripted.server.allocate_buffer(SIZE, 1000).expect_failure()
    address = scripted.server.allocate_buffer(SIZE, 4096).expect(NOERROR)
    if address % 4096:
        raise ConformanceFailure(f"a buffer lies at {address:#x}", ("a multiple of 4096",))


@vdi_requirement("SRV-09")
def test_requests_for_buffers_add_up_and_are_met_at_once_later(testbed: Testbed) -> None:
    """RequestBuffers adds up during configuration, and allocates more space at once afterwards."""
    scripted = begun(testbed, Scenario())
    for count in (2, 3):
        scripted.server.request_buffers(SIZE, 512, count).expect(NOERROR)
    scripted.server.end_configuration().expect(NOERROR)
    addresses = take(scripted, 5)
    scripted.server.request_buffers(SIZE, 512, 4).expect(NOERROR)
    require_apart([*addresses, *take(scripted, 4)], 0)


@vdi_requirement("SRV-09")
def test_what_is_said_to_be_available_can_be_taken(testbed: Testbed) -> None:
    """Requested buffers that were not taken are available, and as many as are said to be can be allocated."""
    # With this zone few buffers lie at a multiple of 4096 by chance.
    scripted = begun(testbed, Scenario(prefix_zone_size=24))
    server = scripted.server
    for count in (2, 3):
        server.request_buffers(SIZE, 512, count).expect(NOERROR)
    server.end_configuration().expect(NOERROR)
    require_available(scripted, 5)
    take(scripted, 1)
    require_available(scripted, 4)
    server.request_buffers(SIZE, 4096, 2).expect(NOERROR)
    addresses = take(scripted, require_available(scripted, 2, 4096), 4096)
    if wrong := [hex(address) for address in addresses if address % 4096]:
        raise ConformanceFailure(f"buffers lie at {', '.join(wrong)}", ("multiples of 4096",))
    take(scripted, require_available(scripted, 6 - len(addresses)))


@vdi_requirement("SRV-09")
def test_buffers_of_several_sizes_can_be_taken(testbed: Testbed) -> None:
    """One buffer of each size that RequestBuffers was called with can be allocated."""
    scripted = begun(testbed, Scenario())
    sizes = (4096, SIZE, 2 * SIZE)
    for size in sizes:
        scripted.server.request_buffers(size, 512, 1).expect(NOERROR)
    scripted.server.end_configuration().expect(NOERROR)
    taken = [(scripted.server.allocate_buffer(size, 512).expect(NOERROR), size) for size in sizes]
    require_own_bytes(scripted, taken)


@vdi_requirement("SRV-08")
def test_a_buffer_larger_than_was_requested_is_refused_or_has_all_its_bytes(testbed: Testbed) -> None:
    """AllocateBuffer of a larger size than was requested fails, or gives a buffer with all of its bytes."""
    scripted = begun(testbed, Scenario())
    scripted.server.request_buffers(SIZE, 512, 2).expect(NOERROR)
    scripted.server.end_configuration().expect(NOERROR)
    taken = [(scripted.server.allocate_buffer(SIZE, 512).expect(NOERROR), SIZE)]
    larger = scripted.server.allocate_buffer(2 * SIZE, 512)
    if larger.code == NOERROR:
        taken.append((larger.expect(NOERROR), 2 * SIZE))
    else:
        larger.expect_failure()
    require_own_bytes(scripted, taken)


def require_own_bytes(scripted: ScriptedSet, buffers: Sequence[tuple[int, int]]) -> None:
    """Fail the check unless each buffer keeps what is stored in all of its bytes when the others are filled."""
    marked = [mark(BufferView(scripted.server, address), size, seed) for seed, (address, size) in enumerate(buffers)]
    require_unchanged(*marked)


@vdi_requirement("SRV-12")
def test_a_buffer_that_was_freed_can_be_taken_again(testbed: Testbed) -> None:
    """A buffer that FreeBuffer took back is available, and can be allocated again any number of times."""
    scripted = begun(testbed, Scenario())
    scripted.server.request_buffers(SIZE, 512, 2).expect(NOERROR)
    scripted.server.end_configuration().expect(NOERROR)
    kept, address = take(scripted, 2)
    for _ in range(BUFFERS_IN_TURN):
        scripted.server.free_buffer(address, SIZE).expect(NOERROR)
        require_available(scripted, 1)
        (address,) = take(scripted, 1)
        require_apart([kept, address], 0)


def require_available(scripted: ScriptedSet, least: int, alignment: int = 512) -> int:
    """Fail the check unless so many buffers are said to be available; give how many."""
    available = scripted.server.query_available_buffers(SIZE, alignment).expect(NOERROR)
    if available < least:
        raise ConformanceFailure(f"{available} buffers are available, {least} were requested and not taken")
    return available


@vdi_requirement("SRV-09")
def test_a_request_that_cannot_be_met_leaves_the_others_alone(testbed: Testbed) -> None:
    """A RequestBuffers that cannot be met harms neither the buffers requested before nor those requested after."""
    scripted = begun(testbed, Scenario())
    scripted.server.request_buffers(SIZE, 512, 1).expect(NOERROR)
    scripted.server.end_configuration().expect(NOERROR)
    # Who has that much memory may give it.
    scripted.server.request_buffers(SIZE, 512, TOO_MANY)
    scripted.server.request_buffers(SIZE, 512, 2).expect(NOERROR)
    require_apart(take(scripted, 3), 0)
