# SPDX-License-Identifier: ISC
"""Queries for a group of zones: all names there and near them, all types, all kinds of headers and
EDNS; and queries that are broken. Seeded by the group, so that they can be repeated.

Each is (class, octets): the class is for counting and for the tests' names.
"""

import random
import struct

import wire
from wire import option, opt, query

SIZES = [0, 512, 513, 1231, 1232, 1233, 4096, 65535]
META = ["ANY", "AXFR", "IXFR", "MAILB", "MAILA", "TSIG", "TKEY", "OPT", "TYPE0", "TYPE65535", "TYPE128"]
OFTEN = ["A", "NS", "SOA", "DS", "TXT", "CNAME", "DNAME", "NSEC", "RRSIG", "NSEC3", "DNSKEY", "ANY", "TYPE65281"]
CLASSES = [0, 2, 3, 4, 254, 255, 65535]
NSID, ECS, COOKIE, PADDING, KEEPALIVE, EXPIRE, CHAIN, ERROR, UNKNOWN = 3, 8, 10, 12, 11, 9, 13, 15, 65001


class Questions:
    """Makes the queries for one group."""

    def __init__(self, group):
        self.chance = random.Random(f"{group.seed}:{group.number}:queries")
        self.group = group
        self.kinds = {}  # name: types there
        for zone in group.zones:
            for record in zone.records:
                self.kinds.setdefault(wire.lower(record.owner), set()).add(record.kind)
        self.origins = [wire.lower(origin) for origin in group.origins()]

    def all(self):
        """About as many of each class as there are names."""
        yield from self.plain()
        yield from self.near()
        yield from self.headers()
        yield from self.edns()
        yield from self.broken()

    # Names

    def fitting(self, name):
        return all(0 < len(label) < 64 for label in name) and wire.name_length(name) <= 255

    def neighbours(self, name):
        """Below, above, beside it, and the wildcards there."""
        label = name[0] if name else b"x"
        beside = [label[:-1] + bytes([max(label[-1] - 1, 0)]), label + b"\0", label[:-1], label + b"z",
                  label[:-1] + bytes([min(label[-1] + 1, 255)]) if label[-1] < 255 else b"zz"]
        found = [(b"x",) + name, (b"*",) + name, (b"x", b"y") + name, (b"x", b"*") + name, (b"\0",) + name,
                 (b"*", b"x") + name, (b"a" * 63,) + name, name[1:]]
        found += [(one,) + name[1:] for one in beside]
        found += [name[at:] for at in range(2, len(name))]
        if name and name[0] == b"*":
            found += [(b"w",) + name[1:], (b"W", b"w") + name[1:], (b"w", b"*") + name[1:]]
        long = name
        while wire.name_length((b"l" * 63,) + long) <= 255:
            long = (b"l" * 63,) + long
        left = 255 - wire.name_length(long) - 1
        if left > 0:
            found += [(b"l" * left,) + long, (b"l" * max(left - 1, 1),) + long]
        return [one for one in found if self.fitting(one)]

    def odd_case(self, name):
        return tuple(bytes(octet ^ 0x20 if 65 <= octet & ~0x20 <= 90 and self.chance.random() < 0.5 else octet
                           for octet in label) for label in name)

    # Classes of queries

    def variant(self, name, kind, klass=1):
        """With the header and EDNS of some client."""
        chance = self.chance
        if chance.random() < 0.3:
            name = self.odd_case(name)
        flags = chance.choice([0, 0, 0, wire.RD, wire.CD, wire.AD, wire.RD | wire.CD | wire.AD])
        edns = None
        if chance.random() < 0.7:
            edns = opt(chance.choice(SIZES), dnssec=chance.random() < 0.6)
        return query(name, kind, klass, flags=flags, edns=edns)

    def types_for(self, name):
        kinds = set(OFTEN) | self.kinds.get(wire.lower(name), set())
        kinds.add(self.chance.choice(META))
        kinds.add(self.chance.choice(list(wire.TYPES)))
        return sorted(kinds - {"OPT", "AXFR", "IXFR", "TSIG", "TKEY", "MAILA", "MAILB"})

    def plain(self):
        for name in sorted(self.kinds):
            for kind in self.types_for(name):
                yield "names", self.variant(name, wire.type_number(kind))

    def near(self):
        near = {one for name in self.kinds for one in self.neighbours(name)} - set(self.kinds)
        for name in sorted(near):
            kinds = self.chance.sample(OFTEN, 3)
            if b"*" in name or name in self.origins:
                kinds = OFTEN
            for kind in kinds:
                yield "neighbours", self.variant(name, wire.type_number(kind))

    def some_names(self, count=8):
        names = sorted(self.kinds)
        return self.origins + self.chance.sample(names, min(count, len(names)))

    def headers(self):
        """Opcodes, classes, flags, counts, types that aren't data."""
        chance = self.chance
        for name in self.some_names():
            kind = wire.type_number(chance.choice(sorted(self.kinds.get(name, {"A"}))))
            edns = chance.choice([None, opt()])
            for opcode in range(1, 16):
                yield "opcodes", query(name, kind, opcode=opcode, edns=edns)
            for klass in CLASSES:
                yield "classes", query(name, kind, klass, edns=edns)
                yield "classes", query(name, wire.TYPES["ANY"], klass)
            for bit in range(16):
                yield "flags", query(name, kind, flags=1 << bit & 0x87ff, edns=edns)
            for meta in META:
                yield "meta", query(name, wire.type_number(meta), edns=edns)
                yield "meta", query((b"nothing",) + name[-2:], wire.type_number(meta))
            for counts in ((0, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1),
                           (65535, 0, 0, 0), (1, 65535, 65535, 65535), (0, 0, 0, 1), (2, 0, 0, 1)):
                yield "counts", query(name, kind, counts=counts)
                yield "counts", query(name, kind, counts=counts, edns=opt())
            two = wire.question(name, kind)
            yield "counts", query(name, kind, counts=(2, 0, 0, 0), behind=two)
            yield "counts", struct.pack(">6H", 0, 0, 0, 0, 0, 0)
            yield "counts", struct.pack(">6H", 0, 0, 0, 0, 0, 1) + opt()
            record = wire.name_wire(name) + struct.pack(">HHIH", 1, 1, 60, 4) + b"\1\2\3\4"
            for counts in ((1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1)):
                yield "counts", query(name, kind, counts=counts, behind=record)

    def edns(self):
        chance = self.chance
        for name in self.some_names():
            kind = wire.type_number(chance.choice(sorted(self.kinds.get(name, {"A"}))))
            for size in SIZES:
                for dnssec in (False, True):
                    yield "edns sizes", query(name, kind, edns=opt(size, dnssec))
            for version in (1, 2, 127, 255):
                yield "edns versions", query(name, kind, edns=opt(version=version))
                yield "edns versions", query(name, kind, edns=opt(version=version, options=option(UNKNOWN)))
            for flags in (0x4000, 0x0001, 0x7fff):
                yield "edns flags", query(name, kind, edns=opt(flags=flags))
                yield "edns flags", query(name, kind, edns=opt(flags=flags, dnssec=True))
            for options in self.options():
                yield "edns options", query(name, kind, edns=opt(options=options))
            yield "several opt", query(name, kind, edns=opt() + opt(), counts=(1, 0, 0, 2))
            yield "several opt", query(name, kind, edns=opt(version=1) + opt(), counts=(1, 0, 0, 2))
            yield "several opt", query(name, kind, edns=opt(), counts=(1, 1, 0, 0))
            yield "several opt", query(name, kind, edns=opt(), counts=(1, 0, 1, 0))
            yield "several opt", query(name, kind, edns=opt(owner=b"\1a\0"))
            yield "several opt", query(name, kind, edns=opt(), behind=b"\0")
            yield "several opt", query(name, kind, edns=opt(), counts=(1, 0, 0, 2))

    def options(self):
        return [option(UNKNOWN), option(UNKNOWN, b"x" * 100), option(65535, b""), option(0), option(EXPIRE),
                option(PADDING, bytes(20)), option(KEEPALIVE), option(ERROR, b"\0\0"),
                option(UNKNOWN) * 3, option(UNKNOWN) + option(NSID), b"\0", option(UNKNOWN)[:3],
                struct.pack(">HH", UNKNOWN, 5) + b"ab", option(ECS, b"\0\1\x18\0\xc0\0\2"), option(CHAIN, b"\0"),
                option(NSID), option(NSID, b"x")]

    def broken(self):
        """Cut at each octet, changed bits, pointers in the question."""
        chance = self.chance
        for name in self.some_names(2):
            whole = query(name, 1, edns=opt(options=option(UNKNOWN, b"xyz")))
            for size in range(2, len(whole)):
                yield "truncated", whole[:size]
            for _ in range(60):
                changed = bytearray(whole)
                for _ in range(chance.choice([1, 1, 2, 5])):
                    changed[chance.randrange(2, len(changed))] ^= 1 << chance.randrange(8)
                yield "changed bits", bytes(changed)
            head = struct.pack(">6H", 0, 0, 1, 0, 0, 0)
            tail = struct.pack(">HH", 1, 1)
            for pointer in (0xc00c, 0xc00d, 0xc000, 0xc002, 0xc0ff, 0xffff, 0x4000, 0x8000, 0xc012):
                yield "pointers", head + struct.pack(">H", pointer) + tail
                yield "pointers", head + b"\1a" + struct.pack(">H", pointer) + tail
            yield "pointers", head + b"\x3f" + tail
            yield "pointers", head + b"\x40a\0" + tail
            long = (b"\x3f" + b"l" * 63) * 4 + b"\0"
            yield "pointers", head + long + tail
            yield "pointers", head + (b"\1a" * 127) + b"\0" + tail
            yield "pointers", head + (b"\1a" * 128) + b"\0" + tail


def make(group):
    return list(Questions(group).all())
