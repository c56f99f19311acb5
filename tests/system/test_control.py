# SPDX-License-Identifier: ISC
"""The control channel as users meet it (docs/control.md): build/tools/motet against running images,
honest and noisy hosts, and domains that aren't the controller."""

import json
import os
import random
import re
import select
import socket
import subprocess
import tempfile

import pytest

from client import ask
from machine import BUILD, LIMIT, MICROVM, MODERN_MMIO, ROOT, Machine, kernel
from managed import (DOMAINS, MANAGED, NO_ANSWER, NO_IMAGE, NOSY, REFUSED, TOOL, USAGE, Managed,
                     motet)
from network import UserNetwork

@pytest.fixture(scope="module")
def managed():
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        yield machine.ready()


def test_ps(managed):
    domains = managed.ps()
    assert list(domains) == DOMAINS
    for name, domain in domains.items():
        assert domain["servers"] == name
        if name == "loader":  # it begins with a swap
            assert domain["state"] == "suspended" and not domain["cpu_ms"]
            continue
        assert domain["cpu_ms"] > 0
        assert domain["memory_bytes"] > 0
        assert domain["restarts"] == 0
        assert domain["last_end"] == ""
        assert domain["state"] in ("waiting", "ready", "running")
    table = managed.motet("ps").splitlines()
    assert re.fullmatch(r"image dns_managed, build \S+, up \d+\.\d s, \d+ KiB of memory", table[0])
    assert [line.split()[0] for line in table[2:]] == DOMAINS


def test_cpu_time_grows_with_work(managed):
    before = managed.ps()["dnsd"]["cpu_ms"]
    for _ in range(20):
        ask(managed, "www.example.org", "A")
    assert managed.ps()["dnsd"]["cpu_ms"] > before


def test_stats_are_the_consoles_counters(managed):
    ask(managed, "www.example.org", "A")
    told = json.loads(managed.motet("stats", "dnsd", "--json"))
    printed = managed.counters()
    assert told == {name: value for name, value in printed.items() if name.startswith("dnsd.")}
    assert told
    text = managed.motet("stats", "dnsd")
    assert text == "".join(f"{name} {value}\n" for name, value in told.items())
    zeros = json.loads(managed.motet("stats", "dnsd", "--all", "--json"))
    assert len(zeros) > len(told)


def test_log_is_what_the_console_says(managed):
    log = managed.motet("log").splitlines()
    assert log[0].startswith("init: image dns_managed,")
    console = managed.text.splitlines()
    first = console.index(log[0])
    assert log == console[first:first + len(log)]
    own = managed.motet("log", "dnsd").splitlines()
    assert own == [line.removeprefix("dnsd: ") for line in log if line.startswith("dnsd: ")]
    lines = [json.loads(line)["line"] for line in
             managed.motet("log", "--json", "dnsd").splitlines()]
    assert lines == own


def test_log_follows(managed):
    with subprocess.Popen([TOOL, "log", "-f", "--interval", "50", "--socket", managed.socket],
                          stdout=subprocess.PIPE) as follower:
        try:
            wait_for(follower.stdout, b"dnsd: serving")
            managed.type("x")
            wait_for(follower.stdout, b"init: s: counters")
        finally:
            follower.kill()


def wait_for(stream, wanted):
    text = b""
    while wanted not in text:
        assert select.select([stream], [], [], LIMIT)[0], text
        more = os.read(stream.fileno(), 4096)
        assert more, text
        text += more


def test_top(managed):
    text = managed.motet("top", "--count", "2", "--interval", "20")
    assert text.count("DOMAIN") == 2
    looks = managed.motet("top", "--count", "1", "--interval", "20", "--json")
    assert len(json.loads(looks)["domains"]) == len(DOMAINS)


