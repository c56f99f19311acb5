# SPDX-License-Identifier: ISC
"""tools/compose as people call it, on all manifests of the tree: each is right, and its picture shows
all that it says, legibly."""

import itertools
import os
import re
import subprocess
from xml.etree import ElementTree

import pytest

import manifest
from machine import BUILD_LIMIT, ROOT

COMPOSE = ROOT / "tools/compose"
MANIFESTS = [path for folder in ("images", "tests/images")
             for path in sorted((ROOT / folder).glob("*.conf"))]
PATIENCE = "compose: building what is needed...\n"  # on a slow machine
SVG = "{http://www.w3.org/2000/svg}"

# tools/composer/svg.h: what a letter takes; and what its font takes above and below the base line.
ADVANCE = {"title": 11, "name": 8}
ASCENT, DESCENT = 9, 3

# Which boxes may stand in which: no other two may touch.
INSIDE = {("server", "domain"), ("right", "domain"), ("owner", "domain"), ("device", "domain")}
BOXES = {"init", "domain", "server", "device", "pool", "right", "owner"}


def compose(*words, cwd=ROOT):
    return subprocess.run([COMPOSE, *map(str, words)], cwd=cwd, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=BUILD_LIMIT)


class Picture:
    """An SVG, as boxes and texts."""

    def __init__(self, path):
        self.data = path.read_bytes()
        root = ElementTree.fromstring(self.data)
        self.width, self.height = int(root.get("width")), int(root.get("height"))
        self.groups = [(g.get("class"), g.find(f"{SVG}title").text, g) for g in root.iter(f"{SVG}g")]
        legend = [e for e in root if e.tag == f"{SVG}rect"]  # its boxes are in no group
        self.boxes = [self._box(e) for e in root.iter(f"{SVG}rect")
                      if e.get("class") in BOXES and e not in legend]
        self.texts = [self._text(e) for e in root.iter(f"{SVG}text")]

    @staticmethod
    def _box(element):
        x, y, width, height = (int(element.get(k)) for k in ("x", "y", "width", "height"))
        return element.get("class"), (x, y, x + width, y + height)

    @staticmethod
    def _text(element):
        x, y = int(element.get("x")), int(element.get("y"))
        width = len(element.text) * ADVANCE.get(element.get("class"), 7)
        left = x - {"start": 0, "middle": width // 2, "end": width}[element.get("text-anchor")]
        return element.text, (left, y - ASCENT, left + width, y + DESCENT)

    def titles(self, kind):
        return [title for group, title, _ in self.groups if group == kind]

    def texts_of(self, kind, title):
        (group,) = [g for group, t, g in self.groups if group == kind and t.startswith(title)]
        return [e.text for e in group.iter(f"{SVG}text")]

    def check(self):
        for (one, a), (other, b) in itertools.combinations(self.boxes, 2):
            inside = ((one, other) in INSIDE and _contains(b, a)
                      or (other, one) in INSIDE and _contains(a, b))
            assert inside or not _touch(a, b), f"{one} {a} and {other} {b}"
        for (one, a), (other, b) in itertools.combinations(self.texts, 2):
            assert not _touch(a, b), f"'{one}' {a} and '{other}' {b}"
        for what, box in self.boxes + self.texts:
            assert _contains((0, 0, self.width, self.height), box), what
        for kind, _, group in self.groups:
            if kind in ("init", "domain", "server", "device"):
                _, outer = self._box(group.find(f"{SVG}rect"))
                for element in group.iter(f"{SVG}text"):
                    assert _contains(outer, self._text(element)[1]), element.text


def _touch(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _contains(outer, inner):
    return (outer[0] <= inner[0] and outer[1] <= inner[1]
            and outer[2] >= inner[2] and outer[3] >= inner[3])


def draw(tmp_path, path):
    done = compose("--explain", path, "--svg", tmp_path / "picture.svg")
    assert done.returncode == 0, done.stderr
    picture = Picture(tmp_path / "picture.svg")
    picture.check()
    return picture


def port_name(text):
    return text.split(".")[-1]


def test_all_manifests_are_right():
    done = subprocess.run(["make", "-s", "check-images"], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=BUILD_LIMIT,
                          env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines() if ": good: " in line] == [
        str(path.relative_to(ROOT)) for path in MANIFESTS]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_picture_shows_what_the_manifest_says(tmp_path, path):
    text = manifest.read(path)
    picture = draw(tmp_path, path)
    for name, servers, priority in manifest.domains(text):
        facts = picture.texts_of("domain", f"domain {name}, ")
        assert facts[0] == name and f"priority {priority}" in facts
        for server in servers:
            assert f"server {server} in domain {name}" in picture.titles("server")
    assert len(picture.titles("domain")) == len(text["domains"])
    for connection in text.get("connections", ()):
        inside = manifest.home(text, connection["client"]) == manifest.home(text, connection["server"])
        words = picture.texts_of(
            "call" if inside else "connection",
            f"connection {connection['client']} to {connection['server']}, "
            f"{'direct' if inside else 'channel'}: ")
        assert words[0].endswith(f" {connection['slots']} slots")
        assert words[1:] == [port_name(connection["client"]), port_name(connection["server"])]
    drawn = picture.titles("connection") + picture.titles("call")
    assert len(drawn) == len(text.get("connections", ()))
    for pool in text.get("pools", ()):
        words = picture.texts_of("pool", f"pool {pool['name']} of {pool['owner']}: ")
        assert words[0] == pool["name"] and words[1].startswith(f"{pool['buffers']} x ")
        for right in pool["rights"]:
            at = words.index(right["may"], 2)
            if right.get("as", pool["name"]) != pool["name"]:
                assert words[at + 1] == f"as {right['as']}"
            del words[at]
    assert len(picture.titles("device")) == len(manifest.devices(text))


def test_the_same_manifest_gives_the_same_picture(tmp_path):
    assert draw(tmp_path, "hostile").data == draw(tmp_path, "hostile").data


SEVERAL = """
image = "several";
domains = (
    { name = "below"; servers = [ "netd", "virtio_drv" ]; priority = 30;
      devices = ( { server = "virtio_drv"; virtio = 1; },
                  { server = "virtio_drv"; pci = "8086:1000-10ff"; required = true; },
                  { server = "netd"; virtio = 4; contained = true; } );
      settings = ( "net0.ip=10.0.2.15/24", "net0.gw=<&>\\"", "net1.ip=1", "net2.ip=1" ); },
    { name = "a_longer_name"; servers = [ "dnsd" ]; priority = 2; budget = 100; period = 1000000;
      files = ( { name = "zones"; file = "zones"; } ); },
    { name = "b"; servers = [ "dnsd", "faulty" ]; priority = 3; heap = "1M";
      files = ( { name = "zones"; file = "zones"; } ); }
);
connections = (
    { client = "below.netd.net"; server = "below.virtio_drv.net"; slots = 1024; },
    { client = "a_longer_name.net"; server = "below.netd.sock"; slots = 2; },
    { client = "b.dnsd.net"; server = "below.netd.sock"; slots = 16; }
);
pools = ( { name = "a_name_of_15_le"; buffers = 1024; size = 64; owner = "b";
            rights = ( { domain = "b"; may = "rwd"; as = "another_of_15_l"; },
                       { domain = "below"; may = "d"; } ); } );
"""


def test_several_servers_in_a_domain_and_letters_that_xml_uses(tmp_path):
    path = tmp_path / "several.conf"
    path.write_text(SEVERAL, encoding="utf-8")
    picture = draw(tmp_path, path)
    assert 'net0.gw=<&>"' in picture.texts_of("domain", "domain below, ")
    assert "and 1 more settings" in picture.texts_of("domain", "domain below, ")
    assert "100 of 1000000 us" in picture.texts_of("domain", "domain a_longer_name, ")
    assert picture.titles("call") == [
        "connection below.netd.net to below.virtio_drv.net, direct: netdev 1, 1024 slots each way"]
    below = [box for kind, box in picture.boxes if kind == "domain"][0]
    assert sum(kind == "server" and _contains(below, box) for kind, box in picture.boxes) == 2


# The command itself


def test_explain_says_where_the_picture_is(tmp_path):
    done = compose("--explain", "dns", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr.replace(PATIENCE, "") == ""
    assert done.stdout.splitlines()[-1] == f"picture: {ROOT}/build/images/dns.svg"
    for heading in ("DOMAINS", "WHO MAY TALK TO WHOM", "WHO SHARES WHICH POOL",
                    "WHAT EACH DOMAIN STARTS WITH", "MEMORY (KiB)"):
        assert f"\n{heading}" in done.stdout
    assert "recv               64 x 2048     netd rw as recv0, dnsd r" in done.stdout.splitlines()


def test_names_and_paths_from_any_folder(tmp_path):
    (tmp_path / "my own.conf").write_text(
        'image = "own";\ndomains = ( { name = "a"; servers = [ "busy" ]; priority = 1; } );\n',
        encoding="utf-8")
    done = compose("--check", "my own.conf", "dns", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split(": good: ")[0] for line in done.stdout.splitlines()] == [
        "my own.conf", f"{ROOT}/images/dns.conf"]
    done = compose("--check", "wild", cwd=ROOT / "tests/system")
    assert done.stdout.startswith("../../tests/images/wild.conf: good: ")


@pytest.mark.parametrize("words, status, complaint", [
    (["--check", "dsn"], 1, 'compose: error: no image and no manifest "dsn" — did you mean "dns"? '
                            "there are: dns"),
    (["--explain", "nothing.conf"], 1, "nothing.conf: error: can't be read"),
    (["--explain"], 2, "compose: name one manifest"),
    (["--explain", "dns", "wild"], 2, "compose: name one manifest"),
    (["--explain", "--check", "dns"], 2, "compose: --explain checks, too"),
    (["--explain", "dns", "--svg", "no/such/folder"], 1, "no/such/folder: error: can't be written"),
    (["--nonsense"], 2, "compose: unknown option"),
])
def test_refusals(tmp_path, words, status, complaint):
    done = compose(*words, cwd=tmp_path)
    assert done.returncode == status
    assert complaint in done.stderr


def test_errors_point_to_file_and_line(tmp_path):
    """Of the text, then of the servers."""
    path = tmp_path / "bad.conf"
    path.write_text('image = "bad";\ndomains = (\n  { name = "a"; servers = [ "watchr" ];\n'
                    "    prioritty = 1; } );\n", encoding="utf-8")
    done = compose("--check", "dns", "bad.conf", cwd=tmp_path)
    assert done.returncode == 1 and "dns.conf: good" in done.stdout
    assert 'bad.conf:4: error: unknown key "prioritty" in a domain — did you mean "priority"?' in \
        done.stderr.splitlines()
    path.write_text(path.read_text(encoding="utf-8").replace("tty", "ty"), encoding="utf-8")
    done = compose("--check", "bad.conf", cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(r'^bad\.conf:3: error: unknown server "watchr": .* — did you mean "watcher"\?$',
                     done.stderr, re.MULTILINE)


def test_help():
    done = compose("--help")
    assert done.returncode == 0
    for option in ("--explain", "--svg", "--check", "--file"):
        assert option in done.stdout
