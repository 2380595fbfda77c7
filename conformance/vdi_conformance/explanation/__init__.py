"""Which call of a check is the first whose answer no behaviour explains that the documents permit.

The calls of a check are held against the reference model as they overlapped, with what it leaves open left open.
"""
