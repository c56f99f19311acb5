# SPDX-License-Identifier: ISC
"""The probes of ISC's DNS compliance tests (genreport), done again with their documented "ok" as what
is expected. Those over TCP are left out: there is none. Asked of `answer` (docs/oracle.md)."""

import pytest

import servers
import wire
from machine import BUILD, ROOT
from wire import AA, RA, RD, TC, opt, option, query

ZONE = wire.name_of("example.org")
SOA = wire.TYPES["SOA"]
UNKNOWN = option(100)
NSID, EXPIRE, COOKIE = option(3), option(9), option(10, b"12345678")
SUBNET = option(8, b"\0\1\0\0")
NOERROR, NOTIMP, BADVERS = 0, 4, 16


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    database = tmp_path_factory.mktemp("compliance") / "zones.zdb"
    folder = ROOT / "zones"
    servers.compile_zones(folder, [ZONE], database, BUILD)
    server = servers.Motet(database, BUILD)

    def one(packet):
        server.send([packet], None)
        return wire.Answer(server.receive()[0])

    yield one
    server.close()


# name: the query, response code, whether the SOA record comes, the OPT record's version and flags
PROBES = {
    "dns": (query(ZONE, SOA), NOERROR, True, None),
    "aa": (query(ZONE, SOA, flags=AA), NOERROR, True, None),
    "ad": (query(ZONE, SOA, flags=wire.AD), NOERROR, True, None),
    "cd": (query(ZONE, SOA, flags=wire.CD), NOERROR, True, None),
    "ra": (query(ZONE, SOA, flags=RA), NOERROR, True, None),
    "rd": (query(ZONE, SOA, flags=RD), NOERROR, True, None),
    "tc": (query(ZONE, SOA, flags=TC), NOERROR, True, None),
    "zflag": (query(ZONE, SOA, flags=wire.Z), NOERROR, True, None),
    "type666": (query(ZONE, 666), NOERROR, False, None),
    "edns": (query(ZONE, SOA, edns=opt(4096)), NOERROR, True, 0),
    "edns1": (query(ZONE, SOA, edns=opt(4096, version=1)), BADVERS, False, 0),
    "edns@512": (query(ZONE, SOA, edns=opt(512)), NOERROR, True, 0),
    "ednsopt": (query(ZONE, SOA, edns=opt(4096, options=UNKNOWN)), NOERROR, True, 0),
    "edns1opt": (query(ZONE, SOA, edns=opt(4096, version=1, options=UNKNOWN)), BADVERS, False, 0),
    "do": (query(ZONE, SOA, edns=opt(4096, True)), NOERROR, True, 0x8000),
    "edns1do": (query(ZONE, SOA, edns=opt(4096, True, version=1)), BADVERS, False, 0x8000),
    "ednsflags": (query(ZONE, SOA, edns=opt(4096, flags=0x40)), NOERROR, True, 0),
    "edns1flags": (query(ZONE, SOA, edns=opt(4096, version=1, flags=0x40)), BADVERS, False, 0),
    "optlist": (query(ZONE, SOA, edns=opt(4096, options=NSID + SUBNET + EXPIRE + COOKIE)), NOERROR, True, 0),
    "ednsnsid": (query(ZONE, SOA, edns=opt(4096, options=NSID)), NOERROR, True, 0),
    "ednscookie": (query(ZONE, SOA, edns=opt(4096, options=COOKIE)), NOERROR, True, 0),
    "ednsexpire": (query(ZONE, SOA, edns=opt(4096, options=EXPIRE)), NOERROR, True, 0),
    "ednssubnet": (query(ZONE, SOA, edns=opt(4096, options=SUBNET)), NOERROR, True, 0),
    "signed": (query(ZONE, wire.TYPES["DNSKEY"], edns=opt(512, True)), NOERROR, False, 0x8000),
    "opcode": (query(ZONE, SOA, opcode=15), NOTIMP, False, None),
    "opcodeflg": (query(ZONE, SOA, opcode=15, flags=TC | RD | RA | wire.CD | wire.AD | AA | wire.Z),
                  NOTIMP, False, None),
}


@pytest.mark.parametrize("probe", PROBES)
def test_probe(ask, probe):
    packet, rcode, soa, edns = PROBES[probe]
    answer = ask(packet)
    assert answer.rcode == rcode
    assert any(one.kind == SOA for one in answer.answer) == soa
    assert answer.edns is None if edns is None else answer.edns[0] == edns
    assert option(100) not in (answer.edns or (0, b""))[1]  # not sent back
    assert not answer.flags & (TC | RA | wire.Z | wire.AD | wire.CD)
    assert bool(answer.flags & AA) == (rcode == NOERROR)
    assert bool(answer.flags & RD) == (probe == "rd") or probe == "opcodeflg"
