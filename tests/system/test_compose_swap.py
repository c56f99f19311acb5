# SPDX-License-Identifier: ISC
"""tools/compose on domains that can be swapped: what is refused, with a way out; that addresses don't
depend on the program; that second bodies have what is shared where the first have it, and what is
private for themselves; the loader's table; programs alone."""

import json
import os
import re
import shutil
import struct
import subprocess

import pytest

from test_compose import (CC, COMPOSE, EXECUTE, FLAGS, LIBOS_BYTES, PAGE, READ, ROOT, WRITE, Block,
                          Run, build_server, compile_object, composed, fields, objects, port,
                          server_source, text_of)

assert objects  # a fixture

TEXT_ADDRESS = 0x402000
COPY = 2
MANIFEST = """\
image = "test";

domains = (
    { name = "drv"; servers = [ "drv" ]; priority = 30; restart = 5; swap = true;
      devices = ( { server = "drv"; virtio = 1; most = 4; vectors = 3; } ); },
    { name = "net"; servers = [ "net" ]; priority = 20; restart = 5; swap = true;
      state_room = "96K"; settings = [ "net0.ip=10.0.2.15/24" ]; },
    { name = "dns"; servers = [ "dns" ]; priority = 10; restart = 5; swap = true;
      files = ( { name = "zones"; file = "zones"; reload = true; room = "32K"; } ); },
    { name = "ctl"; servers = [ "quiet" ]; priority = 5; control = true; },
    { name = "loader"; servers = [ "loader" ]; priority = 4; loader = true; }
);

connections = (
    { client = "net.net"; server = "drv.net"; slots = 128; },
    { client = "dns.net"; server = "net.sock"; slots = 64; }
);

pools = (
    { name = "rx"; buffers = 128; size = 2048; owner = "net";
      rights = ( { domain = "net"; may = "r"; }, { domain = "drv"; may = "rd"; } ); },
    { name = "headers"; buffers = 3; size = 128; owner = "net";
      rights = ( { domain = "net"; may = "rw"; }, { domain = "drv"; may = "d"; as = "head"; } ); }
);
"""
SWAPPED = ["drv", "net", "dns"]


@pytest.fixture(scope="session")
def swap_objects(tmp_path_factory, objects):  # pylint: disable=redefined-outer-name
    folder = tmp_path_factory.mktemp("swap") / "objects"
    shutil.copytree(objects, folder)
    for part in ["init_control", "init_swap"]:
        compile_object("extern int a;", folder / f"{part}.o")
    build_server(folder, "loader", server_source("loader", "").replace("= ports,", "= NULL,")
                 .replace("sizeof ports / sizeof ports[0]", "0")
                 .replace("static const struct server_port ports[] = {  };", ""))
    subprocess.run([CC, *FLAGS, "-c", "-o", folder / "program.o", ROOT / "libos/program.c"],
                   check=True)
    subprocess.run(["ar", "rs", folder / "libos.a", folder / "program.o"], check=True,
                   stderr=subprocess.DEVNULL)
    return folder


@pytest.fixture
def compose(tmp_path, swap_objects):
    def run(text, *options, **more):
        return Run(tmp_path, swap_objects, text, *options, **more)
    return run


@pytest.fixture(scope="session")
def good(tmp_path_factory, swap_objects):
    return composed(tmp_path_factory.mktemp("good"), swap_objects, MANIFEST)


@pytest.fixture(scope="session")
def block(good):
    return Block(good.bundle)


def edited(old, new):
    assert old in MANIFEST, old
    return MANIFEST.replace(old, new, 1)


