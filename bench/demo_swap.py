# SPDX-License-Identifier: ISC
"""Shows what a swap is: `make demo-swap`. Boots the managed DNS image, keeps asking it, and meanwhile
swaps netd for a version that answers ping differently, tries a version that crashes, and kills netd.
Prints what happened to the queries, and draws how many were answered in each 10 ms."""

import argparse
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ipc_plot import BOTTOM, HEIGHT, LEFT, SERIES, TOP, Picture, number
from lib_load import Load
from lib_qemu import (GUEST_ADDRESS, BenchError, Client, Guest, Qemu, TapNetwork, UserNetwork,
                      control_channel, tap_is_possible, wait_ready)

NAME = "www.example.org"
READY_SECONDS = 60
LIMIT = 60  # seconds for a command of motet
STEP = 0.01  # seconds: a column of the picture
ICMP_ECHO, ICMP_ECHO_REPLY = 8, 0
IP_TTL, IP_HEADER = 8, 20  # bytes


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def ping(address):
    """The time to live in an echo reply; None: there was none."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as link:
        link.settimeout(2)
        head = struct.pack(">2B3H", ICMP_ECHO, 0, 0, os.getpid() & 0xffff, 1)
        body = b"is anybody there"
        link.sendto(head[:2] + struct.pack(">H", checksum(head + body)) + head[4:] + body,
                    (address, 0))
        try:
            while True:
                packet = link.recv(2048)
                if packet[IP_HEADER] == ICMP_ECHO_REPLY and packet[-len(body):] == body:
                    return packet[IP_TTL]
        except TimeoutError:
            return None


class Show:
    """Runs the steps, and remembers when each was."""

    def __init__(self, options, load, control):
        self._options, self._load, self._control = options, load, control
        self.steps = []  # (name, begin, end, status)

    def say(self, text):
        print(f"{self._load.now():7.2f} s  {text}", flush=True)

    def motet(self, name, *words):
        shown = " ".join(os.path.relpath(word) if os.sep in word else word for word in words)
        self.say(f"$ tools/motet {shown}")
        begin = self._load.now()
        done = subprocess.run([self._options.motet, *words, "--socket", self._control],
                              capture_output=True, text=True, timeout=LIMIT, check=False)
        for line in (done.stdout + done.stderr).splitlines():
            self.say(f"  {line}")
        self.steps.append((name, begin, self._load.now(), done.returncode))
        return done.returncode

    def rest(self, seconds):
        time.sleep(seconds)

    def ping(self, tap):
        if not tap:
            return
        ttl = ping(GUEST_ADDRESS)
        self.say(f"ping: {'no answer' if ttl is None else f'an answer with ttl={ttl}'}")


def play(show, options, tap):
    if not tap:
        show.say("(QEMU's user network forwards no ping: run this as root to see the difference)")
    show.rest(1)
    show.ping(tap)
    if show.motet("netd: new version", "swap", "netd", str(options.new)):
        raise BenchError("the swap failed: see above")
    show.ping(tap)
    show.rest(6)
    if show.motet("netd: bad version", "swap", "netd", str(options.bad)) != 1:
        raise BenchError("the bad version wasn't refused: see above")
    show.rest(1)
    if show.motet("netd: killed", "kill", "netd"):
        raise BenchError("netd can't be killed: see above")
    show.rest(1.5)
    show.ping(tap)


def table(result, steps):
    last = result.sent[-1] if result.sent else 0
    print(f"\n{'step':<22}{'queries':>9}{'lost':>7}{'longest pause':>16}")
    before = 0.0
    ends = [begin for _, begin, _, _ in steps[1:]] + [last]
    rows = [("before", 0.0, steps[0][1])]
    rows += [(name, begin, end) for (name, begin, _, _), end in zip(steps, ends)]
    for name, begin, end in rows:
        sent = sum(begin <= moment < end for moment in result.sent)
        print(f"{name:<22}{sent:>9,}{result.lost(begin, end):>7}"
              f"{1000 * result.pause(max(begin - STEP, before), end):>13.1f} ms")
    print(f"{'all':<22}{len(result.sent):>9,}{result.lost():>7}"
          + (f"   {result.wrong} answers were wrong" if result.wrong else ""))


def draw(result, steps, path):
    columns = result.per(STEP)
    right, bottom = 1160, HEIGHT - BOTTOM
    most = max(columns, default=1) * 1.1
    picture = Picture("Queries answered per 10 ms, while netd is swapped and killed", 1200)
    for value in range(0, int(most) + 1, max(1, round(most / 5))):
        y = bottom - (bottom - TOP) * value / most
        picture.line(LEFT, y, right, y, "grid")
        picture.text(LEFT - 8, y + 4, number(value), "end")
    scale = (right - LEFT) / len(columns)
    for x, value in enumerate(columns):
        height = (bottom - TOP) * value / most
        picture.box(LEFT + x * scale, bottom - height, max(scale, 0.6), height, SERIES[0])
    for index, (name, begin, _, _) in enumerate(steps):
        x = LEFT + begin / STEP * scale
        picture.box(x, TOP, 1.5, bottom - TOP, SERIES[1])
        picture.text(x + 6, TOP + 14 + 18 * (index % 2), name)
    for second in range(0, int(len(columns) * STEP) + 1):
        picture.text(LEFT + second / STEP * scale, bottom + 20, str(second), "middle")
    picture.line(LEFT, bottom, right, bottom, "axis")
    picture.text((LEFT + right) / 2, HEIGHT - 12, "seconds", "middle")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    print(f"\npicture: {os.path.relpath(path)}")


def demonstrate(options):
    tap = tap_is_possible()
    network = TapNetwork() if tap else UserNetwork()
    with tempfile.TemporaryDirectory(prefix="motet-demo-") as folder:
        control = os.path.join(folder, "control")
        with Qemu(Guest("motet", kernel=options.image), network,
                  options=control_channel(control)) as qemu:
            with Client(qemu, NAME) as client:
                wait_ready(client, qemu, READY_SECONDS)
            print(f"The image answers; {options.rate} queries a second from now on, none of them "
                  "asked twice.\n")
            with Load(network.address, NAME, options.rate) as load:
                show = Show(options, load, control)
                play(show, options, tap)
    table(load.result, show.steps)
    draw(load.result, show.steps, options.out)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("image", "motet", "new", "bad", "out"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--rate", default=1000, type=int, help="queries a second (%(default)s)")
    options = parser.parse_args()
    try:
        demonstrate(options)
    except (BenchError, subprocess.SubprocessError, OSError) as error:
        print(f"demo-swap: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
