"""`python -m vdi_conformance.cli`, where the command itself is not on the PATH."""

from vdi_conformance.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