# Name, what is replaced by what, the text on the error's line, what it says.
TEXT_ERRORS = [
    ("no_restart", 'priority = 20; restart = 5;', 'priority = 20;', 'name = "net"',
     '"net" has swap = true and no "restart" .* add restart = 5;'),
    ("heap", 'priority = 20;', 'priority = 20; heap = "1M";', 'name = "net"',
     '"net" has "swap" and "heap"'),
    ("no_controller", ' control = true;', '', 'name = "drv"',
     'nobody can ask for it — add control = true;'),
    ("no_loader", ',\n    { name = "loader"; servers = [ "loader" ]; priority = 4; loader = true; }', '',
     'name = "drv"', r'add to domains: \{ name = "loader"; servers = \[ "loader" \]; priority = 4; '
     r'loader = true; \}'),
    ("two_loaders", 'priority = 5;', 'priority = 5; loader = true;', 'name = "loader"',
     '"ctl" and "loader" have loader = true'),
    ("loader_swapped", 'loader = true;', 'loader = true; swap = true; restart = 1;', 'name = "loader"',
     'is the loader, which isn\'t swapped'),
    ("loader_restarted", 'loader = true;', 'loader = true; restart = 1;', 'name = "loader"',
     'begins anew with each swap — drop "restart"'),
    ("room_unswapped", 'priority = 5;', 'priority = 5; text_room = "64K";', 'name = "ctl"',
     'has rooms for other programs'),
    ("room_too_large", 'state_room = "96K"', 'text_room = "3M"', 'text_room', 'text_room is no size'),
    ("room_too_small", 'state_room = "96K"', 'text_room = 64', 'text_room', 'text_room is no size'),
    ("reload_unswapped", 'priority = 5;',
     'priority = 5;\nfiles = ( { name = "x"; file = "zones"; reload = true; room = "8K"; } );',
     'name = "x"', '"x" has reload = true, but domain "ctl" can\'t be swapped'),
    ("reload_without_room", ' room = "32K";', '', 'name = "zones"',
     'reload = true and no "room" — add room ='),
    ("room_without_reload", ' reload = true;', '', 'name = "zones"', 'add reload = true;'),
    ("file_room", 'room = "32K"', 'room = "3M"', 'room = "3M"', 'room is no size'),
    ("staging_small", 'image = "test";', 'image = "test"; staging = 64;', 'staging', 'no size'),
    ("swap_is_no_bool", 'swap = true', 'swap = 1', 'swap = 1', 'swap is neither true nor false'),
    ("rate_zero", 'slots = 64;', 'slots = 64; rate = 0;', 'rate = 0', 'whole number from 1'),
]


@pytest.mark.parametrize("case", TEXT_ERRORS, ids=[case[0] for case in TEXT_ERRORS])
def test_text_error(compose, case):
    _, old, new, needle, message = case
    compose(edited(old, new), "--check", link=False).expect_error(needle, message)


@pytest.mark.parametrize("key, value", [("loader", "true"), ("staging", '"64K"')])
def test_nobody_can_be_swapped(compose, key, value):
    text = MANIFEST.replace(" swap = true;", "").replace(" reload = true; room = \"32K\";", "") \
        .replace(' state_room = "96K";', "")
    if key == "loader":
        compose(text, "--check", link=False).expect_error('name = "loader"', "none can be swapped")
        return
    text = re.sub(r",\n    { name = \"loader\".*\n", "\n", text)
    text = text.replace('image = "test";', f'image = "test"; {key} = {value};')
    compose(text, "--check", link=False).expect_error("staging", "no domain can be swapped")


def test_too_many_bodies(compose):
    more = "".join(f'{{ name = "d{i}"; servers = [ "quiet" ]; priority = 1; restart = 1; swap = true; }},'
                   for i in range(17))
    run = compose(edited("domains = (", "domains = (" + more), "--check", link=False)
    run.expect_error(None, "23 domains and 20 second bodies .* there can be 40")


# Likewise, of what the programs need.
FIT_ERRORS = [
    ("text", 'state_room = "96K"', 'text_room = 4096; state_room = "96K"', 'name = "net"', None),
    ("constants", 'restart = 5; swap = true;\n      files', 'restart = 5; swap = true; constants_room ='
     ' 4096;\n      files', 'name = "dns"', r'"dns": its constants have \d+ bytes, constants_room is '
     r'4096 — give constants_room = "12K"'),
    ("state", ' state_room = "96K";', '', 'name = "net"', r'states have 70016 bytes, state_room is 65536 '
     r'— give state_room = "72K"'),
    ("stack", 'state_room = "96K"', 'stack = 4096; state_room = "96K"', 'name = "net"',
     r'want a stack of 7096 bytes, stack is 4096 — give stack = "8K"'),
    ("staging", 'image = "test";', 'image = "test"; staging = "8K";', 'staging',
     r'the program of domain "dns" has \d+ bytes, staging is 8192 — give staging = "12K"'),
    ("file", 'room = "32K"', 'room = 4096', 'room = 4096', 'has 5120 bytes, its room 4096 — give room = '
     '"8K"'),
]


