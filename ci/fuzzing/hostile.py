"""Values and pieces that readers have choked on: boundaries, depth, length, and texts that are none."""

from __future__ import annotations

from typing import Final

NUMBERS: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Boundaries of what fields of one, two and four bytes hold."""

JSON: Final = (
    *("null", "true", "false", "0", "1", "-1", "-0", "2147483648", "4294967296", "9007199254740993"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "9" * 40),
    *("9" * 5000, "1.5", "1e2", "1e-400", "1e308", "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "0x10", "01"),
    *('""', '" "', '"a"', '"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"', '"\\n"', '"\\u202e"', '"::error::x"'),
    *('"../../x"', '"/etc/passwd"', '"a\\\\b"', '"-1"', '"0x"', '"0xffffffffffffffff"', '"NaN"', '"2026-02-30"'),
    *('"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59Z"', '"9999-12-31T23:59:59-23:59"'),
    *(
        '"' + "x" * 20_000 + '"',
        '"' + "a." * 10_000 + '"',
        '"' + "\\ud83d\\ude00" * 300 + '"',
        "[]",
        "{}",
        "[[]]",
        "[null]",
        '{"":null}',
    ),
    *("[" * 60 + "]" * 60, "[" * 200 + "]" * 200, '{"a":' * 200 + "1" + "}" * 200, "[" * 2000, "[0," * 90 + "0"),
)
"""Values as they are written, among them some that are not JSON."""

PIECES: Final = (
    *(b"\0", b"\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf"),
    *(b"\xff\xfe", b"\r", b"\n", b"\r\n", b" ", b"\t", b"\x1b[2J", b"'", b'"', b"\\", b"/", b"..", b"../../x"),
    *(b"[", b"]", b"{", b"}", b"(", b")", b",", b":", b";", b"=", b"-", b"+", b".", b"%", b"*", b"#", b"@", b"$"),
    *(b"-1", b"0", b"00", b"4294967296", b"18446744073709551616", b"9" * 5000, b"1e999", b"NaN", b"null", b"x"),
    *(b"x" * 300, b" " * 3000, b"\t " * 1500, b"A" * 70_000, b"[" * 3000, b"(" * 3000, b"9." * 500),
)
"""Bytes to be put in anywhere."""
