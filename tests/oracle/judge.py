# SPDX-License-Identifier: ISC
"""Are three answers to a query what they should be? docs/dns-differences.md is the list of what may
differ and why; each entry there is a rule here, by name.

Where NSD and Knot agree dnsd must answer as they do. Where something differs, each field that does
must be explained by a rule. A rule looks at the query and the answers, and names the fields that it
explains only when they are exactly what its entry says.
"""

import copy
import struct

import wire
from wire import AA, AD, CD, RA, RD, TC, Z

FIELDS = ["rcode", "aa", "tc", "rd", "ra", "z", "ad", "cd", "opcode", "question", "edns", "options",
          "answer", "authority", "additional"]
BITS = {"aa": AA, "tc": TC, "rd": RD, "ra": RA, "z": Z, "ad": AD, "cd": CD}
NS, CNAME, SOA, DNAME, OPT, DS, RRSIG, NSEC, NSEC3 = 2, 5, 6, 39, 41, 43, 46, 47, 50
PROOFS = (NSEC, NSEC3)
OPT_SIZE = 11  # octets of an OPT record without options
FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN, NOTAUTH, BADVERS = 1, 2, 3, 4, 5, 6, 9, 16


class Asked:
    """What is in a query, as far as it can be read."""

    def __init__(self, query):
        self.wire = query
        self.flags, self.counts = 0, (0, 0, 0, 0)
        self.name = self.kind = self.klass = None
        self.edns = None  # (size, version, DO)
        self.extra = None  # type of the only record behind the question
        self.plain = False  # one question, at most one OPT behind it, nothing else
        if len(query) < 12:
            return
        _, self.flags, *counts = struct.unpack_from(">6H", query)
        self.counts = tuple(counts)
        try:
            self._question(query)
        except (wire.Broken, struct.error):
            return

    def _question(self, query):
        name, at = wire.name_read(query, 12)
        if at - 12 != len(name):
            return  # with a pointer
        self.kind, self.klass = struct.unpack_from(">HH", query, at)
        self.name = name.lower()
        at += 4
        rest = query[at:]
        if self.counts == (1, 0, 0, 0) and not rest:
            self.plain = True
        if self.counts == (1, 0, 0, 1):
            self._extra(query, at)
        if self.counts == (1, 0, 0, 1) and rest[:3] == b"\0\0\x29" and len(rest) >= 11:
            size, _, version, flags, length = struct.unpack_from(">HBBHH", rest, 3)
            if len(rest) == 11 + length and options_fit(rest[11:]):
                self.edns = (size, version, bool(flags & 0x8000))
                self.plain = True

    def _extra(self, query, at):
        _, at = wire.name_read(query, at)
        kind, _, _, length = struct.unpack_from(">HHIH", query, at)
        if at + 10 + length == len(query):
            self.extra = kind

    @property
    def opcode(self):
        return self.flags >> 11 & 15

    @property
    def dnssec(self):
        return bool(self.edns and self.edns[2])

    def text(self):
        if self.name is None:
            return f"{self.wire.hex()}"
        edns = f" EDNS size {self.edns[0]} version {self.edns[1]}{' DO' if self.edns[2] else ''}" if self.edns else ""
        return (f"{wire.name_print(self.name)} {wire.type_text(self.kind)} class {self.klass}, "
                f"flags {self.flags:04x}, counts {self.counts}{edns}")


def options_fit(octets):
    at = 0
    while at + 4 <= len(octets):
        at += 4 + struct.unpack_from(">H", octets, at + 2)[0]
    return at == len(octets)


class View:
    """An answer's fields, which normalising may change."""

    def __init__(self, answer):
        self.rcode, self.opcode, self.question = answer.rcode, answer.opcode, answer.question
        for name, bit in BITS.items():
            setattr(self, name, bool(answer.flags & bit))
        self.edns = None if answer.edns is None else answer.edns[0]
        self.options = b"" if answer.edns is None else answer.edns[1]
        self.answer, self.authority = answer.answer, answer.authority
        self.additional = answer.additional
        self.size = len(answer.wire)
        self.twice = answer.twice

    def records(self):
        return self.answer | self.authority | self.additional


