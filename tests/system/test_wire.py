# SPDX-License-Identifier: ISC
"""The network stack from outside, over a tap: what it answers, and what it drops. Nothing that is
sent here may stop the service, and every drop is counted under its name."""

import random
import re
import socket
import subprocess

import dns.edns
import dns.message
import pytest
from scapy.layers.inet import ICMP, IP, UDP, IPOption_NOP, IPOption_Timestamp
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from client import ANSWER_LIMIT, ask, exchange, query, wait_answers
from machine import DNS_ELF, LIMIT, Machine, kernel
from network import GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS, TapNetwork, ip
from wire import BROADCAST, Neighbour

MTU = 1500
SILENCE = 0.5  # seconds in which nothing comes, where nothing may come


@pytest.fixture(scope="module")
def wire(tap):
    """The image, and the interface on the host's side."""
    network = TapNetwork()
    with Machine(kernel(DNS_ELF), [network]) as machine:
        yield machine.ready(), network.name


@pytest.fixture(scope="module")
def machine(wire):
    return wire[0]


@pytest.fixture
def neighbour(wire):
    with Neighbour(wire[1]) as one:
        assert one.resolve(), "no answer to ARP"
        yield one


def rises(machine, action, counter, least=1):
    """What the counters gain by ACTION(), once COUNTER (of netd) has gained at least LEAST."""
    before = machine.counters()
    action()
    machine.expect_counter(f"netd.{counter}", before.get(f"netd.{counter}", 0) + least)
    after = machine.counters()
    return {name.removeprefix("netd."): value - before.get(name, 0)
            for name, value in after.items() if value != before.get(name, 0)}


# ping


def ping(*words):
    done = subprocess.run(
        ["ping", "-n", "-q", "-c", "3", "-i", "0.2", "-W", str(ANSWER_LIMIT), *words, GUEST_ADDRESS],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT * 3)
    return done.stdout + done.stderr


@pytest.mark.parametrize("size", [0, 1, 56, 1400, 1471, 1472, 1473, 2952, 2953, 4000, 8000, 20000])
def test_ping(machine, size):
    """From 1473 bytes on, request and reply are fragmented."""
    printed = ping("-s", str(size), *(["-M", "do"] if size <= 1472 else []))
    assert " 3 received, 0% packet loss" in printed, printed


def test_ping_beyond_the_limits(machine):
    """More fragments than a datagram may have (docs/netd.md): dropped whole, and counted."""
    def flood():
        assert " 0 received" in ping("-s", "60000", "-W", "1")

    rises(machine, flood, "fragment_refused", 3)
    assert " 3 received" in ping()


def test_ping_reply_is_whole(neighbour):
    payload = random.Random(2).randbytes(1000)
    reply = neighbour.ping(neighbour.ip(id=7) / ICMP(id=0x1234, seq=99) / payload)
    assert bytes(reply[Raw].load) == payload
    assert (reply[ICMP].seq, reply[ICMP].code) == (99, 0)
    assert (reply[IP].src, reply[IP].dst) == (GUEST_ADDRESS, neighbour.address)
    assert (reply.src, reply.dst) == (GUEST_MAC, neighbour.mac)
    assert checksums_right(reply)


def checksums_right(frame, layers=(IP, ICMP, UDP)):
    """Whether scapy would write the same checksums."""
    copy = frame[IP].copy()
    for layer in layers:
        if layer in copy:
            del copy[layer].chksum
    return bytes(IP(bytes(copy))) == bytes(frame[IP])


# ARP


def test_arp_reply(neighbour):
    reply = neighbour.resolve()
    assert (reply.src, reply.dst) == (GUEST_MAC, neighbour.mac)
    assert (reply[ARP].hwsrc, reply[ARP].psrc) == (GUEST_MAC, GUEST_ADDRESS)
    assert (reply[ARP].hwdst, reply[ARP].pdst) == (neighbour.mac, neighbour.address)


