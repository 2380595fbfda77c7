"""Pages of this process's address space: the POSIX or the Windows twin, whichever fits."""

import sys

if sys.platform == "win32":
    from vdi_conformance.host.child.pages_windows import GRAIN as GRAIN
    from vdi_conformance.host.child.pages_windows import PAGE as PAGE
    from vdi_conformance.host.child.pages_windows import allocate as allocate
    from vdi_conformance.host.child.pages_windows import copy_in as copy_in
    from vdi_conformance.host.child.pages_windows import copy_out as copy_out
    from vdi_conformance.host.child.pages_windows import free as free
    from vdi_conformance.host.child.pages_windows import reserve as reserve
    from vdi_conformance.host.child.pages_windows import stack_address as stack_address
else:
    from vdi_conformance.host.child.pages_posix import GRAIN as GRAIN
    from vdi_conformance.host.child.pages_posix import PAGE as PAGE
    from vdi_conformance.host.child.pages_posix import allocate as allocate
    from vdi_conformance.host.child.pages_posix import copy_in as copy_in
    from vdi_conformance.host.child.pages_posix import copy_out as copy_out
    from vdi_conformance.host.child.pages_posix import free as free
    from vdi_conformance.host.child.pages_posix import reserve as reserve
    from vdi_conformance.host.child.pages_posix import stack_address as stack_address
