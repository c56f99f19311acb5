# SPDX-License-Identifier: ISC
"""The network stack frame by frame: what it answers, and what it drops. Nothing that is sent here
may stop the service, and every drop is counted under its name. (With a host's stack: test_tap.py.)"""

import random
import time

import dns.edns
import dns.message
import pytest
from scapy.layers.inet import ICMP, IP, UDP, IPOption_NOP, IPOption_Timestamp
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from client import query
from machine import LIMIT, Machine, kernel
from network import GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS, FrameNetwork
from wire import BROADCAST, Neighbour

SILENCE = 0.5  # seconds in which nothing comes, where nothing may come
ALLOWANCE = 2.0  # seconds until the image may send 10 ICMP errors again, and more


@pytest.fixture(scope="module")
def network(partition):
    return FrameNetwork()


@pytest.fixture(scope="module")
def machine(network, partition):
    with Machine(kernel(partition), [network]) as one:
        yield one.ready()


@pytest.fixture
def neighbour(machine, network):
    with Neighbour(network) as one:
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
    machine.expect(
        r"^netd: net0: our address is also used by 02:00:00:00:00:77: change one$", after)
    assert neighbour.receive(lambda frame: ARP in frame and frame[ARP].psrc == GUEST_ADDRESS)
    assert neighbour.ask()


def test_unknown_neighbour_is_asked_for(machine, network):
    """An answer to somebody new: the image asks who that is and keeps the answer until it knows."""
    with Neighbour(network, "10.0.2.78", "02:00:00:00:00:78") as stranger:
        assert stranger.ask()


def test_neighbour_that_does_not_exist(machine, neighbour):
    """Answers to senders that nobody is are given up and counted."""
    def pretend():
        for number in range(20):
            frame = neighbour.udp()
            frame[IP].src = f"10.0.2.{200 + number}"
            neighbour.send(frame)

    gained = rises(machine, pretend, "arp_no_answer", 1)
    assert gained["udp_received"] == 20
    assert neighbour.ask()


def test_every_answer_nobody_takes_is_counted(machine, neighbour):
    """Answers that wait for an address that never comes, and those that found no room to wait."""
    before = machine.counters()
    for number in range(100):
        frame = neighbour.udp()
        frame[IP].src = f"10.0.2.{100 + number}"
        neighbour.send(frame)
    machine.expect_counter("netd.udp_received", before["netd.udp_received"] + 100)
    lost = ("arp_full", "arp_waiting_full", "arp_waiting_lost")

    def sum_lost(counters):
        return sum(counters.get(f"netd.{name}", 0) for name in lost)

    deadline = time.monotonic() + LIMIT
    while sum_lost(machine.counters()) - sum_lost(before) < 100 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert sum_lost(machine.counters()) - sum_lost(before) == 100
    assert neighbour.ask()


def test_address_is_announced_at_start(partition):
    network = FrameNetwork()
    with Machine(kernel(partition), [network]) as machine:
        frame = Ether(network.receive(LIMIT))
        assert (frame.dst, frame[ARP].hwsrc) == (BROADCAST, GUEST_MAC)
        assert frame[ARP].psrc == frame[ARP].pdst == GUEST_ADDRESS
        machine.ready()


# ICMP echo


@pytest.mark.parametrize("size", [0, 1, 7, 8, 56, 1000, 1472])
def test_echo(neighbour, size):
    payload = random.Random(size).randbytes(size)
    reply = neighbour.ping(neighbour.ip(id=7) / ICMP(id=0x1234, seq=99) / Raw(payload))
    assert bytes(reply[ICMP].payload)[:size] == payload
    assert (reply[ICMP].id, reply[ICMP].seq, reply[ICMP].code) == (0x1234, 99, 0)
    assert (reply[IP].src, reply[IP].dst) == (GUEST_ADDRESS, neighbour.address)
    assert (reply.src, reply.dst) == (GUEST_MAC, neighbour.mac)
    assert checksums_right(reply)


def test_echo_in_fragments(neighbour):
    """The reply is fragmented as the request was."""
    whole = neighbour.ip() / ICMP(id=0x77) / Raw(random.Random(5).randbytes(4000))
    frames = neighbour.fragments(whole, 1480, 20)
    reply = [neighbour.ping(*frames)]
    for _ in frames[1:]:
        reply.append(neighbour.receive(lambda frame: IP in frame and frame[IP].frag > 0))
    assert [frame[IP].frag for frame in reply] == [frame[IP].frag for frame in frames]
    data = b"".join(bytes(frame[IP].payload)[:frame[IP].len - 20] for frame in reply)
    assert data[8:] == bytes(whole[IP].payload)[8:]


def checksums_right(frame):
    """Whether scapy would write the same checksums."""
    copy = IP(bytes(frame[IP])[:frame[IP].len])  # without Ethernet's padding
    for layer in (IP, ICMP, UDP):
        if layer in copy:
            del copy[layer].chksum
    return bytes(IP(bytes(copy))) == bytes(frame[IP])[:frame[IP].len]