def test_wrong_names_and_words(managed):
    assert "there are: virtio_drv, netd" in managed.motet("kill", "dnssd", status=USAGE)
    assert "which server?" in managed.motet("kill", status=USAGE)
    assert "one word too many" in managed.motet("ps", "netd", "dnsd", status=USAGE)
    assert "no command" in motet("frobnicate", status=USAGE)
    assert "not a number" in motet("top", "--count", "many", status=USAGE)
    motet("ps", "--frobnicate", status=USAGE)


def test_the_controller_and_what_runs_not_are_refused(managed):
    assert "it is the controller" in managed.motet("kill", "control", status=REFUSED)
    assert managed.ps()["control"]["state"] != "stopped"


def test_noise_is_survived(managed):
    """Random bytes, with beginnings of frames among them, then one request."""
    noise = random.Random(1)
    before = json.loads(managed.motet("stats", "control", "--all", "--json"))
    for _ in range(20):
        with managed.connect() as host:
            host.sendall(noise.randbytes(4000) + b"Mct1" * noise.randrange(20))
        assert list(managed.ps()) == DOMAINS
    after = json.loads(managed.motet("stats", "control", "--all", "--json"))
    assert after["control.bytes_dropped"] - before["control.bytes_dropped"] >= 20 * 4000
    assert managed.ps()["control"]["last_end"] == ""


def test_an_unfinished_request_does_no_harm(managed):
    for length in range(1, 24):
        with managed.connect() as host:
            host.sendall(bytes.fromhex("4d63743102000400010000009f7a8e7b0100000000000000")[:length])
        managed.motet("ps")


def test_a_host_that_never_reads(managed):
    """Its answers have nowhere to go; the image isn't held up."""
    header = b"Mct1\x06\x00\x08\x00\x01\x00\x00\x00"
    import zlib  # the same CRC
    payload = (2).to_bytes(4, "little") + bytes(4)
    request = (header + zlib.crc32(header).to_bytes(4, "little") + payload
               + zlib.crc32(payload).to_bytes(4, "little"))
    with managed.connect() as host:
        host.sendall(request * 1000)
        ask(managed, "www.example.org", "A")
    assert list(managed.ps()) == DOMAINS


def test_kill_stops_and_says_so():
    """Whom the manifest doesn't let begin anew."""
    with Managed(kernel(NOSY)) as machine:
        machine.expect(r"^control: the host can look in")
        assert machine.motet("kill", "busy") == "busy: killed\n"
        machine.expect(r"^init: busy stopped: killed by the host$")
        told = machine.ps()["busy"]
        assert (told["state"], told["last_end"]) == ("stopped", "killed by the host")
        assert "has stopped already" in machine.motet("kill", "busy", status=REFUSED)
        assert {d["state"] for n, d in machine.ps().items() if n != "busy"} <= {"waiting", "ready"}
        assert "refused" in machine.motet("restart", "busy", status=REFUSED)
        assert machine.ps()["busy"]["state"] == "stopped"


def test_over_mmio():
    """microvm has all of its devices on one page, so only one domain can have any."""
    with Managed(kernel(NOSY), **MICROVM, serial="virtio-serial-device",
                 options=MODERN_MMIO) as machine:
        machine.expect(r"^virtio_con: ready: device mmio 0x[0-9a-f]+ ")
        assert list(machine.ps()) == ["nosy", "busy", "virtio_con", "control"]


@pytest.mark.parametrize("more", ["", ",event_idx=off", ",vectors=0"], ids=["events", "flags", "pin"])
def test_over_packed_queues(more):
    with Managed(kernel(NOSY), serial="virtio-serial-pci,packed=on" + more) as machine:
        machine.expect(r"^virtio_con: queue 0 is packed$")
        machine.expect(r"^virtio_con: queue 1 is packed$")
        for _ in range(20):
            assert list(machine.ps()) == ["nosy", "busy", "virtio_con", "control"]


