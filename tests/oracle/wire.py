# SPDX-License-Identifier: ISC
"""DNS messages as octets: names, queries made octet by octet, answers in a form to compare.

Small and fast on purpose: each answer is parsed three times, hundreds of thousands of times per
minute, and a query may be anything. Names are tuples of labels (bytes) without the root's.
"""

import struct

TYPES = {
    "A": 1, "NS": 2, "MD": 3, "MF": 4, "CNAME": 5, "SOA": 6, "MB": 7, "MG": 8, "MR": 9, "NULL": 10,
    "WKS": 11, "PTR": 12, "HINFO": 13, "MINFO": 14, "MX": 15, "TXT": 16, "RP": 17, "AFSDB": 18,
    "X25": 19, "ISDN": 20, "RT": 21, "NSAP": 22, "SIG": 24, "KEY": 25, "PX": 26, "AAAA": 28,
    "LOC": 29, "NXT": 30, "SRV": 33, "NAPTR": 35, "KX": 36, "CERT": 37, "DNAME": 39, "OPT": 41,
    "APL": 42, "DS": 43, "SSHFP": 44, "IPSECKEY": 45, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48,
    "DHCID": 49, "NSEC3": 50, "NSEC3PARAM": 51, "TLSA": 52, "SMIMEA": 53, "HIP": 55, "CDS": 59,
    "CDNSKEY": 60, "OPENPGPKEY": 61, "CSYNC": 62, "ZONEMD": 63, "SVCB": 64, "HTTPS": 65, "SPF": 99,
    "NID": 104, "L32": 105, "L64": 106, "LP": 107, "EUI48": 108, "EUI64": 109, "TKEY": 249,
    "TSIG": 250, "IXFR": 251, "AXFR": 252, "MAILB": 253, "MAILA": 254, "ANY": 255, "URI": 256,
    "CAA": 257, "DLV": 32769,
}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
          "NXRRSET", "NOTAUTH", "NOTZONE"] + [str(code) for code in range(11, 16)] + ["BADVERS"]

# Octets before the first name in record data, and how many names: those are compared without case
# (RFC 4343). None but the first row's may be compressed by who sends them (RFC 3597 4).
NAMES_IN = {
    2: (0, 1), 3: (0, 1), 4: (0, 1), 5: (0, 1), 6: (0, 2), 7: (0, 1), 8: (0, 1), 9: (0, 1),
    12: (0, 1), 14: (0, 2), 15: (2, 1),
    17: (0, 2), 18: (2, 1), 21: (2, 1), 26: (2, 2), 33: (6, 1), 35: (4, 1), 36: (2, 1), 39: (0, 1),
    46: (18, 1), 47: (0, 1), 64: (2, 1), 65: (2, 1), 107: (2, 1),
}
COMPRESSIBLE = frozenset((2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15))

QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10
OPT, NAPTR = 41, 35


class Broken(Exception):
    """An answer that isn't a well-formed message."""


def type_number(text):
    return TYPES[text] if text in TYPES else int(text.removeprefix("TYPE"))


def type_text(number):
    return TYPE_NAMES.get(number, f"TYPE{number}")


# Names

PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*")


def label_text(label):
    return "".join(chr(octet) if octet in PLAIN else f"\\{octet:03}" for octet in label)


def name_text(name):
    """As in a master file, absolute."""
    return ".".join(map(label_text, name)) + "."


def name_wire(name):
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def name_length(name):
    return sum(len(label) + 1 for label in name) + 1


def name_of(text):
    """Of a plain text without escapes."""
    return tuple(label.encode() for label in text.rstrip(".").split(".") if label)


def lower(name):
    return tuple(label.lower() for label in name)


def name_read(message, at):
    """Returns (the name's octets without pointers, where it ends). Pointers must lead backwards."""
    parts, end, bound, length = [], None, at, 0
    while True:
        if at >= len(message):
            raise Broken("name beyond the end")
        size = message[at]
        if size >= 0xc0:
            if at + 1 >= len(message):
                raise Broken("pointer beyond the end")
            end = end or at + 2
            at = (size & 0x3f) << 8 | message[at + 1]
            if at >= bound:
                raise Broken("pointer that leads forward")
            bound = at
            continue
        if size > 63:
            raise Broken("label of unknown kind")
        parts.append(message[at:at + 1 + size])
        at += 1 + size
        length += 1 + size
        if length > 255 or at > len(message):
            raise Broken("name too long")
        if size == 0:
            return b"".join(parts), end or at


def name_print(wire):
    labels, at = [], 0
    while wire[at]:
        labels.append(wire[at + 1:at + 1 + wire[at]])
        at += 1 + wire[at]
    return name_text(labels)


# Answers


