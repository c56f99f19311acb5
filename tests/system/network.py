# SPDX-License-Identifier: ISC
"""Networks for the machines of the system tests: QEMU's user network, a tap, or frames over a
socket.

Importing this moves the process, where that is allowed, into a network namespace of its own: ports
are never taken there, and taps can be made. Root can do it, and on many systems an ordinary user in
a user namespace. Where it isn't allowed, NO_TAP says why, and the other two networks are left.
"""

import ctypes
import os
import select
import socket
import subprocess
import tempfile
from pathlib import Path

HOST_ADDRESS = "10.0.2.2"
GUEST_ADDRESS = "10.0.2.15"
GUEST_MAC = "52:54:00:12:34:56"  # QEMU's own default
DNS_PORT = 53

CLONE_NEWUSER = 0x10000000  # linux/sched.h
CLONE_NEWNET = 0x40000000

# What tests do in the namespace, tried in a process that ends afterwards.
PROBE = "ip link set lo up && ip tuntap add probe mode tap && ip link set probe up"


def _probe(*unshare):
    """None if it works, else the reason."""
    try:
        done = subprocess.run(
            ["unshare", *unshare, "sh", "-c", PROBE], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines()
    return said[-1] if said else f"exit status {done.returncode}"


def _unshare(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def _map_to_root(user, group):
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")


def _enter_namespace():
    """Returns None, or why there is no namespace."""
    if os.geteuid() == 0:
        reason = _probe("--net")
        if reason is None:
            _unshare(CLONE_NEWNET)
    else:
        reason = _probe("--user", "--map-root-user", "--net")
        if reason is None:
            user, group = os.geteuid(), os.getegid()
            _unshare(CLONE_NEWUSER | CLONE_NEWNET)
            _map_to_root(user, group)
    if reason is not None:
        return f"no tap in a network namespace of the test's own: {reason}"
    ip("link", "set", "lo", "up")
    ipv6 = Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")
    if ipv6.exists():
        ipv6.write_text("1", encoding="ascii")  # or the host's own packets would come in between
    return None


def ip(*words):
    """The command of that name."""
    subprocess.run(["ip", *words], stdin=subprocess.DEVNULL, check=True, timeout=30)


def free_port():
    """A UDP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class UserNetwork:
    """QEMU's user network: a port of 127.0.0.1 leads to one of the image's. Needs no rights."""

    def __init__(self, guest=GUEST_ADDRESS, subnet="10.0.2.0/24", port=DNS_PORT):
        self._guest, self._subnet, self._port = guest, subnet, port
        self.address = ("127.0.0.1", free_port())

    def netdev(self, name):
        forward = f"udp:127.0.0.1:{self.address[1]}-{self._guest}:{self._port}"
        return f"user,id={name},net={self._subnet},ipv6=off,hostfwd={forward}"

    def close(self):
        pass


class TapNetwork:
    """A tap; the host's side has the address HOST with 24 bits of network."""

    _number = 0

    def __init__(self, guest=GUEST_ADDRESS, host=HOST_ADDRESS):
        self.guest, self.host = guest, host
        self.address = (guest, DNS_PORT)
        self.name = f"tap{TapNetwork._number}"
        TapNetwork._number += 1
        ip("tuntap", "add", self.name, "mode", "tap")
        ip("address", "add", f"{host}/24", "dev", self.name)
        ip("link", "set", self.name, "up")

    def netdev(self, name):
        return f"tap,id={name},ifname={self.name},script=no,downscript=no"

    def close(self):
        ip("link", "delete", self.name)


class FrameNetwork:
    """Ethernet frames over Unix sockets, and nothing on it but the image and the test (wire.py).
    Needs no rights."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="motet-net-")
        self._guest = f"{self._folder.name}/guest"
        self._host = f"{self._folder.name}/host"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._host)

    def netdev(self, name):
        return (f"dgram,id={name},local.type=unix,local.path={self._guest},"
                f"remote.type=unix,remote.path={self._host}")

    def send(self, frame):
        """Waits when the image doesn't take frames."""
        self._socket.sendto(frame, self._guest)

    def receive(self, seconds):
        """The next frame from the image; None when none comes in time."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return None
        return self._socket.recv(65536)

    def close(self):
        self._socket.close()
        self._folder.cleanup()


NO_TAP = _enter_namespace()