@pytest.mark.parametrize("case", FIT_ERRORS, ids=[case[0] for case in FIT_ERRORS])
def test_what_does_not_fit(compose, swap_objects, case):
    name, old, new, needle, message = case
    if name == "text":  # a program that is larger than its room
        build_server(swap_objects, "net", server_source(
            "net", port("net", "netdev", "CLIENT") + port("sock", "sock", "SERVER"),
            SETTINGS='"net#.ip", "net#.gw",', STATE="70001",
            EXTRA='static enum error start(void *, struct domain *);',
            TOUCH='({ __asm__ volatile(".skip 5000, 0x90"); OK; })'))
        message = r'"net": its text has \d+ bytes, text_room is 4096 — give text_room = "8K"'
    try:
        compose(edited(old, new)).expect_error(needle, message)
    finally:
        if name == "text":
            build_server(swap_objects, "net", server_source(
                "net", port("net", "netdev", "CLIENT") + port("sock", "sock", "SERVER"),
                SETTINGS='"net#.ip", "net#.gw",', STATE="70001"))


def test_a_program_without_a_note(compose, swap_objects, tmp_path):
    other = tmp_path / "objects"
    shutil.copytree(swap_objects, other)
    subprocess.run(["ar", "d", other / "libos.a", "program.o"], check=True)
    Run(tmp_path, other, MANIFEST).expect_error('name = "net"', "don't begin with program_note")


# --- Second bodies.

def pairs(block):
    """[(first, second)]: numbers of domains."""
    found = [(d["body"], e) for e, d in enumerate(block.domains) if d["second"]]
    assert [text_of(block.domains[first]["name"]) for first, _ in found] == SWAPPED
    return found


def own_regions(block, number):
    domain = block.domains[number]
    start = start_of(block, number)
    mapped = {m["address"]: m["region"] for m in block.mappings if m["domain"] == number}
    stack = next(m["region"] for m in block.mappings if m["domain"] == number and
                 m["address"] + block.regions[m["region"]]["pages"] * PAGE == domain["stack_top"])
    own = {domain["start_region"], domain["counter_region"], domain["program_region"],
           domain["constants_region"], mapped[start["private_address"]], stack}
    return own | {domain[f"file{i}"] for i in range(4) if domain["files"] >> i & 1}


def start_of(block, number):
    domain = block.domains[number]
    page = block.data[domain["start"]:domain["start"] + domain["start_bytes"]].ljust(PAGE, b"\0")
    start = fields("IIQQQQ16sHBBBBBB", "magic version private_address private_bytes log counters name "
                   "domain conns pools files devices paged restarting", page, 0)
    start["rest"] = page[82:]
    return start


def test_bodies_know_each_other_and_stand_last(block):
    seconds = [d["second"] for d in block.domains]
    assert seconds == sorted(seconds) and sum(seconds) == 3
    for first, second in pairs(block):
        assert block.domains[first]["body"] == second and not block.domains[first]["second"]
    bodies = {number for pair in pairs(block) for number in pair}
    assert all(not d["body"] for i, d in enumerate(block.domains) if i not in bodies)


def test_bodies_have_the_same_addresses_and_slots(block):
    for first, second in pairs(block):
        a, b = [sorted((m["address"], m["slot"], m["rights"], m["pool"]) for m in block.mappings
                       if m["domain"] == number) for number in (first, second)]
        assert a == b and a
        for key in ["name", "entry", "stack_top", "table_slots", "priority", "restarts", "log_region",
                    "state_region", "settings", "servers", "fault_slot", "files"]:
            assert block.domains[first][key] == block.domains[second][key], key
        one, other = start_of(block, first), start_of(block, second)
        assert other["domain"] == second and one["domain"] == first
        for key in set(one) - {"domain"}:
            assert one[key] == other[key], key


