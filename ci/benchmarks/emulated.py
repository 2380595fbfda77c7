"""A session for the figures: the emulator in both roles."""

from vdi_conformance.adapters.references import resolve
from vdi_conformance.contract import Capabilities
from vdi_conformance.harness.worker_session import Parties, WorkerSession


def emulator_session(cpu: int | None = None) -> WorkerSession:
    """Start what the checks of one worker share."""
    spec = resolve("emulator")
    capabilities = Capabilities(server="scripted", broker=True, named_instances=True)
    return WorkerSession(Parties(spec, spec, capabilities, capabilities, seed=0, timeout_scale=1.0), cpu=cpu)
