# SPDX-License-Identifier: ISC
"""What a newcomer meets first: tests/setup with packages missing, and tools/run-image."""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import subprocess
import termios
import time

import pytest

from client import ask
from machine import (BUILD, DNS_ELF, DNS_IMG, DNS_ISO, DNS_UEFI_IMG, LIMIT, PARTITIONS, ROOT,
                     UEFI_LIMIT)
from network import free_port

SETUP = ROOT / "tests/setup"
RUN_IMAGE = ROOT / "tools/run-image"

# Stand-ins for Debian's commands: two packages are missing until apt-get was allowed to install.
# They run in a folder of the test's own, where they keep what they know.
DPKG_QUERY = """
for package in $(sed 's/#.*//' "{root}/packages.txt"); do
    case $package in
    nsd | cpio) [ -e installed ] || continue ;;
    esac
    echo "ii  $package"
done
"""
APT_GET = """
case "$*" in
"-s "*) [ -e updated ]; exit ;;
esac
echo "apt-get $*" >>calls
echo "stand-in"
case "$*" in
*update*) touch updated ;;
*install*) [ ! -e broken ] && [ -e updated ] && touch installed ;;
esac
"""
SUDO = """
[ "$1" = -n ] && shift
echo "sudo $*" >>calls
exec "$@"
"""


class System:
    """A Debian with two packages missing, for a user of that number."""

    def __init__(self, folder, user):
        self._folder = folder
        (folder / "bin").mkdir()
        self.add("dpkg-query", DPKG_QUERY)
        self.add("apt-get", APT_GET)
        self.add("id", f"echo {user}")
        self.add("systemctl", "")

    def add(self, name, text):
        path = self._folder / "bin" / name
        text = text.replace("{root}", str(ROOT))
        path.write_text(f'#!/bin/sh\ncd "{self._folder}"\n{text}\n', encoding="utf-8")
        path.chmod(0o755)

    def touch(self, name):
        (self._folder / name).touch()

    def setup(self, word, path="{bin}:/usr/sbin:/usr/bin:/sbin:/bin"):
        """Exit status and what it said."""
        environment = {"PATH": path.format(bin=self._folder / "bin"),
                       "BUILD": str(self._folder / "build")}
        done = subprocess.run([SETUP, word], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=LIMIT, env=environment)
        return done.returncode, done.stdout + done.stderr

    def calls(self):
        path = self._folder / "calls"
        return path.read_text(encoding="ascii") if path.exists() else ""


@pytest.fixture
def system(tmp_path):
    """system(USER) makes one."""
    return lambda user: System(tmp_path, user)


def test_setup_installs_as_root(system):
    debian = system(user=0)
    status, said = debian.setup("check")
    assert status == 0, said
    assert "setup: missing packages: nsd cpio" in said
    calls = debian.calls().splitlines()
    assert calls[-1].endswith("install -y -qq --no-install-recommends nsd cpio")
    assert any("update" in call for call in calls)  # a fresh system has no lists


def test_setup_costs_nothing_when_nothing_changed(system):
    debian = system(user=0)
    debian.touch("installed")
    assert debian.setup("check") == (0, "")
    debian.add("dpkg-query", "echo called >>calls; exit 1")
    assert debian.setup("check") == (0, "")
    assert debian.calls() == ""


def test_setup_through_sudo(system):
    debian = system(user=1000)
    debian.add("sudo", SUDO)
    status, said = debian.setup("install")
    assert status == 0, said
    assert "sudo apt-get" in debian.calls()


def test_setup_without_rights_says_what_to_type(system):
    debian = system(user=1000)
    debian.add("sudo", "exit 1")  # wants a password
    status, said = debian.setup("check")
    assert status == 1
    assert "setup: missing packages: nsd cpio" in said
    assert ("    sudo sh -c 'apt-get update && apt-get install --no-install-recommends nsd cpio'"
            in said.splitlines())
    assert debian.calls() == ""


def test_setup_when_apt_fails(system):
    debian = system(user=0)
    debian.touch("broken")
    status, said = debian.setup("install")
    assert status == 1
    assert "setup: error: apt-get failed" in said
    assert "stand-in" in said  # its own complaint


