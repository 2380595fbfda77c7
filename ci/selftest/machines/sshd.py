"""Hosts for ssh on the loopback interface: each an sshd of its own, with its own port, host key and directory."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])


@dataclass(frozen=True)
class Hosts:
    """Hosts that are up: the configuration by which ssh finds them, their names, and the directory of each."""

    config: Path
    directories: dict[str, Path]
    daemons: dict[str, subprocess.Popen[bytes]]

    def place(self, name: str, python: str = sys.executable, directory: Path | None = None) -> str:
        """Specify it for --tx."""
        return (
            f"--tx=ssh={name}//ssh_config={self.config}//python={python}//chdir={directory or self.directories[name]}"
        )


def programs() -> tuple[str, str, str]:
    """Give the paths of sshd, ssh and ssh-keygen, or skip and say what is missing."""
    found = [shutil.which(name, path=_PATH) for name in ("sshd", "ssh", "ssh-keygen")]
    if None in found:
        pytest.skip("sshd, ssh and ssh-keygen are needed, on Debian the packages openssh-server and openssh-client")
    sshd, ssh, keygen = map(str, found)
    return sshd, ssh, keygen


@contextmanager
def hosts(directory: Path, *names: str) -> Iterator[Hosts]:
    """Start a host of each name, with keys that are made for it and accept no other."""
    sshd, _, keygen = programs()
    if sys.platform != "win32" and os.geteuid() == 0:
        # A daemon of root's wants this directory, which the service makes when it starts.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    own = _key(keygen, directory / "own")
    authorized = directory / "authorized_keys"
    authorized.write_bytes(own.with_name("own.pub").read_bytes())
    authorized.chmod(0o600)
    with ExitStack() as ends:
        blocks, directories, daemons = [], {}, {}
        for name in names:
            home = directories[name] = directory / name
            home.mkdir()
            key = _key(keygen, home.with_name(f"{name}.key"))
            port = _free_port()
            daemons[name] = _daemon(sshd, home, key, port, authorized)
            ends.callback(_end, daemons[name])
            _await(port, daemons[name])
            public = key.with_name(f"{key.name}.pub").read_text(encoding="ascii")
            (directory / f"{name}.known").write_text(f"[127.0.0.1]:{port} {public}", encoding="ascii")
            blocks.append(
                f"Host {name}\n HostName 127.0.0.1\n Port {port}\n IdentityFile {own}\n IdentitiesOnly yes\n"
                f" UserKnownHostsFile {directory / name}.known\n StrictHostKeyChecking yes\n LogLevel ERROR\n"
            )
        config = directory / "ssh_config"
        config.write_text("".join(blocks), encoding="ascii")
        yield Hosts(config, directories, daemons)


def _key(keygen: str, path: Path) -> Path:
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _daemon(sshd: str, home: Path, key: Path, port: int, authorized: Path) -> subprocess.Popen[bytes]:
    config = home.with_name(f"{home.name}.sshd")
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {key}\nAuthorizedKeysFile {authorized}\nPidFile none\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n",
        encoding="ascii",
    )
    log = home.with_name(f"{home.name}.log")
    # In a session of its own, so that all that it serves can be ended with it.
    return subprocess.Popen([sshd, "-D", "-f", str(config), "-E", str(log)], start_new_session=True)


def _await(port: int, daemon: subprocess.Popen[bytes]) -> None:
    while daemon.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except ConnectionRefusedError:
            continue
        return
    raise AssertionError("sshd does not start")


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    daemon.wait(10)
