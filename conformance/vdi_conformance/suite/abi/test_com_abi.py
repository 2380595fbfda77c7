"""The compiled library as a COM server, by raw calls: classes, interfaces, references and slots."""

import pytest

from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.native import (
    CLASS,
    DEVICE_INTERFACE,
    SET2_INTERFACE,
    SET_INTERFACE,
    UNKNOWN_INTERFACE,
    NativeDevice,
    NativeObject,
    NativeSet,
)
from vdi_conformance.harness.native_set import NativeBackup, set_of
from vdi_conformance.harness.scenario import USUAL
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
    name_of,
)

STRANGER = "c0ffee00-1234-5678-9abc-def012345678"
E_NOINTERFACE = 0x80004002
CONFIG = USUAL.config.pack()


@vdi_requirement("ABI-01")
def test_the_class_and_its_first_interface_have_one_identifier(testbed: Testbed) -> None:
    """The class is created with IID_IClientVirtualDeviceSet, both being 40700425-0080-11d2-851f-00c04fc21759."""
    process = testbed.native("com")("client")
    made = NativeSet(process, process.created(CLASS, SET_INTERFACE).expect(NOERROR))
    made.create(testbed.name(), CONFIG).expect(NOERROR)
    made.close().expect(NOERROR)


@vdi_requirement("ABI-02")
def test_the_class_answers_for_the_second_interface(testbed: Testbed) -> None:
    """The class answers for IID_IClientVirtualDeviceSet2, when it is created and by QueryInterface."""
    process = testbed.native("com")("client")
    created = process.created(CLASS, SET2_INTERFACE).expect(NOERROR)
    older = NativeObject(process, process.created(CLASS, SET_INTERFACE).expect(NOERROR))
    for this in (created, older.query(SET2_INTERFACE).expect(NOERROR)):
        made = NativeSet(process, this)
        made.create_ex(testbed.name(), CONFIG).expect(NOERROR)
        made.close().expect(NOERROR)


@vdi_requirement("ABI-03")
def test_a_device_answers_for_its_interface(testbed: Testbed) -> None:
    """QueryInterface of a device answers for IID_IClientVirtualDevice with a pointer that can be used."""
    backup = NativeBackup(testbed, testbed.native("com"))
    found = NativeDevice(backup.process, backup.device.query(DEVICE_INTERFACE).expect(NOERROR))
    record = found.get_command().expect(NOERROR)
    backup.device.complete(record, 0, 0).expect(NOERROR)
    backup.set.signal_abort().expect(NOERROR)


@vdi_requirement("ABI-04")
def test_a_set_has_no_interface_of_a_stranger(testbed: Testbed) -> None:
    """QueryInterface of a set for an unrelated IID fails with E_NOINTERFACE and stores NULL."""
    _require_no_interface(set_of(testbed.native("com")("client")))


@vdi_requirement("ABI-04")
def test_a_device_has_no_interface_of_a_stranger(testbed: Testbed) -> None:
    """QueryInterface of a device for an unrelated IID fails with E_NOINTERFACE and stores NULL."""
    backup = NativeBackup(testbed, testbed.native("com"))
    _require_no_interface(backup.device)
    backup.set.signal_abort().expect(NOERROR)


def _require_no_interface(of: NativeObject) -> None:
    found = of.query(STRANGER)
    found.expect(E_NOINTERFACE)
    if found.value is not None:
        raise ConformanceFailure(f"QueryInterface failed, and its out variable is {found.value:#x}", ("null",))


@vdi_requirement("ABI-05")
def test_both_interfaces_belong_to_one_object(testbed: Testbed) -> None:
    """QueryInterface for IUnknown gives the same pointer from either interface of a set."""
    process = testbed.native("com")("client")
    second = NativeObject(process, process.created(CLASS, SET2_INTERFACE).expect(NOERROR))
    first = NativeObject(process, second.query(SET_INTERFACE).expect(NOERROR))
    identities = {one.query(UNKNOWN_INTERFACE).expect(NOERROR) for one in (first, second)}
    assert len(identities) == 1, f"both interfaces of one object have an IUnknown of their own: {identities}"


@vdi_requirement("ABI-06")
def test_every_method_of_the_first_interface_has_its_slot(testbed: Testbed) -> None:
    """Create to MapBufferHandle lie in the slots 3 to 10 of IClientVirtualDeviceSet, in the header's order."""
    start = testbed.native("com")
    backup = NativeBackup(testbed, start)
    joined = set_of(start("secondary by raw calls"))
    joined.open_in_secondary(backup.name).expect(NOERROR)
    _share(backup, joined)
    joined.close().expect(NOERROR)
    backup.finish()
    _end_by_slots(testbed, backup.set)


