# SPDX-License-Identifier: ISC
"""The three servers that are compared, each asked with many queries at a time.

    with Servers(FOLDER, origins) as servers:
        for query, (motet, nsd, knot) in servers.ask(queries): ...

FOLDER holds ORIGIN.zone files. dnsd's answers come from the program `answer` (answer.c), those of
NSD and Knot from the loopback interface. Neither waits to find silence: each batch ends with a query that
is always answered, and a server answers in order; what has no answer then was answered by silence.
"""

import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import wire

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MOTET_BUILD", ROOT / "build"))
LIMIT = 20  # seconds for a start, or for the answers to a batch, on a machine that does much else
QUIET = 2  # seconds without an answer after which the batch's last one is taken for lost
BATCH = 48  # queries on their way: answers to them must fit in a socket's buffer
PAYLOAD = 1232
LAST, BEHIND = 0xffff, 0xf000  # numbers of the queries that end a batch; BEHIND and up: once more
HANGS = b""  # in place of an answer
PR_SET_PDEATHSIG = 1  # linux/prctl.h

NSD = """
server:
    server-count: 1
    ip-address: 127.0.0.1@{port}
    do-ip6: no
    username: ""
    chroot: ""
    zonesdir: "{zones}"
    database: ""
    pidfile: "{folder}/nsd.pid"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zone.list"
    logfile: "{folder}/log"
    hide-version: yes
    hide-identity: yes
    refuse-any: no
    minimal-responses: no
    rrl-ratelimit: 0
    ipv4-edns-size: {payload}
    tcp-count: 4
remote-control:
    control-enable: no
"""
NSD_ZONE = """
zone:
    name: "{origin}"
    zonefile: "{file}"
"""
KNOT = """
server:
    listen: 127.0.0.1@{port}
    rundir: "{folder}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: {payload}
    version: ""
    identity: ""
    nsid: ""
database:
    storage: "{folder}"
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: "{zones}"
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
    semantic-checks: off
zone:
"""

_libc = ctypes.CDLL(None)


class Failure(Exception):
    """A server that doesn't do its work: no answer to compare."""


def find(program):
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def missing():
    """The programs that aren't there."""
    return [name for name in ("nsd", "knotd", "ldns-signzone", "ldns-keygen") if not find(name)]


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    """A port free for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
                try:
                    other.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port


def numbered(query, number):
    return struct.pack(">H", number) + query[2:]


class UdpServer:
    """Something that answers at an address."""

    def __init__(self, address, batch=BATCH):
        self.address, self.batch = address, batch
        self._link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._link.settimeout(QUIET)
        self._link.connect(address)
        self._behind = BEHIND

    def close(self):
        self._link.close()

    def said(self):
        """What the server printed, if that is known."""
        return ""

    def send(self, queries, last):
        """Asks all of QUERIES, and then LAST, which is always answered."""
        self._count, self._last = len(queries), last
        link = self._link
        for number, query in enumerate(queries):
            link.send(numbered(query, number))
        link.send(numbered(last, LAST))

    def receive(self):
        """The answers to what was sent, None for those that didn't come."""
        answers = [None] * self._count
        recv, quiet = self._link.recv, 0
        while True:
            try:
                answer = recv(65535)
            except socket.timeout:
                quiet += QUIET
                if quiet >= LIMIT:
                    raise Failure(f"no answers from {self.address}: {self.said()[-2000:]}") from None
                self._send_behind()
                continue
            number = int.from_bytes(answer[:2], "big")
            if number == LAST and None in answers:
                # Those it took together it may answer in another order (NSD, when it drops one):
                # the next one comes behind all of them.
                self._send_behind()
                continue
            if number in (LAST, self._behind):
                return answers
            if number >= BEHIND:
                continue  # late: it was taken for lost
            if number >= self._count or answers[number] is not None:
                raise Failure(f"answer to nothing, or a second one: {answer.hex()}")
            answers[number] = answer

    def _send_behind(self):
        self._behind = BEHIND + (self._behind + 1) % 256
        self._link.send(numbered(self._last, self._behind))

    def ask_tcp(self, queries):
        """The answers without a limit of size, in the order of QUERIES, which must all have one. A
        server may close a connection between two of them."""
        answers, tries = [], 0
        while len(answers) < len(queries):
            with socket.create_connection(self.address, LIMIT) as link, link.makefile("rb") as stream:
                tries += 1
                for query in queries[len(answers):]:
                    link.sendall(struct.pack(">H", len(query)) + query)
                    head = stream.read(2)
                    if len(head) < 2:
                        break
                    answers.append(stream.read(int.from_bytes(head, "big")))
                    tries = 0
            if tries > 2:
                raise Failure(f"{self.name}: no answer over TCP to {queries[len(answers)].hex()}")
        return answers