class World:
    """What names there are in the zones of some groups."""

    def __init__(self, groups):
        self.apexes = set()
        self.zones_of = {}  # name: the apexes of the zones in which it exists
        for group in groups:
            for zone in group.zones:
                apex = wire.name_wire(zone.origin)
                self.apexes.add(apex)
                above = apex
                while above[0]:
                    above = above[1 + above[0]:]
                    self.zones_of.setdefault(above, set()).add(apex)
                for record in zone.records:
                    name = wire.name_wire(wire.lower(record.owner))
                    while len(name) >= len(apex):
                        self.zones_of.setdefault(name, set()).add(apex)
                        name = name[1 + name[0]:] if name[0] else b""

    def apex_of(self, name):
        """Of the zone that a name lies in, None outside of all."""
        while name not in self.apexes:
            if not name[0]:
                return None
            name = name[1 + name[0]:]
        return name

    def is_elsewhere_only(self, name):
        """Whether the name, or one between it and its zone's apex, or a wildcard beside one of them
        exists in another zone only."""
        apex = self.apex_of(name)
        while apex and len(name) > len(apex):
            above = name[1 + name[0]:]
            for one in (name, b"\1*" + above):
                if self.zones_of.get(one, {apex}) - {apex} and apex not in self.zones_of[one]:
                    return True
            name = above
        return False


class Case:
    """One query and three answers."""

    def __init__(self, asked, motet, nsd, knot, world):
        self.asked, self.m, self.n, self.k, self.world = asked, motet, nsd, knot, world
        self.used = set()  # names of rules

    def alone(self, other):
        """The same, as if the third of them answered as dnsd does."""
        views = {name: copy.copy(self.m) for name in "mnk"}
        views[other] = copy.copy(getattr(self, other))
        return Case(self.asked, views["m"], views["n"], views["k"], self.world)

    def ignore(self, other):
        """Leaves the judgement to the third of them."""
        view = getattr(self, other)
        for field in FIELDS:
            setattr(view, field, getattr(self.m, field))
        return True

    def same(self, field):
        return getattr(self.m, field) == getattr(self.n, field) == getattr(self.k, field)

    def differing(self):
        return [field for field in FIELDS if not self.same(field)]


RULES = []


def rule(function):
    RULES.append(function)
    return function


# Rules: each returns the fields that it explains. Named like the entries of the document.

NORMALISERS = []


def normaliser(function):
    NORMALISERS.append(function)
    return function


def targets(records, kinds=(2, 15, 33)):
    found = set()
    for record in records:
        if record.kind in kinds:
            prefix, _ = wire.NAMES_IN[record.kind]
            found.add(record.data[prefix:])
    return found


@normaliser
def authority_ns(case):
    """NSD adds the zone's NS RRset to what it found, and the addresses in it."""
    n = case.n
    if not n.answer:
        return False
    extra = {one for one in n.authority if one.covers() == NS and one.owner in case.world.apexes}
    if not extra or extra & case.m.authority:
        return False
    n.authority -= extra
    gone = targets(extra) - targets(n.answer | n.authority)
    n.additional = frozenset(one for one in n.additional if one.owner not in gone)
    return True


EDE, EXPIRE = 15, 9


def without_option(octets, code):
    left, at = b"", 0
    while at + 4 <= len(octets):
        number, size = struct.unpack_from(">HH", octets, at)
        if number != code:
            left += octets[at:at + 4 + size]
        at += 4 + size
    return left + octets[at:]


@normaliser
def expire_option(case):
    """Knot answers the option EXPIRE, which is for secondary servers."""
    before = case.k.options
    case.k.options = without_option(before, EXPIRE)
    return case.k.options != before


@normaliser
def extended_errors(case):
    """Which refusals come with an extended error. Where both others send the same one, so must dnsd."""
    if case.n.options == case.k.options:
        return False
    before = [view.options for view in (case.m, case.n, case.k)]
    for view in (case.m, case.n, case.k):
        view.options = without_option(view.options, EDE)
    return before != [view.options for view in (case.m, case.n, case.k)]