def test_arp_unicast_request(neighbour):
    request = neighbour.arp_request()
    request.dst = GUEST_MAC
    neighbour.send(request)
    assert neighbour.receive(lambda frame: ARP in frame and frame[ARP].op == 2)


def test_arp_probe(neighbour):
    """Somebody who looks whether the address is free learns that it isn't (RFC 5227)."""
    neighbour.send(neighbour.arp_request(psrc="0.0.0.0"))
    reply = neighbour.receive(lambda frame: ARP in frame and frame[ARP].op == 2)
    assert reply[ARP].hwsrc == GUEST_MAC


def test_arp_for_others_is_not_answered(neighbour):
    neighbour.send(neighbour.arp_request("10.0.2.99"))
    assert not neighbour.receive(lambda frame: ARP in frame and frame[ARP].op == 2, SILENCE)


def test_arp_conflict_is_reported(machine, neighbour):
    after = len(machine.text)
    neighbour.send(neighbour.arp_request(psrc=GUEST_ADDRESS))
    machine.expect(r"^netd: net0: our address is also used by 02:00:00:00:00:77: change one$", after)
    assert neighbour.receive(lambda frame: ARP in frame and frame[ARP].psrc == GUEST_ADDRESS)
    assert neighbour.ask()


def test_unknown_neighbour_is_asked_for(wire):
    """An answer to somebody new: the image asks who that is and keeps the answer until it knows."""
    with Neighbour(wire[1], "10.0.2.78", "02:00:00:00:00:78") as stranger:
        assert stranger.ask()


def test_neighbour_that_does_not_exist(machine, neighbour):
    """Answers to senders that nobody is give up, are counted, and keep nothing for ever."""
    def pretend():
        for number in range(20):
            frame = neighbour.udp()
            frame[IP].src = f"10.0.2.{200 + number}"
            neighbour.send(frame)
        machine.expect_counter("netd.arp_no_answer", before + 1)

    before = machine.counters().get("netd.arp_no_answer", 0)
    pretend()
    counters = machine.counters()
    assert counters["netd.arp_waiting_lost"] > 0
    assert neighbour.ask()


def test_address_is_announced_at_start(tap):
    network = TapNetwork()
    with Neighbour(network.name) as neighbour, Machine(kernel(DNS_ELF), [network]) as machine:
        frame = neighbour.receive(
            lambda frame: ARP in frame and frame[ARP].psrc == frame[ARP].pdst == GUEST_ADDRESS)
        assert (frame.dst, frame[ARP].hwsrc) == (BROADCAST, GUEST_MAC)
        machine.ready()


# UDP and fragments


def large_query(size):
    """A query of SIZE bytes."""
    bare = len(query("www.example.org", use_edns=0).to_wire())
    padding = dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(size - bare - 4))
    packet = query("www.example.org", use_edns=0, options=[padding]).to_wire(max_size=65535)
    assert len(packet) == size
    return packet


def is_answered(machine, packet):
    answer = dns.message.from_wire(exchange(machine.address, packet))
    return bool(answer.answer) and answer.id == int.from_bytes(packet[:2], "big")


@pytest.mark.parametrize("size", [512, 1232, 1471, 1472, 1473, 1480, 1481, 1800, 2000])
def test_large_query(machine, size):
    """Beyond 1472 bytes the host sends it in fragments."""
    assert is_answered(machine, large_query(size))


def test_query_longer_than_the_buffers(machine):
    gained = rises(machine, lambda: send_udp(large_query(4000)), "udp_too_long")
    assert gained["udp_too_long"] == 1


