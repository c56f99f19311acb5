# SPDX-License-Identifier: ISC
"""A DNS client for the system tests: dnspython's messages, one UDP socket, no repetition, since a
query must not be lost on the way to an image on the same host."""

import select
import socket
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

ANSWER_LIMIT = 20  # seconds
QUIET_SECONDS = 1.0  # without a packet: there was no answer


def query(name, kind="A", **more):
    """A query as an authoritative server gets it: without recursion desired."""
    return dns.message.make_query(name, kind, flags=0, **more)


def exchange(address, packet, source=None):
    """Sends the bytes of PACKET and returns the bytes of the answer. Fails when none comes, or one
    from elsewhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        if source:
            link.bind(source)
        link.settimeout(ANSWER_LIMIT)
        link.sendto(packet, address)
        answer, sender = link.recvfrom(65535)
        assert sender == tuple(address), f"the answer comes from {sender}"
        return answer


def ask(machine, question, kind="A", **more):
    """The answer to a query, or to a name and a type, checked to belong to it."""
    if isinstance(question, str):
        question = query(question, kind, **more)
    answer = dns.message.from_wire(exchange(machine.address, question.to_wire()))
    assert question.is_response(answer), f"not an answer to\n{question}\n\n{answer}"
    return answer


def is_silent(machine, packet):
    """Whether the bytes of PACKET get no answer, while a query right behind them does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(machine.address)
        link.send(packet)
        assert ask(machine, "www.example.org").answer
        return not select.select([link], [], [], QUIET_SECONDS)[0]


def section(rrsets):
    """A section as a sorted list of "name TTL type data", for comparisons."""
    lines = []
    for rrset in rrsets:
        kind = dns.rdatatype.to_text(rrset.rdtype)
        name = rrset.name.to_text().lower()
        lines += [f"{name} {rrset.ttl} {kind} {data.to_text()}" for data in rrset]
    return sorted(lines)


def rcode(message):
    return dns.rcode.to_text(message.rcode())


def flags(message):
    return dns.flags.to_text(message.flags)


def wait_answers(machine, name="www.example.org", seconds=ANSWER_LIMIT):
    """Asks again and again until an answer comes: for a service that returns."""
    packet = query(name).to_wire()
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(machine.address)
        while time.monotonic() < deadline:
            try:
                link.send(packet)
                if select.select([link], [], [], 0.2)[0] and link.recv(65535):
                    return
            except OSError:
                time.sleep(0.1)  # refused, or no route yet
    machine.fail(f"no answer within {seconds} s")
