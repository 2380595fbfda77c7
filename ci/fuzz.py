"""Try every reader of the suite with hostile inputs, each in a process of its own, and print what came of them.

`.venv/bin/python ci/fuzz.py` tries them all; names of targets restrict it, `--list` shows them. Inputs that broke a
rule are written to `build/fuzzing`, shortened. The exit code is 0 where there is none, 1 otherwise, 4 on wrong usage.
"""

from fuzzing.command import main

if __name__ == "__main__":
    raise SystemExit(main())