class Daemon(UdpServer):
    """NSD or Knot."""

    def __init__(self, name, command, configuration, port, origins, environment=()):
        self.name = name
        self._folder = Path(configuration).parent
        self._said = open(self._folder / f"{name}.said", "w+b")
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said,
            env={**os.environ, **dict(environment)}, preexec_fn=_die_with_parent)
        super().__init__(("127.0.0.1", port))
        try:
            self._wait_ready(origins)
        except BaseException:
            self.close()
            raise

    def said(self):
        self._said.seek(0)
        text = self._said.read().decode(errors="replace")
        log = self._folder / "log"
        return text + (log.read_text(errors="replace") if self.name == "nsd" and log.exists() else "")

    def close(self):
        super().close()
        self._process.terminate()
        try:
            self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _wait_ready(self, origins):
        """All zones must be served: a comparison with a server that refused one says nothing."""
        deadline = time.monotonic() + LIMIT
        self._link.settimeout(0.1)
        waiting = list(origins)
        while waiting:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise Failure(f"{self.name} doesn't serve {waiting[:5]}; it said: {self.said()[-3000:]}")
            try:
                self._link.send(wire.query(waiting[0], wire.TYPES["SOA"]))
                answer = self._link.recv(65535)
                if answer[12:12 + len(wire.name_wire(waiting[0]))].lower() != wire.name_wire(waiting[0]).lower():
                    continue  # an old one
                if answer[3] & 15 == 0 and answer[2] & 4:
                    waiting.pop(0)
                    continue
                time.sleep(0.02)
            except socket.timeout:
                pass
            except OSError:
                time.sleep(0.02)
        while True:  # answers to what was asked twice
            try:
                self._link.settimeout(0.01)
                self._link.recv(65535)
            except socket.timeout:
                break
        self._link.settimeout(QUIET)


class Motet:
    """dnsd's own answer_query, over pipes."""

    name = "motet"

    def __init__(self, database, build=BUILD, payload=PAYLOAD):
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [str(Path(build) / "oracle/answer"), str(database), str(payload)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said,
            preexec_fn=_die_with_parent)
        self._count = 0

    def send(self, queries, _):
        self._count = len(queries)
        frames = [struct.pack(">HH", len(query), number) + query[2:]
                  for number, query in enumerate(queries)]
        self._process.stdin.write(b"".join(frames) + b"\0\0")
        self._process.stdin.flush()

    def receive(self):
        answers = []
        read = self._process.stdout.read
        for _ in range(self._count + 1):
            head = read(2)
            if len(head) < 2:
                raise Failure(f"dnsd died: {self._ended()}")
            size = int.from_bytes(head, "big")
            answers.append(read(size) if size else None)
        answers.pop()
        return answers

    def _ended(self):
        self._process.wait(LIMIT)
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def close(self):
        self._process.stdin.close()
        self._process.stdout.read()
        said = self._ended()
        self._process.stdout.close()
        self._said.close()
        if self._process.returncode:
            raise Failure(f"dnsd: {said}")


def compile_zones(folder, origins, database, build=BUILD):
    files = []
    for origin in origins:
        files += ["--name", wire.name_text(origin), str(zone_path(folder, origin))]
    done = subprocess.run([str(Path(build) / "tools/zonec"), "-o", str(database), *files],
                          capture_output=True, timeout=LIMIT, check=False)
    if done.returncode:
        raise Failure(f"zonec: {done.stderr.decode(errors='replace')}")
    return done.stderr.decode(errors="replace")