def agreeing(case, other):
    """The fields in which dnsd and OTHER agree."""
    return [field for field in FIELDS if getattr(case.m, field) == getattr(other, field)]


@rule
def question_in_errors(case):
    """Whether an error repeats the question. FORMERR often can't."""
    if case.m.rcode not in (FORMERR, NOTIMP, REFUSED, NOTAUTH) or case.n.question == case.k.question:
        return ()
    echo = case.asked.wire[12:]
    parts = [view.question for view in (case.m, case.n, case.k)]
    return ["question"] if all(echo.startswith(part) for part in parts) else ()


@rule
def other_opcodes(case):
    """dnsd knows QUERY only; what is behind the header of others it doesn't look at."""
    m = case.m
    if case.asked.opcode == 0 or m.rcode != NOTIMP or m.records() or m.question or m.edns is not None:
        return ()
    return FIELDS


@normaliser
def rcode_in_query(case):
    """NSD refuses queries with a response code in their header."""
    return case.asked.flags & 15 and case.n.rcode == FORMERR and case.ignore("n")


@normaliser
def records_in_query(case):
    """NSD refuses queries with other records than OPT and TSIG."""
    return not case.asked.plain and case.n.rcode == FORMERR != case.k.rcode and case.ignore("n")


@rule
def no_question(case):
    """NSD says NOERROR to an OPT record without a question."""
    if case.asked.counts[0] or case.m.rcode != FORMERR:
        return ()
    return agreeing(case, case.k)


@rule
def strict_parsing(case):
    """What isn't well-formed is FORMERR; each of the others overlooks something."""
    if case.asked.plain or case.m.rcode != FORMERR or case.m.records() or case.m.edns is not None:
        return ()
    return FIELDS if FORMERR in (case.n.rcode, case.k.rcode) else ()


@rule
def unknown_version(case):
    """What is in an OPT record of an unknown version nobody can check."""
    if case.asked.plain or case.m.rcode != BADVERS or case.m.records():
        return ()
    return FIELDS if BADVERS in (case.n.rcode, case.k.rcode) else ()


META = {0, 41, 128, 249, 250, 251, 252, 253, 254}


@rule
def meta_types(case):
    """Types that can't be in a zone: Knot says NOTIMP where NSD and dnsd find that there are none."""
    if case.asked.kind not in META or case.k.rcode != NOTIMP:
        return ()
    return agreeing(case, case.n)


@rule
def class_any(case):
    """No answer to class ANY is authoritative (RFC 1035 6.2); NSD's has no SOA record."""
    if case.asked.klass != 255 or case.m.aa or case.n.aa:
        return ()
    ds = case.asked.kind == DS and case.asked.name in case.world.apexes  # Knot's answer, see apex_ds
    silent = not case.n.authority and (case.m.authority == case.k.authority or ds or counts_long(case))
    return ["aa", "authority"] if silent else ["aa"]


@rule
def bad_version(case):
    """What NSD's answer to an unknown version of EDNS takes from the query."""
    if case.m.rcode != BADVERS or case.n.rcode != BADVERS or case.k.rcode != BADVERS:
        return ()
    return agreeing(case, case.k)


def aliases(records):
    return {one.owner: one.data for one in records if one.kind == CNAME}


def chain(case):
    """The names that the longest answer's aliases lead through, from the question's on."""
    steps = {}
    for view in (case.k, case.n, case.m):
        steps.update(aliases(view.answer))
    names = [case.asked.name]
    while names[-1] in steps and steps[names[-1]] not in names:
        names.append(steps[names[-1]])
    return names, steps.get(names[-1]) in names


KNOT_CHAIN, MOTET_CHAIN = 5, 16


@normaliser
def alias_chain(case):
    """Chains of aliases: dnsd ends one after 16, Knot after five, NSD later; each says nothing of
    what is behind."""
    m, n, k = case.m, case.n, case.k
    long = len(aliases(m.answer)) == MOTET_CHAIN and m.answer < n.answer and case.ignore("n")
    short = len(aliases(k.answer)) == KNOT_CHAIN and k.answer < m.answer and case.ignore("k")
    return long or short