class Record(tuple):
    """(owner without case, type, class, TTL, data without pointers and without names' case)"""

    __slots__ = ()
    owner, kind, klass, ttl, data = (property(lambda self, at=at: self[at]) for at in range(5))

    def covers(self):
        return int.from_bytes(self.data[:2], "big") if self.kind == 46 else self.kind

    def text(self):
        kind = type_text(self.kind)
        if self.kind == 46:
            kind += f"({type_text(self.covers())})"
            return f"{name_print(self.owner)} {self.ttl} {kind}"
        data = self.data.hex()
        if self.kind in (2, 5, 12, 39):
            data = name_print(self.data)
        klass = "" if self.klass == 1 else f"CLASS{self.klass} "
        return f"{name_print(self.owner)} {self.ttl} {klass}{kind} {data[:120]}"


def data_read(message, at, end, kind):
    if kind not in NAMES_IN:
        return message[at:end]
    prefix, names = NAMES_IN[kind]
    if kind == NAPTR and at + 4 < end:
        for _ in range(3):  # character-strings before the name
            if at + prefix < end:
                prefix += 1 + message[at + prefix]
    data = [message[at:at + prefix]]
    at += prefix
    for _ in range(names):
        name, at = name_read(message, at)
        data.append(name.lower())
    if at > end:
        raise Broken("name beyond its record")
    return b"".join(data) + message[at:end]


class Answer:
    """An answer in a form to compare: sections are frozensets, since the order within them says
    nothing but for aliases, and those say their order themselves."""

    __slots__ = ("wire", "rcode", "flags", "opcode", "question", "answer", "authority", "additional",
                 "edns", "twice")

    def __init__(self, wire):
        self.wire = wire
        if len(wire) < 12:
            raise Broken("shorter than a header")
        _, flags, questions, *counts = struct.unpack_from(">6H", wire)
        self.flags = flags & (AA | TC | RD | RA | Z | AD | CD)
        self.opcode = flags >> 11 & 15
        self.rcode = flags & 15
        self.edns = None
        self.twice = False
        if not flags & QR:
            raise Broken("not an answer")
        at = 12
        for _ in range(questions):
            _, at = name_read(wire, at)
            at += 4
        if at > len(wire):
            raise Broken("question beyond the end")
        self.question = wire[12:at]
        sections = []
        for count in counts:
            records, at = self._section(at, count)
            sections.append(records)
        self.answer, self.authority, self.additional = sections
        if at != len(wire):
            raise Broken("octets behind the end")

    def _section(self, at, count):
        wire, records = self.wire, []
        for _ in range(count):
            owner, at = name_read(wire, at)
            if at + 10 > len(wire):
                raise Broken("record beyond the end")
            kind, klass, ttl, size = struct.unpack_from(">HHIH", wire, at)
            at += 10
            end = at + size
            if end > len(wire):
                raise Broken("data beyond the end")
            if kind == OPT:
                if self.edns is not None:
                    raise Broken("two OPT")
                self.rcode |= ttl >> 24 << 4
                self.edns = (ttl & 0xffffff, wire[at:end])
            else:
                records.append(Record((owner.lower(), kind, klass, ttl,
                                       data_read(wire, at, end, kind))))
            at = end
        known = frozenset(records)
        if len(known) != len(records):
            self.twice = True
        return known, at

    def flag_text(self):
        names = [("aa", AA), ("tc", TC), ("rd", RD), ("ra", RA), ("z", Z), ("ad", AD), ("cd", CD)]
        return " ".join(name for name, bit in names if self.flags & bit)

    def text(self):
        lines = [f"  {RCODES[self.rcode] if self.rcode < 17 else self.rcode}, flags {self.flag_text()},"
                 f" {len(self.wire)} octets, EDNS {self.edns}"]
        for part in ("answer", "authority", "additional"):
            lines += [f"  {part}: {line}" for line in sorted(r.text() for r in getattr(self, part))]
        return "\n".join(lines)


# Queries


def question(name, kind, klass=1):
    return name_wire(name) + struct.pack(">HH", kind, klass)


def opt(size=1232, dnssec=False, version=0, flags=0, options=b"", owner=b"\0"):
    return owner + struct.pack(">HHBBHH", OPT, size, 0, version, flags | dnssec << 15,
                               len(options)) + options


def option(code, data=b""):
    return struct.pack(">HH", code, len(data)) + data


def query(name, kind, klass=1, *, flags=0, edns=None, opcode=0, counts=None, behind=b""):
    """A query without its number: EDNS is an OPT record's octets or None; COUNTS are the header's
    four if they lie."""
    counts = counts or (1, 0, 0, int(edns is not None))
    return (struct.pack(">6H", 0, flags | opcode << 11, *counts) + question(name, kind, klass) +
            (edns or b"") + behind)


def widened(asked):
    """A plain query, with one question and perhaps an OPT record, from a client that takes answers of
    any size."""
    _, at = name_read(asked, 12)
    at += 4
    dnssec = len(asked) > at and bool(asked[at + 7] & 0x80)
    return asked[:10] + b"\0\1" + asked[12:at] + opt(65535, dnssec, options=asked[at + 11:])
