# SPDX-License-Identifier: ISC
"""Servers and zones are replaced while they serve, as users do it (docs/swap.md): `motet swap` and
`motet zone` against machines under load, with versions that go wrong, hosts and images that lie.
In the simulator, at each message boundary: test_swap.py."""

import base64
import json
import os
import pty
import random
import re
import select
import socket
import struct
import subprocess
import tempfile
import threading
import time

import pytest
from scapy.layers.inet import ICMP, IP

import channel
from channel import Channel
from client import ask, query
from machine import BUILD, LIMIT, ROOT, kernel
from managed import MANAGED, NO_ANSWER, NO_IMAGE, NOSY, REFUSED, TOOL, USAGE, Managed, motet
from network import FrameNetwork, UserNetwork
from wire import Neighbour

PROGRAMS = BUILD / "programs/dns-managed"
SERVERS = ["virtio_drv", "netd", "dnsd", "virtio_con", "control"]
NUMBERS = {name: number for number, name in enumerate(SERVERS + ["loader"], 1)}
ADDRESS = b"\xc0\x00\x02\x50"  # 192.0.2.80, www.example.org
IN_FLIGHT = 16  # queries at a time: fewer than there are buffers, whatever is held up
ROUNDS = 3


def program(name):
    return str(PROGRAMS / f"{name}.elf")


