# SPDX-License-Identifier: ISC
"""Zonemaster's word on a zone that two images serve, delegated by an NSD that is the root here. All of
it is in this process's network namespace. Skipped without zonemaster-cli, which Debian has, but which
brings 80 packages: `apt-get install zonemaster-cli`."""

import json
import shutil
import socket
import subprocess
import time

import pytest

import servers
import wire
from machine import BUILD, Machine, build_image, kernel
from network import NO_TAP, TapNetwork, ip

ROOT_ADDRESS, TEST_ADDRESSES = "10.9.0.1", ("10.9.1.1", "10.9.2.1")
SERVED = (("ns1", "10.0.2.15", "10.0.2.2"), ("ns2", "10.0.3.15", "10.0.3.2"))
LIMIT = 300

# All that it finds wrong, and why.
EXPECTED = {
    "CN02_NO_RESPONSE_TCP",  # dnsd answers over UDP only
    "NAMESERVER_IP_PRIVATE_NETWORK",  # the namespace's addresses
    "NAMESERVER_IP_WITHOUT_REVERSE",  # has no zone for them
}
WRONG = ("WARNING", "ERROR", "CRITICAL")

ZONE = """$TTL 3600
@ SOA ns1 hostmaster 2024010101 14400 3600 1209600 3600
@ NS ns1
@ NS ns2
@ MX 10 mail
ns1 A 10.0.2.15
ns2 A 10.0.3.15
mail A 10.0.2.15
www A 10.0.2.15
"""
ROOT_ZONE = f"""$TTL 86400
. SOA a.root. hostmaster.root. 1 14400 3600 1209600 3600
. NS a.root.
a.root. A {ROOT_ADDRESS}
test. NS a.nic.test.
test. NS b.nic.test.
a.nic.test. A {TEST_ADDRESSES[0]}
b.nic.test. A {TEST_ADDRESSES[1]}
"""
PARENT_ZONE = f"""$TTL 86400
test. SOA a.nic.test. hostmaster.nic.test. 1 14400 3600 1209600 3600
test. NS a.nic.test.
test. NS b.nic.test.
a.nic.test. A {TEST_ADDRESSES[0]}
b.nic.test. A {TEST_ADDRESSES[1]}
example.test. NS ns1.example.test.
example.test. NS ns2.example.test.
ns1.example.test. A 10.0.2.15
ns2.example.test. A 10.0.3.15
"""
NSD = """
server:
    server-count: 1
    do-ip6: no
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: "{folder}/nsd-{name}.pid"
    xfrdfile: "{folder}/xfrd-{name}.state"
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zone-{name}.list"
{addresses}
remote-control:
    control-enable: no
zone:
    name: "{origin}"
    zonefile: "{name}.zone"
"""

pytestmark = pytest.mark.skipif(bool(NO_TAP), reason=str(NO_TAP))


def start_nsd(folder, name, origin, text, addresses):
    for address in addresses:
        ip("address", "add", f"{address}/32", "dev", "lo")
    (folder / f"{name}.zone").write_text(text, encoding="ascii")
    path = folder / f"nsd-{name}.conf"
    path.write_text(NSD.format(folder=folder, name=name, origin=origin, addresses="".join(
        f"    ip-address: {one}\n" for one in addresses)), encoding="ascii")
    return subprocess.Popen([servers.find("nsd"), "-d", "-c", str(path)], stdin=subprocess.DEVNULL,
                            preexec_fn=servers._die_with_parent)


def wait_for(addresses):
    """Until each answers."""
    end = time.monotonic() + servers.LIMIT
    for address in addresses:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(0.2)
            link.connect((address, 53))
            while time.monotonic() < end:
                try:
                    link.send(wire.query((), wire.TYPES["SOA"]))
                    link.recv(1000)
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                raise servers.Failure(f"no answer from {address}")


def zonemaster(folder):
    """Its messages about the zone."""
    hints = folder / "hints"
    hints.write_text(f". 3600 NS a.root.\na.root. 3600 A {ROOT_ADDRESS}\n", encoding="ascii")
    done = subprocess.run(
        ["zonemaster-cli", "--no-ipv6", "--hints", str(hints), "--json", "--level", "NOTICE",
         "--no-progress", "example.test"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=LIMIT, check=False)
    assert done.returncode == 0 and done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    missing = [name for name in ("zonemaster-cli", "nsd") if not (shutil.which(name) or servers.find(name))]
    if missing:
        pytest.skip(f"no {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("zonemaster")
    zones = folder / "zones"
    zones.mkdir()
    (zones / "example.test.zone").write_text(ZONE, encoding="ascii")
    elf = build_image(BUILD / "tests/image-zonemaster", zones)
    networks = [TapNetwork(guest, host) for _, guest, host in SERVED]
    parents = [start_nsd(folder, "root", ".", ROOT_ZONE, [ROOT_ADDRESS]),
               start_nsd(folder, "test", "test.", PARENT_ZONE, TEST_ADDRESSES)]
    try:
        with Machine(kernel(elf), [networks[0]]) as one, Machine(kernel(elf), [networks[1]], settings={
                "net0.ip": f"{SERVED[1][1]}/24", "net0.gateway": SERVED[1][2]}) as other:
            one.expect("serving")
            other.expect("serving")
            wait_for([ROOT_ADDRESS, *TEST_ADDRESSES])
            yield zonemaster(folder)
    finally:
        for parent in parents:
            parent.kill()
            parent.wait()


def test_zone_is_clean(messages):
    print(json.dumps(messages, indent=1))
    assert {one["tag"] for one in messages if one["level"] in WRONG} == EXPECTED


def test_both_servers_were_asked(messages):
    asked = {one["args"]["ns"] for one in messages if one["tag"] == "CN02_NO_RESPONSE_TCP"}
    assert asked == {f"{name}.example.test/{address}" for name, address, _ in SERVED}
