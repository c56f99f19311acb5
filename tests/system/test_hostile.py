# SPDX-License-Identifier: ISC
"""Isolation: an image in which neighbours of the DNS service attack the kernel and each other. Every
attempt is refused or stops the attacker alone, the console says which domain, where and why, and
DNS goes on answering meanwhile."""

import re
import time

import pytest

from client import ask
from machine import BUILD, LIMIT, Machine, kernel
from network import UserNetwork

PAGE_FAULT = r"page fault {access} address 0x{address} \({why}\) at instruction 0x[0-9a-f]+"
OTHER = r"{what} \(cause {cause}, error 0x[0-9a-f]+\) at instruction 0x[0-9a-f]+"


def page_fault(access, address, why):
    return PAGE_FAULT.format(access=access, address=address, why=why)


def other(what, cause):
    return OTHER.format(what=what, cause=cause)


# Each domain of tests/images/hostile.conf that does one thing, and why it must have been stopped.
STOPPED = {
    "read_kernel": page_fault("reading", "ffffffff80100000", "not allowed"),
    "write_kernel": page_fault("writing", "ffff800000100000", "not allowed"),
    "read_other": page_fault("reading", "70000000", "not mapped"),
    "write_other": page_fault("writing", "70000000", "not mapped"),
    "write_start": page_fault("writing", "400000", "not allowed"),
    "write_info": page_fault("writing", "401000", "not allowed"),
    "write_text": page_fault("writing", "402000", "not allowed"),
    "write_null": page_fault("writing", "0", "not mapped"),
    "exec_data": page_fault("executing", "[0-9a-f]+", "not allowed"),
    "exec_stack": page_fault("executing", "[0-9a-f]+", "not allowed"),
    "exec_kernel": page_fault("executing", "ffffffff80100000", "not allowed"),
    "stack_overflow": page_fault("writing", "[0-9a-f]+", "not mapped"),
    "not_canonical": other("protection fault", 13),
    "port_io": other("protection fault", 13),
    "halt": other("protection fault", 13),
    "load_table": other("protection fault", 13),
    "raise": other("protection fault", 13),
    "divide": other("division by zero", 0),
    "floating": other("exception", 7),
    "invalid": other("invalid instruction", 6),
    "kernel_stack": page_fault("writing", "[0-9a-f]+", "not allowed"),
}


@pytest.fixture(scope="module")
def attacked():
    """The image, queried all the time until the last attack is over. Yields the machine and how
    many queries were answered meanwhile."""
    with Machine(kernel(BUILD / "images/hostile.elf"), [UserNetwork()]) as machine:
        machine.ready()
        answered = 0
        deadline = time.monotonic() + LIMIT
        while "hostile stopped" not in machine.text and time.monotonic() < deadline:
            answer = ask(machine, "www.example.org", "A")
            assert [str(item) for item in answer.answer[0]] == ["192.0.2.80"]
            answered += 1
        yield machine, answered


@pytest.mark.parametrize("domain", STOPPED)
def test_the_attacker_alone_is_stopped_and_the_cause_logged(attacked, domain):
    machine, _ = attacked
    lines = re.findall(rf"^init: {domain} stopped: .*$", machine.text, re.MULTILINE)
    assert len(lines) == 1
    assert re.search(STOPPED[domain], lines[0]), lines[0]


def test_nothing_that_was_tried_was_accepted(attacked):
    machine, _ = attacked
    finished = machine.expect(r"^hostile: finished: (\d+) refused, (\d+) accepted$")
    assert int(finished[1]) > 20_000
    assert int(finished[2]) == 0
    assert "ACCEPTED" not in machine.text
    assert "GOT AWAY" not in machine.text


def test_queues_say_full_to_the_flooder_only(attacked):
    machine, _ = attacked
    flooded = machine.expect(r"^hostile: flooded: (\d+) messages met FULL$")
    assert int(flooded[1]) > 1_000


def test_unmapping_what_is_shared_stops_the_one_who_did_it(attacked):
    machine, _ = attacked
    machine.expect(r"^init: hostile stopped: page fault writing address 0x[0-9a-f]+ \(not mapped\)")


def test_dns_answered_during_the_attacks(attacked):
    _, answered = attacked
    assert answered > 20


def test_dns_answers_after_the_attacks(attacked):
    machine, _ = attacked
    for _ in range(200):
        answer = ask(machine, "www.example.org", "A")
        assert [str(item) for item in answer.answer[0]] == ["192.0.2.80"]


def test_what_the_hostile_client_sent_was_counted(attacked):
    machine, _ = attacked
    counters = machine.counters()
    assert any(name.startswith("netd.") and "bad" in name for name in counters), counters


def test_the_other_servers_were_never_stopped(attacked):
    machine, _ = attacked
    for server in ("virtio_drv", "netd", "dnsd"):
        assert f"init: {server} stopped" not in machine.text