def send_udp(packet):
    """Without waiting for an answer, but with one to another query behind it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.sendto(packet, (GUEST_ADDRESS, 53))
    assert exchange((GUEST_ADDRESS, 53), query("www.example.org").to_wire())


def fragments(neighbour, packet, size, number):
    """The frames of a datagram with the UDP payload PACKET, SIZE bytes of data in each."""
    whole = bytes(neighbour.ip() / UDP(sport=4000, dport=53) / packet)[14 + 20:]
    starts = range(0, len(whole), size)
    return [neighbour.ip(proto=17, id=number, frag=start // 8,
                         flags="MF" if start != starts[-1] else 0) / Raw(whole[start:start + size])
            for start in starts]


def test_fragments_in_any_order(machine, neighbour):
    chance = random.Random(3)
    packet = large_query(1000)
    for round_number in range(12):
        frames = fragments(neighbour, packet, 104, 100 + round_number)
        if round_number == 0:
            frames.reverse()
        elif round_number > 1:
            chance.shuffle(frames)
        if round_number > 6:
            frames.insert(3, frames[1])  # duplicates do no harm
        for frame in frames:
            neighbour.send(frame)
        assert neighbour.receive(lambda frame: UDP in frame and frame[UDP].sport == 53,
                                 ANSWER_LIMIT), f"round {round_number}"


def test_interleaved_datagrams(neighbour):
    """Fragments of two datagrams by turns."""
    packets = [large_query(600), large_query(600)]
    pairs = zip(*(fragments(neighbour, packet, 200, 300 + i) for i, packet in enumerate(packets)))
    for pair in pairs:
        for frame in pair:
            neighbour.send(frame)
    seen = set()
    while len(seen) < 2:
        frame = neighbour.receive(lambda frame: UDP in frame and frame[UDP].sport == 53)
        assert frame
        seen.add(bytes(frame[UDP].payload)[:2])
    assert seen == {packet[:2] for packet in packets}


def test_overlapping_fragments(machine, neighbour):
    """A datagram that contradicts itself is dropped whole, and what still comes of it too."""
    def overlap():
        frames = fragments(neighbour, large_query(600), 200, 400)
        liar = neighbour.ip(proto=17, id=400, frag=12, flags="MF") / Raw(bytes(200))
        for frame in (frames[0], liar, *frames[1:]):
            neighbour.send(frame)
        assert not neighbour.receive(lambda frame: UDP in frame, SILENCE)

    gained = rises(machine, overlap, "fragment_overlap")
    assert gained["fragment_overlap"] == 1
    assert gained["fragment_refused"] >= 1
    assert neighbour.ask()


def test_endless_fragments(machine, neighbour):
    """First fragments without an end, from many senders: the oldest are dropped, and datagrams that
    are whole still get through."""
    def flood():
        for number in range(200):
            frame = neighbour.ip(src=f"10.0.2.{100 + number % 90}", proto=17, id=number, flags="MF")
            neighbour.send(frame / Raw(bytes(512)))

    gained = rises(machine, flood, "fragments", 200)
    assert gained["fragments"] == 200
    assert gained["reassembly_evicted"] >= 180
    assert is_answered(machine, large_query(1900))


def test_reassembly_times_out(machine, neighbour):
    """The sender is told after 30 seconds (RFC 792: when the first fragment came)."""
    first = fragments(neighbour, large_query(600), 200, 500)[0]

    def wait():
        neighbour.send(first)
        error = neighbour.receive_error(45)
        assert (error[ICMP].type, error[ICMP].code) == (11, 1)

    rises(machine, wait, "reassembly_timeout")


# What an answer looks like


def test_answer(machine, neighbour):
    answer = neighbour.ask()
    assert (answer.src, answer.dst) == (GUEST_MAC, neighbour.mac)
    assert (answer[IP].src, answer[IP].dst) == (GUEST_ADDRESS, neighbour.address)
    assert (answer[UDP].sport, answer[UDP].dport) == (53, 4000)
    assert answer[IP].ttl == 64
    assert answer[IP].len == len(bytes(answer[IP])) == 20 + answer[UDP].len
    assert checksums_right(answer, [IP])  # the host completes the UDP checksum only for itself


def test_checksum_offload(machine):
    """A tap's card offers it; everything else in this file goes through it."""
    assert re.search(r"^virtio_drv: net0: .* features.* csum", machine.text, re.MULTILINE)