@rule
def transfers(case):
    """How a transfer is refused."""
    codes = {case.m.rcode, case.n.rcode, case.k.rcode}
    if case.asked.kind not in (251, 252) or case.m.records() or case.n.records() or case.k.records():
        return ()
    return ["rcode", "aa"] if codes <= {NOTIMP, REFUSED, NOTAUTH, FORMERR} else ()


MORE_ADDITIONAL = (7, 18, 21, 36)  # MB, AFSDB, RT, KX


@rule
def more_additional(case):
    """NSD adds addresses for more types."""
    extra = case.n.additional - case.m.additional
    wanted = targets(case.n.answer, MORE_ADDITIONAL)
    if case.m.additional != case.k.additional or not case.m.additional <= case.n.additional:
        return ()
    return ["additional"] if {one.owner for one in extra} <= wanted else ()


def proofs(records):
    return {one for one in records if one.covers() in PROOFS}


@rule
def star_asked(case):
    """A name that begins with *, or an alias of one: NSD adds a proof that says nothing more, or leaves one out,
    as Knot does."""
    if case.asked.name is None or not any(name[:2] == b"\1*" for name in chain(case)[0]):
        return ()
    m, n, k = case.m.authority, case.n.authority, case.k.authority
    if m == k and (m < n and proofs(n) > n - m or n < m and proofs(m) >= m - n):
        return ["authority"]
    return ["authority"] if m == n and k < m and proofs(m) >= m - k else ()


@rule
def rrsig_asked(case):
    """Asked for RRSIG, Knot gives the signatures of one RRset, NSD and dnsd of all."""
    if case.asked.kind != RRSIG or not case.k.answer <= case.m.answer:
        return ()
    if {one.covers() for one in case.m.answer ^ case.n.answer} - {DS}:
        return ()
    return ["answer"] if {one.kind for one in case.n.answer - case.k.answer} == {RRSIG} else ()


@rule
def too_long(case):
    """A name made from a DNAME record that gets too long: Knot adds what it finds for the part that
    isn't too long, and may take its response code."""
    if case.m.rcode != YXDOMAIN or case.k.rcode not in (NXDOMAIN, YXDOMAIN, 0):
        return ()
    return agreeing(case, case.n)


def opted_out(records):
    return any(one.kind == NSEC3 and one.data[1] & 1 for one in records)


@rule
def opt_out(case):
    """Names without an NSEC3 record, since only unsigned delegations are below them: dnsd proves
    their closest provable encloser and that the next closer name has no record, NSD thinks they
    aren't there, Knot leaves the encloser out."""
    m, n, k = case.m.authority, case.n.authority, case.k.authority
    if not opted_out(m) or case.m.rcode != case.k.rcode or not k <= m or m - k - proofs(m):
        return ()
    if case.m.answer != case.k.answer:
        return ()
    return ["rcode", "authority"] if n != m else ["authority"]


def plain_size(view):
    """Octets of an answer without compression."""
    return 12 + len(view.question) + sum(len(one.owner) + 10 + len(one.data) for one in view.records())


@rule
def room_in_odd_queries(case):
    """What else there is in a query doesn't change how much fits into its answer."""
    m, k = case.m, case.k
    if case.asked.plain or plain_size(m) < 350:
        return ()
    odd = k.records() - m.records() - case.n.records()
    if not {one.owner for one in odd & k.additional} <= targets(m.answer | m.authority) or odd - k.additional:
        return ()
    return ["tc", "answer", "authority", "additional"] if k.tc else ["additional"]


def canonical(name):
    """A name's labels in the order in which names are sorted (RFC 4034 6.1)."""
    labels = []
    while name[0]:
        labels.append(name[1:1 + name[0]])
        name = name[1 + name[0]:]
    return labels[::-1]


def ancestor(name, other):
    """The longest name at or above both."""
    while not other.endswith(name) or canonical(other)[:len(canonical(name))] != canonical(name):
        name = name[1 + name[0]:]
    return name


