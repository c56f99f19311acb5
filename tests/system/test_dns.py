# SPDX-License-Identifier: ISC
"""What the DNS image answers, over the wire and from its own zone (zones/example.org.zone). The
details of every record type are compared with another server in test_nsd.py."""

import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest

from client import ask, exchange, flags, is_silent, query, rcode, section
from machine import Machine, kernel
from network import UserNetwork

SOA = "example.org. 300 SOA ns.example.org. hostmaster.example.org. 1 7200 900 1209600 300"
NS_ADDRESS = "ns.example.org. 3600 A 192.0.2.53"


NAME = b"\3www\7example\3org\0"
LABEL = b"\x3f" + b"a" * 63


def raw_query(name=NAME, kind=1, group=1, flag=0, counts=(1, 0, 0, 0), rest=b""):
    header = struct.pack("!HH4H", 0x1234, flag, *counts)
    return header + name + struct.pack("!HH", kind, group) + rest


def raw_rcode(machine, packet):
    answer = exchange(machine.address, packet)
    assert answer[:2] == packet[:2] and answer[2] & 0x80
    return dns.rcode.to_text(answer[3] & 15)


@pytest.mark.parametrize("name, kind, expected", [
    ("www.example.org", "A", ["www.example.org. 3600 A 192.0.2.80"]),
    ("www.example.org", "AAAA", ["www.example.org. 3600 AAAA 2001:db8::80"]),
    ("example.org", "NS", ["example.org. 3600 NS ns.example.org."]),
    ("example.org", "MX", ["example.org. 3600 MX 10 mail.example.org."]),
    ("example.org", "TXT", ['example.org. 3600 TXT "served by Motet"']),
    ("example.org", "SOA", [SOA.replace(" 300 SOA", " 3600 SOA")]),
    ("ftp.example.org", "CNAME", ["ftp.example.org. 3600 CNAME www.example.org."]),
    ("ftp.example.org", "A", ["ftp.example.org. 3600 CNAME www.example.org.",
                              "www.example.org. 3600 A 192.0.2.80"]),
    ("ftp.example.org", "AAAA", ["ftp.example.org. 3600 CNAME www.example.org.",
                                 "www.example.org. 3600 AAAA 2001:db8::80"]),
])
def test_positive(dns_image, name, kind, expected):
    answer = ask(dns_image, name, kind)
    assert (rcode(answer), flags(answer)) == ("NOERROR", "QR AA")
    assert section(answer.answer) == expected


@pytest.mark.parametrize("name, kind, address", [
    ("example.org", "NS", NS_ADDRESS),
    ("example.org", "MX", "mail.example.org. 3600 A 192.0.2.25"),
])
def test_additional(dns_image, name, kind, address):
    assert section(ask(dns_image, name, kind).additional) == [address]


@pytest.mark.parametrize("name, kind", [
    ("www.example.org", "MX"), ("example.org", "A"), ("example.org", "TYPE65280"),
])
def test_nodata(dns_image, name, kind):
    answer = ask(dns_image, name, kind)
    assert (rcode(answer), flags(answer)) == ("NOERROR", "QR AA")
    assert not answer.answer and section(answer.authority) == [SOA]


def test_nodata_behind_an_alias(dns_image):
    answer = ask(dns_image, "ftp.example.org", "MX")
    assert rcode(answer) == "NOERROR"
    assert section(answer.answer) == ["ftp.example.org. 3600 CNAME www.example.org."]
    assert section(answer.authority) == [SOA]


@pytest.mark.parametrize("name", [
    "nowhere.example.org", "a.b.c.example.org", "below.www.example.org", "*.example.org",
    "ww.example.org", "wwww.example.org", ".".join(["a"] * 120) + ".example.org",
])
def test_nxdomain(dns_image, name):
    answer = ask(dns_image, name)
    assert (rcode(answer), flags(answer)) == ("NXDOMAIN", "QR AA")
    assert not answer.answer and section(answer.authority) == [SOA]


@pytest.mark.parametrize("name", [
    "sub.example.org", "ns.sub.example.org", "x.y.sub.example.org",
])
@pytest.mark.parametrize("kind", ["A", "NS", "MX"])
def test_delegation(dns_image, name, kind):
    answer = ask(dns_image, name, kind)
    assert (rcode(answer), flags(answer)) == ("NOERROR", "QR")
    assert not answer.answer
    assert section(answer.authority) == ["sub.example.org. 3600 NS ns.sub.example.org."]
    assert section(answer.additional) == ["ns.sub.example.org. 3600 A 198.51.100.53"]


