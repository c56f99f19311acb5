# SPDX-License-Identifier: ISC
"""Hostile peers (tests/servers/rogue_client/rogue.h): a client of a network stack, a driver below another,
a stack between a driver and a name server. They write whatever they can reach; their peers drop,
count and carry on. In QEMU beside a name server that answers meanwhile, and in the simulator with all
that must hold checked."""

import subprocess
import time

import pytest

from client import ask
from machine import BUILD, LIMIT, ROOT, Machine, kernel
from network import UserNetwork

ATTACKED_SECONDS = 4
ANSWER = ["192.0.2.80"]
# What may be chosen of: who attacks, who is attacked, and what they say of their peers.
COMPOSITIONS = {
    "rogue": (["rogue_client", "rogue_driver"], ["virtio_drv", "netd", "dnsd", "netd_b", "dnsd_b"], [
        "netd.send_bad_buffer", "netd.send_refused", "netd.sock_bad_message", "netd.recv_done_bad",
        "netd_b.rx_bad_buffer", "netd_b.tx_bad_cookie", "netd_b.net_bad_message"]),
    "rogue_stack": (["rogue_stack"], ["virtio_drv", "netd", "dnsd", "virtio_drv_c", "dnsd_c"], [
        "virtio_drv_c.provide_refused", "virtio_drv_c.tx_refused", "virtio_drv_c.bad_message",
        "dnsd_c.bad_message", "dnsd_c.query_too_long"]),
}
ATTACKED = [(name, *COMPOSITIONS[name]) for name in COMPOSITIONS]


def answers(machine):
    return [str(item) for item in ask(machine, "www.example.org", "A").answer[0]]


def attacked_for(machine, seconds):
    """How many queries were answered in that time."""
    answered, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        assert answers(machine) == ANSWER
        answered += 1
    return answered


def booted(name, chaos):
    """With two cards: the second is for the hostile stack's driver, if there is one."""
    return Machine(kernel(BUILD / f"images/{name}.elf"), [UserNetwork(), UserNetwork()],
                   settings={"rogue.chaos": str(chaos)})


@pytest.mark.parametrize("name, rogues, attacked, complaints", ATTACKED, ids=list(COMPOSITIONS))
def test_messages_that_lie_are_counted_and_dns_goes_on(name, rogues, attacked, complaints):
    with booted(name, 0) as machine:
        machine.ready()
        assert attacked_for(machine, ATTACKED_SECONDS) > 20
        for counter in complaints:
            machine.expect_counter(counter, 1)
        for rogue in rogues:
            for what in ("sent", "received", "scribbled", "rung"):
                machine.expect_counter(f"{rogue}.{what}", 10)
        assert answers(machine) == ANSWER
        counters = machine.counters()
        assert not [counter for counter in counters if "broken_channels" in counter], counters
        for domain in (*attacked, *rogues):
            assert f"init: {domain} stopped" not in machine.text


@pytest.mark.parametrize("name, rogues, attacked, complaints", ATTACKED, ids=list(COMPOSITIONS))
def test_rings_that_lie_are_given_up_and_dns_goes_on(name, rogues, attacked, complaints):
    with booted(name, 20) as machine:
        machine.ready()
        victims = sorted({counter.split(".")[0] for counter in complaints})
        for victim in victims:
            machine.expect_counter(f"{victim}.libos_broken_channels", 1)
        assert attacked_for(machine, ATTACKED_SECONDS) > 20
        counters = machine.counters()
        for victim in victims:
            assert counters[f"{victim}.libos_broken_channels"] == 1, counters
        for domain in (*attacked, *rogues):
            assert f"init: {domain} stopped" not in machine.text


def simulated(image, variant, *options):
    done = subprocess.run(
        [BUILD / f"sim/{variant}/sim", "--image", BUILD / f"images/{image}.bundle", "-q", *options],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT * 6, cwd=ROOT,
        check=False)
    assert done.returncode == 0, done.stdout


# Alone: the simulated machine has one card.
@pytest.mark.parametrize("image", ["rogue", "rogue_alone"])
def test_all_that_must_hold_does(image):
    """What a hostile domain may write changes while others read it."""
    simulated(image, "checked", "--runs", "12", "torn=20000")


@pytest.mark.parametrize("image", ["rogue", "rogue_alone"])
def test_under_sanitizers(image):
    simulated(image, "asan", "--seed", "50", "--runs", "4", "--every", "1000")