def test_without_checksum_offload(tap):
    """The image computes and checks UDP checksums itself."""
    network = TapNetwork()
    card = "virtio-net-pci,csum=off,guest_csum=off"
    with Machine(kernel(DNS_ELF), [network], device=card) as machine:
        machine.ready()
        with Neighbour(network.name) as neighbour:
            neighbour.resolve()
            for name in ("www.example.org", "x.example.org", "xx.example.org"):
                answer = neighbour.ask(neighbour.udp(neighbour.query(name)))
                assert answer[UDP].chksum != 0 and checksums_right(answer)
            bad = neighbour.udp(chksum=0x1234)
            rises(machine, lambda: neighbour.send(bad), "udp_bad_checksum")
            assert neighbour.ask()


def test_identification_is_not_a_plain_count(neighbour):
    numbers = [neighbour.ask()[IP].id for _ in range(8)]
    assert len(set(numbers)) == 8
    assert {(b - a) & 0xffff for a, b in zip(numbers, numbers[1:])} != {1}


def test_query_without_checksum(neighbour):
    frame = neighbour.udp(chksum=0)
    assert neighbour.ask(frame)


def test_query_with_options(neighbour):
    """IP options are skipped, from the shortest to the longest header."""
    for options in ([IPOption_NOP()], [IPOption_NOP()] * 40, [IPOption_Timestamp(length=36)]):
        frame = neighbour.ip(options=options) / UDP(sport=4000, dport=53) / neighbour.query()
        assert neighbour.ask(frame)


def test_padded_frame(neighbour):
    frame = neighbour.ip() / UDP(sport=4000, dport=53) / neighbour.query()
    padded = Ether(bytes(frame) + bytes(100))
    assert neighbour.ask(padded)


def test_query_to_all(machine, neighbour):
    """For the broadcast address: whatever is answered leaves from the image's own."""
    for destination in ("10.0.2.255", "255.255.255.255"):
        frame = neighbour.udp()
        frame.dst, frame[IP].dst = BROADCAST, destination
        answer = neighbour.ask(frame, SILENCE)
        assert not answer or answer[IP].src == GUEST_ADDRESS


def test_answer_leaves_from_the_address_asked(tap):
    """Two cards in one network segment each: the answer has the address that was asked, and leaves
    where the query came in."""
    networks = [TapNetwork(), TapNetwork("10.0.3.15", "10.0.3.2")]
    with Machine(kernel(DNS_ELF), networks, settings={"net1.ip": "10.0.3.15/24"}) as machine:
        machine.ready()
        machine.expect(r"^netd: net1: 10\.0\.3\.15/24 ")
        for network in networks:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
                link.settimeout(ANSWER_LIMIT)
                link.sendto(query("www.example.org").to_wire(), network.address)
                assert link.recvfrom(65535)[1] == network.address
        # The second card's address isn't reachable through the first.
        ip("route", "replace", "10.0.3.15/32", "dev", networks[0].name)
        ip("neighbour", "replace", "10.0.3.15", "lladdr", GUEST_MAC, "dev", networks[0].name,
           "nud", "permanent")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(SILENCE)
            link.sendto(query("www.example.org").to_wire(), networks[1].address)
            with pytest.raises(TimeoutError):
                link.recvfrom(65535)
        assert machine.counters()["netd.ip_others"] >= 1
        assert ask(machine, "www.example.org").answer


# ICMP errors


def test_port_unreachable(machine):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(ANSWER_LIMIT)
        link.connect((GUEST_ADDRESS, 54))
        link.send(b"anybody there?")
        with pytest.raises(ConnectionRefusedError):
            link.recv(100)


def test_error_quotes_the_datagram(neighbour):
    frame = neighbour.udp(b"x" * 100, dport=9)
    neighbour.send(frame)
    error = neighbour.receive_error()
    assert (error[ICMP].type, error[ICMP].code) == (3, 3)
    assert checksums_right(error)
    quoted = bytes(error[ICMP].payload)
    assert quoted == bytes(frame[IP])[:len(quoted)] and len(quoted) >= 28