def test_what_is_private_is_not_shared(block):
    for first, second in pairs(block):
        mine, theirs = own_regions(block, first), own_regions(block, second)
        assert len(mine) == len(theirs) >= 6 and not mine & theirs
        for region in mine | theirs:
            holders = {m["domain"] for m in block.mappings if m["region"] == region}
            assert len(holders) == 1
        of = [{m["region"] for m in block.mappings if m["domain"] == number}
              for number in (first, second)]
        assert of[0] - mine == of[1] - theirs, "all else is shared"


def test_rooms_hold_the_first_program_and_nothing(block, good):
    for first, second in pairs(block):
        for key, size in [("program_region", 64), ("constants_region", 32)]:
            mine, theirs = (block.regions[block.domains[n][key]] for n in (first, second))
            assert mine["kind"] == theirs["kind"] == COPY
            assert mine["pages"] == theirs["pages"] == size * 1024 // PAGE
            assert 0 < mine["bytes"] <= mine["pages"] * PAGE and theirs["bytes"] == 0
        work = good.bundle.with_suffix("") / f"{text_of(block.domains[first]['name'])}.elf"
        elf = work.read_bytes()
        region = block.regions[block.domains[first]["program_region"]]
        assert elf[0x1000:0x1000 + region["bytes"]] == \
            block.data[region["offset"]:region["offset"] + region["bytes"]]
        constants = block.regions[block.domains[first]["constants_region"]]
        assert block.data[constants["offset"]:constants["offset"] + 4] == b"Mtpg"


def test_no_room_is_writable(block):
    for m in block.mappings:
        region = block.regions[m["region"]]
        assert not (m["rights"] & WRITE and m["rights"] & EXECUTE)
        if region["kind"] == COPY:
            assert not m["rights"] & WRITE and m["rights"] & READ


def test_a_file_that_can_be_replaced(block):
    first, second = pairs(block)[2]
    for number, size in ((first, 5120), (second, 0)):
        domain = block.domains[number]
        region = block.regions[domain["file0"]]
        assert domain["files"] == 1
        assert (region["kind"], region["pages"], region["bytes"]) == (COPY, 8, size)
    region = block.regions[block.domains[first]["file0"]]
    assert block.data[region["offset"]:region["offset"] + 5120] == bytes(range(256)) * 20


def test_state_and_staging(block):
    for first, second in pairs(block):
        region = block.domains[first]["state_region"]
        assert sorted(m["domain"] for m in block.mappings if m["region"] == region) == [first, second]
    staging = block.header["staging"]
    assert block.header["loader"] == block.number("loader")
    assert block.regions[staging]["pages"] == 16
    assert {m["domain"]: m["rights"] for m in block.mappings if m["region"] == staging} == \
        {block.number("ctl"): READ | WRITE, block.number("loader"): READ}


def test_private_memory_has_the_room(block):
    for (first, _), room in zip(pairs(block), (64, 96, 64)):
        assert start_of(block, first)["private_bytes"] == LIBOS_BYTES + room * 1024


def test_the_loaders_table(block):
    [file] = block.start("loader")["file"]
    assert text_of(file["name"]) == "swaps" and file["size"] % 3 == 0
    content = next(m for m in block.of("loader") if m["address"] == file["address"])
    at, size = block.regions[content["region"]]["offset"], file["size"] // 3
    expected = {"drv": (64, [("net", "netdev", 1, 1)]),
                "net": (96, [("net", "netdev", 1, 0), ("sock", "sock", 1, 1)]),
                "dns": (64, [("net", "sock", 1, 0)])}
    for i, name in enumerate(SWAPPED):
        entry = block.data[at + i * size:at + (i + 1) * size]
        head = fields("16sQQIIIIII", "domain text constants text_room constants_room state_room "
                      "stack_room number servers", entry, 0)
        room, ports = expected[name]
        assert text_of(head["domain"]) == name and head["number"] == block.number(name)
        assert (head["text"], head["constants"]) == (TEXT_ADDRESS, TEXT_ADDRESS + 65536)
        assert (head["text_room"], head["constants_room"], head["state_room"]) == \
            (65536, 32768, room * 1024)
        assert head["stack_room"] == 16384 - 4096 and head["servers"] == 1
        server, count, _ = struct.unpack_from("<16sII", entry, 56)
        assert text_of(server) == name and count == len(ports)
        for n, wanted in enumerate(ports):
            got = struct.unpack_from("<16s16sIII", entry, 80 + 44 * n)
            assert (text_of(got[0]), text_of(got[1]), got[2], got[3]) == wanted
            assert got[4] == n, "its number among the server's ports"


