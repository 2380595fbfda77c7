"""Numbers with what they count."""


def counted(number: int, noun: str) -> str:
    """Put a number before its noun, such as 1 check or 2 checks."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