# UDP and fragments


def large_query(size):
    """A query of SIZE bytes."""
    bare = len(query("www.example.org", use_edns=0).to_wire())
    padding = dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(size - bare - 4))
    packet = query("www.example.org", use_edns=0, options=[padding]).to_wire(max_size=65535)
    assert len(packet) == size
    return packet


@pytest.mark.parametrize("size", [1473, 1480, 1481, 2000, 2048])
def test_large_query(neighbour, size):
    answer = neighbour.ask_in_fragments(large_query(size), size)
    assert dns.message.from_wire(bytes(answer[UDP].payload)).answer


def test_query_longer_than_the_buffers(machine, neighbour):
    frames = neighbour.fragments(neighbour.udp(large_query(2049)), 1480, 50)
    rises(machine, lambda: [neighbour.send(frame) for frame in frames], "udp_too_long")
    assert neighbour.ask()


def test_fragments_in_any_order(neighbour):
    chance = random.Random(3)
    packet = large_query(1000)
    for number in range(12):
        frames = neighbour.fragments(neighbour.udp(packet), 104, 100 + number)
        if number == 0:
            frames.reverse()
        elif number > 1:
            chance.shuffle(frames)
        if number > 6:
            frames.insert(3, frames[1])  # duplicates do no harm
        for frame in frames:
            neighbour.send(frame)
        assert neighbour.receive_answer(packet), f"round {number}"


def test_interleaved_datagrams(neighbour):
    """Fragments of two datagrams by turns."""
    packets = [large_query(600), large_query(600)]
    parts = [neighbour.fragments(neighbour.udp(packet), 200, 300 + number)
             for number, packet in enumerate(packets)]
    for pair in zip(*parts):
        for frame in pair:
            neighbour.send(frame)
    for packet in packets:
        assert neighbour.receive_answer(packet)


def test_overlapping_fragments(machine, neighbour):
    """A datagram that contradicts itself is dropped whole, and what still comes of it too."""
    packet = large_query(600)

    def overlap():
        frames = neighbour.fragments(neighbour.udp(packet), 200, 400)
        liar = neighbour.ip(proto=17, id=400, frag=12, flags="MF") / Raw(bytes(200))
        for frame in (frames[0], liar, *frames[1:]):
            neighbour.send(frame)

    gained = rises(machine, overlap, "fragment_refused", 2)
    assert gained["fragment_overlap"] == 1
    assert not neighbour.receive_answer(packet, SILENCE)
    assert neighbour.ask()


@pytest.mark.parametrize("last", [8, 80])
def test_contradicting_ends(machine, neighbour, last):
    """Two last fragments, the second one before or behind the first."""
    def lie():
        neighbour.send(neighbour.ip(proto=17, id=410 + last, frag=40) / Raw(bytes(8)))
        neighbour.send(neighbour.ip(proto=17, id=410 + last, frag=last) / Raw(bytes(8)))

    rises(machine, lie, "fragment_overlap")
    assert neighbour.ask()


def test_too_many_fragments(machine, neighbour):
    """More than a datagram may have (docs/netd.md): dropped whole, and counted."""
    whole = neighbour.ip() / ICMP(id=0x99) / Raw(bytes(40_000))
    frames = neighbour.fragments(whole, 1480, 420)
    gained = rises(machine, lambda: [neighbour.send(frame) for frame in frames], "fragments",
                   len(frames))
    assert gained["fragment_refused"] > 0
    assert "icmp_echo" not in gained
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
    assert neighbour.ask_in_fragments(large_query(1900), 430)


@pytest.mark.only_isolated
def test_reassembly_times_out(neighbour):
    """The sender is told after 30 seconds (RFC 792: when the first fragment came)."""
    first = neighbour.fragments(neighbour.udp(large_query(600)), 200, 500)[0]
    neighbour.send(first)
    start = time.monotonic()
    error = neighbour.receive(lambda frame: ICMP in frame and frame[ICMP].type == 11
                              and bytes(first[IP])[:28] in bytes(frame[ICMP].payload), 60)
    assert error and error[ICMP].code == 1
    assert 25 < time.monotonic() - start < 45


# What an answer looks like


def test_answer(neighbour):
    for name in ("www.example.org", "x.example.org", "xx.example.org", "xxx.example.org"):
        answer = neighbour.ask(neighbour.udp(neighbour.query(name)))
        assert (answer.src, answer.dst) == (GUEST_MAC, neighbour.mac)
        assert (answer[IP].src, answer[IP].dst) == (GUEST_ADDRESS, neighbour.address)
        assert (answer[UDP].sport, answer[UDP].dport) == (53, 4000)
        assert answer[IP].ttl == 64
        assert answer[IP].len == 20 + answer[UDP].len
        assert answer[UDP].chksum != 0 and checksums_right(answer)


def test_identification_is_not_a_plain_count(neighbour):
    numbers = [neighbour.ask()[IP].id for _ in range(8)]
    assert len(set(numbers)) == 8
    assert {(b - a) & 0xffff for a, b in zip(numbers, numbers[1:])} != {1}


