# SPDX-License-Identifier: ISC
"""Random master files: valid, and full of what is rare.

A group is what is generated, compared and shrunk together: a zone, and perhaps zones below it or
beside it on the same server. It follows from a seed and a number only, and names of one group never
lead into another.
"""

import random
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import servers
import wire

NAME_MAX = 255
TEXT_MAX = 255  # of a name as text, escapes and all: what ldns, and so zonec, reads
STRANGE = [b"a.b", b"with space", b"\\", b'"', b";c", b"@", b"$TTL", b"(x)", b"\0", b"\xff\xfe", b"\x7f",
           b"-", b"_", b"*a", b"a*", b"**", b"\xc3\xa4", b"0", b"tab\t", b"IN", b"A", b"3600", b"#"]
WORDS = [b"a", b"b", b"c", b"ab", b"ns", b"mail", b"www", b"_sip", b"_tcp", b"deep", b"er", b"x1", b"zz"]
# Octets that ldns-signzone writes without the escapes that they need: " $ ( ) ; @
UNSIGNABLE = ["\\034", "\\036", "\\040", "\\041", "\\059", "\\064"]
# Types whose names ldns-signzone writes into NSEC bitmaps, and Knot doesn't know.
NAMELESS = {"TYPE7", "TYPE8", "TYPE9", "TYPE19", "TYPE20", "TYPE26"}
SECONDS_MAX = 2 ** 31 - 1


@dataclass(frozen=True)
class Record:
    """One line of a master file. DATA is text with absolute names."""

    owner: tuple
    ttl: object  # seconds, or None: the file's
    kind: str
    data: str


@dataclass
class Zone:
    """A master file in the making."""

    origin: tuple
    records: list = field(default_factory=list)
    ttl: int = 3600  # $TTL
    signing: tuple = ()  # options for ldns-signzone; () is unsigned

    def text(self):
        lines = [f"$TTL {self.ttl}"]
        for record in self.records:
            ttl = "" if record.ttl is None else f"{record.ttl} "
            lines.append(f"{wire.name_text(record.owner)} {ttl}IN {record.kind} {record.data}")
        return "\n".join(lines) + "\n"


@dataclass
class Group:
    seed: int
    number: int
    zones: list

    def origins(self):
        return [zone.origin for zone in self.zones]


class Taken:
    """What stands at which name, so that the zone stays valid."""

    def __init__(self):
        self.kinds = {}  # name: set of types
        self.closed = set()  # names that may have nothing below them: DNAME, cuts

    def free(self, name):
        name = wire.lower(name)
        return name not in self.kinds and not self.below_closed(name)

    def below_closed(self, name):
        name = wire.lower(name)
        return any(name[at:] in self.closed for at in range(1, len(name)))

    def has_children(self, name):
        name = wire.lower(name)
        return any(other != name and other[-len(name):] == name for other in self.kinds)


