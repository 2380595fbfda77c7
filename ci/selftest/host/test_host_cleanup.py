"""Nothing is left behind: no process, no directory, however the parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from selftest.host.conftest import STARTS
from selftest.host.processes import call_for_ever, gone
from vdi_conformance.adapters import resolve
from vdi_conformance.host.errors import HostDied, NotStarted
from vdi_conformance.host.messages import client
from vdi_conformance.host.process_end import KILL
from vdi_conformance.host.supervisor import Start, Supervisor
from vdi_fixtures.hosts import adapter

if TYPE_CHECKING:
    from vdi_conformance.host.spec import AdapterSpec

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the fork server needs Linux")
PARENT = """
import os
import sys
from vdi_conformance.adapters import resolve
from vdi_conformance.host.messages import client
from vdi_conformance.host.supervisor import Supervisor
supervisor = Supervisor("forkserver")
pids = []
for reference in sys.argv[1:]:
    host = supervisor.launch(resolve(reference))
    pids.append(host.initialized.process.pid)
    host.call(client.NewSet(set="s"))
    pids.append(host.call(client.Close(set="s")).code)
# A fork holds whatever the parent holds, its end of the fork server's socket included.
if os.fork():
    print(supervisor.directory, *pids, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("start", STARTS)
def test_close_ends_every_host_and_deletes_the_directory(start: Start, toy: AdapterSpec) -> None:
    supervisor = Supervisor(start)
    directory = Path(supervisor.directory)
    hosts = [supervisor.launch(toy, name=name) for name in "ab"]
    pids = [host.initialized.process.pid for host in hosts]
    (directory / "deep").mkdir()
    (directory / "deep" / "file").write_text("x")
    supervisor.close()
    supervisor.close()
    assert not directory.exists()
    assert all(map(gone, pids))
    assert all(host.ended for host in hosts)
    with pytest.raises(HostDied):
        hosts[0].call(client.NewSet(set="s"))
    with pytest.raises(RuntimeError, match="closed"):
        supervisor.launch(toy)


@pytest.mark.parametrize("start", STARTS)
def test_close_ends_a_host_that_waits(start: Start, toy: AdapterSpec) -> None:
    with Supervisor(start) as supervisor:
        host = supervisor.launch(toy)
        host.call(client.NewSet(set="s"))
        host.call(client.OpenDevice(set="s", name="quiet", device="d"))
        host.send(client.GetCommand(device="d", timeout=60_000, thread="d"))
        pid = host.initialized.process.pid
    assert gone(pid)


@LINUX
def test_a_daemon_of_a_host_ends_with_the_supervisor() -> None:
    with Supervisor("forkserver") as supervisor:
        host = supervisor.launch(resolve(adapter("starts_a_daemon")))
        host.call(client.NewSet(set="s"))
        daemon = host.call(client.Close(set="s")).code
        host.finish()
        assert not gone(daemon)
    assert gone(daemon)


@LINUX
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_everything_is_gone_within_a_second_of_the_parents_death(name: str) -> None:
    references = [adapter("starts_another_process"), adapter("starts_a_daemon")]
    search = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *references],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": search},
    ) as parent:
        assert parent.stdout is not None
        directory, *pids = parent.stdout.readline().split()
        assert Path(directory).is_dir()
        assert not any(gone(int(pid)) for pid in pids)
        parent.send_signal(signal.Signals[name])
        parent.wait()
        assert all(gone(int(pid), within=1.0) for pid in pids)
        while Path(directory).exists():
            assert not all_ended(directory)


def all_ended(directory: str) -> bool:
    """Tell whether the janitor of that directory has ended, so that nobody will delete it any more."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if directory.encode() in (entry / "cmdline").read_bytes():
                return False
        except OSError:
            continue
    return Path(directory).exists()


@LINUX
def test_a_dead_fork_server_is_reported_and_its_directory_deleted(toy: AdapterSpec) -> None:
    supervisor = Supervisor("forkserver")
    directory = Path(supervisor.directory)
    host = supervisor.launch(toy)
    pid = host.initialized.process.pid
    fork_server = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(fork_server, KILL)
    with pytest.raises(NotStarted, match="vdi-start=spawn"):
        call_for_ever(host)
    supervisor.close()
    assert gone(pid, within=1.0)
    assert not directory.exists()


@LINUX
def test_a_fork_of_the_parent_closes_nothing(toy: AdapterSpec) -> None:
    with Supervisor("forkserver") as supervisor:
        host = supervisor.launch(toy)
        _ = host.initialized
        if sys.platform == "linux":
            pid = os.fork()
            if pid == 0:
                supervisor.close()
                os._exit(0)
            os.waitpid(pid, 0)
        host.call(client.NewSet(set="s"))


@LINUX
def test_a_supervisor_keeps_its_family_on_one_cpu(toy: AdapterSpec) -> None:
    if sys.platform == "linux":
        before = os.sched_getaffinity(0)
        cpu = max(before)
        with Supervisor(cpu=cpu) as supervisor:
            assert os.sched_getaffinity(supervisor.launch(toy).initialized.process.pid) == {cpu}
        assert os.sched_getaffinity(0) == before