class Spans:
    """The NSEC records of an answer."""

    def __init__(self, records):
        self.next = {one.owner: wire.name_read(one.data, 0)[0] for one in records if one.kind == NSEC}
        self.used = set()

    def match(self, name):
        return self._use(name if name in self.next else None)

    def cover(self, name):
        """The record in whose span the name would be."""
        key = canonical(name)
        for owner, behind in self.next.items():
            first, last = canonical(owner), canonical(behind)
            if first < key and (key < last or last <= first):
                return self._use(owner)
        return None

    def has_no_type(self, name):
        """A record of its own, or there are only names below it."""
        if self.match(name):
            return True
        owner = self.cover(name)
        return owner is not None and ancestor(name, self.next[owner]) == name

    def _use(self, owner):
        self.used |= {owner} - {None}
        return owner


def says_no(spans, name, rcode):
    """Whether NSEC records prove that a name isn't there, or hasn't the type."""
    if rcode == 0 and spans.has_no_type(name):
        return True
    owner = spans.cover(name)
    if owner is None:
        return False
    encloser = max(ancestor(name, owner), ancestor(name, spans.next[owner]), key=len)
    star = b"\1*" + encloser
    return bool(spans.cover(star) if rcode == NXDOMAIN else spans.has_no_type(star))


def is_redirected(view, name):
    """Whether a DNAME record stands above a name."""
    return any(one.kind == DNAME and name != one.owner and name.endswith(one.owner) for one in view.answer)


def answered_names(case):
    """The question's name and those that aliases lead to, as far as the type lets them."""
    names, _ = chain(case)
    last = len(names) - 1
    if case.asked.kind == CNAME:
        last = 0
    if case.asked.kind == 255:
        last = next((at for at, name in enumerate(names) if not is_redirected(case.m, name)), last)
    return names[:last + 1]


def is_exact(view, names):
    """Whether an answer has the NSEC records that it needs, and no others (RFC 4035 3.1.3)."""
    spans = Spans(view.authority)
    negative = view.rcode == NXDOMAIN or not any(one.owner == names[-1] for one in view.answer)
    if negative and not says_no(spans, names[-1], view.rcode):
        return False
    for name in names[:-1] if negative else names:
        if not is_redirected(view, name):
            spans.cover(name)  # made by a wildcard
    return spans.used == set(spans.next)


@rule
def nsec_proof(case):
    """NSEC records that don't prove what they should, or more of them than that takes."""
    views = (case.m, case.n, case.k)
    m, n, k = (view.authority for view in views)
    if case.asked.name is None or len({view.rcode for view in views}) > 1 or (m != n and m != k):
        return ()
    if len({one - proofs(one) for one in (m, n, k)}) > 1 or {one.covers() for one in proofs(m)} != {NSEC}:
        return ()
    names = answered_names(case)
    wrong = case.n if m == k else case.k
    return ["authority"] if is_exact(case.m, names) and not is_exact(wrong, names) else ()


@rule
def one_proof(case):
    """Where one NSEC record proves all, and labels have octets before *, NSD and Knot may both add another."""
    m, n, k = (view.authority for view in (case.m, case.n, case.k))
    if case.asked.name is None or n != k or not m < n or proofs(n - m) != n - m:
        return ()
    low = any(min(label) < 0x2a for one in m if one.kind == NSEC for label in canonical(one.owner))
    return ["authority"] if low and is_exact(case.m, answered_names(case)) else ()


@rule
def dname_ring(case):
    """A DNAME record that leads below itself: NSD and dnsd end after one step, Knot later, or when the name
    gets too long."""
    if not any(one.kind == DNAME for one in case.m.answer) or not case.m.answer <= case.k.answer:
        return ()
    if case.m.answer == case.k.answer and case.k.rcode != YXDOMAIN:
        return ()
    return agreeing(case, case.n)


def ends_at_alias(case, view):
    """Whether an answer leaves out an alias, and what is behind it, that dnsd's follows."""
    gone = case.m.answer - view.answer
    return view.rcode == 0 and any(one.kind == CNAME for one in gone) and view.answer < case.m.answer


