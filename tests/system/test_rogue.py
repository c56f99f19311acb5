# SPDX-License-Identifier: ISC
"""Hostile peers beside a working name server (tests/images/rogue.conf): a client of its network stack, a
driver below another stack, a stack between another driver and another name server. They write
whatever they can reach; their peers drop, count and carry on."""

import time

import pytest

from client import ask
from machine import BUILD, Machine, kernel
from network import UserNetwork

ATTACKED_SECONDS = 6
VICTIMS = ("virtio_drv", "netd", "dnsd", "netd_b", "dnsd_b", "virtio_drv_c", "dnsd_c")
ROGUES = ("rogue_client", "rogue_driver", "rogue_stack")


@pytest.fixture(scope="module", name="attacked")
def attacked_image():
    """The image after some seconds of attacks, with how many queries were answered meanwhile."""
    with Machine(kernel(BUILD / "images/rogue.elf"), [UserNetwork(), UserNetwork()]) as machine:
        machine.ready()
        answered = 0
        end = time.monotonic() + ATTACKED_SECONDS
        while time.monotonic() < end:
            answer = ask(machine, "www.example.org", "A")
            assert [str(item) for item in answer.answer[0]] == ["192.0.2.80"]
            answered += 1
        yield machine, answered, machine.counters()


def test_dns_answers_while_they_attack(attacked):
    _, answered, _ = attacked
    assert answered > 20


@pytest.mark.parametrize("rogue", ROGUES)
def test_they_do_attack(attacked, rogue):
    _, _, counters = attacked
    for what in ("sent", "received", "scribbled", "rung"):
        assert counters.get(f"{rogue}.{what}", 0) > 10, counters


def test_nobody_is_stopped(attacked):
    machine, _, _ = attacked
    for domain in (*VICTIMS, *ROGUES):
        assert f"init: {domain} stopped" not in machine.text


# What each of the attacked says of its peer.
@pytest.mark.parametrize("counter", [
    "netd.send_bad_buffer", "netd.send_refused", "netd.sock_bad_message", "netd.recv_done_bad",
    "netd_b.rx_bad_buffer", "netd_b.tx_bad_cookie", "netd_b.net_bad_message",
    "virtio_drv_c.provide_refused", "virtio_drv_c.tx_refused", "virtio_drv_c.net_bad_message",
    "dnsd_c.bad_message",
])
def test_what_was_dropped_is_counted(attacked, counter):
    machine, _, counters = attacked
    assert counters.get(counter, 0) or machine.expect_counter(counter, 1)


def test_the_attacked_go_on(attacked):
    machine, _, counters = attacked
    for counter in ("netd_b.rx_frames", "dnsd_c.queries"):
        machine.expect_counter(counter, counters.get(counter, 0) + 10)
