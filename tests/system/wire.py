# SPDX-License-Identifier: ISC
"""Frames on a tap, past the host's own network stack: a neighbour of the image's with an address of
its own, which says exactly what a test wants it to say."""

import select
import socket
import time

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether

from client import ANSWER_LIMIT, query
from network import GUEST_ADDRESS, GUEST_MAC

ETH_P_ALL = 3  # linux/if_ether.h
PACKET_OUTGOING = 4  # linux/if_packet.h
BROADCAST = "ff:ff:ff:ff:ff:ff"


class Neighbour:
    """`with Neighbour(tap.name) as neighbour:`"""

    def __init__(self, interface, address="10.0.2.77", mac="02:00:00:00:00:77"):
        self.address, self.mac = address, mac
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((interface, 0))
        self._number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    # Building

    def ether(self, **fields):
        return Ether(**{"src": self.mac, "dst": GUEST_MAC, **fields})

    def ip(self, **fields):
        return self.ether() / IP(**{"src": self.address, "dst": GUEST_ADDRESS, **fields})

    def udp(self, payload=None, **fields):
        """A datagram to the name server; without a payload, a query."""
        layer = UDP(**{"sport": 4000, "dport": 53, **fields})
        return self.ip() / layer / (self.query() if payload is None else payload)

    def query(self, name="www.example.org"):
        """A query with a number of its own."""
        self._number = (self._number + 1) & 0xffff
        return self._number.to_bytes(2, "big") + query(name).to_wire()[2:]

    # Sending and receiving

    def send(self, frame):
        self._socket.send(bytes(frame))

    def receive(self, wanted, seconds=ANSWER_LIMIT):
        """The first frame from the image for which WANTED(frame) is true; None when none comes.
        Requests for the neighbour's own address are answered meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], left)[0]:
                break
            data, origin = self._socket.recvfrom(65535)
            if origin[2] == PACKET_OUTGOING:
                continue
            frame = Ether(data)
            if wanted(frame):
                return frame
            if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == self.address:
                self.send(self.arp_reply(frame[ARP].hwsrc, frame[ARP].psrc))
        return None

    def drain(self):
        self.receive(lambda frame: False, 0.05)

    def arp_request(self, address=GUEST_ADDRESS, **fields):
        return self.ether(dst=BROADCAST) / ARP(
            **{"op": 1, "hwsrc": self.mac, "psrc": self.address, "pdst": address, **fields})

    def arp_reply(self, mac, address):
        return self.ether(dst=mac) / ARP(
            op=2, hwsrc=self.mac, psrc=self.address, hwdst=mac, pdst=address)

    # Checks

    def resolve(self, seconds=ANSWER_LIMIT):
        """Asks for the image's address, so that the image knows the neighbour's as well."""
        self.send(self.arp_request())
        return self.receive(lambda frame: ARP in frame and frame[ARP].op == 2, seconds)

    def ask(self, frame=None, seconds=ANSWER_LIMIT):
        """Sends a query (or FRAME, a query) and returns the frame with the answer, or None."""
        frame = self.udp() if frame is None else frame
        number = bytes(frame[UDP].payload)[:2]
        self.send(frame)
        return self.receive(
            lambda answer: UDP in answer and answer[UDP].sport == 53
            and bytes(answer[UDP].payload)[:2] == number, seconds)

    def ping(self, frame, seconds=ANSWER_LIMIT):
        """Sends an echo request and returns the reply, or None."""
        self.send(frame)
        return self.receive(lambda reply: ICMP in reply and reply[ICMP].type == 0
                            and reply[ICMP].id == frame[ICMP].id, seconds)

    def receive_error(self, seconds=ANSWER_LIMIT):
        """The next ICMP error from the image, or None."""
        return self.receive(lambda frame: ICMP in frame and frame[ICMP].type in (3, 11, 12), seconds)
