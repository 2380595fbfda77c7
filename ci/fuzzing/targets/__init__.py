"""Every reader that somebody else's bytes reach."""

from __future__ import annotations

from typing import Final

from fuzzing.targets import brokers, certificates, files, hosts, language, media, programs, reports, tds

TARGETS: Final = (
    *hosts.TARGETS,
    *brokers.TARGETS,
    *tds.TARGETS,
    *language.TARGETS,
    *programs.TARGETS,
    *media.TARGETS,
    *files.TARGETS,
    *reports.TARGETS,
    *certificates.TARGETS,
)