class Generator:
    """Makes the zones of one group."""

    def __init__(self, seed, number):
        self.chance = random.Random(f"{seed}:{number}")
        self.group = Group(seed, number, [])
        self.names = []  # that records may lead to, of all zones
        self.closed_apexes = set()  # with a DNAME record

    def make(self):
        chance = self.chance
        top = self._origin()
        self._zone(top)
        if chance.random() < 0.35:
            cuts = [name for name in self.cuts if wire.name_length(name) < 200]
            for origin in chance.sample(cuts, min(len(cuts), chance.choice([1, 1, 2]))):
                self._zone(origin)
                if self.cuts and chance.random() < 0.3:
                    self._zone(chance.choice(self.cuts))
        if chance.random() < 0.1:
            self._zone((f"other{self.group.number}".encode(),) + top[1:])
        if chance.random() < 0.05:  # a zone inside of another that doesn't delegate it
            if wire.lower(top) not in self.closed_apexes:
                self._zone((b"hidden", b"inside") + top)
        return self.group

    def _origin(self):
        number = self.group.number
        base = (f"z{number}".encode(), b"test")
        choice = self.chance.random()
        if choice < 0.05:
            return (f"z{number}".encode(),)
        if choice < 0.1:
            return (b"a" * 40, b"b" * 63, f"z{number}".encode(), b"test")
        if choice < 0.15:
            return (self.chance.choice([b"x y", b"a.b", b"**", b"\xff"]),) + base
        if choice < 0.18:  # so long that little fits below it
            return (b"l" * 63, b"m" * 63, b"n" * self.chance.randint(50, 63)) + base
        return base

    # Names

    def label(self):
        chance = self.chance.random()
        if chance < 0.7:
            label = self.chance.choice(WORDS)
        elif chance < 0.8:
            label = self.chance.choice(STRANGE)
        elif chance < 0.85:
            label = bytes(self.chance.randrange(256) for _ in range(self.chance.randint(1, 5)))
        elif chance < 0.9:
            label = self.chance.choice(b"abc".decode()).encode() * self.chance.choice([31, 32, 62, 63])
        else:
            label = b"*"
        if self.chance.random() < 0.1:
            label = label.upper()
        return label

    def below(self, name, depth=None):
        depth = depth or self.chance.choice([1, 1, 1, 1, 2, 2, 3])
        longer = tuple(self.label() for _ in range(depth)) + name
        while wire.name_length(longer) > NAME_MAX:
            longer = longer[1:]
        return longer

    def target(self, zone):
        """A name that a record leads to."""
        chance = self.chance.random()
        if self.names and chance < 0.55:
            name = self.chance.choice(self.names)
            return self.below(name, 1) if self.chance.random() < 0.15 else name
        if chance < 0.75:
            return self.below(zone.origin)
        if chance < 0.8:
            return zone.origin
        if chance < 0.83:
            return ()
        if chance < 0.86:
            return self.long_name()
        if chance < 0.88:
            return zone.origin[1:]
        return self.chance.choice([(b"www", b"elsewhere", b"invalid"), (b"NS", b"Elsewhere", b"invalid"),
                                   (b"invalid",)])

    def long_name(self):
        """Near the longest."""
        left = self.chance.choice([255, 254, 250, 240, 200])
        labels = [b"invalid"]
        left -= 9
        while left > 2:
            size = min(63, left - 1)
            labels.insert(0, b"l" * size)
            left -= size + 1
        return tuple(labels)

    def names_below(self, name):
        """Whether another zone has names below: NSD refuses a DNAME record there."""
        low = wire.lower(name)
        return any(len(other) > len(low) and other[-len(low):] == low
                   for zone in self.group.zones
                   for other in (wire.lower(record.owner) for record in zone.records))

    # Zones

    def _zone(self, origin):
        origin = wire.lower(origin)
        if origin in self.group.origins():
            return
        chance = self.chance
        zone = Zone(origin, ttl=chance.choice([3600, 300, 0, 1, 86400]))
        self.zone, self.taken, self.cuts = zone, Taken(), []
        self.names.append(origin)
        self.default_ttl = chance.choice([None, None, 60, 3600])
        self._apex()
        for _ in range(chance.choice([1, 2, 4, 6, 8, 12, 20])):
            self._owner()
        self._addresses()
        if chance.random() < 0.4 and not any(octet in zone.text() for octet in UNSIGNABLE):
            zone.signing = self._signing()
            zone.records = [one for one in zone.records if one.kind not in NAMELESS]
        self._level_ttls(zone)
        self.group.zones.append(zone)

    @staticmethod
    def _level_ttls(zone):
        """One TTL for each RRset (RFC 2181 5.2)."""
        first = {}
        for at, record in enumerate(zone.records):
            key = wire.lower(record.owner), wire.type_number(record.kind)
            ttl = first.setdefault(key, record.ttl)
            zone.records[at] = Record(record.owner, ttl, record.kind, record.data)

    def _signing(self):
        chance = self.chance
        options = []
        if chance.random() < 0.6:
            salt = chance.choice(["-", "ab", "00ff", "aabbccddeeff0011"])
            options = ["-n", "-t", str(chance.choice([0, 0, 1, 5, 10]))]
            if salt != "-":
                options += ["-s", salt]
            if chance.random() < 0.5:
                options.append("-p")
        return tuple(options) or ("nsec",)

    def add(self, owner, kind, data, ttl=0):
        if ttl == 0:
            ttl = self.rrset_ttl
        self.zone.records.append(Record(owner, ttl, kind, data))
        self.taken.kinds.setdefault(wire.lower(owner), set()).add(kind)

    @property
    def rrset_ttl(self):
        return self.default_ttl

    def ttl_choose(self):
        self.default_ttl = self.chance.choice([None, None, None, 0, 1, 300, 3600, 86400, SECONDS_MAX])

    def _apex(self):
        chance, zone, origin = self.chance, self.zone, self.zone.origin
        self.ttl_choose()
        minimum = chance.choice([0, 1, 60, 300, 3600, 86400, 900000])
        self.add(origin, "SOA", f"{self.text(self.target(zone))} {self.text(self.target(zone))} "
                                f"{chance.choice([0, 1, 2024010101, 4294967295])} 7200 900 1209600 {minimum}")
        self.ttl_choose()
        apex_dname = chance.random() < 0.04 and not self.names_below(origin)
        servers_count = chance.choice([1, 1, 2, 2, 3, 4, 13]) if chance.random() < 0.97 else 30
        self.name_servers(origin, servers_count, outside=apex_dname)
        if apex_dname:
            self.add(origin, "DNAME", self.text(self.target(zone)))
            self.taken.closed.add(wire.lower(origin))
            self.closed_apexes.add(wire.lower(origin))
        for _ in range(chance.choice([0, 0, 1, 2, 3])):
            self._rrset(origin)
        if not apex_dname and chance.random() < 0.1:
            star = (b"*",) + origin
            if wire.name_length(star) <= NAME_MAX:
                self._rrset(star)
        if chance.random() < 0.03:
            self.add(origin, "DS", "1 13 2 " + "ab" * 32)

    def name_servers(self, owner, count, outside=False):
        chance = self.chance
        seen = set()
        for _ in range(count):
            choice = chance.random()
            if outside or choice < 0.25:
                name = chance.choice([(b"ns", b"elsewhere", b"invalid"), (b"ns2", b"elsewhere", b"invalid"),
                                      (b"NS3", b"invalid")])
            elif choice < 0.7:
                name = (f"ns{chance.randrange(count + 2)}".encode(),) + owner
            else:
                name = self.target(self.zone)
            if wire.name_length(name) > NAME_MAX or wire.lower(name) in seen:
                continue
            seen.add(wire.lower(name))
            self.names.append(name)
            self.add(owner, "NS", self.text(name))
        if not seen:
            self.add(owner, "NS", "ns.elsewhere.invalid.")

    def _addresses(self):
        """Addresses for many of the names in records: glue, and what makes answers complete."""
        chance, taken, origin = self.chance, self.taken, self.zone.origin
        for name in list(self.names):
            low = wire.lower(name)
            if low[-len(origin):] != origin or low == origin or chance.random() < 0.4:
                continue
            if low in taken.closed or any(low[at:] in taken.closed and low[at:] not in self._cuts_lower()
                                          for at in range(1, len(low))):
                continue
            if taken.kinds.get(low, set()) & {"CNAME", "A", "AAAA"}:
                continue
            self.ttl_choose()
            for _ in range(chance.choice([1, 1, 1, 2])):
                self.add(name, "A", self.address())
            if chance.random() < 0.5:
                self.add(name, "AAAA", self.address6())

    def _cuts_lower(self):
        return {wire.lower(name) for name in self.cuts}

    def _owner(self):
        """One more name with something."""
        chance, taken, origin = self.chance, self.taken, self.zone.origin
        base = origin
        if self.taken.kinds and chance.random() < 0.4:
            base = chance.choice(list(self.taken.kinds))
        name = self.below(base)
        low = wire.lower(name)
        if low == origin or not taken.free(name) or low in taken.closed:
            return
        self.ttl_choose()
        choice = chance.random()
        self.names.append(name)
        if choice < 0.45:
            for _ in range(chance.choice([1, 1, 1, 2, 3, 5])):
                self._rrset(name)
        elif choice < 0.65:
            target = name if chance.random() < 0.05 else self.target(self.zone)
            self.add(name, "CNAME", self.text(target))
        elif choice < 0.75:
            self._dname(name)
        elif choice < 0.93:
            self._cut(name)
        else:
            self._chain(name)

    def _dname(self, name):
        if self.taken.has_children(name) or self.names_below(name):
            return
        chance = self.chance
        target = self.target(self.zone)
        if chance.random() < 0.1:
            target = self.below(name, 1)  # leads to itself
        if chance.random() < 0.15:
            target = self.long_name()
        self.add(name, "DNAME", self.text(target))
        self.taken.closed.add(wire.lower(name))
        if chance.random() < 0.3:
            self._rrset(name)

    def _cut(self, name):
        chance = self.chance
        if name[0] == b"*" or self.taken.has_children(name):
            return
        self.name_servers(name, chance.choice([1, 1, 2, 3, 4, 13]))
        self.cuts.append(name)
        self.taken.closed.add(wire.lower(name))
        if chance.random() < 0.4:
            for _ in range(chance.choice([1, 1, 2])):
                self.add(name, "DS", f"{chance.randrange(65536)} 13 2 " +
                         bytes(chance.randrange(256) for _ in range(32)).hex())
        if chance.random() < 0.2:
            self.add(name, "A", self.address())
        if chance.random() < 0.15:  # data that the delegation hides
            hidden = self.below(name, 1)
            if wire.lower(hidden) != wire.lower(name):
                self.add(hidden, *chance.choice([("TXT", '"hidden"'), ("A", "192.0.2.1"),
                                                 ("NS", "ns.elsewhere.invalid."), ("MX", "1 invalid.")]))

    def _chain(self, name):
        """CNAME records that lead to each other, perhaps in a ring."""
        chance = self.chance
        length = chance.choice([2, 3, 4, 6, 10, 17, 20])
        names = [name]
        for at in range(length):
            new = (f"c{chance.randrange(1000)}-{at}".encode(),) + self.zone.origin
            if wire.name_length(new) <= NAME_MAX and self.taken.free(new):
                names.append(new)
        for one, following in zip(names, names[1:]):
            self.add(one, "CNAME", self.text(following))
        if chance.random() < 0.3:
            self.add(names[-1], "CNAME", self.text(chance.choice(names)))
        elif chance.random() < 0.5:
            self.add(names[-1], "A", self.address())
        self.names.append(chance.choice(names))

    # Records

    def address(self):
        return f"192.0.2.{self.chance.randrange(256)}"

    def address6(self):
        return f"2001:db8::{self.chance.randrange(65536):x}"

    def text(self, name):
        """A name, with the case of some letters changed."""
        if self.chance.random() < 0.1:
            name = tuple(label.upper() if self.chance.random() < 0.5 else label for label in name)
        return wire.name_text(name)

    def string(self):
        size = self.chance.choice([0, 1, 2, 10, 30, 100, 254, 255])
        return '"' + "".join(self.chance.choice(["a", "b", " ", "\\\"", "\\\\", ";", "\\000", "\\255", "Z"])
                             for _ in range(size)) + '"'

    def _rrset(self, name):
        chance = self.chance
        kinds = self.taken.kinds.get(wire.lower(name), set())
        if "CNAME" in kinds:
            return
        if chance.random() < 0.04:
            self._large(name)
            return
        kind = chance.choice(list(DATA))
        if kind in kinds:
            return
        self.ttl_choose()
        made = set()
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            data = DATA[kind](self)
            if data.lower() not in made:
                made.add(data.lower())
                self.add(name, kind, data)

    def _large(self, name):
        """Beyond what a datagram holds."""
        chance = self.chance
        kind = chance.choice(["A", "TXT", "MX", "AAAA"])
        if kind in self.taken.kinds.get(wire.lower(name), set()):
            return
        made = set()
        for number in range(chance.choice([20, 27, 28, 29, 30, 60, 75, 76, 77, 100])):
            data = {"A": lambda: f"198.51.100.{number}", "TXT": self.string, "AAAA": self.address6,
                    "MX": lambda: f"{number} {self.text(self.target(self.zone))}"}[kind]()
            if data not in made:
                made.add(data)
                self.add(name, kind, data)