class Load:
    """Queries as long as the `with` lasts, IN_FLIGHT at a time, each asked once. At its end all of
    them have their answer."""

    def __init__(self, machine, may_lose=False):
        self._machine, self._may_lose = machine, may_lose
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._end = threading.Event()
        self._changed = threading.Condition()
        self.answers, self.open, self.wrong = 0, {}, []

    def __enter__(self):
        ask(self._machine, "www.example.org")  # the network between knows the way now
        self._thread.start()
        self.more()
        return self

    def __exit__(self, kind, *_):
        self._end.set()
        self._thread.join(2 * LIMIT)
        if not kind:
            assert not self.wrong
            assert self._may_lose or not self.open, f"{len(self.open)} queries are lost"

    def _ask(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.connect(self._machine.address)
            number, quiet = 0, 0
            while quiet < (0.5 if self._may_lose else LIMIT):
                while not self._end.is_set() and len(self.open) < IN_FLIGHT:
                    number = (number + 1) % 65536
                    self.open[number] = True
                    link.send(query("www.example.org", id=number).to_wire())
                if self._end.is_set() and not self.open:
                    return
                if not select.select([link], [], [], 0.05)[0]:
                    quiet += 0.05
                    if self._may_lose and quiet >= 0.5 and not self._end.is_set():
                        self.open, quiet = {}, 0  # asks anew
                    continue
                quiet = 0
                self._take(link.recv(4096))

    def _take(self, answer):
        if self.open.pop(int.from_bytes(answer[:2], "big"), None) is None and not self._may_lose:
            self.wrong.append(("twice", answer))
        if ADDRESS not in answer:
            self.wrong.append(answer)
        with self._changed:
            self.answers += 1
            self._changed.notify_all()

    def more(self, count=50):
        """Waits for so many answers from now on."""
        deadline = time.monotonic() + LIMIT
        with self._changed:
            wanted = self.answers + count
            while self.answers < wanted:
                if not self._changed.wait(deadline - time.monotonic()):
                    self._machine.fail(f"{self.answers} answers instead of {wanted}")


@pytest.fixture(scope="module", name="machine")
def a_machine():
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        yield machine.ready()


def swap(machine, *words, status=0):
    return json.loads(machine.motet("swap", *words, "--commit", "--json", status=status))


@pytest.mark.parametrize("name", SERVERS)
def test_each_under_load(machine, name):
    """The same program from a file, then once more in the other body: no query is lost."""
    with Load(machine) as load:
        for _ in range(ROUNDS):
            told = swap(machine, name, program(name))
            assert (told["domain"], told["phase"], told["version"]) == (name, "done", "1")
            assert 0 < told["blackout_ns"] < LIMIT * 1e9 and told["state_bytes"] > 0
            load.more()
            assert swap(machine, name)["phase"] == "done"
            load.more()
    assert machine.ps()[name]["restarts"] == 0


def test_a_driver_of_packed_queues():
    """Its positions in the ring are private, and are carried over, in odd laps and in even ones."""
    with Managed(kernel(MANAGED), [UserNetwork()], serial="virtio-serial-pci,packed=on") as machine:
        machine.ready()
        machine.expect(r"^virtio_con: queue 1 is packed$")
        for _ in range(ROUNDS):
            assert swap(machine, "virtio_con", program("virtio_con"))["phase"] == "done"
            assert machine.ps()["virtio_con"]["restarts"] == 0
            assert swap(machine, "virtio_con")["phase"] == "done"


def test_what_people_read(machine):
    said = machine.motet("swap", "netd", program("netd"), "--commit")
    assert re.fullmatch(r"netd: version 1 serves: blackout \d+\.\d\d ms, \d+ messages queued "
                        r"meanwhile, state [\d,]+ bytes; its probation is over\n", said)
    said = machine.motet("swap", "dnsd", program("dnsd"))
    assert re.search(r"; [1-5]\.\d s of probation left\n$", said)
    said = machine.motet("swap", "netd", program("netd"), status=REFUSED)
    assert "another swap is under way (dnsd, probation)" in said
    assert machine.motet("swap", "--status").startswith("dnsd: version 1 serves: ")
    assert "one that goes can't be cancelled" in machine.motet("swap", "--cancel", status=REFUSED)
    assert machine.motet("swap", "--commit").endswith("its probation is over\n")
    assert "no version is in its probation" in machine.motet("swap", "--commit", status=REFUSED)
    table = machine.motet("ps").splitlines()
    assert table[1].split()[2] == "VERSION" and table[2].split()[2] == "1"


def test_another_version_is_told_by_its_ttl():
    network = FrameNetwork()
    with Managed(kernel(MANAGED), [network]) as machine:
        machine.ready()
        with Neighbour(network) as neighbour:
            def ttl():
                return neighbour.ping(neighbour.ip() / ICMP() / b"ping")[IP].ttl
            neighbour.resolve()
            assert ttl() == 64
            told = swap(machine, "netd", program("netd-ttl"))
            assert told["version"] == "ttl99" and ttl() == 99
            assert machine.ps()["netd"]["program_version"] == "ttl99"
            swap(machine, "netd")
            assert ttl() == 99
            assert swap(machine, "netd", program("netd"))["version"] == "1" and ttl() == 64


@pytest.mark.parametrize("name, at, why", [
    ("crash", "rehearsing", "failed when it was tried"),
    ("hang", "rehearsing", "failed when it was tried|didn't get ready within 5 seconds"),
    ("newer", "rehearsing", "failed when it was tried"),
    ("fall", "starting", "invalid instruction"),
    ("stall", "starting", "stuck: no wait|didn't take over within a second"),
    ("flip", "starting", "start failed: BAD_ARGUMENT")])
def test_a_version_that_doesnt_come_up_costs_nothing(machine, name, at, why):
    """Whether it goes wrong in its rehearsal, or passes that and fails when it takes over. What hangs is
    noticed by its watchdog, or because the time is over."""
    with Load(machine) as load:
        for _ in range(ROUNDS):
            told = swap(machine, "netd", program(f"netd-{name}"), status=REFUSED)
            assert (told["phase"], told["at"]) == ("rolled back", at)
            assert not told["state_lost"] and re.search(why, told["reason"]), told
            load.more()
        assert swap(machine, "netd", program("netd"))["phase"] == "done"
    told = machine.ps()["netd"]
    assert (told["restarts"], told["program_version"]) == (0, "1")


def test_the_log_says_why_a_state_was_refused(machine):
    swap(machine, "netd", program("netd-newer"), status=REFUSED)
    assert "record stack of netd is of version 1: this program reads 2" in machine.motet("log", "netd")
    swap(machine, "netd", program("netd-flip"), status=REFUSED)
    assert "state refused: it is damaged" in machine.motet("log", "netd")


@pytest.mark.parametrize("name, why", [("late", "invalid instruction"), ("late_hang", "stuck")])
def test_a_version_that_fails_in_its_probation_is_taken_back(name, why):
    """It crashes, or hangs (its domain has a watchdog), with the first message that it takes."""
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        with Load(machine, may_lose=True) as load:
            machine.motet("swap", "netd", program(f"netd-{name}"), "--wait", status=REFUSED)
            machine.expect(r"^init: netd: swap rolled back in its probation: it stopped$")
            machine.expect(r"^init: netd: restart 1, 1 in a row$")
            load.more()
            status = json.loads(machine.motet("swap", "--status", "--json"))
            assert status["phase"] == "rolled back" and status["state_lost"]
            assert why in status["reason"]
            told = machine.ps()["netd"]
            assert (told["program_version"], told["restarts"]) == ("1", 1)
            assert swap(machine, "netd", program("netd"))["phase"] == "done"
            load.more()


def test_killed_in_its_probation_it_is_taken_back():
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        with Load(machine, may_lose=True) as load:
            for number, name in enumerate(SERVERS[:3]):
                machine.motet("swap", name, program(name))
                assert "refused" in machine.motet("restart", name, status=REFUSED)
                machine.motet("kill", name)
                machine.expect(rf"^init: {name}: swap rolled back in its probation: it stopped$")
                load.more()
                status = json.loads(machine.motet("swap", "--status", "--json"))
                assert status["phase"] == "rolled back" and status["state_lost"], (number, status)
                assert swap(machine, name)["phase"] == "done"


def test_the_wrong_program(machine):
    """Each is refused for what it is, and nothing is touched."""
    right = (PROGRAMS / "netd.elf").read_bytes()
    cases = {
        "made of other servers": (PROGRAMS / "dnsd.elf").read_bytes(),
        "cut off": right[:-100],
        "writable static data": patched(right, 64 + 56 + 4, struct.pack("<I", 6)),
        "linked to other addresses": patched(right, 64 + 16, struct.pack("<Q", 0x500000)),
        "a larger constants_room": larger_constants(right),
        "another kernel ABI": patched(right, note_at(right) + 8, struct.pack("<I", 999)),
    }
    with tempfile.TemporaryDirectory() as folder, Load(machine):
        for reason, content in cases.items():
            path = f"{folder}/netd.elf"
            with open(path, "wb") as file:
                file.write(content)
            told = swap(machine, "netd", path, status=REFUSED)
            assert told["phase"] == "refused" and reason in told["reason"], told


def patched(content, at, new):
    return content[:at] + new + content[at + len(new):]


def note_at(content):
    return struct.unpack_from("<Q", content, 64 + 56 + 8)[0]


def larger_constants(content):
    """All of the file is its constants: more than their room, less than the staging memory."""
    size = 40 * 1024
    content = patched(content, 64 + 56 + 32, struct.pack("<QQ", size, size))
    return patched(content, 64 + 56 + 8, bytes(8)) + bytes(size - len(content))


def test_damaged_headers(machine):
    """Hundreds of programs whose headers, note or descriptors are damaged: taken back or refused, or
    the damage was none; queries are answered all the while."""
    chance = random.Random(5)
    content = (PROGRAMS / "dnsd.elf").read_bytes()
    places = [*range(176), *range(note_at(content), note_at(content) + 64)]
    ends = {}
    with Load(machine, may_lose=True) as load, Channel(machine) as host:
        assert host.begin(NUMBERS["dnsd"], content) == 0 and host.stage(content) == 0
        for _ in range(200):
            at = chance.choice(places)
            bad = patched(content, at, bytes([content[at] ^ 1 << chance.randrange(8)]))
            assert host.begin(NUMBERS["dnsd"], bad) == 0
            piece = at - at % 8
            assert host.stage(content) == 0 if not ends else True
            assert host.stage(bad[piece:piece + 8], piece) == 0
            assert host.ask(channel.SWAP_GO)[0] == 0
            while (status := host.status())[0] in channel.ON_THE_WAY:
                pass
            ends[status[0]] = ends.get(status[0], 0) + 1
            if status[0] == channel.PROBATION:
                assert host.ask(channel.SWAP_COMMIT)[0] == 0
            assert host.stage(b"x") == channel.BAD_STATE
            assert host.begin(NUMBERS["dnsd"], content) == 0
            assert host.stage(content[piece:piece + 8], piece) == 0
        assert host.ask(channel.SWAP_CANCEL)[0] == 0
        load.more()
    assert ends[channel.REFUSED] > 100, ends


def test_requests_in_the_wrong_order(machine):
    """What motet wouldn't do: refused, and the control server lives on."""
    netd = NUMBERS["netd"]
    with Load(machine), Channel(machine) as host:
        assert host.stage(b"early") == channel.BAD_STATE
        assert host.ask(channel.SWAP_GO)[0] == channel.BAD_STATE
        assert host.ask(channel.SWAP_TAKE, 8)[0] == channel.BAD_STATE
        assert host.begin(99, b"x") and host.begin(NUMBERS["loader"], b"x") == channel.NO_RIGHT
        assert host.begin(netd, b"x", what=1), "netd has no files"
        assert host.begin(netd, bytes(1 << 20)), "larger than the staging memory"
        assert host.begin(netd, b"four") == 0
        assert host.stage(b"x" * 2000) == 0
        assert host.stage(b"x", 1 << 20) and host.stage(b"x", 0xffffffff)
        assert host.ask(channel.SWAP_TAKE, 4)[0] == channel.BAD_STATE, "it is no file"
        assert host.ask(channel.SWAP_CANCEL)[0] == 0
        assert host.stage(b"late") == channel.BAD_STATE
        assert host.begin(netd, b"four") == 0 and host.stage(b"four") == 0
        assert host.ask(channel.SWAP_GO)[0] == 0
        assert host.stage(b"late") == channel.BAD_STATE
        while host.status()[0] == channel.LOADING:
            pass
        assert host.status() == (channel.REFUSED, 1), "no ELF"
        assert host.begin(netd, b"four") == 0 and host.stage(b"fore") == 0
        assert host.ask(channel.SWAP_GO)[0] == 0
        while host.status()[0] == channel.LOADING:
            pass
        assert host.status() == (channel.REFUSED, 9), "another checksum"
    assert machine.ps()["control"]["restarts"] == 0


def test_deaths_on_the_way():
    """Of the old version, the loader and the controller, in each state in which they can be asked
    for."""
    content = (PROGRAMS / "netd.elf").read_bytes()
    netd, control = NUMBERS["netd"], NUMBERS["control"]
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        with Load(machine, may_lose=True) as load:
            with Channel(machine) as host:
                assert host.ask(channel.KILL, NUMBERS["loader"])[0] == channel.BAD_STATE
                assert host.ask(channel.KILL, control)[0] == channel.NO_RIGHT
                assert host.begin(netd, content) == 0 and host.stage(content) == 0
                assert host.ask(channel.KILL, netd)[0] == 0
                machine.expect(r"^init: netd: restart 1, 1 in a row$")
                load.more()
                errors = host.ask_at_once((channel.SWAP_GO, 0), (channel.KILL, netd),
                                          (channel.RESTART, netd), (channel.KILL, 6))
                assert errors[0] == 0 and errors[3] == channel.BAD_STATE, errors
                while (phase := host.status()[0]) in channel.ON_THE_WAY:
                    pass
                # Refused while it was on the way; a kill in its probation takes it back.
                assert phase in (channel.PROBATION, channel.ROLLED_BACK), phase
                if phase == channel.PROBATION:
                    assert errors[1] == errors[2] == channel.BAD_STATE
                    assert host.ask(channel.SWAP_COMMIT)[0] == 0
                load.more()
                # The controller begins anew in the middle of staging: its new life writes nothing.
                assert host.begin(netd, content) == 0 and host.stage(content[:3000]) == 0
                host.tell(channel.RESTART, control)
                machine.expect(r"^init: control: restart 1")
            assert machine.ps()["control"]["restarts"] == 1
            with Channel(machine) as host:
                assert host.stage(b"what it had") == channel.BAD_STATE
            assert swap(machine, "netd", program("netd"))["phase"] == "done"
            assert swap(machine, "control", program("control"))["phase"] == "done"
            load.more()


def test_a_host_that_goes_away_leaves_nothing_behind(machine):
    content = (PROGRAMS / "netd.elf").read_bytes()
    with Channel(machine) as host:
        assert host.begin(NUMBERS["netd"], content) == 0 and host.stage(content[:5000]) == 0
    assert "netd: staging" in machine.motet("swap", "--status")
    assert swap(machine, "dnsd", program("dnsd"))["phase"] == "done"
    with Channel(machine) as host:
        assert host.begin(NUMBERS["netd"], content) == 0
    assert machine.motet("swap", "--cancel") == "cancelled\n"
    assert "no swap" in machine.motet("swap", "--status")


def test_as_early_as_can_be():
    """There is nobody to ask before all have begun; the first answer is of an image that serves."""
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.expect(r"^init: image dns_managed")
        assert swap(machine, "dnsd", program("dnsd"))["phase"] == "done"
        machine.ready()
        assert ask(machine, "www.example.org").answer


def test_many_swaps_leave_nothing_behind(machine):
    """As many pages as before, and nothing that init does is refused by the kernel more often from
    one swap to the next."""
    def refused():
        return {name: value for name, value in machine.counters().items()
                if name.startswith("kernel.")}
    memory = {name: domain["memory_bytes"] for name, domain in machine.ps().items()}
    with Load(machine) as load:
        for _ in range(10):
            for name in SERVERS:
                assert swap(machine, name)["phase"] == "done"
            load.more(10)
    assert {name: domain["memory_bytes"] for name, domain in machine.ps().items()} == memory
    assert {domain["restarts"] for name, domain in machine.ps().items() if name != "loader"} == {0}
    assert refused() is not None


def zone(address):
    return (f"$ORIGIN example.org.\n$TTL 3600\n@ SOA ns hostmaster 1 3600 600 86400 3600\n"
            f"@ NS ns\nns A 192.0.2.53\nwww A 192.0.2.80\nnew A {address}\n")


def test_zones_under_load(machine, tmp_path):
    path = tmp_path / "example.org.zone"
    with Load(machine) as load:
        for last in range(1, 6):
            path.write_text(zone(f"198.51.100.{last}"), encoding="utf-8")
            words = [["--zones", str(tmp_path)], [str(path)]][last % 2]
            said = machine.motet("zone", "reload", *words, "--commit")
            assert said.startswith("dnsd: 5 records in 1 zones are served: blackout "), said
            assert str(ask(machine, "new.example.org").answer[0][0]) == f"198.51.100.{last}"
            load.more()
    assert machine.ps()["dnsd"]["restarts"] == 0


def test_zones_that_are_no_zones(machine, tmp_path):
    """A mistake changes nothing, whoever finds it."""
    path = tmp_path / "example.org.zone"
    path.write_text(zone("198.51.100.77"), encoding="utf-8")
    machine.motet("zone", "reload", str(path), "--commit")

    def unchanged():
        return str(ask(machine, "new.example.org").answer[0][0]) == "198.51.100.77"
    bad = tmp_path / "bad/example.org.zone"
    bad.parent.mkdir()
    bad.write_text(zone("not an address"), encoding="utf-8")
    said = machine.motet("zone", "reload", str(bad), status=USAGE)
    assert "example.org.zone:7" in said and "nothing was changed" in said and unchanged()
    assert "no ORIGIN.zone files" in machine.motet("zone", "reload", "--zones", str(tmp_path / "no"),
                                                   status=USAGE)
    large = tmp_path / "large/example.org.zone"
    large.parent.mkdir()
    large.write_text(zone("198.51.100.1") + "".join(
        f"h{n} A 192.0.2.1\n" for n in range(20000)), encoding="utf-8")
    said = machine.motet("zone", "reload", str(large), status=REFUSED)
    assert "dnsd has room for 262144" in said and unchanged()
    compiled = tmp_path / "zones.zdb"
    subprocess.run([BUILD / "tools/zonec", "-o", compiled, path], check=True,
                   stdout=subprocess.DEVNULL)
    content = compiled.read_bytes()
    machine.motet("zone", "reload", str(compiled), "--commit")
    with Load(machine) as load:
        for at in (9, 17, 30, 100, len(content) - 20):
            compiled.write_bytes(patched(content, at, bytes([content[at] ^ 0x40])))
            told = json.loads(machine.motet("zone", "reload", str(compiled), "--commit", "--json",
                                            status=REFUSED))
            assert (told["phase"], told["at"], told["state_lost"]) == ("rolled back", "rehearsing",
                                                                      False), told
            load.more()
    assert unchanged()


def test_wrong_words(machine, tmp_path):
    assert 'did you mean "netd"?' in machine.motet("swap", "netd2", status=USAGE)
    assert "which domain?" in machine.motet("swap", status=USAGE)
    assert "one word too many" in machine.motet("swap", "netd", "a", "b", status=USAGE)
    assert "No such file" in machine.motet("swap", "netd", str(tmp_path / "none"), status=USAGE)
    assert "no regular file" in machine.motet("swap", "netd", str(tmp_path), status=USAGE)
    empty, text = tmp_path / "empty", tmp_path / "text"
    empty.write_bytes(b"")
    text.write_text("no program" * 100, encoding="utf-8")
    assert "it is empty" in machine.motet("swap", "netd", str(empty), status=USAGE)
    assert "no ELF file" in machine.motet("swap", "netd", str(text), status=USAGE)
    assert "loader can't be swapped" in machine.motet("swap", "loader", status=REFUSED)
    large = tmp_path / "large.elf"
    large.write_bytes((PROGRAMS / "netd.elf").read_bytes() + bytes(1 << 20))
    assert "a larger staging in the manifest" in machine.motet("swap", "netd", str(large),
                                                               status=REFUSED)
    assert "what?" in machine.motet("zone", status=USAGE) or "which" in machine.motet(
        "zone", status=USAGE)
    assert "restart? motet zone reload" in machine.motet("zone", "restart", status=USAGE)
    assert "has no file" in machine.motet("zone", "reload", "--domain", "netd", status=REFUSED)


def key_file(path, seed):
    """A private key in PEM, as `motet key` makes one."""
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    path.write_text(f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(der).decode()}\n"
                    "-----END PRIVATE KEY-----\n", encoding="utf-8")
    return str(path)


