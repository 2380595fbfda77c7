"""Failed checks as programs that make the same calls without the suite: for a bug report, and for a debugger.

Pure: a record of a check goes in, the text of a program comes out. `planning` makes a `Program` of a record, whatever
language it will be in; `source` writes it down, on the machinery that the templates bring.
"""