def test_protocol_unreachable(machine, neighbour):
    def send():
        neighbour.send(neighbour.ip(proto=132) / Raw(bytes(20)))
        error = neighbour.receive_error()
        assert (error[ICMP].type, error[ICMP].code) == (3, 2)

    assert rises(machine, send, "ip_unknown")["ip_unknown"] == 1


def test_errors_are_limited(machine, neighbour):
    def flood():
        for _ in range(100):
            neighbour.send(neighbour.udp(b"x", dport=9))

    gained = rises(machine, flood, "udp_no_port", 100)
    assert gained["udp_no_port"] == 100
    assert gained["icmp_errors_out"] <= 30
    assert gained["icmp_errors_out"] + gained["icmp_errors_limited"] == 100


def test_no_error_about_an_error(neighbour):
    quoted = bytes(neighbour.udp()[IP])[:28]
    neighbour.drain()
    neighbour.send(neighbour.ip() / ICMP(type=3, code=3) / quoted)
    neighbour.send(neighbour.ip(flags="MF", frag=100) / UDP(sport=1, dport=9) / bytes(8))
    assert not neighbour.receive_error(SILENCE)


# What is dropped: a frame and the counter that must go up by one


def cut(frame, size):
    return Raw(bytes(frame)[:size])


def martian(source):
    def build(n):
        frame = n.udp()
        frame[IP].src = source
        return frame

    return build


def ether(**fields):
    return lambda n: n.ether(**fields) / bytes(n.udp()[IP])