@vdi_requirement("ABI-07")
def test_the_second_interface_adds_two_methods_at_the_end(testbed: Testbed) -> None:
    """IClientVirtualDeviceSet2 has CreateEx in slot 11 and OpenInSecondaryEx in slot 12."""
    start = testbed.native("com")
    backup = NativeBackup(testbed, start, ex=True)
    joined = set_of(start("secondary by raw calls"))
    joined.open_in_secondary_ex(backup.name).expect(NOERROR)
    _share(backup, joined)
    joined.close().expect(NOERROR)
    backup.finish()


def _share(backup: NativeBackup, joined: NativeSet) -> None:
    """Show a buffer to a second process; an address that is none of a buffer has no handle."""
    backup.share(joined)
    backup.set.get_buffer_handle(joined.process.outside_addresses().stack).expect(VD_E_INVALID)


def _end_by_slots(testbed: Testbed, made: NativeSet) -> None:
    """Tell SignalAbort and Close apart, which take the same arguments."""
    made.close().expect(VD_E_PROTOCOL)
    made.create(testbed.name(), CONFIG).expect(NOERROR)
    made.get_configuration(1).expect(VD_E_TIMEOUT)
    made.signal_abort().expect(NOERROR)
    made.get_configuration(1).expect(VD_E_ABORT)
    made.close().expect(NOERROR)
    made.signal_abort().expect_failure()


@vdi_requirement("ABI-08")
def test_both_methods_of_a_device_have_their_slots(testbed: Testbed) -> None:
    """IClientVirtualDevice has GetCommand in slot 3 and CompleteCommand in slot 4."""
    backup = NativeBackup(testbed, testbed.native("com"))
    backup.finish()


@vdi_requirement("ABI-09")
def test_the_older_interface_has_the_slots_of_the_newer(testbed: Testbed) -> None:
    """The pointer for IID_IClientVirtualDeviceSet carries CreateEx in slot 11 too."""
    process = testbed.native("com")("client")
    older = NativeSet(process, process.created(CLASS, SET_INTERFACE).expect(NOERROR))
    answer = older.create_ex(testbed.name(), CONFIG)
    answer.observe("Q44", "CreateEx by slot 11 of the older interface")
    answer.expect(NOERROR)


@vdi_requirement("ABI-09")
def test_the_older_interface_joins_by_a_slot_of_the_newer(testbed: Testbed) -> None:
    """The pointer for IID_IClientVirtualDeviceSet carries OpenInSecondaryEx in slot 12 too."""
    start = testbed.native("com")
    backup = NativeBackup(testbed, start, ex=True)
    process = start("secondary by raw calls")
    joined = NativeSet(process, process.created(CLASS, SET_INTERFACE).expect(NOERROR))
    joined.open_in_secondary_ex(backup.name).expect(NOERROR)
    joined.close().expect(NOERROR)
    backup.finish()


@vdi_requirement("ABI-18")
def test_the_class_can_be_created_from_the_multithreaded_apartment(testbed: Testbed) -> None:
    """The class can be created in-process from a thread initialised with COINIT_MULTITHREADED."""
    process = testbed.native("com")("client")
    process.created(CLASS, SET2_INTERFACE, "multithreaded").expect(NOERROR)


@vdi_requirement("ABI-19")
def test_the_class_can_be_created_from_a_single_threaded_apartment(testbed: Testbed) -> None:
    """Whether the class can be created from a single-threaded apartment is recorded."""
    process = testbed.native("com")("client")
    process.created(CLASS, SET2_INTERFACE, "single").observe("Q46", "creating the class from an STA")


@vdi_requirement("ABI-20")
def test_there_is_no_class_of_devices(testbed: Testbed) -> None:
    """There is no class for IClientVirtualDevice: creating one fails."""
    process = testbed.native("com")("client")
    created = process.created(DEVICE_INTERFACE, DEVICE_INTERFACE)
    assert created.code != NOERROR, f"a device could be created: {name_of(created.code)}"


@pytest.mark.parametrize("of", ["set", "device"])
@vdi_requirement("ABI-22")
def test_references_are_counted(testbed: Testbed, of: str) -> None:
    """AddRef on a new reference returns 2 or more, and Release one less again."""
    start = testbed.native("com")
    backup = NativeBackup(testbed, start) if of == "device" else None
    counted: NativeObject = backup.device if backup else set_of(start("client"))
    added, left = (counted.call(method).code for method in ("AddRef", "Release"))
    assert added >= 2, f"AddRef of a new reference gave {added}"
    assert left == added - 1, f"AddRef gave {added} and the Release after it {left}"
    if backup:
        backup.set.signal_abort().expect(NOERROR, VD_E_OPEN)
