"""What checks, faults and readings say of themselves."""


def first_paragraph(documented: object) -> str:
    """Give the first paragraph of a docstring in one line; nothing where there is none."""
    return as_one_line(documented.__doc__ or "")


def as_one_line(docstring: str) -> str:
    """Give the first paragraph of a text in one line."""
    return " ".join(docstring.split("\n\n")[0].split())