DROPPED = {
    # Ethernet
    "other destination": (ether(dst="02:00:00:00:00:99", type=0x800), "eth_others"),
    "multicast": (ether(dst="01:00:5e:00:00:fb", type=0x800), "eth_others"),
    "group source": (ether(src="03:00:00:00:00:01", type=0x800), "eth_bad_source"),
    "IPv6": (lambda n: n.ether(type=0x86dd) / bytes(60), "eth_unknown"),
    "unknown type": (lambda n: n.ether(type=0x88b5) / bytes(60), "eth_unknown"),
    "length instead of a type": (lambda n: n.ether(type=40) / bytes(60), "eth_unknown"),
    # ARP
    "ARP, header only": (lambda n: cut(n.arp_request(), 14), "arp_malformed"),
    "ARP cut": (lambda n: cut(n.arp_request(), 41), "arp_malformed"),
    "ARP of other hardware": (lambda n: n.arp_request(hwtype=6), "arp_malformed"),
    "ARP of another protocol": (lambda n: n.arp_request(ptype=0x86dd), "arp_malformed"),
    "ARP with long addresses": (lambda n: n.arp_request(hwlen=8), "arp_malformed"),
    "ARP with short addresses": (lambda n: n.arp_request(plen=2), "arp_malformed"),
    "ARP operation 3": (lambda n: n.arp_request(op=3), "arp_malformed"),
    "ARP from a group": (lambda n: n.arp_request(hwsrc="03:00:00:00:00:01"), "arp_malformed"),
    "ARP from all": (lambda n: n.arp_request(hwsrc=BROADCAST), "arp_malformed"),
    "ARP for another": (lambda n: n.arp_request("10.0.2.99"), "arp_others"),
    "ARP from another network": (lambda n: n.arp_request(psrc="192.0.2.1"), "arp_others"),
    "ARP from the network": (lambda n: n.arp_request(psrc="10.0.2.0"), "arp_others"),
    "ARP reply nobody asked for": (
        lambda n: n.ether() / ARP(op=2, hwsrc="02:00:00:00:00:98", psrc="10.0.2.98",
                                  hwdst=GUEST_MAC, pdst=GUEST_ADDRESS), "arp_unasked"),
    # IPv4 headers
    "IP, Ethernet only": (lambda n: cut(n.udp(), 14), "ip_malformed"),
    "IP cut in the header": (lambda n: cut(n.udp(), 14 + 19), "ip_malformed"),
    "IP cut in the payload": (lambda n: cut(n.udp(), 60), "ip_malformed"),
    "IP version 6": (lambda n: n.ip(version=6) / bytes(40), "ip_malformed"),
    "IP version 0": (lambda n: n.ip(version=0) / bytes(40), "ip_malformed"),
    "IP header of 16": (lambda n: n.ip(ihl=4) / bytes(40), "ip_malformed"),
    "IP header of 0": (lambda n: n.ip(ihl=0) / bytes(40), "ip_malformed"),
    "IP header beyond the end": (lambda n: cut(n.ip(ihl=15), 14 + 20), "ip_malformed"),
    "IP shorter than its header": (lambda n: n.ip(len=19) / bytes(40), "ip_malformed"),
    "IP length 0": (lambda n: n.ip(len=0) / bytes(40), "ip_malformed"),
    "IP length 65535": (lambda n: n.ip(len=65535) / bytes(40), "ip_malformed"),
    "IP checksum": (lambda n: n.ip(chksum=0x1234) / bytes(40), "ip_bad_checksum"),
    "IP checksum 0": (lambda n: n.ip(chksum=0) / bytes(40), "ip_bad_checksum"),
    # martians
    "from loopback": (martian("127.0.0.1"), "ip_bad_source"),
    "from 0.0.0.0": (martian("0.0.0.0"), "ip_bad_source"),
    "from 0.1.2.3": (martian("0.1.2.3"), "ip_bad_source"),
    "from multicast": (martian("224.0.0.1"), "ip_bad_source"),
    "from class E": (martian("240.0.0.1"), "ip_bad_source"),
    "from all": (martian("255.255.255.255"), "ip_bad_source"),
    "from all of the network": (martian("10.0.2.255"), "ip_bad_source"),
    "from the image itself": (martian(GUEST_ADDRESS), "ip_bad_source"),
    "to another": (lambda n: n.ip(dst="10.0.2.99") / UDP(dport=53), "ip_others"),
    "to loopback": (lambda n: n.ip(dst="127.0.0.1") / UDP(dport=53), "ip_others"),
    "to multicast": (lambda n: n.ip(dst="224.0.0.251") / UDP(dport=53), "ip_others"),
    "to one, in a frame to all": (
        lambda n: n.ether(dst=BROADCAST, type=0x800) / bytes(n.udp()[IP]), "ip_others"),
    # fragments
    "fragment of no length": (lambda n: n.ip(proto=17, flags="MF"), "fragment_malformed"),
    "fragment of 7": (lambda n: n.ip(proto=17, flags="MF") / bytes(7), "fragment_malformed"),
    "fragment beyond 65535": (lambda n: n.ip(proto=17, frag=8190) / bytes(100),
                              "fragment_malformed"),
    # ICMP
    "ICMP of 4": (lambda n: n.ip(proto=1) / bytes(4), "icmp_malformed"),
    "ICMP empty": (lambda n: n.ip(proto=1), "icmp_malformed"),
    "ICMP checksum": (lambda n: n.ip() / ICMP(chksum=1) / bytes(20), "icmp_bad_checksum"),
    "ICMP echo to all": (
        lambda n: n.ether(dst=BROADCAST) / IP(src=n.address, dst="10.0.2.255") / ICMP(),
        "icmp_echo_refused"),
    "ICMP timestamp request": (lambda n: n.ip() / ICMP(type=13), "icmp_ignored"),
    "ICMP redirect": (lambda n: n.ip() / ICMP(type=5) / bytes(28), "icmp_errors_in"),
    # UDP
    "UDP empty": (lambda n: n.ip(proto=17), "udp_malformed"),
    "UDP of 7": (lambda n: n.ip(proto=17) / bytes(7), "udp_malformed"),
    "UDP length 0": (lambda n: n.udp(len=0), "udp_malformed"),
    "UDP length 7": (lambda n: n.udp(len=7), "udp_malformed"),
    "UDP length beyond the end": (lambda n: n.udp(len=500), "udp_malformed"),
    "UDP checksum": (lambda n: n.udp(chksum=0x1234), "udp_bad_checksum"),
    "UDP to port 0": (lambda n: n.udp(dport=0), "udp_no_port"),
}