@pytest.mark.parametrize("name", [".", "org", "example.com", "xexample.org", "example.org.x"])
def test_other_zones_are_refused(dns_image, name):
    answer = ask(dns_image, name)
    assert (rcode(answer), flags(answer)) == ("REFUSED", "QR")
    assert not (answer.answer or answer.authority or answer.additional)


def test_no_transfers(dns_image):
    assert raw_rcode(dns_image, raw_query(kind=252)) in ("NOTIMP", "REFUSED")  # AXFR
    answer = exchange(dns_image.address, raw_query(kind=251))  # IXFR
    assert struct.unpack("!H", answer[6:8])[0] <= 1  # at most a SOA record: use TCP


def test_other_classes_are_refused(dns_image):
    assert raw_rcode(dns_image, raw_query(group=3)) == "REFUSED"


def test_any_is_answered(dns_image):
    """With something that exists (RFC 8482)."""
    answer = ask(dns_image, "www.example.org", "ANY")
    assert rcode(answer) == "NOERROR" and answer.answer


@pytest.mark.parametrize("name", ["WWW.EXAMPLE.ORG", "wWw.ExAmPlE.oRg", "www.example.ORG"])
def test_case_is_kept(dns_image, name):
    """Compared without case, returned as asked: resolvers use the case against forgery (0x20)."""
    question = query(name)
    answer = exchange(dns_image.address, question.to_wire())
    asked = dns.name.from_text(name).to_wire()
    assert answer[12:12 + len(asked)] == asked
    message = dns.message.from_wire(answer)
    assert message.answer[0].name.to_text() == name + "."
    assert message.answer[0][0].to_text() == "192.0.2.80"


@pytest.mark.parametrize("size, expected", [(512, 1232), (1232, 1232), (4096, 1232), (0, 1232)])
def test_edns(dns_image, size, expected):
    answer = ask(dns_image, query("www.example.org", use_edns=0, payload=size))
    assert (rcode(answer), answer.edns, answer.payload) == ("NOERROR", 0, expected)
    assert answer.answer


def test_no_edns_when_not_asked(dns_image):
    assert ask(dns_image, "www.example.org").edns == -1


def test_edns_on_errors(dns_image):
    for name in ("nowhere.example.org", "example.com"):
        assert ask(dns_image, query(name, use_edns=0)).edns == 0


def test_dnssec_ok_is_returned(dns_image):
    assert ask(dns_image, query("www.example.org", want_dnssec=True)).ednsflags & dns.flags.DO
    assert not ask(dns_image, query("www.example.org", use_edns=0)).ednsflags & dns.flags.DO


def test_edns_version(dns_image):
    version_1 = b"\0" + struct.pack("!HHBBHH", 41, 1232, 0, 1, 0, 0)
    packet = exchange(dns_image.address, raw_query(counts=(1, 0, 0, 1), rest=version_1))
    answer = dns.message.from_wire(packet)
    assert (rcode(answer), answer.edns, answer.answer) == ("BADVERS", 0, [])


def test_unknown_edns_options_are_ignored(dns_image):
    options = [dns.edns.GenericOption(65001, b"x" * 100), dns.edns.GenericOption(65002, b"")]
    answer = ask(dns_image, query("www.example.org", use_edns=0, options=options))
    assert rcode(answer) == "NOERROR" and answer.answer and not answer.options


def cookie_of(answer):
    return [option.data for option in answer.options if option.otype == 10]


def test_cookie_is_given_and_recognised(dns_image):
    option = dns.edns.GenericOption(10, b"12345678")
    [cookie] = cookie_of(ask(dns_image, query("www.example.org", use_edns=0, options=[option])))
    assert len(cookie) == 24 and cookie.startswith(b"12345678\x01\0\0\0")
    good = dns_image.counters().get("dnsd.cookie_good", 0)
    option = dns.edns.GenericOption(10, cookie)
    answer = ask(dns_image, query("www.example.org", use_edns=0, options=[option]))
    assert cookie_of(answer) == [cookie]
    dns_image.expect_counter("dnsd.cookie_good", good + 1)


def test_class_ch_is_refused_without_settings(dns_image):
    answer = ask(dns_image, query("version.bind", "TXT", rdclass="CH"))
    assert (rcode(answer), answer.answer) == ("REFUSED", [])


