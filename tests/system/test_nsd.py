# SPDX-License-Identifier: ISC
"""The DNS image answers as NSD does, from the same master files (zones/ and tests/zones/): all
names there and near them, all types. What may differ is stated in expected_authority and
check_additional; nothing else may."""

import itertools
import random
import shutil

import dns.name
import dns.query
import dns.rdatatype
import pytest

from client import ask, flags, query, rcode, section
from machine import BUILD, ROOT, Machine, build_image, kernel
from network import UserNetwork
from nsd import Nsd, find_nsd

SIGNED = ["signed.example", "hashed.example", "optout.example"]  # NSEC, NSEC3, opt-out
ORIGINS = ["example.org", "rich.example", "2.0.192.in-addr.arpa", "syntax.example"] + SIGNED

# Types asked of names that are there, and of names near them.
TYPES = ["A", "NS", "CNAME", "SOA", "PTR", "MX", "TXT", "AAAA", "SRV", "NAPTR", "DNAME", "DS",
         "CAA", "TLSA", "SSHFP", "HINFO", "RP", "AFSDB", "LOC", "URI", "MINFO", "TYPE1",
         "TYPE65280", "TYPE65282", "NSEC", "DNSKEY"]
NEAR_TYPES = ["A", "NS", "CNAME", "SOA", "MX", "TXT", "DNAME", "DS"]


@pytest.fixture(scope="module")
def folder():
    """All master files in one folder, the images' own and the test's."""
    path = BUILD / "tests/zones"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(ROOT / "tests/zones", path)
    for zone in (ROOT / "zones").glob("*.zone"):
        shutil.copy(zone, path)
    return path


@pytest.fixture(scope="module")
def nsd(folder):
    if not find_nsd():
        pytest.skip("no nsd: run 'make setup'")
    with Nsd(folder) as server:
        yield server


@pytest.fixture(scope="module")
def image(folder):
    elf = build_image(BUILD / "tests/image-zones", folder)
    with Machine(kernel(elf), [UserNetwork()]) as machine:
        yield machine.ready()


@pytest.fixture(scope="module")
def zones(nsd):
    """What NSD understood: the RRsets by origin."""
    host, port = nsd.address
    return {
        origin: [rrset for message in dns.query.xfr(host, origin, port=port, lifetime=20,
                                                    relativize=False)
                 for rrset in message.answer]
        for origin in ORIGINS
    }


def names_in(data, fields):
    values = (getattr(data, field, None) for field in fields)
    return [value for value in values if isinstance(value, dns.name.Name)]


def names_of(rrsets):
    """All owners, and all names in records."""
    names = {rrset.name for rrset in rrsets}
    for data in itertools.chain(*rrsets):
        names.update(names_in(data, ("target", "exchange", "mname", "rname", "hostname")))
    return sorted(names)


def names_near(name):
    """Below it, above it, beside it, and the wildcard there."""
    for labels in ([b"x"], [b"x", b"y"], [b"*"]):
        try:
            yield dns.name.Name(labels) + name
        except dns.name.NameTooLong:
            pass
    if len(name.labels) > 3:
        yield name.parent()
        yield dns.name.Name([b"zz" + name.labels[0][:60]]) + name.parent()


def questions(rrsets):
    names = names_of(rrsets)
    near = {one for name in names for one in names_near(name)} - set(names)
    yield from itertools.product(names, TYPES)
    yield from itertools.product(sorted(near), NEAR_TYPES)


def expected_authority(theirs, apexes):
    """NSD's, without the name servers of the zone that it adds to what it found: a resolver knows
    them, since it asked one of them."""
    if theirs.answer:
        return [one for one in theirs.authority
                if dns.rdatatype.NS not in (one.rdtype, one.covers) or one.name not in apexes]
    return theirs.authority


# Records whose names need addresses: RFC 1034 and 1035, RFC 2782.
WITH_ADDRESSES = (dns.rdatatype.NS, dns.rdatatype.MX, dns.rdatatype.SRV)


def targets(message):
    """The names whose addresses make an answer complete."""
    for rrset in message.answer + message.authority:
        if rrset.rdtype in WITH_ADDRESSES:
            for data in rrset:
                yield from names_in(data, ("target", "exchange"))


def check_additional(ours, theirs):
    """Nothing that NSD wouldn't add; all that it adds for names in our other sections."""
    have, there = section(ours.additional), section(theirs.additional)
    wanted = {name.to_text().lower() for name in targets(ours)}
    needed = [line for line in there if line.split()[0] in wanted]
    return set(have) <= set(there) and set(needed) <= set(have)


# A name without an NSEC3 record of its own, since only unsigned delegations are below it: of names
# that aren't there NSD proves the wildcard only. We prove the closest provable encloser too (RFC
# 5155 7.2.1), as Knot does.
UNPROVABLE = dns.name.from_text("insecure2.optout.example")

