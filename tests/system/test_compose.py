# SPDX-License-Identifier: ISC
"""tools/compose from outside: every error names file, line and way out; the block that it writes is
read back by an independent decoder and holds what include/motet/image.h promises.

$COMPOSE names another compose (one built with sanitizers, say); $CC another compiler.
"""

import json
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = os.environ.get("COMPOSE", str(ROOT / "build/tools/compose"))
CC = os.environ.get("CC", "gcc")
FLAGS = ["-std=c17", "-ffreestanding", "-O2", "-mgeneral-regs-only", "-fno-pic",
         "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables",
         f"-I{ROOT}", f"-I{ROOT}/include"]
PAGE = 4096
DOMAINS_MAX = int(re.search(r"IMAGE_DOMAINS_MAX = (\d+)",
                            (ROOT / "include/motet/image.h").read_text())[1])
LIBOS_BYTES = int(re.search(r"LIBOS_PRIVATE_BYTES = (\d+)",
                            (ROOT / "libos/start.h").read_text())[1])

START = """
#include "libos/server.h"
extern const struct server *const __servers_start[];
int helper(int);
void _start(void);
void _start(void) { for (;;) helper(__servers_start[0]->start(0, 0)); }
"""
HELPER = """
int helper(int); int never_called(int);
int helper(int n) { return n + 1; }
int never_called(int n) { return n + 0x7e57; }
"""
INIT = """
static const char text[6000] = "constants of init";
void _start(void);
void _start(void) { for (int i = 0;; i++) __asm__ volatile("" : : "r"(text[i & 4095])); }
"""

# A server; the parts in capitals are replaced.
SERVER = """
#include <stddef.h>
#include "libos/server.h"
EXTRA
static enum error start(void *s, struct domain *d) { (void)s; (void)d; return TOUCH; }
static bool receive(void *s, struct conn *c, const struct msg *m)
{ (void)s; (void)c; (void)m; return true; }
static const struct server_port ports[] = { PORTS };
static const char *const settings[] = { SETTINGS NULL };
static const char *const counters[] = { "one" };
const struct server motet_server_NAME = { .magic = MAGIC, .abi = ABI, .name = "NAMED",
  .state_size = STATE, .stack_bytes = 3000, .ports = ports,
  .port_count = sizeof ports / sizeof ports[0], .settings = settings,
  .setting_count = sizeof settings / sizeof settings[0] - 1, .counters = counters,
  .counter_count = COUNT, .start = start, .receive = receive };
REGISTER
"""
REGISTER = ('static const struct server *const entry __attribute__((used, '
            'section(".motet.servers"))) = &motet_server_NAME;')


def server_source(name, ports, **parts):
    parts = {"TOUCH": "OK", "PORTS": ports, "SETTINGS": "", "EXTRA": "", "MAGIC": "SERVER_MAGIC",
             "ABI": "SERVER_ABI", "STATE": "100", "COUNT": "1", "REGISTER": REGISTER,
             "NAMED": name} | parts
    text = SERVER
    for key, value in parts.items():
        text = re.sub(rf"\b{key}\b", lambda _: value, text)
    return re.sub(r"(?<=motet_server_)NAME\b", name, text)


def port(name, protocol, role, version=1):
    return f'{{"{name}", "{protocol}", {version}, CONN_{role}}},'


SERVERS = {
    "drv": server_source("drv", port("net", "netdev", "SERVER")),
    "net": server_source("net", port("net", "netdev", "CLIENT") + port("sock", "sock", "SERVER"),
                         SETTINGS='"net#.ip", "net#.gw",', STATE="70001"),
    "dns": server_source("dns", port("net", "sock", "CLIENT"),
                         EXTRA="static const char table[9000] = {1};",
                         TOUCH="table[(unsigned long)s & 4095] == 'x' ? OK : ERROR_FULL"),
    "old": server_source("old", port("net", "sock", "CLIENT", 2)),
    "relay": server_source("relay", port("in", "sock", "SERVER") + port("out", "sock", "CLIENT")),
    "quiet": server_source("quiet", "").replace("= ports,", "= NULL,")
             .replace("sizeof ports / sizeof ports[0]", "0").replace(
                 "static const struct server_port ports[] = {  };", ""),
    # What must be refused:
    "counting": server_source("counting", port("net", "sock", "CLIENT"),
                              EXTRA="static int tally[3]; int total = 7;",
                              TOUCH="total + tally[(unsigned long)s % 3]++"),
    "magic": server_source("magic", port("net", "sock", "CLIENT"), MAGIC="0x12345"),
    "abi": server_source("abi", port("net", "sock", "CLIENT"), ABI="SERVER_ABI + 1"),
    "named": server_source("named", port("net", "sock", "CLIENT"), NAMED="other"),
    "mute": server_source("mute", port("net", "sock", "CLIENT"), REGISTER=""),
    "huge": server_source("huge", port("net", "sock", "CLIENT"), STATE="1ull << 40"),
    "counters": server_source("counters", port("net", "sock", "CLIENT"), COUNT="124"),
    "lost": server_source("lost", port("net", "sock", "CLIENT"), EXTRA="enum error nowhere(void);",
                          TOUCH="nowhere()"),
    "pattern": server_source("pattern", port("net", "sock", "CLIENT"), SETTINGS='"Net IP",'),
    "roles": server_source("roles", '{"net", "sock", 1, 7},'),
    "twins": server_source("twins", port("net", "sock", "CLIENT") + port("net", "sock", "SERVER")),
    "wild": server_source("wild", port("net", "sock", "CLIENT")).replace(
        ".settings = settings", ".settings = (const char *const *)0x10").replace(
            "sizeof settings / sizeof settings[0] - 1", "1"),
    "dataentry": server_source("dataentry", port("net", "sock", "CLIENT")).replace(
        ".receive = receive", ".receive = (bool (*)(void *, struct conn *, const struct msg *))ports"),
}

MANIFEST = """\
# A comment, so that line 1 holds no setting.
image = "test";
memory = "16M";

domains = (
    { name = "drv"; servers = [ "drv" ]; priority = 30;
      devices = ( { server = "drv"; pci = "1af4:1000"; most = 4; vectors = 3; },
                  { server = "drv"; pci = "1af4:1041-107f"; required = true; } ); },
    { name = "net"; servers = [ "net" ]; priority = 20;
      settings = [ "net0.ip=10.0.2.15/24", "net0.gw=10.0.2.2" ]; },
    { name = "dns"; servers = [ "dns" ]; priority = 10;
      files = ( { name = "zones"; file = "zones"; } ); }
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


def compile_object(source, path):
    subprocess.run([CC, *FLAGS, "-x", "c", "-c", "-o", path, "-"], input=source, text=True,
                   check=True)


def build_server(folder, name, source):
    compile_object(source, folder / "whole.o")
    subprocess.run(["ld", "-r", "-o", folder / f"{name}.o", folder / "whole.o"], check=True)
    subprocess.run(["objcopy", f"--keep-global-symbol=motet_server_{name}", folder / f"{name}.o"],
                   check=True)


def composed(folder, objects, text):  # pylint: disable=redefined-outer-name
    """What compose makes of a manifest that it has nothing to say about."""
    run = Run(folder, objects, text)
    assert run.status == 0, run.err
    assert run.err == ""
    return run


@pytest.fixture(scope="session")
def objects(tmp_path_factory):
    """A folder with start.o, init.o, libos.a and all servers."""
    folder = tmp_path_factory.mktemp("objects")
    for name, source in {"start": START, "init": INIT, "init_devices": "extern int a;",
                         "init_msi": "extern int msi;", "init_isa": "extern int isa;", "init_heaps": "extern int a;",
                         "init_backtrace": "extern int backtrace;",
                         "helper": HELPER}.items():
        compile_object(source, folder / f"{name}.o")
    for name, source in SERVERS.items():
        build_server(folder, name, source)
    subprocess.run(["ar", "rcs", folder / "libos.a", folder / "helper.o"], check=True)
    (folder / "zones").write_bytes(bytes(range(256)) * 20)
    (folder / "empty").write_bytes(b"")
    return folder


class Run:
    """One run of compose over a manifest's text."""

    def __init__(self, folder, objects, text, *options, files=("zones",), env=None, link=True):
        self.path = folder / "test.conf"
        self.text = text
        self.path.write_text(text)
        self.bundle = folder / "test.bundle"
        self.map = folder / "test.map.json"
        link_options = ["--objects", objects, "--libos", objects / "libos.a",
                        "--script", ROOT / "libos/domain.ld"] if link else []
        files = [f"--file={name}={objects / name}" for name in files]
        if not {"--check", "--explain"} & set(options):
            options = (*options, "-o", self.bundle, "--map", self.map)
        environment = {k: v for k, v in os.environ.items() if k != "LD"} | (env or {})
        done = subprocess.run([COMPOSE, *link_options, *files, *options, self.path], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                              timeout=60)
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def line_of(self, needle):
        assert self.text.count(needle) >= 1, needle
        return self.text[:self.text.index(needle)].count("\n") + 1

    def expect_error(self, needle, message):
        """An error at the line where `needle` stands, with a way out; nothing is written."""
        line = self.line_of(needle) if needle else 1
        found = [text for text in self.err.splitlines()
                 if text.startswith(f"{self.path}:{line}: error: ") and re.search(message, text)]
        assert found, f"no error {message!r} at line {line} in:\n{self.err}"
        assert all(re.search(".+ — .+", text) for text in found), "no way out"
        assert self.status == 1
        assert not self.bundle.exists() and not self.map.exists()


