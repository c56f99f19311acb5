# SPDX-License-Identifier: ISC
"""Machines with a control channel, and build/tools/motet: for test_control.py and
test_restart.py."""

import json
import os
import socket
import subprocess
import tempfile

from machine import BUILD, LIMIT, Machine

TOOL = BUILD / "tools/motet"
MANAGED = BUILD / "images/dns-managed.elf"
NOSY = BUILD / "images/nosy.elf"
DOMAINS = ["virtio_drv", "netd", "dnsd", "virtio_con", "control", "loader"]
REFUSED, USAGE, NO_IMAGE, NO_ANSWER = 1, 2, 3, 4


class Managed(Machine):
    """A machine with a control socket."""

    def __init__(self, boot, networks=(), *, serial="virtio-serial-pci", **more):
        self.place = tempfile.TemporaryDirectory(prefix="motet-control-")
        self.socket = f"{self.place.name}/control"
        more["options"] = [*more.get("options", ()),
                           "-chardev", f"socket,id=control,path={self.socket},server=on,wait=off",
                           "-device", serial, "-device", "virtconsole,chardev=control"]
        super().__init__(boot, networks, **more)

    def __exit__(self, *details):
        super().__exit__(*details)
        self.place.cleanup()

    def motet(self, *words, status=0):
        return motet(*words, "--socket", self.socket, "--timeout", str(LIMIT * 1000),
                     status=status)

    def ps(self):
        picture = json.loads(self.motet("ps", "--json"))
        return {domain["domain"]: domain for domain in picture["domains"]}

    def connect(self):
        host = socket.socket(socket.AF_UNIX)
        host.settimeout(LIMIT)
        host.connect(self.socket)
        return host


def motet(*words, status=0):
    clean = {key: value for key, value in os.environ.items() if key != "MOTET_SOCKET"}
    done = subprocess.run([TOOL, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=2 * LIMIT, check=False,
                          env=clean)
    assert done.returncode == status, done.stdout
    return done.stdout
