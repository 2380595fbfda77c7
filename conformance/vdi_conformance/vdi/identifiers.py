"""COM identifiers (vdiguid.h), vtable slots of the server interface, and how objects of libsqlvdi.so begin and end."""

from typing import Final

IID_CLIENT_VIRTUAL_DEVICE: Final = "40700424-0080-11d2-851f-00c04fc21759"
IID_CLIENT_VIRTUAL_DEVICE_SET: Final = "40700425-0080-11d2-851f-00c04fc21759"
IID_CLIENT_VIRTUAL_DEVICE_SET2: Final = "d0e6eb07-7a62-11d2-8573-00c04fc21759"
CLSID_MSSQL_CLIENT_VIRTUAL_DEVICE_SET: Final = IID_CLIENT_VIRTUAL_DEVICE_SET
IID_SERVER_VIRTUAL_DEVICE: Final = "b5e7a131-a7bd-11d1-84c2-00c04fc21759"
IID_SERVER_VIRTUAL_DEVICE_SET: Final = "b5e7a132-a7bd-11d1-84c2-00c04fc21759"
CLSID_MSSQL_SERVER_VIRTUAL_DEVICE_SET: Final = IID_SERVER_VIRTUAL_DEVICE_SET
IID_SERVER_VIRTUAL_DEVICE_SET2: Final = "aecbd0d6-24c6-11d3-85b7-00c04fc21759"

SERVER_SET2_SLOTS: Final = {
    "Release": 2,
    "Open": 3,
    "GetConfiguration": 4,
    "BeginConfiguration": 5,
    "EndConfiguration": 6,
    "RequestBuffers": 7,
    "QueryAvailableBuffers": 8,
    "ExecuteCompletionAgent": 9,
    "OpenDevice": 10,
    "AllocateBuffer": 11,
    "FreeBuffer": 12,
    "IsSharedBuffer": 13,
    "SignalAbort": 14,
    "Close": 15,
}
SERVER_DEVICE_SLOTS: Final = {"Release": 2, "SendCommand": 3, "CloseDevice": 4}

LINUX_SET_CONSTRUCTOR: Final = "_ZN22ClientVirtualDeviceSetC1Ev"
LINUX_SET_DESTRUCTOR: Final = "_ZN22ClientVirtualDeviceSetD1Ev"