def test_addresses_do_not_depend_on_the_program(block, swap_objects, tmp_path):
    other = tmp_path / "objects"
    shutil.copytree(swap_objects, other)
    build_server(other, "net", server_source(
        "net", port("net", "netdev", "CLIENT") + port("sock", "sock", "SERVER"),
        SETTINGS='"net#.ip", "net#.gw", "another.one",', STATE="90000",
        EXTRA="static const char table[20000] = {1};",
        TOUCH="table[(unsigned long)s & 4095] == 'x' ? OK : ERROR_FULL").replace(
            ".stack_bytes = 3000", ".stack_bytes = 9000"))
    run = Run(tmp_path, other, MANIFEST)
    assert run.status == 0, run.err
    larger = Block(run.bundle)
    for one, two in zip(block.mappings, larger.mappings):
        assert one == two
    for number in range(1, len(block.domains)):
        assert start_of(block, number) == start_of(larger, number)


def test_two_domains_with_one_server(compose):
    """The same room: one program in the image, rooms for each; another room: another program."""
    twin = '{ name = "dns2"; servers = [ "dns" ]; priority = 9; restart = 1; swap = true; %s\n' \
           'files = ( { name = "zones"; file = "zones"; } ); },'
    conn = '{ client = "dns2.net"; server = "net.sock"; slots = 64; },'
    for extra, same in (("", True), ('text_room = "32K";', False)):
        run = compose(MANIFEST.replace("domains = (", "domains = (" + twin % extra)
                      .replace("connections = (", "connections = (" + conn))
        assert run.status == 0, run.err
        block = Block(run.bundle)
        one, two = (block.regions[block.domains[block.number(name)]["program_region"]]
                    for name in ("dns", "dns2"))
        assert one is not two and (one["offset"] == two["offset"]) == same
        assert one["pages"] == 16 and two["pages"] == (16 if same else 8)


def test_rates(compose):
    run = compose(MANIFEST.replace("slots = 64;", "slots = 64; rate = 1000;")
                  .replace("size = 2048; owner", "size = 2048; rate = 1707; owner"), "--check")
    assert run.status == 0
    warnings = run.err.splitlines()
    assert len(warnings) == 2
    assert re.search(r':\d+: warning: pool "rx" has 128 buffers; at rate = 1707 a swap of "net" '
                     r'\(50 ms\) wants 129 — give buffers = 129', warnings[0])
    assert re.search(r'warning: the connection holds 64 messages; .* wants 75 — ', warnings[1])
    enough = compose(MANIFEST.replace("slots = 64;", "slots = 64; rate = 853;")
                     .replace("size = 2048; owner", "size = 2048; rate = 1706; owner"), "--check")
    assert (enough.status, enough.err) == (0, "")


def test_explain(compose):
    run = compose(MANIFEST, "--explain")
    assert run.status == 0, run.err
    for text in ["WHAT CAN BE SWAPPED", "zones (up to 32 KiB)", "second body",
                 "looked at by loader, asked for by ctl"]:
        assert text in run.out, text


def test_map_names_second_bodies(good, block):
    found = json.loads(good.map.read_text())
    assert [d["name"] for d in found["domains"]] == ["init", *SWAPPED, "ctl", "loader"]
    seconds = {d["name"]: d["second_body"]["number"] for d in found["domains"] if "second_body" in d}
    assert seconds == {text_of(block.domains[first]["name"]): second for first, second in pairs(block)}


# --- Programs alone.

def program(swap_objects, folder, *options, status=0, text=MANIFEST):
    path, out = folder / "test.conf", folder / "out.elf"
    path.write_text(text)
    done = subprocess.run([COMPOSE, "--program", *options, "-o", out, "--objects", swap_objects,
                           "--libos", swap_objects / "libos.a", "--script", ROOT / "libos/domain.ld",
                           path], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False, env={k: v for k, v in os.environ.items() if k != "LD"})
    assert done.returncode == status, done.stdout
    assert out.exists() == (status == 0)
    return done.stdout if status else out.read_bytes()