def test_setup_elsewhere(system, tmp_path):
    """Not Debian: says so, names what is needed, and fails only when a tool is missing."""
    debian = system(user=0)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "sed", "tr", "grep", "mkdir", "id", "dirname", "cat", "make", "gcc", "as"):
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    status, said = debian.setup("check", str(tools))
    assert status == 1
    assert "setup: this isn't a Debian system" in said
    assert "qemu-system-x86" in said
    assert re.search(r"^setup: error: missing: .*qemu-system-x86_64", said, re.MULTILINE)


def test_setup_here():
    """Whatever this system is: all is there, or this wouldn't run."""
    assert subprocess.run([SETUP, "check"], stdin=subprocess.DEVNULL, timeout=LIMIT).returncode == 0


# run-image


class Terminal:
    """A command in the foreground of a terminal of its own, below another process as `make run`
    has it."""

    def __init__(self, *words):
        self.text = ""
        parent, child = pty.openpty()
        self._terminal = parent
        # The shell is the session's leader and ignores nothing; like make, it dies of Ctrl-C.
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", '"$@"; echo "status $?"; exit', "sh", *map(str, words)],
            stdin=child, stdout=child, stderr=child, cwd=ROOT, start_new_session=True,
            preexec_fn=_take_terminal)
        os.close(child)

    def expect(self, pattern, seconds=LIMIT):
        deadline = time.monotonic() + seconds
        while not (match := re.search(pattern, self.text, re.MULTILINE)):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._terminal], [], [], left)[0]:
                raise AssertionError(f"no '{pattern}' in\n{self.text}")
            try:
                data = os.read(self._terminal, 4096)
            except OSError as error:  # nobody has the other end any more
                raise AssertionError(f"no '{pattern}' in\n{self.text}") from error
            self.text += data.decode(errors="replace").replace("\r", "")
        return match

    def type(self, keys):
        os.write(self._terminal, keys)

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self._terminal)


def _take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal():
    opened = []

    def run(*words):
        opened.append(Terminal(*words))
        return opened[-1]

    yield run
    for one in opened:
        one.close()


class Address:
    """For client.ask."""

    def __init__(self, port):
        self.address = ("127.0.0.1", port)


@pytest.mark.parametrize("words", [
    [DNS_ELF], [DNS_IMG], [DNS_UEFI_IMG], [DNS_UEFI_IMG, "--firmware", "bios"], [DNS_ISO],
    [DNS_ISO, "--firmware", "uefi", "--machine", "q35"], [DNS_ELF, "--machine", "microvm"],
    [PARTITIONS["paired"]], [PARTITIONS["fused"]],
], ids=["elf", "disk", "uefi-disk", "uefi-disk-by-bios", "cd", "cd-by-uefi", "microvm", "paired", "fused"])
def test_run_image(terminal, words):
    port = free_port()
    run = terminal(RUN_IMAGE, "--port", port, "--image", *words)
    asked = run.expect(rf"^    dig @127\.0\.0\.1 -p {port} (\S+) (\S+)$")
    run.expect(r"^dnsd: serving ", seconds=UEFI_LIMIT)
    run.expect(r"^netd: net0: ")
    answer = ask(Address(port), asked[1], asked[2])
    assert answer.answer, "the name in the dig line isn't in the image"
    run.type(b"s")
    run.expect(r"^init: end of counters$")
    run.type(b"\x03")
    run.expect(r"^status 0$")


def test_run_image_ends_with_ctrl_c_and_only_that(terminal):
    """Whoever called it lives on, and Ctrl-Z does nothing."""
    run = terminal(RUN_IMAGE, "--image", DNS_ELF, "--port", free_port())
    run.expect(r"^dnsd: serving ")
    run.type(b"\x1a")
    run.type(b"d")
    run.expect(r"^  dnsd: waiting, priority 10$")  # the last line: the end is a line of its own
    run.type(b"\x03")
    run.expect(r"^status 0$")
    assert run.process.wait(LIMIT) == 0


