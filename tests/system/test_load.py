# SPDX-License-Identifier: ISC
"""Many queries: none is lost, every one is counted, and afterwards the image is idle again."""

import select
import socket
import struct
import time

import pytest

from client import ANSWER_LIMIT, ask, query, section
from machine import LIMIT, PARTITIONS, Machine, bench_module, kernel
from network import TapNetwork, UserNetwork

NAMES = ["www.example.org", "mail.example.org", "ns.example.org", "nowhere.example.org",
         "ftp.example.org", "x.sub.example.org", "example.com"]
DNSPERF_SECONDS = 4
BURST = 64  # queries at once: as many as dnsperf -q 64 has outstanding
IDLE_SECONDS = 5  # in which not one instruction may be executed


@pytest.fixture(params=["isolated-user", "isolated-tap", "paired-user", "fused-user", "fused-tap"],
                scope="module")
def machine(request):
    name, kind = request.param.split("-")
    if kind == "tap":
        request.getfixturevalue("tap")
    network = TapNetwork() if kind == "tap" else UserNetwork()
    with Machine(kernel(PARTITIONS[name]), [network]) as one:
        yield one.ready()


def numbered(packet, number):
    return struct.pack("!H", number) + packet[2:]


def test_1000_sequential_queries(machine):
    """Each answer is the same as the first of its kind, apart from the query's number."""
    packets = [query(name).to_wire() for name in NAMES]
    before = machine.counters()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(ANSWER_LIMIT)
        link.connect(machine.address)
        expected = {}
        for number in range(1000):
            kind = number % len(packets)
            link.send(numbered(packets[kind], number))
            answer = link.recv(65535)
            assert answer[:2] == struct.pack("!H", number)
            assert answer[2:] == expected.setdefault(kind, answer[2:]), NAMES[kind]
    assert section(ask(machine, NAMES[0]).answer) == ["www.example.org. 3600 A 192.0.2.80"]
    after = machine.counters()
    for name in ("netd.udp_received", "netd.udp_sent"):
        assert after[name] - before.get(name, 0) == 1001, name


def test_bursts(machine):
    """A burst that fits the queues is answered completely, in whatever order."""
    packet = query(NAMES[0]).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        link.connect(machine.address)
        for start in range(0, 20 * BURST, BURST):
            missing = set(range(start, start + BURST))
            for number in sorted(missing):
                link.send(numbered(packet, number))
            while missing:
                if not select.select([link], [], [], ANSWER_LIMIT)[0]:
                    machine.fail(f"{len(missing)} of {BURST} queries of a burst got no answer: "
                                 f"{machine.counters()}")
                missing.remove(struct.unpack("!H", link.recv(65535)[:2])[0])


def test_many_clients(machine):
    """200 sockets with a query each: every answer goes back to the port that asked."""
    packet = query(NAMES[1]).to_wire()
    links = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(200)]
    try:
        for number, link in enumerate(links):
            link.settimeout(ANSWER_LIMIT)
            link.connect(machine.address)
            link.send(numbered(packet, number))
            if number >= 32:
                assert links[number - 32].recv(65535)[:2] == struct.pack("!H", number - 32)
        for number, link in list(enumerate(links))[-32:]:
            assert link.recv(65535)[:2] == struct.pack("!H", number)
    finally:
        for link in links:
            link.close()


def test_dnsperf(machine):
    before = machine.counters()
    rate, _, lost = bench_module("lib_qemu").dnsperf(
        machine.address, NAMES[0], DNSPERF_SECONDS, outstanding=64)
    after = machine.counters()
    assert lost == 0, f"{lost} queries lost: {after}"
    answered = after["dnsd.noerror"] - before.get("dnsd.noerror", 0)
    assert answered >= rate * DNSPERF_SECONDS * 0.9
    assert after["netd.udp_received"] == after["netd.udp_sent"]


def test_overload_is_counted(machine):
    """What comes faster than it can be answered is dropped and counted, or never got in; afterwards
    the service is as before."""
    packet = query(NAMES[0]).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(machine.address)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            for number in range(500):
                link.send(numbered(packet, number))
        while select.select([link], [], [], 0.5)[0]:
            link.recv(65535)
    assert ask(machine, NAMES[0]).answer
    counters = machine.counters()
    dropped = sum(counters.get(f"netd.{name}", 0) for name in ("udp_no_buffer", "udp_client_full"))
    answered = counters["netd.udp_sent"]
    assert counters["netd.udp_received"] == answered
    # The rest are ARP packets and a few of the host's own.
    assert 0 <= counters["netd.rx_frames"] - answered - dropped < 100, counters


def test_idle_executes_nothing(partition):
    bench = bench_module("lib_qemu")
    try:
        counter = bench.InstructionCounter([])
    except bench.BenchError as error:
        pytest.skip(f"the counting plugin can't be built: {error}")
    with counter, Machine(kernel(partition), [UserNetwork()], options=counter.options()) as machine:
        machine.ready()
        assert ask(machine, NAMES[0]).answer
        # A timer that was set for something that came in time may still go off, once.
        assert counter.settle(IDLE_SECONDS, limit=LIMIT), "doesn't come to rest"
        before = counter.read()
        assert ask(machine, NAMES[0]).answer  # and it still wakes up
        assert counter.read() != before