PROOFS = (dns.rdatatype.NSEC, dns.rdatatype.NSEC3)


def without_known(ours, theirs, authority):
    """The authority sections without the proofs in which NSD is known to differ from RFC 4035 and
    5155, and from Knot: asked for a wildcard itself it adds an NSEC3 record that proves nothing
    more, and behind a DNAME it forgets that the name isn't there, and proves only the wildcard."""
    proofs = [[one for one in part if one.rdtype in PROOFS or one.covers in PROOFS] for part in (ours, authority)]
    mine, other = set(section(proofs[0])), set(section(proofs[1]))
    name = theirs.question[0].name
    redirected = any(one.rdtype == dns.rdatatype.DNAME for one in theirs.answer)
    if (name.is_wild() and mine < other) or (redirected and other < mine):
        return ([line for line in section(ours) if line not in mine],
                [line for line in section(authority) if line not in other])
    return section(ours), section(authority)


def difference(ours, theirs, apexes):
    """What differs, or None."""
    authority = without_known(ours.authority, theirs, expected_authority(theirs, apexes))
    for what, mine, other in (
            ("rcode", rcode(ours), rcode(theirs)),
            ("flags", flags(ours), flags(theirs)),
            ("answer", section(ours.answer), section(theirs.answer)),
            ("authority", *authority)):
        if mine != other:
            return f"{what}: {mine}, nsd: {other}"
    if not check_additional(ours, theirs):
        return f"additional: {section(ours.additional)}, nsd: {section(theirs.additional)}"
    return None


def compare(image, nsd, origins, asked, **options):
    """Asks both all of ASKED, pairs of name and type."""
    apexes = {dns.name.from_text(one) for one in origins}
    different, count = [], 0
    for name, kind in asked:
        question = query(name, kind, use_edns=0, payload=1232, **options)
        found = difference(ask(image, question), ask(nsd, question), apexes)
        count += 1
        if found:
            different.append(f"{name} {kind}: {found}")
    assert count > 100
    assert not different, f"{len(different)} of {count} differ:\n" + "\n".join(different[:25])


@pytest.mark.parametrize("origin", ORIGINS)
def test_answers_like_nsd(image, nsd, zones, origin):
    compare(image, nsd, ORIGINS, questions(zones[origin]))


@pytest.mark.parametrize("origin", SIGNED)
def test_signed_answers_like_nsd(image, nsd, zones, origin):
    """With DO: signatures, and proofs that something isn't there."""
    left_out = [one.name for one in zones[origin] if one.rdtype == dns.rdatatype.NSEC3]
    left_out.append(UNPROVABLE)
    asked = [(name, kind) for name, kind in questions(zones[origin])
             if not any(name.is_subdomain(owner) for owner in left_out)]
    compare(image, nsd, ORIGINS, asked, want_dnssec=True)


def test_other_names(image, nsd):
    """Outside of all zones, above and between them."""
    names = [".", "org", "arpa", "in-addr.arpa", "192.in-addr.arpa", "0.192.in-addr.arpa",
             "1.0.192.in-addr.arpa", "example", "poor.example", "rich.example.org", "zz",
             "xn--rich.example", "elsewhere.test", "www.elsewhere.test"]
    compare(image, nsd, ORIGINS, itertools.product(names, NEAR_TYPES))


LARGE = """$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 60
@ NS ns
ns A 192.0.2.1
"""


def test_large_zone(tmp_path):
    """10,000 records more, with little memory."""
    chance = random.Random(1)
    lines = []
    for number in range(2000):
        name = f"{chance.choice('abcdef')}{number}.{'x' * chance.randrange(1, 30)}"
        lines += [
            f"{name} A 198.51.{number // 250}.{number % 250}",
            f"{name} MX 10 mx{number}",
            f'{name} TXT "{"t" * chance.randrange(100)}"',
            f"mx{number} AAAA 2001:db8::{number:x}",
            f"*.w{number} CNAME mx{number}",
        ]
    (tmp_path / "large.test.zone").write_text(LARGE + "\n".join(lines) + "\n", encoding="ascii")
    names = [f"{line.split()[0].replace('*', 'any')}.large.test" for line in lines]
    asked = [(name, kind) for name in chance.sample(names, 400) for kind in ("A", "MX", "AAAA")]
    elf = build_image(BUILD / "tests/image-large", tmp_path)
    with Nsd(tmp_path) as server, Machine(kernel(elf), [UserNetwork()], memory=4) as machine:
        machine.ready()
        assert "dnsd: serving 10003 records in 1 zones" in machine.text
        compare(machine, server, ["large.test"], asked)