def test_behind_an_iommu():
    obeys = ",disable-legacy=on,iommu_platform=on"
    with Managed(kernel(MANAGED), [UserNetwork()], machine="q35", serial="virtio-serial-pci" + obeys,
                 device="virtio-net-pci" + obeys, options=["-device", "intel-iommu"]) as machine:
        machine.ready()
        assert list(machine.ps()) == DOMAINS
        assert "outside" not in machine.text


def test_without_a_console_the_image_serves():
    with Machine(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        machine.expect(r"^control: no console: the host can't look in$")
        ask(machine, "www.example.org", "A")


def test_init_answers_its_controller_only():
    with Managed(kernel(NOSY)) as machine:
        machine.expect(r"^nosy: asked 100 times, 0 answers$")
        states = {name: domain["last_end"] for name, domain in machine.ps().items()}
        assert states == dict.fromkeys(("nosy", "busy", "virtio_con", "control"), "")
        assert "the controller's pages" not in machine.text


def test_nobody_there():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/none"
        said = motet("ps", "--socket", path, status=NO_IMAGE)
        assert "no image is running there" in said and "make run IMAGE=dns-managed" in said
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(path)
            mute.listen()
            said = motet("ps", "--socket", path, "--timeout", "300", status=NO_ANSWER)
            assert "no answer within 300 ms" in said
        motet("ps", "--socket", path, status=NO_IMAGE)
        motet("ps", "--socket", "x" * 200, status=NO_IMAGE)


def test_a_lying_image():
    """What answers isn't believed: it is refused or nothing is understood, and nothing crashes."""
    lies = random.Random(2)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/liar"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            for _ in range(30):
                with subprocess.Popen([TOOL, "ps", "--socket", path, "--timeout", "200"],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as tool:
                    guest, _ = server.accept()
                    with guest:
                        guest.settimeout(LIMIT)
                        guest.recv(4096)
                        guest.sendall(lies.randbytes(3000) + b"Mct1" * lies.randrange(10))
                        tool.communicate(timeout=LIMIT)
                    assert tool.returncode in (NO_IMAGE, NO_ANSWER)


def test_plain_images_have_nothing_of_it():
    def symbols(image):
        return subprocess.run(["nm", BUILD / f"images/{image}/init.elf"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
    assert "control_handle" in symbols("dns-managed")
    assert "control_handle" not in symbols("dns")
    assert "console_keep" not in symbols("dns")


def test_one_controller(tmp_path):
    text = (ROOT / "images/dns-managed.conf").read_text(encoding="utf-8")
    twice = tmp_path / "twice.conf"
    twice.write_text(text.replace('servers = [ "netd" ]; priority = 20;',
                                  'servers = [ "netd" ]; priority = 20; control = true;'),
                     encoding="utf-8")
    done = subprocess.run([BUILD / "tools/compose", "--check", twice], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 1
    assert '"netd" and "control" have control = true — init answers one domain' in done.stdout


def test_the_manual_page_has_all():
    page = (ROOT / "docs/motet.1").read_text(encoding="utf-8").replace("\\-", "-")
    commands = re.findall(r"^  motet (\w+)", motet("--help"), re.MULTILINE)
    assert len(commands) >= 6
    for command in commands:
        assert f".B {command}\n" in page
        said = motet(command, "--help")
        assert f"usage: motet {command}" in said
        for option in re.findall(r"--\w+", said):
            assert option in page


def completed(*words):
    script = (f"source {ROOT}/tools/motet.bash; COMP_WORDS=({' '.join(words)} ''); "
              f"COMP_CWORD={len(words)}; _motet; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True, check=True,
                          timeout=LIMIT, stdin=subprocess.DEVNULL,
                          env={**os.environ, "MOTET_SOCKET": os.environ.get("MOTET_TRY", "")}
                          ).stdout.split()


def test_completion(managed, monkeypatch):
    command = str(ROOT / "tools/motet")
    assert {"ps", "log", "restart"} <= set(completed(command))
    monkeypatch.setenv("MOTET_TRY", managed.socket)
    assert set(DOMAINS) <= set(completed(command, "kill"))
