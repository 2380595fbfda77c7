"""A host with everything that it starts, so that all of it can be ended at once: the POSIX or the Windows twin."""

import sys

if sys.platform == "win32":
    from vdi_conformance.host.starting.groups_windows import OWN_GROUP as OWN_GROUP
    from vdi_conformance.host.starting.groups_windows import Group as Group
else:
    from vdi_conformance.host.starting.groups_posix import OWN_GROUP as OWN_GROUP
    from vdi_conformance.host.starting.groups_posix import Group as Group