@rule
def denial_types_at_alias(case):
    """Asked for RRSIG or NSEC, Knot doesn't follow an alias, and NSD doesn't when asked for NSEC3."""
    if case.asked.kind == NSEC3 and ends_at_alias(case, case.n):
        if case.k.answer == case.m.answer or len(aliases(case.k.answer)) == KNOT_CHAIN:
            return FIELDS
    if case.asked.kind in (NSEC, RRSIG) and ends_at_alias(case, case.k):
        return agreeing(case, case.n)
    return ()


def rrsets(records):
    return {(one.owner, one.covers()) for one in records}


@rule
def any_type(case):
    """One RRset is enough of an answer to ANY (RFC 8482 4.1), which one nobody says."""
    if case.asked.kind != 255 or not case.m.answer <= case.n.answer | case.k.answer | case.m.answer:
        return ()
    mine = {one for one in rrsets(case.m.answer) if one[0] == case.asked.name}
    theirs = rrsets(case.n.answer) | rrsets(case.k.answer)
    if len(mine) != 1 or not rrsets(case.m.answer) <= theirs:
        return ()
    return ["answer", "additional"]


@rule
def nsd_wildcard_nodata(case):
    """NSD leaves out the NSEC3 record of the closest encloser where a wildcard lacks the type."""
    gone = case.m.authority - case.n.authority
    if not case.n.authority < case.m.authority or {one.covers() for one in gone} != {NSEC3}:
        return ()
    return ["authority"] if case.m.authority == case.k.authority else ()


@normaliser
def empty_wildcard(case):
    """A wildcard without data, since only names below it have some: NSD doesn't see it."""
    m, n, k = case.m, case.n, case.k
    if n.rcode != NXDOMAIN or m.rcode or k.rcode or n.answer != m.answer:
        return False
    if m.additional or any(one.kind not in (SOA, RRSIG, *PROOFS) for one in m.authority):
        return False
    return case.ignore("n")


@normaliser
def shared_names(case):
    """NSD keeps the names of all zones in one tree: glue of the parent's makes a name exist in the
    child's zone."""
    if case.asked.name is None or case.n.rcode not in (0, NXDOMAIN):
        return False
    gone = case.m.additional - case.n.additional
    if gone and case.n.additional < case.m.additional and all(
            case.world.is_elsewhere_only(one.owner) for one in gone):
        return case.ignore("n")
    names, _ = chain(case)
    if case.m.answer == case.n.answer and case.m.rcode == case.n.rcode and case.m.authority == case.n.authority:
        return False
    return any(case.world.is_elsewhere_only(name) for name in names) and case.ignore("n")


def counts_long(case):
    """Whether Knot has left records out of an answer that has room for them compressed only."""
    limit = min(max(case.asked.edns[0], 512), 1232) if case.asked.edns else 512
    return not case.k.tc and case.k.records() < case.m.records() and plain_size(case.m) > limit


@rule
def long_names(case):
    """Knot counts names as if they weren't compressed, and leaves out what it thinks has no room, without
    TC."""
    sections = ["answer", "authority", "additional"]
    return [one for one in sections if counts_long(case) and
            getattr(case.m, one) == getattr(case.n, one) > getattr(case.k, one)]


@rule
def apex_ds(case):
    """DS records of an apex belong to the parent's zone, also behind an alias and when they stand in
    the child's: Knot answers from the child's."""
    if case.asked.kind != DS or case.asked.name is None:
        return ()
    names, _ = chain(case)
    return agreeing(case, case.n) if case.world.apexes & set(names) else ()


@rule
def empty_wildcard_proof(case):
    """Knot leaves out that the wildcard that is there hasn't the type."""
    m, k = case.m, case.k
    gone = m.authority - k.authority
    if m.rcode or k.rcode or m.answer != k.answer or m.authority != case.n.authority:
        return ()
    return ["authority"] if k.authority < m.authority and gone <= proofs(m.authority) else ()