def test_run_image_when_the_port_is_taken(terminal):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        run = terminal(RUN_IMAGE, "--image", DNS_ELF, "--port", port)
        run.expect(rf"^run-image: error: UDP port {port} of 127\.0\.0\.1 is taken")
        run.expect(r"^run-image: choose another one: make run PORT=\d+$")
        run.expect(r"^status 1$")


@pytest.mark.parametrize("machine", ["q35", "microvm"])
def test_run_image_settings(terminal, machine):
    run = terminal(RUN_IMAGE, "--image", DNS_ELF, "--port", free_port(), "--machine", machine,
                   "--memory", "8", "--append", "net0.ip=10.0.2.44/24 unknown=a,b")
    run.expect(r"^netd: net0: 10\.0\.2\.44/24 ")
    assert 'init: unknown setting "unknown=a,b": ignored' in run.text
    assert re.search(r"^init: image dns, [67]\d\d\d KiB", run.text, re.MULTILINE)


@pytest.mark.parametrize("words, complaint", [
    (["--port", "0"], "port '0' isn't a number from 1 to 65535"),
    (["--port", "65536"], "port '65536' isn't"),
    (["--port", "http"], "port 'http' isn't"),
    (["--memory", "64M"], "memory '64M' isn't"),
    (["--accel", "xen"], "accel 'xen' is neither tcg nor kvm"),
    (["--image", "nothing.elf"], "nothing.elf can't be read: run 'make images'"),
    (["--firmware", "coreboot"], "firmware 'coreboot' is neither bios nor uefi"),
    (["--firmware", "uefi"], f"{DNS_ELF} needs no firmware: it is for disks and CDs"),
    (["--image", DNS_IMG, "--machine", "microvm"], "microvm boots NAME.elf only"),
    (["--append", "net0.ip"], "setting 'net0.ip' isn't KEY=VALUE"),
    (["--append", "=5"], "setting '=5' isn't KEY=VALUE"),
    (["--port"], "--port needs a value"),
    (["--nonsense"], "--nonsense: no such option"),
])
def test_run_image_refuses(words, complaint):
    done = subprocess.run([RUN_IMAGE, "--image", DNS_ELF, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 1
    assert f"run-image: error: {complaint}" in done.stderr


def test_run_image_help():
    done = subprocess.run([RUN_IMAGE, "--help"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=LIMIT)
    assert done.returncode == 0
    for option in ("--image", "--port", "--accel", "--machine", "--firmware", "--memory",
                   "--append"):
        assert option in done.stdout


def test_run_image_without_the_uefi_firmware(tmp_path):
    done = subprocess.run([RUN_IMAGE, "--image", DNS_UEFI_IMG], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT,
                          env={**os.environ, "OVMF": str(tmp_path / "none.fd")})
    assert done.returncode == 1
    assert f"there is no {tmp_path}/none.fd: run 'make setup', or set OVMF" in done.stderr


def test_run_image_that_does_not_boot(terminal):
    run = terminal(RUN_IMAGE, "--image", BUILD / "kernel.elf", "--port", free_port())
    run.expect(r"^kernel: panic: bad image: ")
    run.expect(r"^run-image: error: the image didn't boot")
    run.expect(r"^status 1$")


@pytest.mark.parametrize("shell", [[], ["/bin/sh", "-c", '"$0" "$@"; true']],
                         ids=["alone", "below a shell"])
def test_run_image_in_a_script(tmp_path, shell):
    """Without a terminal, ending what was started ends QEMU, also when that was a shell as make has
    one: the port is free again."""
    printed, port = tmp_path / "printed", free_port()
    with open(printed, "wb") as out:
        process = subprocess.Popen([*shell, RUN_IMAGE, "--image", DNS_ELF, "--port", str(port)],
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait_until(lambda: b"dnsd: serving" in printed.read_bytes())
        process.terminate()
        assert process.wait(LIMIT) in (0, -signal.SIGTERM)
        wait_until(lambda: can_bind(port))
    finally:
        process.kill()
        process.wait()


def wait_until(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def can_bind(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False