def zone_path(folder, origin):
    """Of a zone's file, with nothing in its name that a configuration would take for syntax."""
    name = "".join(c if c.isalnum() or c in ".-_" else f"%{ord(c):02x}" for c in origin_text(origin))
    return Path(folder) / f"{name.replace('%', '=')}.zone"


def origin_text(origin):
    return wire.name_text(origin).rstrip(".") or "."


def config_text(origin):
    """Of an origin within quotes: a backslash is doubled by neither server."""
    return origin_text(origin)


class Servers:
    """dnsd, NSD and Knot with the same zones."""

    def __init__(self, folder, origins, build=BUILD, payload=PAYLOAD):
        self._zones, self._origins, self._build = Path(folder), list(origins), Path(build)
        self._payload = payload
        self.all, self.whole = [], None

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="motet-oracle-")
        self.folder = Path(self._temporary.name)
        try:
            self._start()
        except BaseException:
            self.__exit__(True)
            raise
        return self

    def _start(self):
        database = self.folder / "zones.zdb"
        compile_zones(self._zones, self._origins, database, self._build)
        self.all.append(Motet(database, self._build, self._payload))
        self.whole = Motet(database, self._build, 65535)
        names = [(config_text(origin), zone_path("", origin)) for origin in self._origins]
        self._last = wire.query(self._origins[0], wire.TYPES["SOA"])
        values = {"folder": self.folder, "zones": self._zones, "payload": self._payload}
        port = free_port()
        path = self.folder / "nsd.conf"
        path.write_text(NSD.format(port=port, **values) +
                        "".join(NSD_ZONE.format(origin=name, file=file) for name, file in names), encoding="ascii")
        self.all.append(Daemon("nsd", [find("nsd"), "-d", "-c", str(path)], path, port,
                               self._origins,
                               {"LD_PRELOAD": str(self._build.resolve() / "oracle/clock.so")}))
        port = free_port()
        path = self.folder / "knot.conf"
        path.write_text(KNOT.format(port=port, **values) +
                        "".join(f'  - domain: "{name}"\n    file: "{file}"\n' for name, file in names), encoding="ascii")
        self.all.append(Daemon("knot", [find("knotd"), "-c", str(path)], path, port,
                               self._origins))
        self.motet, self.nsd, self.knot = self.all

    def __exit__(self, failed, *_):
        problem = self._stop()
        self._temporary.cleanup()
        if problem and not failed:
            raise problem

    def ask(self, queries):
        """Yields (query, its answers) in the order of QUERIES."""
        queries = list(queries)
        for at in range(0, len(queries), BATCH):
            batch = queries[at:at + BATCH]
            try:
                answers = self._ask(batch)
            except Failure:
                self._restart()
                answers = [self._ask_one(query) for query in batch]
            yield from zip(batch, answers)

    def _ask(self, batch):
        for server in self.all:
            server.send(batch, self._last)
        return list(zip(*(server.receive() for server in self.all)))

    def _ask_one(self, query):
        """The three answers, HANGS for a server that answers nothing any more behind QUERY."""
        answers = []
        for server in self.all:
            try:
                server.send([query], self._last)
                answers += server.receive()
            except Failure:
                answers.append(HANGS)
        if HANGS in answers:
            self._restart()
        return tuple(answers)

    def _restart(self):
        self._stop()
        self.all = []
        self._start()

    def _stop(self):
        problem = None
        for server in self.all + ([self.whole] if self.whole else []):
            try:
                server.close()
            except Failure as failure:
                problem = failure
        return problem

    def ask_whole(self, queries):
        """The answers without a limit of size: NSD's and Knot's over TCP, dnsd's to a client that
        takes all. For queries that wire.widened understands."""
        queries = list(queries)
        motet = []
        for query in queries:  # one by one: an answer may be as large as a pipe
            self.whole.send([wire.widened(query)], None)
            motet += self.whole.receive()
        return list(zip(motet, self.nsd.ask_tcp(queries), self.knot.ask_tcp(queries)))