@pytest.fixture
def compose(tmp_path, objects):
    def run(text, *options, **more):
        return Run(tmp_path, objects, text, *options, **more)
    return run


# --- Errors in the manifest's text. Each: name, what is replaced by what, where the error is
# expected (a text on that line), what it says.

DUPLICATE_DNS = '{ name = "dns"; servers = [ "quiet" ]; priority = 1; },\n    { name = "drv"'
TEXT_ERRORS = [
    ("syntax", 'priority = 30;', 'priority == 30;', 'priority == 30', "syntax error"),
    ("key_twice", 'image = "test";', 'image = "test";\nimage = "again";', '"again"', ""),
    ("unknown_key_image", 'memory', 'memroy', 'memroy', 'unknown key "memroy".* did you mean "memory"'),
    ("unknown_key_domain", 'priority = 30', 'prio = 1; priority = 30', 'prio = 1',
     'unknown key "prio" in a domain'),
    ("unknown_key_device", 'most = 4', 'moist = 4', 'moist', 'did you mean "most"'),
    ("unknown_key_file", 'file = "zones"', 'file = "zones"; size = 1', 'size = 1;',
     "unknown key \"size\" in a file"),
    ("unknown_key_connection", 'slots = 128', 'slots = 128; slot = 1', 'slot = 1;',
     'did you mean "slots"'),
    ("unknown_key_pool", 'owner = "net"', 'owner = "net"; color = 3', 'color = 3',
     'unknown key "color" in a pool — there are: name, buffers'),
    ("unknown_key_right", 'may = "rd"', 'may = "rd"; ass = "x"', 'ass = "x"', 'did you mean "as"'),
    ("no_domains", 'domains = (', 'domain = (', 'domain = (', 'did you mean "domains"'),
    ("no_name", '{ name = "drv"; servers = [ "drv" ]', '{ servers = [ "drv", "quiet" ]',
     'servers = [ "drv", "quiet" ]', 'has no "name"'),
    ("no_priority", ' priority = 30;', '', 'servers = [ "drv" ]', 'has no "priority"'),
    ("no_servers", 'servers = [ "drv" ]; ', '', 'name = "drv"', 'has no "servers"'),
    ("empty_servers", '[ "drv" ]', '[ ]', 'name = "drv"', 'has no servers'),
    ("no_slots", ' slots = 128;', '', 'server = "drv.net"', 'has no "slots"'),
    ("bad_image_name", '"test"', '"Test"', '"Test"', 'is no name'),
    ("long_name", 'name = "drv"', 'name = "a_name_of_16_ch_"', 'a_name_of', 'is no name'),
    ("name_is_number", 'name = "drv"', 'name = 7', 'name = 7', 'is no name'),
    ("bad_server_name", '[ "drv" ]', '[ "../drv" ]', '../drv', 'is no name'),
    ("server_no_text", '[ "drv" ]', '[ 7 ]', '[ 7 ]', 'is no text'),
    ("domains_no_list", 'domains = (', 'domains = 3; connections2 = (', 'domains = 3', 'is no list'),
    ("domain_no_group", 'domains = (\n', 'domains = ( 5,\n', '( 5', 'is no group'),
    ("priority_zero", 'priority = 30', 'priority = 0', 'priority = 0', 'from 1 to 62'),
    ("priority_of_init", 'priority = 30', 'priority = 63', 'priority = 63', 'from 1 to 62'),
    ("priority_text", 'priority = 30', 'priority = "x"', 'priority = "x"', 'whole number'),
    ("priority_fraction", 'priority = 30', 'priority = 3.5', 'priority = 3.5', 'whole number'),
    ("priority_large", 'priority = 30', 'priority = 4294967300L', '4294967300L', 'whole number'),
    ("domain_twice", '{ name = "drv"', DUPLICATE_DNS, 'files = (', 'a domain "dns" exists already',
     'name = "dns"; servers = [ "dns" ]'),
    ("domain_init", 'name = "drv"', 'name = "init"', 'name = "init"', 'init is always there'),
    ("server_twice", '[ "drv" ]', '[ "drv", "drv" ]', '"drv", "drv"', 'twice in domain "drv"'),
    ("many_servers", '[ "drv" ]', '[ "drv"' + ', "a"' * 8 + ' ]', '"a", "a"',
     'has 9 elements — there can be 8'),
    ("many_domains", 'domains = (\n', 'domains = ( ' + '{ }, ' * DOMAINS_MAX + '\n', 'domains = (',
     f'has {DOMAINS_MAX + 3} elements — there can be {DOMAINS_MAX - 1}'),
    ("many_files", '{ name = "zones"; file = "zones"; }',
     ', '.join(f'{{ name = "f{i}"; file = "zones"; }}' for i in range(5)), 'name = "f0"',
     'has 5 elements — there can be 4'),
    ("file_twice", '{ name = "zones"; file = "zones"; }',
     '{ name = "zones"; file = "zones"; },\n{ name = "zones"; file = "b"; }', 'file = "b"',
     'two files "zones"'),
    ("device_server", 'server = "drv"; pci = "1af4:1000"', 'server = "drw"; pci = "1af4:1000"',
     '"drw"', 'has no server "drw" — did you mean "drv"'),
    ("device_neither", 'pci = "1af4:1000"; ', '', 'server = "drv"; most',
     'none of "pci", "virtio" and "isa" — write pci = "VENDOR:ID", virtio = TYPE or isa = "NAME"'),
    ("device_both", 'pci = "1af4:1000"', 'pci = "1af4:1000"; virtio = 1', 'virtio = 1',
     'several of "pci", "virtio" and "isa"'),
    ("isa_and_virtio", 'pci = "1af4:1000"', 'isa = "cmos"; virtio = 1', 'virtio = 1',
     'several of "pci", "virtio" and "isa"'),
    ("isa_unknown", 'pci = "1af4:1000"; most = 4; vectors = 3', 'isa = "com3"', 'com3',
     'isa = "com3" names no device — did you mean "com2"'),
    ("isa_other", 'pci = "1af4:1000"; most = 4; vectors = 3', 'isa = "floppy"', 'floppy',
     'isa = "floppy" names no device — there are: cmos, com2'),
    ("isa_console", 'pci = "1af4:1000"; most = 4; vectors = 3', 'isa = "com1"', 'com1',
     'isa = "com1" is the console, which init drives — take "com2"'),
    ("isa_lines", 'pci = "1af4:1000"; most = 4; vectors = 3', 'isa = "com2"; vectors = 2', 'com2',
     'isa = "com2" has one line — write vectors = 1, or 0 for none'),
    ("isa_most", 'pci = "1af4:1000"; most = 4; vectors = 3', 'isa = "com2"; most = 2', 'com2',
     'is there once'),
    ("isa_required", 'pci = "1af4:1000"; most = 4; vectors = 3', 'isa = "com2"; required = true', 'com2',
     'drop "most", "required" and "contained"'),
    ("isa_contained", 'pci = "1af4:1000"; most = 4; vectors = 3', 'isa = "com2"; contained = true', 'com2',
     'reaches no memory'),
    ("isa_twice", 'pci = "1af4:1000"; most = 4; vectors = 3', 'isa = "com2"; }, { server = "drv"; isa = "com2"',
     'com2', 'isa = "com2" is claimed by "drv" already — a device has one driver'),
    ("virtio_zero", 'pci = "1af4:1000"', 'virtio = 0', 'virtio = 0', 'from 1 to 63'),
    ("virtio_large", 'pci = "1af4:1000"', 'virtio = 64', 'virtio = 64', 'from 1 to 63'),
    ("pci_words", '"1af4:1000"', '"virtio"', '"virtio"', 'names no device'),
    ("pci_vendor_only", '"1af4:1000"', '"1af4"', '"1af4"', 'names no device'),
    ("pci_long", '"1af4:1000"', '"1af4:10000"', '"1af4:10000"', 'names no device'),
    ("pci_backwards", '1041-107f', '1041-1000', '1041-1000', 'names no device'),
    ("pci_sign", '1041-107f', '1041--107f', '1041--107f', 'names no device'),
    ("most_five", 'most = 4', 'most = 5', 'most = 5', 'from 1 to 4'),
    ("vectors_five", 'vectors = 3', 'vectors = 5', 'vectors = 5', 'from 0 to 4'),
    ("required_number", 'required = true', 'required = 1', 'required = 1', 'neither true nor false'),
    ("slots_no_power", 'slots = 128', 'slots = 100', 'slots = 100', 'power of two from 2 to 1024'),
    ("slots_large", 'slots = 128', 'slots = 2048', 'slots = 2048', 'power of two'),
    ("slots_one", 'slots = 128', 'slots = 1', 'slots = 1;', 'power of two'),
    ("slots_negative", 'slots = 128', 'slots = -128', 'slots = -128', 'power of two'),
    ("end_without_port", '"net.net"', '"net"', 'client = "net"', 'names no port'),
    ("end_empty", '"net.net"', '"net."', 'client = "net."', 'names no port'),
    ("end_four_parts", '"net.net"', '"a.b.c.d"', '"a.b.c.d"', 'names no port'),
    ("end_domain", '"net.net"', '"nett.net"', '"nett.net"', 'unknown server or domain "nett" — did you mean "net"'),
    ("end_init", '"net.net"', '"init.net"', '"init.net"', 'unknown server or domain "init"'),
    ("end_server", '"net.net"', '"net.bet.net"', '"net.bet.net"', 'has no server "bet"'),
    ("end_which", 'servers = [ "drv" ]', 'servers = [ "old", "quiet" ]', 'server = "drv.net"',
     'has 2 servers — write which one: drv.SERVER.net'),
    ("pool_twice", 'name = "headers"', 'name = "rx"', 'buffers = 3', 'a pool "rx" exists already'),
    ("pool_same_view", 'as = "head"', 'as = "rx"', 'as = "rx"', 'knows two pools as "rx"'),
    ("pool_size", 'size = 2048', 'size = 2000', 'size = 2000', 'power of two from 64 to 65536'),
    ("pool_size_large", 'size = 2048', 'size = 131072', 'size = 131072', 'power of two'),
    ("pool_buffers_none", 'buffers = 128', 'buffers = 0', 'buffers = 0', 'from 1 to 1024'),
    ("pool_buffers_many", 'buffers = 128', 'buffers = 1025', 'buffers = 1025', 'from 1 to 1024'),
    ("pool_too_large", 'buffers = 128; size = 2048', 'buffers = 1024; size = 4096', 'size = 4096',
     '2097152 bytes at most'),
    ("pool_owner_unknown", 'owner = "net"', 'owner = "nut"', '"nut"',
     'unknown server or domain "nut" — did you mean "net"'),
    ("pool_owner_without_right", 'owner = "net"', 'owner = "dns"', 'owner = "dns"',
     'the owner of pool "rx" has no right'),
    ("right_domain", 'domain = "drv"; may = "rd"', 'domain = "dvr"; may = "rd"', '"dvr"',
     'unknown domain "dvr"'),
    ("right_letters", 'may = "rd"', 'may = "rx"', 'may = "rx"', 'each of r .read., w .write. and d'),
    ("right_letter_twice", 'may = "rd"', 'may = "rdr"', 'may = "rdr"', 'once'),
    ("right_none", 'may = "rd"', 'may = ""', 'may = ""', 'is no text'),
    ("right_write_only", 'may = "rw"', 'may = "w"', 'may = "w"', 'write "rw"'),
    ("right_twice", 'domain = "drv"; may = "rd"', 'domain = "net"; may = "rd"', 'may = "rd"',
     'rights twice'),
    ("memory_word", '"16M"', '"much"', '"much"', 'no size'),
    ("memory_unit", '"16M"', '"16Q"', '"16Q"', 'no size'),
    ("memory_small", '"16M"', '4096', '4096', 'from 1048576'),
    ("stack_small", 'priority = 30;', 'priority = 30; stack = 100;', 'stack = 100', 'no size'),
    ("stack_large", 'priority = 30;', 'priority = 30; stack = "2M";', '"2M"', 'no size'),
    ("table_slots_odd", 'priority = 30;', 'priority = 30; table_slots = 100;', 'table_slots = 100',
     'multiple of 64'),
    ("budget_alone", 'priority = 30;', 'priority = 30; budget = 100;', 'name = "drv"', 'give both'),
    ("period_alone", 'priority = 30;', 'priority = 30; period = 100;', 'name = "drv"', 'give both'),
    ("budget_beyond", 'priority = 30;', 'priority = 30; budget = 200; period = 100;', 'name = "drv"',
     'at least as long'),
    ("budget_small", 'priority = 30;', 'priority = 30; budget = 1; period = 100;', 'budget = 1',
     '10 to 10000000'),
    ("heap_large", 'priority = 30;', 'priority = 30; heap = "9M";', '"9M"', 'no size'),
    ("heap_kept_beyond", 'priority = 30;', 'priority = 30; heap = "1M"; heap_kept = "2M";', 'name = "drv"',
     'keep at most all of it'),
    ("pager_alone", 'priority = 30;', 'priority = 30; pager = "drv";', 'name = "drv"', 'give heap = SIZE'),
    ("pager_unknown", 'priority = 30;', 'priority = 30; heap = "1M"; pager = "drw";', 'name = "drv"',
     'unknown domain "drw" as pager'),
    ("pager_itself", 'priority = 30;', 'priority = 30; heap = "1M"; pager = "drv";', 'name = "drv"',
     'give it heap = SIZE and no pager'),
    ("pager_keeps", 'priority = 30;', 'priority = 30; heap = "1M"; heap_kept = "1M"; pager = "drv";',
     'name = "drv"', 'drop heap_kept'),
    ("trace_number", 'priority = 30;', 'priority = 30; trace = 1;', 'trace = 1',
     'neither true nor false'),
    ("table_slots_large", 'priority = 30;', 'priority = 30; table_slots = 8192;', '8192', 'to 4096'),
]