@normaliser
def dname_owner(case):
    """Knot gives a DNAME record at a wildcard the query's name."""
    wildcards = {one.data: one.owner for one in case.m.answer
                 if one.kind == DNAME and one.owner[:2] == b"\1*"}
    wrong = {one.owner: wildcards[one.data] for one in case.k.answer
             if one.kind == DNAME and one.data in wildcards and one not in case.m.answer}
    case.k.answer = frozenset(
        wire.Record((wrong[one.owner], *one[1:])) if one.owner in wrong and one.covers() == DNAME else one
        for one in case.k.answer)
    return bool(wrong)


@rule
def dname_at_wildcard(case):
    """Below a DNAME record at a wildcard Knot finds nothing at all, or leaves out what it leads to, or
    adds that record's NSEC record."""
    m, k = case.m, case.k
    if not any(one.kind == DNAME and one.owner[:2] == b"\1*" for one in m.answer):
        return ()
    lost = k.rcode in (SERVFAIL, NXDOMAIN) and not k.records() and not k.aa
    more = k.authority - m.authority
    ended = m.rcode == k.rcode and k.answer <= m.answer and more <= proofs(more)
    return agreeing(case, case.n) if lost or ended else ()


def shortened(short, name):
    """Whether a name is another one without some of its labels behind the first."""
    head = 1 + name[0]
    return len(short) < len(name) and short[:head] == name[:head] and name.endswith(short[head:])


@rule
def wildcard_owner(case):
    """Addresses found by a wildcard: NSD leaves labels out of their owner, Knot gives them the wildcard's."""
    m, n, k = case.m, case.n, case.k
    if m.additional == k.additional:
        wanted = targets(m.answer | m.authority, (2, 15, 33, *MORE_ADDITIONAL))
        more = targets(n.answer, MORE_ADDITIONAL)
        odd, gone = n.additional - m.additional, m.additional - n.additional
        fine = all(one.owner in more or any(shortened(one.owner, name) for name in wanted) for one in odd)
        named = all(any(shortened(one.owner, lost.owner) for one in odd if one[1:] == lost[1:])
                    for lost in gone)
        return ["additional"] if odd and fine and named else ()
    if m.answer == k.answer and m.additional == n.additional:
        odd = k.additional - m.additional
        return ["additional"] if odd and all(one.owner[:2] == b"\1*" for one in odd) else ()
    return ()


@rule
def many_targets(case):
    """Of an RRset of 16 records and more Knot leaves addresses out."""
    m, k = case.m, case.k
    gone = m.additional - k.additional
    if m.additional != case.n.additional or not k.additional < m.additional or len(m.answer) < 16:
        return ()
    return ["additional"] if {one.owner for one in gone} <= targets(m.answer) else ()


@rule
def odd_records(case):
    """NSD and Knot look into the data of all records in a query, dnsd into that of OPT only."""
    extra = case.asked.extra
    if extra in (None, OPT) or case.k.rcode != FORMERR or case.m.rcode == FORMERR:
        return ()
    return FIELDS


@rule
def glue_for_mail(case):
    """Addresses below a cut are no answer to MX or SRV: Knot adds them all the same."""
    extra = case.k.additional - case.m.additional
    wanted = targets(case.m.answer, (15, 33))
    if case.m.additional != case.n.additional:
        return ()
    fine = all(one.owner in wanted or one.owner[:2] == b"\1*" for one in extra)
    return ["additional"] if extra and fine else ()


@rule
def child_addresses(case):
    """Name servers inside a zone that is here beside its parent: dnsd tells the child's addresses,
    the others the parent's glue."""
    zone = case.world.apex_of(chain(case)[0][-1])
    odd = (case.m.additional ^ case.n.additional) | (case.m.additional ^ case.k.additional)
    wanted = targets(case.m.answer | case.m.authority, (2,))
    if any(one.owner not in wanted or case.world.apex_of(one.owner) in (zone, None) for one in odd):
        return ()
    return ["additional"]