def test_only_what_is_signed(tmp_path):
    """tests/images/signed.conf has the public half of the key."""
    right, wrong = (key_file(tmp_path / name, seed) for name, seed in
                    (("right", bytes(range(32))), ("wrong", bytes(32))))
    line = motet("key", right)
    assert line in (ROOT / "tests/images/signed.conf").read_text(encoding="utf-8")
    content = (BUILD / "programs/signed/control.elf").read_bytes()
    path = tmp_path / "control.elf"
    path.write_bytes(content)
    with Managed(kernel(BUILD / "images/signed.elf")) as machine:
        machine.expect(r"^control: the host can look in")

        def refused(why):
            told = swap(machine, "control", str(path), status=REFUSED)
            assert told["phase"] == "refused" and why in told["reason"], told
        refused("it isn't signed")
        assert "signed\n" in motet("sign", wrong, str(path))
        refused("by another key, or it was changed")
        assert "in the place of another signature" in motet("sign", right, str(path))
        signed = path.read_bytes()
        assert signed[:len(content)] == content and len(signed) == len(content) + 72
        assert swap(machine, "control", str(path))["phase"] == "done"
        path.write_bytes(patched(signed, 2000, bytes([signed[2000] ^ 1])))
        refused("by another key, or it was changed")
        path.write_bytes(signed[:-1])
        refused("it isn't signed")
        path.write_bytes(signed)
        assert swap(machine, "control", str(path))["phase"] == "done"
        assert machine.ps()["control"]["restarts"] == 0