def test_settings_are_told(partition):
    settings = {"dnsd.version": "one", "dnsd.identity": "left", "dnsd.nsid": "node-7",
                "dnsd.cookies": "off"}
    with Machine(kernel(partition), [UserNetwork()], settings=settings) as machine:
        machine.ready()
        for name, text in (("version.bind", "one"), ("id.server", "left")):
            answer = ask(machine, query(name, "TXT", rdclass="CH"))
            assert [data.to_text() for data in answer.answer[0]] == [f'"{text}"']
        options = [dns.edns.GenericOption(3, b""), dns.edns.GenericOption(10, b"12345678")]
        answer = ask(machine, query("www.example.org", use_edns=0, options=options))
        assert [(option.otype, option.data) for option in answer.options] == [(3, b"node-7")]


def test_rate_limit_by_setting(partition):
    with Machine(kernel(partition), [UserNetwork()],
                 settings={"dnsd.rrl": "1", "dnsd.rrl_slip": "1"}) as machine:
        machine.ready()
        cut = [ask(machine, "www.example.org") for _ in range(50)]
        assert any("TC" in flags(answer) and not answer.answer for answer in cut)
        assert any(answer.answer for answer in cut)


def test_flags(dns_image):
    """RD is returned, RA is never set, what the query sets otherwise doesn't come back."""
    question = query("www.example.org")
    question.flags = dns.flags.RD | dns.flags.CD | dns.flags.AD
    assert "RD" in flags(ask(dns_image, question))
    answer = exchange(dns_image.address, raw_query(flag=0x07ff))
    assert struct.unpack("!H", answer[2:4])[0] == 0x8500  # QR AA RD


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
def test_other_opcodes(dns_image, opcode):
    assert raw_rcode(dns_image, raw_query(flag=opcode << 11)) == "NOTIMP"


OPT = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)


@pytest.mark.parametrize("packet", [
    pytest.param(raw_query(counts=(0, 0, 0, 0))[:12], id="no question"),
    pytest.param(raw_query(counts=(2, 0, 0, 0)), id="two questions, one there"),
    pytest.param(raw_query()[:-1], id="cut in the class"),
    pytest.param(raw_query()[:20], id="cut in the name"),
    pytest.param(raw_query()[:12], id="no question there"),
    pytest.param(raw_query(b"\xc0\x0c"), id="name points at itself"),
    pytest.param(raw_query(b"\x40" + b"a" * 64 + b"\0"), id="label of 64"),
    pytest.param(raw_query(LABEL * 4 + b"\0"), id="name of 257"),
    pytest.param(raw_query(rest=b"x"), id="something behind"),
    pytest.param(raw_query(counts=(1, 0, 0, 1)), id="record missing"),
    pytest.param(raw_query(counts=(1, 0, 0, 65535), rest=OPT), id="records missing"),
    pytest.param(raw_query(counts=(1, 0, 0, 1), rest=OPT[:-1]), id="OPT cut"),
    pytest.param(raw_query(counts=(1, 0, 0, 1), rest=OPT[:-1] + b"\4"), id="option missing"),
    pytest.param(raw_query(counts=(1, 0, 0, 1), rest=OPT[:-1] + b"\4\0\1\0\1"), id="option cut"),
    pytest.param(raw_query(counts=(1, 0, 0, 2), rest=OPT + OPT), id="two OPT"),
    pytest.param(raw_query(counts=(1, 0, 0, 1), rest=b"\1a" + OPT), id="OPT with a name"),
    pytest.param(raw_query(counts=(1, 1, 0, 0), rest=OPT), id="OPT as an answer"),
])
def test_formerr(dns_image, packet):
    assert raw_rcode(dns_image, packet) == "FORMERR"


@pytest.mark.parametrize("packet", [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\0", id="one byte"),
    pytest.param(raw_query()[:11], id="header cut"),
    pytest.param(raw_query(flag=0x8000), id="a response"),
    pytest.param(b"\xff" * 512, id="all ones"),
])
def test_no_answer(dns_image, packet):
    assert is_silent(dns_image, packet)


def test_drops_are_counted(dns_image):
    before = dns_image.counters()
    assert is_silent(dns_image, raw_query()[:11])
    assert is_silent(dns_image, raw_query(flag=0x8000))
    after = dns_image.counters()
    for name in ("dnsd.dropped_short", "dnsd.dropped_response"):
        assert after[name] == before.get(name, 0) + 1, name


def test_compression(dns_image):
    """Names in answers point back to the question's."""
    packet = exchange(dns_image.address, query("example.org", "MX").to_wire())
    assert packet.count(b"\7example\3org\0") == 1


@pytest.mark.parametrize("length", range(0, 63, 7))
def test_any_length_of_name(dns_image, length):
    name = "a" * (length + 1) + ".example.org"
    assert rcode(ask(dns_image, name)) == "NXDOMAIN"