@pytest.mark.parametrize("what", DROPPED)
def test_dropped_and_counted(machine, neighbour, what):
    build, counter = DROPPED[what]
    frame = build(neighbour)
    gained = rises(machine, lambda: neighbour.send(frame), counter)
    assert gained[counter] == 1
    assert "udp_received" not in gained and "icmp_echo" not in gained, gained
    assert neighbour.ask()


def test_land(machine, neighbour):
    """A datagram from the image to itself, port 53 to port 53, must not go round."""
    frame = neighbour.udp(sport=53)
    frame[IP].src = GUEST_ADDRESS
    assert rises(machine, lambda: neighbour.send(frame), "ip_bad_source")["ip_bad_source"] == 1
    assert neighbour.ask()


def test_query_from_port_0(neighbour):
    """There is nobody to answer; the service goes on either way."""
    neighbour.send(neighbour.udp(sport=0))
    assert neighbour.ask()


def test_frame_longer_than_the_mtu(wire, neighbour):
    """More than one receive buffer: dropped, every part counted, and no buffer lost."""
    machine, interface = wire
    ip("link", "set", interface, "mtu", "9000")
    try:
        frame = neighbour.ip() / UDP(sport=4000, dport=53) / bytes(5000)
        rises(machine, lambda: [neighbour.send(frame) for _ in range(300)], "rx_split", 300)
    finally:
        ip("link", "set", interface, "mtu", str(MTU))
    assert neighbour.ask()


def mutated(chance, frame):
    """A frame with some bytes changed, cut, or lengthened."""
    data = bytearray(frame)
    for _ in range(chance.randrange(1, 5)):
        position = min(int(chance.expovariate(1 / 20)) + 12, len(data) - 1)
        data[position] = chance.choice((0, 1, 0x7f, 0x80, 0xff, chance.randrange(256)))
    if chance.random() < 0.3:
        del data[chance.randrange(14, len(data)):]
    if chance.random() < 0.1:
        data += chance.randbytes(chance.randrange(1, 600))
    return bytes(data)


def test_mutated_frames(machine, neighbour):
    """3000 frames that were right once (always the same ones). All arrive, the service stays."""
    chance = random.Random(4)
    seeds = [bytes(frame) for frame in (
        neighbour.udp(), neighbour.ip() / ICMP() / bytes(40), neighbour.arp_request(),
        neighbour.ip(proto=17, flags="MF", id=9) / bytes(64),
        neighbour.ip(proto=17, frag=8, id=9) / bytes(64),
        neighbour.ip(options=[IPOption_NOP()] * 8) / UDP(sport=4000, dport=53) / neighbour.query())]
    before = machine.counters()["netd.rx_frames"]
    sent = 0
    for number in range(3000):
        neighbour.send(mutated(chance, chance.choice(seeds)))
        sent += 1
        if number % 20 == 19:  # few enough for the queues: nothing may get lost
            assert neighbour.resolve(), f"no answer to ARP after {number + 1} frames"
            assert neighbour.ask(), f"no answer after {number + 1} frames"
            sent += 2
    after = machine.counters()["netd.rx_frames"]
    assert after - before >= sent
    assert is_answered(machine, large_query(1900))
    assert " 3 received" in ping("-s", "4000")


def test_link_goes_and_returns(wire):
    machine = wire[0]
    after = len(machine.text)
    machine.monitor("set_link", name="card0", up=False)
    machine.expect(r"^netd: net0: link down$", after)
    machine.monitor("set_link", name="card0", up=True)
    machine.expect(rf"^netd: net0: {GUEST_ADDRESS}/24 ", after)
    wait_answers(machine)
    assert " 3 received" in ping()
    assert HOST_ADDRESS in machine.text  # the gateway, unless all of this was about nothing
