"""What Close of the server keeps of a set: nothing, however often sets are served and closed."""

from vdi_conformance.harness.judging import Needed, vdi_requirement
from vdi_conformance.harness.kept import ROUNDS, Kept
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN, VD_E_PROTOCOL


@vdi_requirement("SRV-07", "CLS-04")
def test_a_server_that_closes_with_devices_open_keeps_nothing(testbed: Testbed) -> None:
    """Close of a server with devices open frees its handles, threads and memory, and Close of the clients theirs."""
    scenario = Scenario(owners=(1,), secondaries=1)
    testbed.need_scripted()
    server, clients = testbed.server(), testbed.clients(scenario)
    kept = Kept(testbed.session, clients, server.host)
    for scripted in testbed.scripts(scenario, ROUNDS, clients, server.host):
        scripted.begin()
        scripted.send(scripted.allocate())
        scripted.device.next_command()
        kept.look()
        scripted.aborted = True
        scripted.server.close().expect(VD_E_PROTOCOL, by="SRV-07")
        scripted.device.await_abort()
        for client in reversed(clients):
            client.close().expect(NOERROR, VD_E_OPEN, by=Needed("CLS-07"))
        if kept.end_round():
            break
    kept.require_nothing("Close", by="CLS-04", of=server.host, other="SRV-07")
