"""The rules of the host protocol, and its error codes, each with when a host answers with it."""

from typing import Final

from vdi_conformance.host import codes

_TEXT: Final = """
A host reads JSON-RPC 2.0 requests from standard input and writes answers to standard output, in UTF-8, one object a
line, each line ended by a line feed and sent off at once. Nothing else goes to standard output.

A line has at most 16 MiB. Requests have as many parameters as their schema says; those with a default may be left
out. Members of an answer that the suite does not know are ignored.

Each request is answered once, by a result or an error, under its own id, which is a whole number. Answers to requests
with different labels may come in any order.

thread is a label, or null. Requests with the same label run one after the other, in the order in which they came, on
one operating system thread that is kept for the label. Different labels run at the same time. What has no label runs
on the thread that reads, and never waits.

Addresses and 64-bit numbers are text such as 0x7f00: hexadecimal, in lower case, without leading zeros. HRESULTs,
handles and completion codes are unsigned 32-bit numbers. Sizes are bytes, time-outs milliseconds. Seeds, sizes
and offsets are JSON numbers below 2**53. Null is passed on as a null pointer, and an empty text as an empty string.

What a call returns is told as it came. Out variables are set to a pattern of 0xCC bytes before the call and told as
they are found afterwards, whatever the call returned. With null_out a null out pointer is passed instead, and null is
told.

An error has a code of this document and a message of one sentence; data, an object, is optional.

When standard input ends, the host ends at once with exit code 0, whatever its threads are waiting for.
"""
RULES: Final = tuple(" ".join(rule.split()) for rule in _TEXT.split("\n\n"))

WHEN: Final[dict[int, str]] = {
    codes.PARSE_ERROR: "the line is not JSON; its id is null",
    codes.INVALID_REQUEST: "the line is no request, or comes when it must not come, such as before initialize",
    codes.METHOD_NOT_FOUND: "the host does not have the method",
    codes.INVALID_PARAMS: "a parameter is missing, unknown or of a wrong form, an id stands for no object, or a file "
    "cannot be used",
    codes.ADAPTER_RAISED: "a method of the implementation raised an exception, where the language has them; "
    "data.traceback may have its account",
    codes.ADAPTER_NOT_LOADED: "what shows the implementation to the suite cannot be loaded, in answer to initialize",
    codes.PROTOCOL_NOT_SPOKEN: "the suite speaks another major version than the host, in answer to initialize",
    codes.MEMORY_FAULT: "memory is not there, or cannot be used in the way that was asked for",
    codes.IMPLEMENTATION_UNAVAILABLE: "the implementation is not there, such as a server, or a library that cannot be "
    "loaded; its message stands alone: it says why, and what to do",
}