def segments(elf):
    head = fields("16sHHIQQQIHHHHHH", "ident type machine version entry phoff shoff flags ehsize "
                  "phentsize phnum shentsize shnum shstrndx", elf, 0)
    assert head["ident"][:7] == b"\x7fELF\x02\x01\x01" and (head["type"], head["machine"]) == (2, 62)
    return head["entry"], [fields("IIQQQQQQ", "type flags offset address x filesz memsz align", elf,
                                  head["phoff"] + 56 * i) for i in range(head["phnum"])]


def test_program_alone_is_the_images(swap_objects, block, tmp_path):
    elf = program(swap_objects, tmp_path, "net")
    entry, (text, constants) = segments(elf)
    assert entry == block.domains[block.number("net")]["entry"]
    assert text["address"] == TEXT_ADDRESS and text["flags"] == 5
    assert constants["address"] == TEXT_ADDRESS + 65536 and constants["flags"] == 4
    domain = block.domains[block.number("net")]
    for segment, key in ((text, "program_region"), (constants, "constants_region")):
        region = block.regions[domain[key]]
        assert segment["filesz"] == segment["memsz"] == region["bytes"]
        assert elf[segment["offset"]:segment["offset"] + segment["filesz"]] == \
            block.data[region["offset"]:region["offset"] + region["bytes"]]
    note = fields("IHHIIQQ", "magic start format abi server_abi servers end", elf, constants["offset"])
    assert note["magic"] == 0x6770744D and note["format"] == 1
    assert note["end"] - note["servers"] == 8
    assert constants["address"] < note["servers"] < constants["address"] + constants["filesz"]


def test_programs_of_all(compose, swap_objects, tmp_path):
    folder = tmp_path / "programs"
    run = compose(MANIFEST, "--programs", folder)
    assert run.status == 0, run.err
    assert sorted(p.name for p in folder.iterdir()) == ["dns.elf", "drv.elf", "net.elf"]
    alone = tmp_path / "alone"
    alone.mkdir()
    assert (folder / "dns.elf").read_bytes() == program(swap_objects, alone, "dns")


def test_program_with_another_object(swap_objects, tmp_path):
    build_server(tmp_path, "fast", server_source("fast", port("net", "sock", "CLIENT"), NAMED="dns",
                                                 EXTRA='static const char mark[] = "faster";',
                                                 TOUCH="mark[(unsigned long)s & 3] ? OK : ERROR_FULL"))
    elf = program(swap_objects, tmp_path, "dns", "--server", f"dns={tmp_path}/fast.o")
    assert b"faster" in elf


@pytest.mark.parametrize("options, message", [
    (["nett"], 'unknown domain "nett" — did you mean "net"'),
    (["ctl"], '"ctl" can\'t be swapped — add swap = true;'),
    (["dns", "--server", "dnss=x.o"], 'has no server "dnss" — did you mean "dns"'),
    (["dns", "--server", "dns=gone.o"], 'there is no gone.o'),
    (["dns", "--server", "dns={}/old.o"], 'old.o holds the server "old"'),
], ids=["domain", "unswapped", "server", "object", "other_server"])
def test_program_errors(swap_objects, tmp_path, options, message):
    said = program(swap_objects, tmp_path, *(o.format(swap_objects) for o in options), status=1)
    assert message in said and " — " in said


def test_program_of_another_protocol_version(swap_objects, tmp_path):
    build_server(tmp_path, "newer", server_source("newer", port("net", "sock", "CLIENT", 2),
                                                  NAMED="dns"))
    said = program(swap_objects, tmp_path, "dns", "--server", f"dns={tmp_path}/newer.o", status=1)
    assert 'speaks version 2 of sock, "net.sock" version 1' in said


def test_program_misuse():
    for options in [["--program", "net", "x.conf"], ["--server", "a=b", "-o", "x", "y.conf"],
                    ["--program", "net", "--server", "a", "-o", "x", "y.conf"],
                    ["--program", "net", "--explain", "-o", "x", "y.conf"]]:
        done = subprocess.run([COMPOSE, *options], stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 2 and "usage:" in done.stderr, options
