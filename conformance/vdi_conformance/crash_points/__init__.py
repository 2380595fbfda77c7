"""Crash points: each step of a BACKUP and of a RESTORE, and what may happen to a process there."""

from vdi_conformance.crash_points.shipped import AXES as AXES
from vdi_conformance.crash_points.shipped import MARKER as MARKER
from vdi_conformance.crash_points.shipped import SELECTION as SELECTION
from vdi_conformance.crash_points.shipped import Impossible as Impossible
from vdi_conformance.crash_points.shipped import axes as axes
from vdi_conformance.crash_points.shipped import everyday as everyday
from vdi_conformance.crash_points.shipped import impossible as impossible
from vdi_conformance.crash_points.shipped import is_crash_point as is_crash_point
from vdi_conformance.crash_points.shipped import points as points
