"""A bench for the figures: the emulator in both roles."""

from vdi_conformance.adapters.references import resolve
from vdi_conformance.contract import Capabilities
from vdi_conformance.suite.bench import Bench, Cast


def emulator_bench(cpu: int | None = None) -> Bench:
    """Start what the checks of one worker share."""
    spec = resolve("emulator")
    capabilities = Capabilities(server="scripted", machine=True, named_instances=True)
    return Bench(Cast(spec, spec, capabilities, capabilities, seed=0, timeout_scale=1.0), cpu=cpu)
