"""What checks, faults and readings say of themselves."""


def first_paragraph(documented: object) -> str:
    """Give the first paragraph of a docstring in one line; nothing where there is none."""
    return " ".join((documented.__doc__ or "").split("\n\n")[0].split())
