# SPDX-License-Identifier: ISC
"""A steady load of DNS queries without a retry, and when each was answered: for the measurements and
the demonstration of swaps."""

import select
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

LATE_SECONDS = 2.0  # a query that isn't answered by then is lost
CATCH_UP = 16  # queries at once, if this process was held up; the others aren't asked
IDS = 65536


def question(number, name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", number, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


@dataclass
class Result:
    sent: list = field(default_factory=list)  # seconds, since the load began
    answered: list = field(default_factory=list)  # likewise; None: lost
    wrong: int = 0

    def lost(self, begin=0.0, end=float("inf")):
        """Queries sent in that time that were never answered."""
        return sum(begin <= sent < end and answer is None
                   for sent, answer in zip(self.sent, self.answered))

    def pause(self, begin, end):
        """The longest time between two answers, seconds."""
        times = sorted(answer for answer in self.answered
                       if answer is not None and begin <= answer < end)
        return max((b - a for a, b in zip(times, times[1:])), default=end - begin)

    def per(self, step):
        """Answers in each `step` seconds: a list."""
        counts = Counter(int(answer / step) for answer in self.answered if answer is not None)
        return [counts[i] for i in range(max(counts, default=-1) + 1)]


class Load(threading.Thread):
    """`with Load(address, name, rate) as load:`; afterwards load.result."""

    def __init__(self, address, name, rate):
        super().__init__(daemon=True)
        self.result = Result()
        self._name, self._rate = name, rate
        self._ended = threading.Event()
        self._link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._link.connect(address)
        self._link.setblocking(False)
        self.began = None

    def __enter__(self):
        self.began = time.monotonic()
        self.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.join()
        self._link.close()

    def now(self):
        """Seconds since the load began."""
        return time.monotonic() - self.began

    def run(self):
        skipped = 0
        while not self._ended.is_set():
            due = int(self.now() * self._rate)
            skipped = max(skipped, due - len(self.result.sent) - CATCH_UP)
            while len(self.result.sent) + skipped < due:
                self._send()
            self._receive((due + 1) / self._rate - self.now())
        end = self.now() + LATE_SECONDS
        while self.now() < end and None in self.result.answered:
            self._receive(end - self.now())

    def _send(self):
        number = len(self.result.sent)
        self.result.sent.append(self.now())
        self.result.answered.append(None)
        try:
            self._link.send(question(number % IDS, self._name))
        except (BlockingIOError, ConnectionRefusedError):
            pass  # as good as lost on the way

    def _receive(self, seconds):
        if not select.select([self._link], [], [], max(0.0, seconds))[0]:
            return
        try:
            while True:
                self._answered(self._link.recv(4096))
        except (BlockingIOError, ConnectionRefusedError):
            pass

    def _answered(self, packet):
        result = self.result
        if len(packet) < 12 or struct.unpack(">H", packet[2:4])[0] & 0x800f != 0x8000:
            result.wrong += 1
            return
        number = struct.unpack(">H", packet[:2])[0]
        last = len(result.sent) - 1
        number += (last - number) // IDS * IDS  # the newest query of that id
        if number < 0 or result.answered[number] is not None:
            result.wrong += 1  # nobody asked, or it is answered twice
        else:
            result.answered[number] = self.now()