def edited(old, new):
    assert old in MANIFEST, old
    return MANIFEST.replace(old, new, 1)


@pytest.mark.parametrize("case", TEXT_ERRORS, ids=[case[0] for case in TEXT_ERRORS])
def test_text_error(compose, case):
    name, old, new, needle, message, *true_needle = case
    run = compose(edited(old, new), "--check", link=False)
    run.expect_error(true_needle[0] if true_needle else needle, message)


def test_text_errors_are_reported_together(compose):
    run = compose(edited("priority = 30", "priority = 0").replace("slots = 128", "slots = 5"),
                  "--check", link=False)
    run.expect_error("priority = 0", "from 1 to 62")
    run.expect_error("slots = 5", "power of two")


def test_missing_manifest(tmp_path):
    done = subprocess.run([COMPOSE, "--check", tmp_path / "none.conf"], text=True,
                          stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert re.match(r".*none\.conf: error: can't be read — .+", done.stderr)


def test_include_names_the_included_file(compose, tmp_path):
    (tmp_path / "part.conf").write_text('\npools = ( { name = "p"; bufers = 2; } );\n')
    run = compose(MANIFEST[:MANIFEST.index("pools")] + '@include "part.conf"\n',
                  "--check", link=False)
    assert run.status == 1
    assert re.search(r'part\.conf:2: error: unknown key "bufers".* did you mean "buffers"', run.err)


# --- Errors that show only with the servers at hand.

LINK_ERRORS = [
    ("unknown_server", '[ "dns" ]', '[ "dsn" ]', '"dsn"',
     'unknown server "dsn": there is no .*/dsn.o — did you mean "dns"'),
    ("port_of_client", '"dns.net"', '"dns.sock"', '"dns.sock"', 'server "dns" has no port "sock"'),
    ("port_of_server", '"drv.net"', '"drv.nett"', '"drv.nett"', 'did you mean "net"'),
    ("swapped", 'client = "net.net"; server = "drv.net"', 'client = "drv.net"; server = "net.net"',
     'client = "drv.net"', '"drv.net" serves, it is no client'),
    ("server_is_client", 'client = "net.net"; server = "drv.net"',
     'client = "net.net"; server = "dns.net"', 'server = "dns.net"', "it doesn't serve"),
    ("protocol", '"drv.net"; slots', '"net.sock"; slots', '128',
     '"net.net" speaks netdev, "net.sock" speaks sock'),
    ("version", '[ "dns" ]', '[ "old" ]', 'slots = 64',
     '"dns.net" speaks version 2 of sock, "net.sock" version 1'),
    ("unconnected", '    { client = "dns.net"; server = "net.sock"; slots = 64; }',
     '    { client = "net.net"; server = "drv.net"; slots = 2; }',
     'name = "dns"', 'client port "dns.dns.net" isn\'t connected'),
    ("priority", 'priority = 20', 'priority = 40', 'client = "net.net"',
     '"drv" has priority 30, its client "net" 40'),
    ("cycle_of_one", '{ name = "drv";', '{ name = "relay"; servers = [ "relay" ]; priority = 5; },'
     '\n{ name = "drv";', '"relay.out"', 'round in a cycle .relay <- relay.', None,
     '{ client = "relay.out"; server = "relay.in"; slots = 2; },'),
    ("cycle_of_two", '{ name = "drv";',
     '{ name = "a"; servers = [ "relay" ]; priority = 5; },'
     '{ name = "b"; servers = [ "relay" ]; priority = 5; },'
     '\n{ name = "drv";', '"b.out"', 'round in a cycle .a <- b <- a.', None,
     '{ client = "a.out"; server = "b.in"; slots = 2; },\n'
     '{ client = "b.out"; server = "a.in"; slots = 2; },'),
    ("setting_unknown", 'net0.gw=', 'net0.gv=', 'net0.gv', 'did you mean "net#.gw"'),
    ("setting_number", 'net0.gw=', 'net.gw=', 'net.gw', 'no server with a setting "net.gw"'),
    ("setting_of_none", 'priority = 10;', 'priority = 10; settings = [ "x=1" ];', '"x=1"',
     'there are none'),
    ("setting_without_value", 'net0.gw=10.0.2.2', 'net0.gw', '"net0.gw"', 'write "key=value"'),
    ("settings_long", 'net0.gw=10.0.2.2', 'net0.gw=' + 'x' * 500, 'name = "net"', 'there is room for 512'),
    ("table_slots", 'priority = 30;', 'priority = 30; table_slots = 64;', 'table_slots = 64',
     'too few for the'),
    ("memory", '"16M"', '"1M"', '"1M"', 'the image needs \\d+ KiB, memory = gives 1024 KiB'),
    ("file_not_given", 'file = "zones"', 'file = "zonez"', '"zonez"', 'no file is given for "zonez"'),
    ("file_missing", 'file = "zones"', 'file = "gone"', '"gone"', "gone can't be read"),
    ("file_empty", 'file = "zones"', 'file = "empty"', 'file = "empty"', 'is empty'),
    ("writable_data", '[ "dns" ]', '[ "counting" ]', '"counting"', r'writable static data in \.data: '
     r'total \(4 bytes'),
    ("magic", '[ "dns" ]', '[ "magic" ]', '"magic"', 'no SERVER_MAGIC'),
    ("abi", '[ "dns" ]', '[ "abi" ]', '"abi"', 'another server ABI'),
    ("name_differs", '[ "dns" ]', '[ "named" ]', '"named"', 'named.o holds the server "other"'),
    ("no_descriptor", '[ "dns" ]', '[ "mute" ]', '"mute"', 'names 1 servers.* hold 0 descriptors'),
    ("huge_state", '[ "dns" ]', '[ "huge" ]', '"huge"', 'larger than 64 MiB'),
    ("many_counters", '[ "dns" ]', '[ "counters" ]', '"counters"', 'its counters are too many'),
    ("undefined_symbol", '[ "dns" ]', '[ "lost" ]', '"lost"', 'linking domain "dns" failed'),
    ("bad_pattern", '[ "dns" ]', '[ "pattern" ]', '"pattern"', 'its settings are not'),
    ("bad_role", '[ "dns" ]', '[ "roles" ]', '"roles"', 'its ports are not'),
    ("port_names_twice", '[ "dns" ]', '[ "twins" ]', '"twins"', 'its ports are not'),
    ("wild_pointer", '[ "dns" ]', '[ "wild" ]', '"wild"', 'its settings are not'),
    ("entry_in_data", '[ "dns" ]', '[ "dataentry" ]', '"dataentry"', 'an entry point is no function'),
]


@pytest.mark.parametrize("case", LINK_ERRORS, ids=[case[0] for case in LINK_ERRORS])
def test_link_error(compose, case):
    name, old, new, needle, message, *more = case
    text = edited(old, new)
    if len(more) > 1:
        text = text.replace("connections = (\n", "connections = (\n" + more[1] + "\n", 1)
    compose(text, files=("zones", "gone", "empty")).expect_error(needle, message)


def test_stack_below_what_a_server_declares(compose, objects):
    compile_object(server_source("deep", port("net", "sock", "CLIENT")).replace(
        ".stack_bytes = 3000", ".stack_bytes = 5000"), objects / "deep.o")
    text = edited('[ "dns" ]; priority', '[ "deep" ]; stack = "4K"; priority')
    compose(text).expect_error('stack = "4K"', "less than the 5000 bytes")


def test_bss_is_refused_with_the_file_of_a_static(compose, objects):
    folder = objects / "counting.c"
    folder.write_text(server_source("tallying", port("net", "sock", "CLIENT"),
                                    EXTRA="static int tally[3];",
                                    TOUCH="tally[(unsigned long)s % 3]++ ? OK : ERROR_FULL"))
    subprocess.run([CC, *FLAGS, "-c", "-o", objects / "tallying.o", folder], check=True)
    compose(edited('[ "dns" ]', '[ "tallying" ]')).expect_error(
        '"tallying"', r"writable static data in \.bss: tally \(12 bytes, counting\.c\)")


# --- A broken linker.

def fake_linker(folder, script):
    path = folder / "fake-ld"
    path.write_text('#!/bin/sh\nout=\nfor a; do [ "$last" = -o ] && out=$a; last=$a; done\n' + script)
    path.chmod(0o755)
    return {"LD": str(path)}


@pytest.mark.parametrize("script, message", [
    ("exit 3", "linking domain .* failed"),
    ("exit 0", "can't be read"),
    (': > "$out"', "no ELF64 file"),
    ('echo "hello" > "$out"', "no ELF64 file"),
    ('ld "$@" && printf "\\003" | dd of="$out" bs=1 seek=18 conv=notrunc status=none',
     "for machine 3, not x86-64"),
    ('ld "$@" -shared --no-gc-sections -o "$out"', "no static executable|linking domain"),
    ('ld "$@" && truncate -s 2000 "$out"', "cut off|isn't wholly in the file"),
    ('ld "$@" && printf "\\007" | dd of="$out" bs=1 seek=68 conv=notrunc status=none',
     "both writable and executable"),
    ('ld "$@" && printf "\\006" | dd of="$out" bs=1 seek=124 conv=notrunc status=none',
     "a segment is writable"),
    ('ld "$@" --defsym=IMAGE_ADDRESS=0x500000', "aren't where IMAGE_ADDRESS"),
    ('ld "$@" && strip "$out"', "_start|without a list of servers"),
], ids=["fails", "writes_nothing", "empty", "text", "machine", "shared", "truncated", "wx", "writable",
        "address", "stripped"])
def test_bad_linker(compose, tmp_path, script, message):
    compose(MANIFEST, env=fake_linker(tmp_path, script)).expect_error(None, message)


def test_init_without_entry(compose, objects, tmp_path):
    for name in ["start.o", "libos.a", "init_devices.o", "init_msi.o", "drv.o", "net.o", "dns.o", "zones"]:
        os.link(objects / name, tmp_path / name)
    compile_object("int nothing(void); int nothing(void) { return 1; }", tmp_path / "init.o")
    run = Run(tmp_path, tmp_path, MANIFEST)
    run.expect_error(None, '_start')


def test_unwritable_output(compose, tmp_path):
    run = compose(MANIFEST, "--work", tmp_path / "w", "-o", "/nonexistent/x.bundle", "--check")
    assert run.status == 2  # --check writes nothing
    run = compose(MANIFEST, "--explain", "--work", tmp_path / "w", "-o", "/nonexistent/x.bundle")
    assert run.status == 1 and "/nonexistent/x.bundle: error: can't be written" in run.err


# --- What is written, read by a decoder of its own.

def fields(format_, names, data, offset):
    values = struct.unpack_from("<" + format_, data, offset)
    return dict(zip(names.split(), values))


def text_of(data):
    return data.split(b"\0", 1)[0].decode()


class Block:
    """The composition as an init would read it."""

    def __init__(self, path):
        self.data = data = path.read_bytes()
        self.header = fields("QIIQQ16s13IHH", "magic version header_bytes size checksum name "
                             "d0 dn r0 rn m0 mn c0 cn v0 vn s0 sn controller loader staging", data, 0)
        h = self.header
        self.domains = [fields("16sQQIIIHHHBBIIIIIQQQHHHBBIIIIHHHHBBHHHHxxII", "name entry stack_top start start_bytes "
                               "table_slots start_region log_region counter_region priority restarts "
                               "settings servers budget period pager_slot pager_entry pager_stack "
                               "heap_address heap_blocks heap_kept pager pager_priority x fault_slot "
                               "trace_page watch_page symbols body program_region constants_region "
                               "state_region second files file0 file1 file2 file3 version watchdog",
                               data, h["d0"] + 152 * i)
                        for i in range(h["dn"])]
        self.regions = [fields("IIIIHBB", "pages offset bytes first mappings kind x", data,
                               h["r0"] + 20 * i) for i in range(h["rn"])]
        self.mappings = [fields("QIHBB", "address slot domain rights pool", data, h["m0"] + 16 * i)
                         for i in range(h["mn"])]
        self.connections = [fields("HHIIBBH", "client server client_slot server_slot client_bit "
                                   "server_bit x", data, h["c0"] + 16 * i)
                            for i in range(h["cn"])]
        self.devices = [fields("QIIHHHHHBBBBBBHHI", "address slot slots domain virtio vendor id "
                               "id_last most vectors server required contained line port ports x",
                               data, h["v0"] + 40 * i)
                        for i in range(h["vn"])]
        for number, region in enumerate(self.regions):
            for i in range(region["first"], region["first"] + region["mappings"]):
                self.mappings[i]["region"] = number

    def servers(self, name):
        names = self.data[self.domains[self.number(name)]["servers"]:].split(b"\0\0", 1)[0]
        return [n.decode() for n in names.split(b"\0") if n]

    def number(self, name):
        return [text_of(d["name"]) for d in self.domains].index(name)

    def of(self, name):
        return [m for m in self.mappings if m["domain"] == self.number(name)]

    def start(self, name):
        domain = self.domains[self.number(name)]
        page = self.data[domain["start"]:domain["start"] + domain["start_bytes"]].ljust(PAGE, b"\0")
        start = fields("IIQQQQ16sHBBBBBB", "magic version private_address private_bytes log counters "
                       "name domain conns pools files devices paged x", page, 0)
        start["conn"] = [fields("16sQQIIBBBBHBB", "name mine theirs slots doorbell bit role server "
                                "port instance transport peer", page, 64 + 48 * i)
                         for i in range(start["conns"])]
        start["pool"] = [fields("16sQQIIBBB", "name base physical buffers buffer_size rights number "
                                "server", page, 64 + 16 * 48 + 48 * i) for i in range(start["pools"])]
        start["file"] = [fields("16sQIB", "name address size server", page, 64 + 32 * 48 + 32 * i)
                         for i in range(start["files"])]
        start["page"] = page
        return start

    def symbols(self, domain):
        """(bytes of the text, [(offset, name), ...]); None: the image has none."""
        at = self.domains[domain]["symbols"]
        if not at:
            return None
        count, text = struct.unpack_from("<II", self.data, at)
        entries = struct.iter_unpack("<II", self.data[at + 8:at + 8 + 8 * count])
        return text, [(offset, text_of(self.data[name:])) for offset, name in entries]

    def memory(self, domain):
        """{address: (rights, 4 KiB of contents, or None for fresh memory)} of one domain."""
        pages = {}
        for m in (m for m in self.mappings if m["domain"] == domain and m["address"]):
            region = self.regions[m["region"]]
            for i in range(region["pages"]):
                at = region["offset"] + i * PAGE
                address = m["address"] + i * PAGE
                assert address not in pages, "two mappings overlap"
                pages[address] = (m["rights"],
                                  self.data[at:at + PAGE] if region["kind"] == 0 else None)
        return pages


READ, WRITE, EXECUTE, DMA = 1, 2, 4, 8


@pytest.fixture(scope="session")
def good(tmp_path_factory, objects):
    return composed(tmp_path_factory.mktemp("good"), objects, MANIFEST)


@pytest.fixture(scope="session")
def block(good):
    return Block(good.bundle)


def test_header_and_checksum(block):
    assert block.header["magic"] == 0x314745544F4D5F5F and block.header["version"] == 8
    assert block.header["header_bytes"] == 104
    assert block.header["size"] == len(block.data) and len(block.data) % PAGE == 0
    total = 0xCBF29CE484222325
    for (word,) in struct.iter_unpack("<Q", block.data[104:]):
        total = ((total ^ word) * 0x100000001B3) % 2**64
    assert block.header["checksum"] == total
    assert text_of(block.header["name"]) == "test"
    assert [text_of(d["name"]) for d in block.domains] == ["init", "drv", "net", "dns"]
    assert [d["priority"] for d in block.domains] == [63, 30, 20, 10]


def text_symbols(path):
    """{offset in the text: names}, as nm sees the file."""
    found = {}
    lines = subprocess.run(["nm", path], stdout=subprocess.PIPE, text=True, check=True).stdout
    for address, kind, name in re.findall("^([0-9a-f]+) (.) (.+)$", lines, re.MULTILINE):
        if kind in "tT":
            found.setdefault(int(address, 16) - 0x402000, set()).add(name)
    return found


def test_symbols_are_the_linked_programs(compose):
    run = compose(MANIFEST.replace('image = "test";', 'image = "test"; symbols = true;'))
    assert run.status == 0, run.err
    block = Block(run.bundle)
    assert block.symbols(0) is None
    domains = json.loads(run.map.read_text())["domains"]
    for number, domain in enumerate(domains[1:], 1):
        text, symbols = block.symbols(number)
        offsets = [offset for offset, _ in symbols]
        assert text == domain["text"]["bytes"]
        assert offsets == sorted(set(offsets)) and offsets[-1] < text
        known = text_symbols(domain["elf"])
        assert set(offsets) == set(known)
        assert all(name in known[offset] for offset, name in symbols)
        assert {"_start", "start"} <= {name for _, name in symbols}
        assert block.domains[number]["symbols"] + 8 <= block.regions[0]["offset"]


def test_same_program_same_symbols(compose):
    twin = '{ name = "twin"; servers = [ "quiet" ]; priority = 1; }'
    run = compose('image = "test"; symbols = true; domains = ( ' + twin + ", " +
                  twin.replace("twin", "other") + " );")
    assert run.status == 0, run.err
    block = Block(run.bundle)
    assert block.domains[1]["symbols"] == block.domains[2]["symbols"] != 0


def test_no_symbols_without_the_key(block, good):
    assert all(domain["symbols"] == 0 for domain in block.domains)
    assert b"_start" not in block.data
    assert b"backtrace" not in Path(good.bundle).read_bytes()


def test_contents_are_whole_pages_in_order_without_gaps(block):
    content = [r for r in block.regions if r["kind"] == 0]
    assert content == block.regions[:len(content)]
    at = content[0]["offset"]
    assert at % PAGE == 0 and at >= block.header["s0"] + block.header["sn"]
    for region in content:
        assert region["offset"] == at and region["pages"]
        at += region["pages"] * PAGE
    assert at == len(block.data)


def test_mappings_are_grouped_by_region(block):
    at = 0
    for region in block.regions:
        assert region["first"] == at and region["mappings"]
        at += region["mappings"]
    assert at == len(block.mappings)


def test_each_domain_sees_its_program_as_it_was_linked(block, good):
    for number, domain in enumerate(json.loads(good.map.read_text())["domains"]):
        elf = Path(domain["elf"]).read_bytes()
        memory = block.memory(number)
        (phoff,), (count,) = struct.unpack_from("<Q", elf, 32), struct.unpack_from("<H", elf, 56)
        for i in range(count):
            kind, flags, offset, address, _, size, memsize, _ = \
                struct.unpack_from("<IIQQQQQQ", elf, phoff + 56 * i)
            if kind != 1 or not memsize:
                continue
            listed = domain["text" if flags & 1 else "rodata"]
            assert (listed["address"], listed["bytes"]) == (address, size)
            assert block.data[listed["offset"]:][:size] == elf[offset:offset + size]
            for n in range(size):
                rights, page = memory[(address + n) // PAGE * PAGE]
                assert page[(address + n) % PAGE] == elf[offset + n]
                assert rights == (READ | EXECUTE if flags & 1 else READ)
        assert domain["text"]["bytes"] and domain["entry"] == block.domains[number]["entry"]


def test_nothing_is_writable_and_executable(block):
    for m in block.mappings:
        assert m["rights"] & (WRITE | EXECUTE) != WRITE | EXECUTE
        if block.regions[m["region"]]["kind"] == 0:
            assert not m["rights"] & WRITE


def test_regions_have_an_unmapped_page_between(block):
    for name in ["drv", "net", "dns"]:
        memory = block.memory(block.number(name))
        for m in block.of(name):
            region = block.regions[m["region"]]
            if m["address"] and region["kind"] == 1 and m["address"] != 0x400000:
                assert m["address"] - PAGE not in memory
                assert m["address"] + region["pages"] * PAGE not in memory


def test_init_has_its_memory_where_libos_start_h_says(block):
    header = (ROOT / "libos/start.h").read_text()
    private, stack = (int(re.search(rf"INIT_{what}_ADDRESS\s+(0x[0-9a-f]+)", header)[1], 16)
                      for what in ["PRIVATE", "STACK"])
    private_pages, stack_pages = (int(re.search(rf"INIT_{what}_BYTES = (\d+) \* 1024", header)[1]) // 4
                                  for what in ["PRIVATE", "STACK"])
    memory = block.memory(0)
    assert sorted(a for a, (rights, _) in memory.items() if rights & WRITE) == \
        [private + i * PAGE for i in range(private_pages)] + \
        [stack + i * PAGE for i in range(stack_pages)]
    assert stack - PAGE not in memory
    assert block.domains[0]["stack_top"] == stack + stack_pages * PAGE
    assert block.domains[0]["start"] == 0
    assert all(m["slot"] == 0 for m in block.of("init"))


def test_slots_are_distinct_and_inside_the_table(block):
    for number, domain in enumerate(block.domains[1:], 1):
        used = [1, 2]
        for c in block.connections:
            used += [c["client_slot"]] * (c["client"] == number)
            used += [c["server_slot"]] * (c["server"] == number)
        for m in block.of(text_of(domain["name"])):
            runs = (block.regions[m["region"]]["pages"] + 511) // 512
            used += range(m["slot"], m["slot"] + runs)
        for d in block.devices:
            used += range(d["slot"], d["slot"] + d["slots"]) if d["domain"] == number else []
        assert sorted(used) == list(range(1, len(used) + 1))
        assert domain["table_slots"] % 64 == 0 and max(used) < domain["table_slots"]


def test_start_page(block):
    start = block.start("net")
    memory = block.memory(block.number("net"))
    assert (start["magic"], start["version"]) == (0x74725453, 4)
    assert text_of(start["name"]) == "net" and start["domain"] == block.number("net")
    assert start["private_bytes"] == LIBOS_BYTES + 70016
    for i in range((start["private_bytes"] + PAGE - 1) // PAGE):
        assert memory[start["private_address"] + i * PAGE][0] == READ | WRITE
    assert memory[start["log"]][0] == memory[start["counters"]][0] == READ | WRITE
    assert memory[0x400000][0] == READ
    assert b"net0.ip=10.0.2.15/24\0net0.gw=10.0.2.2\0\0" in start["page"]
    assert start["devices"] == 0


def test_each_ring_has_one_writer(block):
    net, drv = block.start("net"), block.start("drv")
    conn, peer = net["conn"][0], drv["conn"][0]
    assert text_of(conn["name"]) == "net" and conn["role"] == 0 and peer["role"] == 1
    assert conn["slots"] == peer["slots"] == 128

    def region(name, address):
        found = [m for m in block.of(name) if m["address"] == address]
        return found[0]["region"], found[0]["rights"]

    assert region("net", conn["mine"]) == (region("drv", peer["theirs"])[0], READ | WRITE)
    assert region("drv", peer["mine"]) == (region("net", conn["theirs"])[0], READ | WRITE)
    assert region("net", conn["theirs"])[1] == region("drv", peer["theirs"])[1] == READ
    assert block.regions[region("net", conn["mine"])[0]]["pages"] == 3  # 256 + 128 x 64 bytes


def test_doorbells_match_both_start_pages(block):
    for c in block.connections:
        client = block.start(text_of(block.domains[c["client"]]["name"]))
        server = block.start(text_of(block.domains[c["server"]]["name"]))
        assert (c["client_slot"], c["client_bit"]) in [(x["doorbell"], x["bit"])
                                                       for x in client["conn"] if x["role"] == 0]
        assert (c["server_slot"], c["server_bit"]) in [(x["doorbell"], x["bit"])
                                                       for x in server["conn"] if x["role"] == 1]
    assert [x["bit"] for x in block.start("net")["conn"]] == [0, 1]


def test_pools(block):
    net, drv = block.start("net"), block.start("drv")
    assert [(text_of(p["name"]), p["rights"], p["number"]) for p in net["pool"]] == \
        [("rx", 1, 0), ("headers", 3, 1)]
    assert [(text_of(p["name"]), p["rights"], p["number"]) for p in drv["pool"]] == \
        [("rx", 5, 0), ("head", 4, 1)]
    assert drv["pool"][1]["base"] == 0 and drv["pool"][0]["base"]
    assert (net["pool"][0]["buffers"], net["pool"][0]["buffer_size"]) == (128, 2048)
    dma = {m["pool"]: m for m in block.of("drv") if m["rights"] & DMA}
    assert sorted(dma) == [1, 2] and dma[2]["address"] == 0 and dma[2]["rights"] == DMA
    assert dma[1]["region"] in [m["region"] for m in block.of("net")]
    assert all(m["pool"] == 0 for m in block.of("net"))
    assert not any(m["region"] in (dma[1]["region"], dma[2]["region"]) for m in block.of("dns"))


def test_file(block, objects):
    start = block.start("dns")
    memory = block.memory(block.number("dns"))
    zones = (objects / "zones").read_bytes()
    assert text_of(start["file"][0]["name"]) == "zones" and start["file"][0]["size"] == len(zones)
    assert memory[start["file"][0]["address"]] == (READ, zones[:PAGE])


def test_devices(block):
    first, second = block.devices
    assert (first["vendor"], first["id"], first["id_last"]) == (0x1AF4, 0x1000, 0x1000)
    assert (second["vendor"], second["id"], second["id_last"]) == (0x1AF4, 0x1041, 0x107F)
    assert (first["most"], first["vectors"], first["required"]) == (4, 3, 0)
    assert (second["most"], second["vectors"], second["required"]) == (1, 0, 1)
    end = max(a for a in block.memory(block.number("drv"))) + PAGE
    assert first["address"] == end + PAGE and second["address"] == 0x10000000


def test_servers_are_named(block):
    assert block.servers("init") == []
    assert block.servers("net") == ["net"]


def test_device_by_virtio_type(compose):
    run = compose(edited('pci = "1af4:1000"', "virtio = 1"))
    assert run.status == 0, run.err
    first, second = Block(run.bundle).devices
    assert (first["virtio"], first["vendor"], first["id"], first["id_last"]) == (1, 0, 0, 0)
    assert (second["virtio"], second["vendor"]) == (0, 0x1AF4)
    explained = compose(edited('pci = "1af4:1000"', "virtio = 1"), "--explain").out
    assert "virtio type 1, at most 4" in explained


ISA = edited('pci = "1af4:1000"; most = 4; vectors = 3', 'isa = "com2"; vectors = 1')


def test_legacy_device(compose):
    run = compose(ISA)
    assert run.status == 0, run.err
    block = Block(run.bundle)
    first, second = block.devices
    assert (first["port"], first["ports"], first["line"], first["vectors"]) == (0x2F8, 8, 3, 1)
    assert (first["virtio"], first["vendor"], first["id"]) == (0, 0, 0x0501)
    assert second["ports"] == 0 and second["slot"] == first["slot"] + first["slots"] == first["slot"] + 2
    assert "ports 0x2f8 to 0x2ff, line 3: com2, the second serial port" in compose(ISA, "--explain").out


def test_legacy_device_of_two_domains(compose):
    text = ISA.replace('files = ( {', 'devices = ( { server = "dns"; isa = "com2"; } );\n files = ( {')
    compose(text).expect_error('"dns"; isa', 'isa = "com2" is claimed by "drv" already')


def test_legacy_devices_of_two_domains(compose):
    run = compose(ISA.replace('files = ( {', 'devices = ( { server = "dns"; isa = "cmos"; } );\n files = ( {'))
    assert run.status == 0, run.err
    assert [d["port"] for d in Block(run.bundle).devices] == [0x2F8, 0, 0x70]


def test_settings(block):
    at = block.domains[block.number("net")]["settings"]
    assert block.data[at:].startswith(b"net#.ip\0net#.gw\0\0")
    assert block.data[block.domains[block.number("dns")]["settings"]] == 0


def test_map(good, block):
    found = json.loads(good.map.read_text())
    assert found["image"] == "test" and [d["name"] for d in found["domains"]][0] == "init"
    totals = found["totals"]
    assert totals["size"] == len(block.data) == sum(
        totals[part] for part in ["text", "rodata", "files", "tables", "padding"])
    assert totals["files"] == 5120 and found["files"][0]["bytes"] == 5120
    at = found["files"][0]["offset"]
    assert block.data[at:at + 256] == bytes(range(256))


def test_unused_code_and_notes_are_left_out(good):
    for domain in json.loads(good.map.read_text())["domains"]:
        elf = Path(domain["elf"]).read_bytes()
        assert b"\x57\x7e\x00\x00" not in elf
        assert b".eh_frame" not in elf and b".comment" not in elf


def test_output_is_reproducible(good, tmp_path, objects):
    again = Run(tmp_path, objects, MANIFEST)
    assert again.bundle.read_bytes() == good.bundle.read_bytes()


def test_explain(compose, tmp_path):
    run = compose(MANIFEST, "--explain")
    assert run.status == 0 and run.err == ""
    for text in ["image test", "net.net", "drv.net", "netdev 1", "its own port",
                 "its supervisor, init", "wakes net.sock", "pool headers", "not mapped",
                 "PCI 1af4:1041-107f, at most 1", "required", "file zones", "in all"]:
        assert text in run.out, text
    assert not run.bundle.exists()


def test_check_alone_writes_nothing(compose, tmp_path):
    run = compose(MANIFEST, "--check", env={"TMPDIR": str(tmp_path)})
    assert (run.status, run.err) == (0, "")
    assert re.fullmatch(r".*test\.conf: good: 3 domains, 2 connections, 2 pools, needs \d+ KiB\n", run.out)
    assert [p.name for p in tmp_path.iterdir()] == ["test.conf"]


def test_help_and_misuse(objects):
    assert subprocess.run([COMPOSE, "--help"], stdout=subprocess.DEVNULL).returncode == 0
    for options in [[], ["x.conf"], ["--check"], ["--no-such", "x"], ["-o", "x", "y.conf"],
                    ["--check", "--objects", "d", "x.conf"], ["--check", "--file", "x", "y.conf"]]:
        done = subprocess.run([COMPOSE, *options], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2 and "usage:" in done.stderr, options


def test_domains_with_the_same_servers_share_their_program(compose):
    domains = "".join(f'{{ name = "c{i}"; servers = [ "dns" ]; priority = 1; }}, ' for i in range(9))
    connections = "".join(f'{{ client = "c{i}.net"; server = "net.sock"; slots = 2; }}, '
                          for i in range(9))
    run = compose(MANIFEST.replace("domains = (", "domains = (" + domains)
                  .replace("connections = (", "connections = (" + connections))
    assert run.status == 0, run.err
    block = Block(run.bundle)
    text = [{m["region"] for m in block.of(name) if m["rights"] & EXECUTE}
            for name in ["dns"] + [f"c{i}" for i in range(9)]]
    assert all(regions == text[0] for regions in text)
    conns = block.start("net")["conn"]
    assert [c["instance"] for c in conns if c["role"] == 1] == list(range(10))


def test_too_many_connections_for_a_start_page(compose):
    domains = "".join(f'{{ name = "c{i}"; servers = [ "dns" ]; priority = 1; }}, ' for i in range(15))
    connections = "".join(f'{{ client = "c{i}.net"; server = "net.sock"; slots = 2; }},\n'
                          for i in range(15))
    run = compose(MANIFEST.replace("domains = (", "domains = (" + domains)
                  .replace("connections = (", "connections = (" + connections))
    run.expect_error('client = "dns.net"', 'domain "net" has more than 16 connections')


def test_too_many_regions(compose):
    """15 pairs of domains with 16 connections each need more than init's tables hold."""
    pairs = range(15)
    domains = "".join(f'{{ name = "s{i}"; servers = [ "drv" ]; priority = 2; }}, '
                      f'{{ name = "c{i}"; servers = [ "net" ]; priority = 1; }}, ' for i in pairs)
    connections = "".join(f'{{ client = "c{i}.net"; server = "s{i}.net"; slots = 2; }}, ' * 16
                          for i in pairs)
    run = compose(MANIFEST.replace("domains = (", "domains = (" + domains)
                  .replace("connections = (", "connections = (" + connections))
    run.expect_error(None, "pieces of memory — there can be 512")


def test_too_many_pools_for_a_start_page(compose):
    pools = "".join(f'{{ name = "p{i}"; buffers = 1; size = 64; owner = "dns";\n'
                    f' rights = ( {{ domain = "dns"; may = "rw"; }} ); }},\n' for i in range(17))
    run = compose(MANIFEST.replace("pools = (", "pools = (" + pools), "--check", link=False)
    assert run.status == 1
    assert f':{run.line_of("p16") + 1}: error: domain "dns" has more than 16 pools ' in run.err


def test_several_servers_in_one_domain(compose):
    """Calls and queues in private memory; nothing of it is shared, rung or in the image's tables."""
    text = (MANIFEST.replace('{ name = "net"; servers = [ "net" ]; priority = 20;',
                             '{ name = "net"; servers = [ "net", "dns" ]; priority = 20;\n'
                             '  files = ( { name = "zones"; file = "zones"; } );')
            .replace(',\n    { name = "dns"; servers = [ "dns" ]; priority = 10;\n'
                     '      files = ( { name = "zones"; file = "zones"; } ); }', '')
            .replace("dns.net", "net.dns.net").replace("net.sock", "net.net.sock")
            .replace('"net.net"; server = "drv', '"net.net.net"; server = "drv'))
    run = compose(text)
    assert run.status == 0, run.err
    block = Block(run.bundle)
    start = block.start("net")
    outer, client, server = start["conn"]
    assert [(c["role"], c["server"], c["port"]) for c in start["conn"]] == \
        [(0, 0, 0), (0, 1, 0), (1, 0, 1)]
    assert (outer["transport"], client["transport"], server["transport"]) == (0, 1, 1)
    assert (client["peer"], server["peer"]) == (2, 1)
    states = LIBOS_BYTES + 70016 + 128
    assert [c["mine"] - start["private_address"] for c in (client, server)] == \
        [states, states + 64 * 64]
    assert start["private_bytes"] == states + 2 * 64 * 64
    assert not any(c[key] for c in (client, server) for key in ("theirs", "doorbell", "bit"))
    assert len(block.connections) == 1
    stack, = [block.regions[m["region"]]["pages"] * PAGE for m in block.of("net")
              if m["address"] + block.regions[m["region"]]["pages"] * PAGE
              == block.domains[block.number("net")]["stack_top"]]
    assert stack >= 2 * 3000 + 4096  # both servers', and the libOS's
    drawn = json.loads(run.map.read_text())["connections"]
    assert [c["transport"] for c in drawn] == ["channel", "direct"]
    out = compose(text, "--explain").out
    assert re.search(r"net.dns.net +net.net.sock +64 +direct +sock 1", out)
    assert "wakes net.net.sock" not in out and "ring net.dns" not in out


# --- Manifests that say apart what belongs to a server, and who lives together.

PARTS = """\
servers = (
    { name = "drv"; priority = 30;
      devices = ( { pci = "1af4:1000"; most = 4; vectors = 3; } ); },
    { name = "net"; priority = 20; settings = [ "net0.ip=10.0.2.15/24" ]; stack = "64K"; },
    { name = "dns"; priority = 10; files = ( { name = "zones"; file = "zones"; } ); }
);
connections = (
    { client = "net.net"; server = "drv.net"; slots = 128; },
    { client = "dns.net"; server = "net.sock"; slots = 64; }
);
pools = (
    { name = "rx"; buffers = 128; size = 2048; owner = "net";
      rights = ( { server = "net"; may = "r"; }, { server = "drv"; may = "rd"; } ); },
    { name = "headers"; buffers = 3; size = 128; owner = "net";
      rights = ( { server = "net"; may = "rw"; }, { server = "drv"; may = "d"; as = "rx2"; } ); }
);
"""
ISOLATED = 'domains = ( "drv", "net", "dns" );\n'
FUSED = 'domains = ( { name = "all"; servers = [ "drv", "net", "dns" ]; } );\n'


def test_apart_they_get_what_the_longer_way_gives(compose):
    """Every mapping, slot and byte is that of domains that list it all themselves."""
    longer = MANIFEST.replace(""",
                  { server = "drv"; pci = "1af4:1041-107f"; required = true; }""", "")
    short = compose('image = "test"; memory = "16M";\n' + ISOLATED + PARTS.replace("rx2", "head")
                    .replace(' stack = "64K";', "")
                    .replace('10.0.2.15/24" ]', '10.0.2.15/24", "net0.gw=10.0.2.2" ]'))
    assert short.status == 0, short.err
    bytes_of_short = short.bundle.read_bytes()
    assert compose(longer).status == 0

    def without_holders(data):  # whose name a pool or a file is: every server's, or the one's
        block = Block(data)
        return [[(d[key], block.start(text_of(d["name"]))[key2]) for d in block.domains[1:]]
                for key, key2 in [("priority", "private_bytes"), ("table_slots", "log")]], \
            block.mappings, block.regions, block.connections, block.devices

    (short.path.parent / "short").write_bytes(bytes_of_short)
    assert without_holders(short.path.parent / "short") == without_holders(short.bundle)


def test_fused_they_share_what_each_has(compose):
    run = compose(FUSED + PARTS)
    assert run.status == 0, run.err
    block = Block(run.bundle)
    start = block.start("all")
    assert text_of(block.header["name"]) == "test"  # the file's name
    assert block.domains[1]["priority"] == 30
    assert [(text_of(p["name"]), p["rights"], p["number"], p["server"]) for p in start["pool"]] == \
        [("rx", 5, 0, 1), ("rx", 5, 0, 0), ("headers", 7, 1, 1), ("rx2", 7, 1, 0)]
    assert start["pool"][0]["base"] == start["pool"][1]["base"] != 0
    dma = {m["pool"] for m in block.mappings if m["rights"] & DMA}
    assert dma == {1, 3}  # the first name of each
    assert [(text_of(f["name"]), f["server"]) for f in start["file"]] == [("zones", 2)]
    assert [d["server"] for d in block.devices] == [0]
    assert block.connections == [] and [c["transport"] for c in start["conn"]] == [1] * 4
    stack = [block.regions[m["region"]]["pages"] * PAGE for m in block.of("all")
             if m["address"] + block.regions[m["region"]]["pages"] * PAGE
             == block.domains[1]["stack_top"]]
    assert stack == [(3000 + 65536 + 3000 + PAGE + PAGE - 1) // PAGE * PAGE]


PART_ERRORS = [
    ("lives_nowhere", FUSED, 'domains = ( "drv", "net" );\n', 'name = "dns"', 'lives in no domain'),
    ("lives_twice", FUSED, ISOLATED.replace(" );", ', { name = "b";\n servers = [ "net" ]; } );'),
     ' servers = [ "net" ]', 'lives in two domains'),
    ("listed_twice", 'name = "dns"; priority', 'name = "net"; priority', 'name = "net"; priority = 10',
     'listed already'),
    ("no_priority", ' priority = 20;', '', 'name = "net"', 'has no "priority"'),
    ("unknown_key", 'priority = 20;', 'priority = 20; budget = 5;', 'budget', 'unknown key "budget" in a '
     'server'),
    ("device_says_whose", '{ pci', '{ server = "drv"; pci', 'pci', 'drop the key'),
    ("several_without_name", 'name = "all"; ', '', 'servers = [ "drv"', 'several servers has no "name"'),
    ("server_alone_no_name", FUSED, 'domains = ( "Drv" );\n', '"Drv"', 'is no name'),
    ("right_of_both", 'server = "net"; may = "r"', 'server = "net"; domain = "all"; may = "r"',
     'domain = "all"', 'both "server" and "domain"'),
    ("right_of_nobody", 'server = "net"; may = "r"', 'may = "r"', 'may = "r"; }', 'no "server"'),
    ("right_of_a_domain", 'server = "net"; may = "r"', 'server = "all"; may = "r"', 'server = "all"',
     'no server that lives in one domain'),
    ("right_unknown", 'server = "net"; may = "r"', 'server = "nett"; may = "r"', '"nett"',
     'unknown server or domain "nett" — did you mean "net"'),
    ("right_twice", 'server = "drv"; may = "rd"', 'server = "net"; may = "rd"', 'may = "rd"',
     'gives server "net" rights twice'),
    ("same_view", 'as = "rx2"', 'as = "rx"', 'as = "rx"', 'server "drv" knows two pools as "rx"'),
    ("settings_differ", 'name = "dns"; priority = 10;', 'name = "dns"; priority = 10;\n'
     ' settings = [ "net0.ip=1.2.3.4/8" ];', '1.2.3.4', 'let them live apart'),
    ("many_claims", 'name = "dns"; priority = 10;', 'name = "dns"; priority = 10;\n devices = ( '
     + ', '.join(['{ virtio = 4; }'] * 4) + ' );', 'virtio = 4', 'claim devices more than 4 times'),
    ("many_files", 'name = "net"; priority = 20;', 'name = "net"; priority = 20; files = ( '
     + ', '.join(f'{{ name = "f{i}"; file = "zones"; }}' for i in range(4)) + ' );',
     'name = "zones"', 'more than 4 files'),
]


@pytest.mark.parametrize("case", PART_ERRORS, ids=[case[0] for case in PART_ERRORS])
def test_part_error(compose, case):
    _, old, new, needle, message = case
    text = FUSED + PARTS
    assert old in text, old
    compose(text.replace(old, new, 1), "--check", link=False).expect_error(needle, message)


def test_an_error_in_an_included_file_is_said_there(compose, tmp_path):
    (tmp_path / "test.parts").write_text("\n" + PARTS.replace("slots = 64", "slots = 65"))
    run = compose(FUSED + '@include "test.parts"\n', "--check", link=False)
    assert run.status == 1
    assert re.search(r"/test\.parts:10: error: slots has no value", run.err)


def test_the_image_is_named_after_its_file(tmp_path):
    (tmp_path / "Bad name.conf").write_text(FUSED + PARTS)
    done = subprocess.run([COMPOSE, "--check", tmp_path / "Bad name.conf"], text=True,
                          stderr=subprocess.PIPE)
    assert done.returncode == 1 and 'image = "Bad name" is no name' in done.stderr


def test_a_client_below_its_server_is_fused_with_a_higher_one(compose):
    """drv (30) lives with dns (10), whose server net has 20: the domain's own priority helps."""
    together = 'domains = ( { name = "both"; servers = [ "drv", "dns" ]; }, "net" );\n'
    compose(together + PARTS).expect_error('client = "dns.net"', "its client \"both\" 30")
    assert compose(together.replace("]; }", "]; priority = 20; }") + PARTS).status == 0


def test_only_what_the_connections_need_is_linked(compose, tmp_path, objects):
    """By the symbols of the images that are built from the real libOS."""
    for name, wanted in {
            "dns-isolated": {"virtio_drv": {"channel"}, "netd": {"channel"}, "dnsd": {"channel"}},
            "dns-paired": {"virtio_drv+netd": {"channel", "direct"}, "dnsd": {"channel"}},
            "dns-fused": {"virtio_drv+netd+dnsd": {"direct"}}}.items():
        for program, transports in wanted.items():
            elf = ROOT / f"build/images/{name}/{program}.elf"
            symbols = set(subprocess.run(["nm", elf], capture_output=True, text=True,
                                         check=True).stdout.split())
            found = {t for t in ("channel", "direct") if f"{t}_transport" in symbols}
            assert found == transports, (name, program)
            for symbol in ("channel_put", "channel_begin", "ring_fence", "channels_drain"):
                assert (symbol in symbols) == ("channel" in transports), (name, program, symbol)
            for symbol in ("direct_put", "direct_drain"):
                assert (symbol in symbols) == ("direct" in transports), (name, program, symbol)


@pytest.mark.parametrize("image, heaps, devices", [
    ("dns", False, True), ("dns_heap", True, True), ("heap", True, False), ("trace", False, False)])
def test_init_has_what_the_manifest_needs(image, heaps, devices):
    symbols = set(subprocess.run(["nm", "--defined-only", ROOT / f"build/images/{image}/init.elf"],
                                 capture_output=True, text=True, check=True).stdout.split())
    for names, wanted in [(("heaps_build", "heap_message", "blocks_take"), heaps),
                          (("devices_grant", "dma_faults", "pci_scan", "mmio_scan"), devices)]:
        assert {name in symbols for name in names} == {wanted}, names


@pytest.mark.parametrize("image, program, names, wanted", [
    ("dns", "init", ["isa_give"], False), ("time", "init", ["isa_give"], True),
    ("time", "virtio_drv", ["kernel_port_in", "kernel_port_out", "driver_ports"], False),
    ("time", "cmos_drv", ["kernel_port_in", "kernel_port_out", "driver_ports"], True)])
def test_ports_cost_only_who_has_them(image, program, names, wanted):
    symbols = subprocess.run(["nm", "--defined-only", ROOT / f"build/images/{image}/{program}.elf"],
                             capture_output=True, text=True, check=True).stdout.split()
    assert {name in symbols for name in names} == {wanted}


def test_overrides(compose):
    run = compose(edited("priority = 10;", 'priority = 10; stack = "64K"; table_slots = 256;'))
    assert run.status == 0, run.err
    block = Block(run.bundle)
    domain = block.domains[block.number("dns")]
    assert domain["table_slots"] == 256
    stack = [block.regions[m["region"]] for m in block.of("dns")
             if m["address"] + block.regions[m["region"]]["pages"] * PAGE == domain["stack_top"]]
    assert stack[0]["pages"] == 16


def test_a_large_file_takes_several_slots(compose, objects):
    (objects / "large").write_bytes(b"x" * (5 << 20))
    run = compose(edited('file = "zones"', 'file = "large"').replace('"16M"', '"32M"'),
                  files=("large",))
    assert run.status == 0, run.err
    block = Block(run.bundle)
    file = [m for m in block.of("dns") if m["address"] == block.start("dns")["file"][0]["address"]]
    assert block.regions[file[0]["region"]]["pages"] == 1280
    assert file[0]["slot"] == max(m["slot"] for m in block.of("dns"))


def test_the_dns_image_is_a_valid_manifest(tmp_path):
    done = subprocess.run([COMPOSE, "--check", ROOT / "images/dns.conf"], text=True,
                          stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr


def test_addresses_are_kept_for_the_trace(compose, block):
    """As many as a trace can have, where nothing else is; only for whom the manifest says so."""
    assert all(domain["trace_page"] == 0 for domain in block.domains)
    manifest = edited("priority = 30;", "priority = 30; trace = true;")
    assert compose(manifest, "--explain").out.count("the kernel's trace") == 1
    run = compose(manifest)
    assert run.status == 0, run.err
    traced = Block(run.bundle)
    assert [bool(domain["trace_page"]) for domain in traced.domains] == [False, True, False, False]
    first = 0x400000 + traced.domains[1]["trace_page"] * PAGE
    end = first + 512 * PAGE
    assert not any(first <= address < end for address in traced.memory(1))
    assert all(device["address"] >= end for device in traced.devices if device["domain"] == 1)
