# SPDX-License-Identifier: ISC
"""The image's neighbour on a network that carries nothing else: it says exactly what a test wants,
and sees every frame that the image sends."""

import queue
import threading
import time

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from client import ANSWER_LIMIT, query
from network import GUEST_ADDRESS, GUEST_MAC

BROADCAST = "ff:ff:ff:ff:ff:ff"
FRAGMENT_BYTES = 1480  # of data in the largest fragment of Ethernet


class Neighbour:
    """`with Neighbour(network) as neighbour:`, a FrameNetwork, one at a time."""

    def __init__(self, network, address="10.0.2.77", mac="02:00:00:00:00:77"):
        self.address, self.mac = address, mac
        self._network = network
        self._frames = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._number = 0

    def __enter__(self):
        while self._network.receive(0) is not None:
            pass  # from before this one's time
        self._reader.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._reader.join()

    def _read(self):
        """Takes frames, so that the image never waits, and answers requests for the address."""
        while not self._stopping.is_set():
            data = self._network.receive(0.1)
            if data is None:
                continue
            frame = Ether(data)
            if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == self.address:
                self.send(self.arp_reply(frame[ARP].hwsrc, frame[ARP].psrc))
            self._frames.put(frame)

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

    def fragments(self, frame, size, number):
        """The frames of a datagram's fragments, SIZE bytes of data in each but the last."""
        data = bytes(frame[IP].payload)
        starts = range(0, len(data), size)
        return [self.ip(proto=frame[IP].proto, id=number, frag=start // 8,
                        flags="MF" if start != starts[-1] else 0) / Raw(data[start:start + size])
                for start in starts]

    def arp_request(self, address=GUEST_ADDRESS, **fields):
        return self.ether(dst=BROADCAST) / ARP(
            **{"op": 1, "hwsrc": self.mac, "psrc": self.address, "pdst": address, **fields})

    def arp_reply(self, mac, address):
        return self.ether(dst=mac) / ARP(
            op=2, hwsrc=self.mac, psrc=self.address, hwdst=mac, pdst=address)

    # Sending and receiving

    def send(self, frame):
        self._network.send(bytes(frame))

    def receive(self, wanted, seconds=ANSWER_LIMIT):
        """The first frame from the image for which WANTED(frame) is true; None when none comes."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                frame = self._frames.get(timeout=left)
            except queue.Empty:
                break
            if wanted(frame):
                return frame
        return None

    def resolve(self, seconds=ANSWER_LIMIT):
        """Asks for the image's address, so that the image knows the neighbour's as well."""
        self.send(self.arp_request())
        return self.receive(lambda frame: ARP in frame and frame[ARP].op == 2, seconds)

    def receive_answer(self, packet, seconds=ANSWER_LIMIT):
        """The frame with the answer to the query PACKET, or None."""
        return self.receive(
            lambda answer: UDP in answer and answer[UDP].sport == 53
            and bytes(answer[UDP].payload)[:2] == packet[:2], seconds)

    def ask(self, frame=None, seconds=ANSWER_LIMIT):
        """Sends a query (or FRAME, a query) and returns the frame with the answer, or None."""
        frame = self.udp() if frame is None else frame
        self.send(frame)
        return self.receive_answer(bytes(frame[UDP].payload), seconds)

    def ask_in_fragments(self, packet, number, size=FRAGMENT_BYTES):
        for frame in self.fragments(self.udp(packet), size, number):
            self.send(frame)
        return self.receive_answer(packet)

    def ping(self, *frames):
        """Sends an echo request, perhaps in fragments, and returns the first frame of the reply."""
        for frame in frames:
            self.send(frame)
        return self.receive(lambda reply: ICMP in reply and reply[ICMP].type == 0)

    def receive_error(self, seconds=ANSWER_LIMIT):
        """The next ICMP error from the image, or None."""
        return self.receive(
            lambda frame: ICMP in frame and frame[ICMP].type in (3, 11, 12), seconds)
