"""Numbers in calls: those of 64 bits are written in hexadecimal."""


def number_of(value: object) -> int:
    """Read a number, whichever way it is written; 0 where there is none."""
    if isinstance(value, int):
        return value
    try:
        return int(value, 16) if isinstance(value, str) else 0
    except ValueError:
        return 0