def _hex(generator, low, high):
    return bytes(generator.chance.randrange(256)
                 for _ in range(generator.chance.randint(low, high))).hex()


def _unknown(generator, *_):
    size = generator.chance.choice([0, 1, 4, 20, 255])
    return f"\\# {size} {_hex(generator, size, size)}"


def _generic(data):
    def text(generator):
        octets = data(generator)
        return f"\\# {len(octets)} {octets.hex()}"
    return text


def _named(prefix):
    return lambda g: f"{prefix(g)}{g.text(g.target(g.zone))}"


def _number(g, top=65535):
    return g.chance.choice([0, 1, 10, top])


DATA = {
    "A": Generator.address,
    "AAAA": Generator.address6,
    "TXT": lambda g: " ".join(g.string() for _ in range(g.chance.choice([1, 1, 2, 4]))),
    "MX": _named(lambda g: f"{_number(g)} "),
    "SRV": _named(lambda g: f"{_number(g)} {_number(g)} {_number(g)} "),
    "PTR": _named(lambda g: ""),
    "HINFO": lambda g: f"{g.string()} {g.string()}",
    "MINFO": lambda g: f"{g.text(g.target(g.zone))} {g.text(g.target(g.zone))}",
    "RP": lambda g: f"{g.text(g.target(g.zone))} {g.text(g.target(g.zone))}",
    "AFSDB": _named(lambda g: f"{_number(g)} "),
    "RT": _named(lambda g: f"{_number(g)} "),
    "KX": _named(lambda g: f"{_number(g)} "),
    "NAPTR": _named(lambda g: f'{_number(g)} {_number(g)} "S" "SIP+D2U" "!^.*$!sip:a@b.c!" '),
    "LOC": lambda g: f"{g.chance.randrange(90)} 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
    "CAA": lambda g: f'{g.chance.choice([0, 128])} issue {g.string()}',
    "TLSA": lambda g: f"3 1 1 {_hex(g, 32, 32)}",
    "SSHFP": lambda g: f"1 1 {_hex(g, 20, 20)}",
    "URI": lambda g: f'{_number(g)} {_number(g)} "https://example.test/{g.chance.randrange(99)}"',
    "CERT": lambda g: f"1 {_number(g)} 5 AQIDBA==",
    "DHCID": lambda g: "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
    "SPF": Generator.string,
    "CDS": lambda g: f"1 13 2 {_hex(g, 32, 32)}",
    "OPENPGPKEY": lambda g: "AQIDBAUG",
    "EUI48": lambda g: "00-00-5e-00-53-2a",
    "EUI64": lambda g: "00-00-5e-ef-10-00-00-2a",
    "L32": lambda g: f"{_number(g)} 10.1.2.{g.chance.randrange(256)}",
    "L64": lambda g: f"{_number(g)} 2001:0db8:1140:1000",
    "NID": lambda g: f"{_number(g)} 0014:4fff:ff20:ee64",
    "LP": _named(lambda g: f"{_number(g)} "),
    "APL": lambda g: "1:192.168.32.0/21 !1:192.168.38.0/28",
    "TYPE1": lambda g: "\\# 4 c00002" + _hex(g, 1, 1),
    # Known to RFC 1035, 1183 and 2163, but as text not to all three.
    "TYPE7": _generic(lambda g: wire.name_wire(g.target(g.zone))),
    "TYPE8": _generic(lambda g: wire.name_wire(g.target(g.zone))),
    "TYPE9": _generic(lambda g: wire.name_wire(g.target(g.zone))),
    "TYPE19": _generic(lambda g: b"\x0c311061700956"),
    "TYPE20": _generic(lambda g: b"\x03150\x03004"),
    "TYPE26": _generic(lambda g: b"\0\1" + wire.name_wire(g.target(g.zone)) + wire.name_wire(())),
    "TYPE731": _unknown,
    "TYPE65280": _unknown,
    "TYPE65534": _unknown,
}


