# SPDX-License-Identifier: ISC
"""A sample of the comparison with NSD and Knot (docs/oracle.md), always the same one: one test for
each class of queries. And the running image's answers, which must be the host program's octets."""

import pytest

import oracle
import queries
import servers
import wire
import zones
from machine import BUILD, Machine, build_image, kernel
from network import UserNetwork

SEED = 2
GROUPS = 40
CLASSES = ["names", "neighbours", "opcodes", "classes", "flags", "meta", "counts", "edns sizes",
           "edns versions", "edns flags", "edns options", "several opt", "truncated", "changed bits",
           "pointers"]
IMAGE_QUERIES = 6000
IMAGE_BATCH = 1  # so that none waits in a buffer of the user network for another


@pytest.fixture(scope="module")
def tally():
    missing = servers.missing()
    if missing:
        pytest.skip(f"no {', '.join(missing)}: run 'make setup'")
    result = oracle.Tally()
    oracle.run([zones.generate(SEED, number) for number in range(GROUPS)], BUILD, result)
    return result


@pytest.mark.parametrize("kind", CLASSES)
def test_answers_like_nsd_and_knot(tally, kind, capsys):
    assert tally.queries[kind] > 100
    different = [one for one in tally.differences if one.kind == kind]
    for one in different[:3]:
        oracle.report(one, BUILD)
    assert not different, f"{len(different)} unexplained of {tally.queries[kind]}:\n{capsys.readouterr().out}"


def test_all_classes_are_tested(tally):
    assert sorted(tally.queries) == sorted(CLASSES)


def test_a_wrong_answer_is_found(tally):
    """Each field of dnsd's answer, changed, is a difference that nothing explains."""
    group = zones.generate(SEED, 0)
    query = wire.query(group.zones[0].origin, wire.TYPES["SOA"])
    world = oracle.judge.World([group])
    soa = wire.name_wire(group.zones[0].origin)
    good = (b"\0\0\x84\0\0\1\0\1\0\0\0\0" + wire.question(group.zones[0].origin, 6) +
            soa + b"\0\6\0\1\0\0\0\1\0\x16\0\0" + bytes(20))
    assert not oracle.judge.judge(query, (good, good, good), world)[1]
    data = len(good) - 1
    for at, field in ((2, "aa"), (3, "rcode"), (data, "answer")):
        bad = bytearray(good)
        bad[at] ^= 4 if field == "aa" else 2
        left = oracle.judge.judge(query, (bytes(bad), good, good), world)[1]
        assert field in left, (field, left)


def test_the_image_answers_the_same_octets(tmp_path):
    if servers.missing():
        pytest.skip(f"no {', '.join(servers.missing())}: run 'make setup'")
    groups = [zones.generate(SEED, number) for number in range(5)]
    keys = zones.Keys(tmp_path)
    folder = tmp_path / "zones"
    folder.mkdir()
    origins = [origin for group in groups for origin in group.origins()
               if all(label.isalnum() for label in origin)]
    for group in groups:
        group.zones = [zone for zone in group.zones if zone.origin in origins]
        zones.write(group, folder, keys)
    servers.compile_zones(folder, origins, tmp_path / "zones.zdb", BUILD)
    asked = [query for group in groups for _, query in queries.make(group)]
    asked = asked[::max(len(asked) // IMAGE_QUERIES, 1)]
    last = wire.query(origins[0], wire.TYPES["SOA"])
    elf = build_image(BUILD / "tests/image-oracle", folder)
    host = servers.Motet(tmp_path / "zones.zdb", BUILD)
    with Machine(kernel(elf), [UserNetwork()]) as machine:
        image = servers.UdpServer(machine.ready().address)
        for at in range(0, len(asked), IMAGE_BATCH):
            batch = asked[at:at + IMAGE_BATCH]
            host.send(batch, last)
            image.send(batch, last)
            for query, mine, theirs in zip(batch, host.receive(), image.receive()):
                assert mine == theirs, f"{query.hex()}: {mine and mine.hex()} {theirs and theirs.hex()}"
        image.close()
    host.close()