def test_keys(tmp_path):
    path = tmp_path / "key"
    line = motet("key", str(path))
    assert re.fullmatch(r'swap_key = "[0-9a-f]{64}";\n', line)
    assert path.stat().st_mode & 0o777 == 0o600
    assert motet("key", str(path)) == line, "it isn't made anew"
    program_file = tmp_path / "netd.elf"
    program_file.write_bytes((PROGRAMS / "netd.elf").read_bytes())
    assert "motet key" in motet("sign", str(tmp_path / "none"), str(program_file), status=USAGE)
    assert "no private Ed25519 key" in motet("sign", str(program_file), str(program_file),
                                             status=USAGE)
    assert "no ELF file" in motet("sign", str(path), str(path), status=USAGE)
    assert program_file.read_bytes() == (PROGRAMS / "netd.elf").read_bytes()


@pytest.mark.parametrize("key, why", [
    ("12", "swap_key is no key"), ("0" * 64, "swap_key is no key"), ("g" * 64, "swap_key is no key")])
def test_a_key_that_is_none(tmp_path, key, why):
    text = (ROOT / "tests/images/signed.conf").read_text(encoding="utf-8")
    path = tmp_path / "signed.conf"
    path.write_text(re.sub('swap_key = "[0-9a-f]*"', f'swap_key = "{key}"', text), encoding="utf-8")
    done = subprocess.run([BUILD / "tools/compose", "--check", path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 1 and why in done.stdout and "motet key" in done.stdout, done.stdout


def test_an_image_without_swaps():
    with Managed(kernel(NOSY)) as machine:
        machine.expect(r"^control: the host can look in")
        said = machine.motet("swap", "busy", status=REFUSED)
        assert "this image doesn't allow swaps — add swap = true to domain busy" in said
        assert "doesn't allow swaps" in machine.motet("swap", "--status", status=REFUSED)
        assert "doesn't allow swaps" in machine.motet("zone", "reload", "--domain", "busy",
                                                      status=REFUSED)


def test_a_lying_image():
    """Its frames are right and what they say isn't: motet comes to an end, and says something."""
    lies = random.Random(3)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path = f"{folder}/liar"
        server.bind(path)
        server.listen()
        for turn in range(40):
            words = [["swap", "netd", program("netd")], ["swap", "netd"], ["swap", "--status"],
                     ["zone", "reload"]][turn % 4]
            with subprocess.Popen([TOOL, *words, "--json", "--socket", path, "--timeout", "300"],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as tool:
                guest, _ = server.accept()
                with guest:
                    lie(guest, lies)
                said = tool.communicate(timeout=LIMIT)[0].decode()
                assert tool.returncode in (0, REFUSED, USAGE, NO_IMAGE, NO_ANSWER), said
                assert said and all(c == "\n" or c.isprintable() for c in said), said


def honest(guest, delay):
    """An image with one domain, that takes its time for each piece."""
    name = b"netd".ljust(16, b"\0")
    told = {channel.IMAGE: name + struct.pack("<IIIIQ", 2, 0, 1, 0, 1 << 20) + bytes(48),
            channel.DOMAIN: name + b"\x03\x14\x01\x05" + bytes(28), channel.SERVER: name + bytes(16),
            channel.END: bytes(32), channel.SWAP_BEGIN: struct.pack("<I", 1 << 16),
            channel.SWAP_STATUS: bytes([channel.DONE, 0, 0, 0, 1]) + bytes(43)}
    data = b""
    while True:
        while not (got := channel.take(data))[0]:
            more = guest.recv(4096)
            if not more:
                return
            data += more
        (op, tag, _), data = got
        if op == channel.STAGE:
            time.sleep(delay)
        guest.sendall(channel.frame(op | channel.REPLY, tag, bytes(8) + told.get(op, b"")))


@pytest.mark.parametrize("terminal", [False, True])
def test_progress(terminal):
    """It says how far it is when that takes long: on a terminal in one line, which is gone at the
    end."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path = f"{folder}/slow"
        server.bind(path)
        server.listen()
        ours, theirs = pty.openpty() if terminal else os.pipe()
        with subprocess.Popen([TOOL, "swap", "netd", program("netd"), "--socket", path],
                              stdout=subprocess.PIPE, stderr=theirs) as tool:
            os.close(theirs)
            guest, _ = server.accept()
            with guest:
                guest.settimeout(LIMIT)
                honest(guest, 0.05)
            out = tool.communicate(timeout=LIMIT)[0].decode()
        said = b""
        try:
            while more := os.read(ours, 4096):
                said += more
        except OSError:
            pass  # the terminal's other end is closed
        os.close(ours)
    assert tool.returncode == 0 and out.startswith("netd: the new version serves"), out
    if terminal:
        assert re.search(rb"\rnetd: \d+ of \d+ bytes sent \(\d+%\)", said), said
        assert said.endswith(b"\r\x1b[K"), said
    else:
        assert re.fullmatch(rb"(netd: \d+% sent\n)+", said), said


def lie(guest, lies):
    """Answers some requests: the first few so that motet goes on, then anything."""
    guest.settimeout(1)
    data, name = b"", b"netd".ljust(16, b"\0")
    for _ in range(lies.randrange(2, 60)):
        try:
            while not (got := channel.take(data))[0]:
                more = guest.recv(4096)
                if not more:
                    return
                data += more
        except (TimeoutError, ConnectionError):
            return
        (op, tag, _), data = got
        told = lies.randbytes(lies.choice([0, 8, 32, 48, 900]))
        if op == channel.IMAGE:
            told = name + struct.pack("<IIIIQ", 2, 0, 1, 0, 1 << 20) + bytes(48)
        elif op in (channel.DOMAIN, channel.SERVER, channel.FILE) and lies.random() < 0.9:
            told = (name if op != channel.FILE else b"zones".ljust(16, b"\0")) + told.ljust(
                48, b"\xff")
        elif op == channel.SWAP_STATUS and lies.random() < 0.7:
            told = bytes([lies.randrange(6, 12)]) + lies.randbytes(47)
        error = 0 if lies.random() < 0.95 else lies.randrange(1 << 32)
        try:
            guest.sendall(channel.frame(op | channel.REPLY, tag, struct.pack("<II", error, 0) + told))
        except ConnectionError:
            return
