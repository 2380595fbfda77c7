"""T-SQL as far as clients of backup products speak it: from its text to values and rows."""