@rule
def across_zones(case):
    """Knot follows an alias within its zone only, NSD and dnsd into the others they serve."""
    if case.asked.name is None or not case.k.answer <= case.m.answer:
        return ()
    names, _ = chain(case)
    zones_met = [case.world.apex_of(name) for name in names]
    if len(names) < 2 or len(set(zones_met)) < 2:
        return ()
    return agreeing(case, case.n)


def judge(query, answers, world):
    """Returns (names of the rules that were needed, fields that none explains, the case)."""
    if answers[2] == b"":  # Knot answers nothing any more: rule "hangs"
        used, left, case = judge(query, (*answers[:2], answers[0]), world)
        return None if used is None else used | {"hangs"}, left, case
    asked = Asked(query)
    parsed = []
    for answer in answers:
        try:
            parsed.append(None if answer is None else View(wire.Answer(answer)))
        except wire.Broken as problem:
            return set(), [f"malformed: {problem}"], None
    case = Case(asked, *parsed, world)
    if None in parsed:
        return judge_silence(case)
    if case.asked.opcode:
        return explain(case)
    if case.m.twice:
        return set(), ["a record twice"], case
    if (case.m.tc or case.n.tc or case.k.tc) and asked.plain and case.m.rcode != BADVERS:
        return None, ["tc"], case  # to be asked again, see judge_whole
    used, left, case = explain(case)
    if left == ["additional"] and asked.plain:
        return None, left, case  # what is there may depend on the room
    return used, left, case


def explain(case):
    """What the rules say of all three; where NSD and Knot differ too, what they say of each alone."""
    parts = [case.alone(other) for other in "nk"]
    used, left = explain_by_rules(case)
    if all(getattr(case.n, field) == getattr(case.k, field) for field in left):
        return used, left, case
    unexplained = set()
    for one in parts:
        more, rest = explain_by_rules(one)
        used, unexplained = used | more, unexplained | set(rest)
    return used, [field for field in left if field in unexplained], case


def explain_by_rules(case):
    used = {one.__name__ for one in NORMALISERS if one(case)}
    left = case.differing()
    for one in RULES:
        if not left:
            break
        explained = set(one(case)) & set(left)
        if explained:
            used.add(one.__name__)
            left = [field for field in left if field not in explained]
    return used, left


def judge_whole(cut, answers):
    """Judges a case in which somebody's answer was truncated by the WHOLE answers to the same query,
    which nothing truncates: those must be right, and dnsd's own must be the part of it that fits."""
    try:
        views = [View(wire.Answer(answer)) for answer in answers]
    except wire.Broken as problem:
        return set(), [f"malformed: {problem}"], cut
    whole, short = views[0], cut.m
    size = whole.size - (OPT_SIZE if cut.asked.edns is None else 0)
    limit = min(max(cut.asked.edns[0], 512), 1232) if cut.asked.edns else 512
    sections = ("answer", "authority", "additional")
    if not all(getattr(short, part) <= getattr(whole, part) for part in sections):
        return set(), ["more than in the whole answer"], cut
    if short.tc and (size <= limit or short.size > limit):
        return set(), [f"tc, though the answer has {size} octets"], cut
    if not short.tc and size <= limit and short.additional != whole.additional:
        return set(), ["additional data left out that fits"], cut
    if not short.tc and (short.answer, short.authority) != (whole.answer, whole.authority):
        return set(), ["no tc, though something is missing"], cut
    if not short.tc and [short.rcode, short.aa] != [whole.rcode, whole.aa]:
        return set(), ["another answer because it is truncated"], cut
    for view, small in zip(views, (cut.m, cut.n, cut.k)):
        view.edns, view.options = small.edns, small.options
    case = Case(cut.asked, *views, cut.world)
    used, left, case = explain(case)
    return used | {"truncation"}, left, case


def judge_silence(case):
    silent = [one is None for one in (case.m, case.n, case.k)]
    if all(silent):
        return set(), [], case
    if silent == [False, False, True] and case.m.rcode == case.n.rcode in (FORMERR, NOTIMP):
        return {"silence"}, [], case
    if case.k is None and case.m is not None and case.asked.opcode and case.m.rcode == NOTIMP:
        return {"silence", "other_opcodes"}, [], case
    return set(), ["silence"], case