def test_query_without_checksum(neighbour):
    assert neighbour.ask(neighbour.udp(chksum=0))


def test_query_with_options(neighbour):
    """IP options are skipped, from the shortest to the longest header."""
    for options in ([IPOption_NOP()], [IPOption_NOP()] * 40, [IPOption_Timestamp(length=36)]):
        assert neighbour.ask(
            neighbour.ip(options=options) / UDP(sport=4000, dport=53) / neighbour.query())


def test_padded_frame(neighbour):
    assert neighbour.ask(Ether(bytes(neighbour.udp()) + bytes(100)))


@pytest.mark.parametrize("destination", ["10.0.2.255", "255.255.255.255"])
def test_query_to_all(neighbour, destination):
    """Whatever is answered leaves from the image's own address."""
    frame = neighbour.udp()
    frame.dst, frame[IP].dst = BROADCAST, destination
    answer = neighbour.ask(frame, SILENCE)
    assert not answer or answer[IP].src == GUEST_ADDRESS


def test_query_from_elsewhere(network, machine):
    """The answer to another network goes to the gateway, which is asked for its address."""
    with Neighbour(network, HOST_ADDRESS, "02:00:00:00:00:02") as gateway:
        frame = gateway.udp()
        frame[IP].src = "198.51.100.7"
        answer = gateway.ask(frame)
        assert (answer.dst, answer[IP].dst) == (gateway.mac, "198.51.100.7")


# ICMP errors


def test_port_unreachable(neighbour):
    frame = neighbour.udp(b"x" * 100, dport=9)
    neighbour.send(frame)
    error = neighbour.receive_error()
    assert (error[ICMP].type, error[ICMP].code) == (3, 3)
    assert (error[IP].src, error[IP].dst) == (GUEST_ADDRESS, neighbour.address)
    assert checksums_right(error)
    assert bytes(frame[IP])[:28] == bytes(error[ICMP].payload)[:28]


def test_protocol_unreachable(machine, neighbour):
    frame = neighbour.ip(proto=132) / Raw(bytes(20))
    gained = rises(machine, lambda: neighbour.send(frame), "ip_unknown")
    assert gained["ip_unknown"] == 1
    error = neighbour.receive_error()
    assert (error[ICMP].type, error[ICMP].code) == (3, 2)


def test_errors_are_limited(machine, neighbour):
    def flood():
        for _ in range(100):
            neighbour.send(neighbour.udp(b"x", dport=9))

    gained = rises(machine, flood, "udp_no_port", 100)
    assert gained["udp_no_port"] == 100
    assert 1 <= gained["icmp_errors_out"] <= 30
    assert gained["icmp_errors_out"] + gained["icmp_errors_limited"] == 100
    time.sleep(ALLOWANCE)  # for the tests that follow


@pytest.mark.parametrize("what", ["an error", "a later fragment", "a datagram to all"])
def test_no_error_about(neighbour, what):
    quoted = bytes(neighbour.udp()[IP])[:28]
    neighbour.send({
        "an error": neighbour.ip() / ICMP(type=3, code=3) / quoted,
        "a later fragment": neighbour.ip(proto=17, flags="MF", frag=100) / Raw(bytes(16)),
        "a datagram to all": neighbour.ether(dst=BROADCAST)
        / IP(src=neighbour.address, dst="10.0.2.255") / UDP(dport=9) / b"x",
    }[what])
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


def test_query_from_port_0(machine, neighbour):
    """There is nobody to answer: counted."""
    rises(machine, lambda: neighbour.send(neighbour.udp(sport=0)), "send_refused")
    assert neighbour.ask()


def test_frame_longer_than_a_buffer(machine, neighbour):
    """Dropped, every part counted, and no buffer lost."""
    frame = neighbour.ip() / UDP(sport=4000, dport=53) / bytes(5000)
    rises(machine, lambda: [neighbour.send(frame) for _ in range(300)], "rx_split", 300)
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

    def send():
        for number in range(3000):
            neighbour.send(mutated(chance, chance.choice(seeds)))
            if number % 100 == 99:
                assert neighbour.resolve(), f"no answer to ARP after {number + 1} frames"
                assert neighbour.ask(), f"no answer after {number + 1} frames"

    gained = rises(machine, send, "rx_frames", 3060)
    assert gained["rx_frames"] >= 3060
    assert neighbour.ask_in_fragments(large_query(1900), 600)


def test_link_goes_and_returns(machine, neighbour):
    after = len(machine.text)
    machine.monitor("set_link", name="card0", up=False)
    machine.expect(r"^netd: net0: link down$", after)
    machine.monitor("set_link", name="card0", up=True)
    machine.expect(rf"^netd: net0: {GUEST_ADDRESS}/24 ", after)
    announced = neighbour.receive(
        lambda frame: ARP in frame and frame[ARP].psrc == frame[ARP].pdst == GUEST_ADDRESS)
    assert announced, "the address isn't announced again"
    assert neighbour.ask()