# Writing and signing


class SigningFailed(Exception):
    """ldns-signzone's."""


class Keys:
    """One key for all zones: it is the records that count, not who signed them."""

    def __init__(self, folder):
        self.folder = Path(folder)
        done = subprocess.run([servers.find("ldns-keygen"), "-a", "ECDSAP256SHA256", "-k", "key.test"],
                              cwd=folder, capture_output=True, text=True, check=True, timeout=60)
        self.base = done.stdout.strip()
        self.public = (self.folder / f"{self.base}.key").read_text(encoding="ascii")

    def sign(self, zone, path):
        """Signs the file at PATH in place."""
        base = self.folder / "Kzone"
        base.with_suffix(".key").write_text(
            self.public.replace("key.test.", wire.name_text(zone.origin), 1), encoding="ascii")
        base.with_suffix(".private").write_bytes((self.folder / f"{self.base}.private").read_bytes())
        options = [] if zone.signing == ("nsec",) else zone.signing
        done = subprocess.run(
            [servers.find("ldns-signzone"), "-i", "20200101", "-e", "20380101", *options, "-o",
             wire.name_text(zone.origin), "-f", f"{path}.signed", str(path), str(base)],
            capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise SigningFailed(f"{wire.name_text(zone.origin)}: {done.stderr}")
        signed = Path(f"{path}.signed").read_text(encoding="ascii")
        Path(f"{path}.signed").unlink()
        path.write_text("\n".join(map(escaped, signed.splitlines())) + "\n", encoding="ascii")


WITH_NAMES = {"NS", "CNAME", "DNAME", "MX", "PTR", "SRV", "RP", "AFSDB", "KX", "RT", "MINFO", "NAPTR", "SOA",
              "NSEC", "LP", "RRSIG"}


def escape_name(text):
    """All but plain octets as \\DDD."""
    def one(found):
        text = found[0]
        if len(text) == 4:
            return text
        return f"\\{ord(text[-1]):03}"
    return re.sub(r"\\\d{3}|\\.|[^A-Za-z0-9_*.-]", one, text)


def escaped(line):
    """A line of ldns-signzone with all octets of names escaped that Knot wants escaped."""
    fields = line.split("\t", 4)
    if len(fields) < 5 or line.startswith(";"):
        return line
    fields[0] = escape_name(fields[0])
    if fields[3] in WITH_NAMES:
        words = fields[4].split(" ")
        fields[4] = " ".join(escape_name(word) if word.endswith(".") else word for word in words)
    return "\t".join(fields)


def write(group, folder, keys):
    """Writes the group's master files into FOLDER."""
    for zone in group.zones:
        path = servers.zone_path(folder, zone.origin)
        path.write_text(zone.text(), encoding="ascii")
        if zone.signing:
            keys.sign(zone, path)


def generate(seed, number):
    group = Generator(seed, number).make()
    for zone in group.zones:
        zone.records = [one for one in zone.records if len(wire.name_text(one.owner)) <= TEXT_MAX]
    return group
