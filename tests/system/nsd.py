# SPDX-License-Identifier: ISC
"""NSD on a port of the loopback interface, as an oracle for the DNS image."""

import ctypes
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from client import query
from network import free_port

START_LIMIT = 20  # seconds
PR_SET_PDEATHSIG = 1  # linux/prctl.h

CONFIGURATION = """
server:
    server-count: 1
    ip-address: 127.0.0.1@{port}
    do-ip6: no
    username: ""
    chroot: ""
    zonesdir: "{zones}"
    database: ""
    pidfile: "{folder}/nsd.pid"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zone.list"
    logfile: "{folder}/log"
    hide-version: yes
    refuse-any: no
    minimal-responses: no
    rrl-ratelimit: 0
    ipv4-edns-size: 1232
remote-control:
    control-enable: no
"""
ZONE = """
zone:
    name: "{origin}"
    zonefile: "{path}"
    provide-xfr: 127.0.0.1 NOKEY
"""

_libc = ctypes.CDLL(None)


def find_nsd():
    return shutil.which("nsd") or shutil.which("nsd", path="/usr/sbin:/sbin")


class Nsd:
    """`with Nsd(FOLDER) as server:` serves every ORIGIN.zone of that folder."""

    def __init__(self, zones):
        self._zones = Path(zones).resolve()
        self._folder = self._process = None
        self.address = ("127.0.0.1", free_port())

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="motet-nsd-")
        folder = Path(self._folder.name)
        text = CONFIGURATION.format(port=self.address[1], folder=folder, zones=self._zones)
        origins = sorted(path.stem for path in self._zones.glob("*.zone"))
        for origin in origins:
            text += ZONE.format(origin=origin, path=self._zones / f"{origin}.zone")
        (folder / "nsd.conf").write_text(text, encoding="utf-8")
        self._process = subprocess.Popen(
            [find_nsd(), "-d", "-c", str(folder / "nsd.conf")], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        self._wait_ready(origins[0])
        return self

    def __exit__(self, *_):
        self._process.terminate()  # it ends its children
        try:
            self._process.wait(START_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _wait_ready(self, origin):
        deadline = time.monotonic() + START_LIMIT
        packet = query(origin, "SOA").to_wire()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(0.2)
            link.connect(self.address)
            while time.monotonic() < deadline and self._process.poll() is None:
                try:
                    link.send(packet)
                    if link.recv(512)[3] & 15 == 0 and "error" not in self._log():
                        return
                except OSError:
                    time.sleep(0.1)
        said = self._log()
        self.__exit__()
        raise RuntimeError(f"nsd doesn't serve; it said: {said}")

    def _log(self):
        log = Path(self._folder.name, "log")
        return log.read_text(encoding="utf-8") if log.exists() else "nothing"
