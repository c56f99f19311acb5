# SPDX-License-Identifier: ISC
"""The kernel's trace and counters as users see them (docs/trace.md): on the console, decoded by
tools/trace, read by a domain that may; and none where none was asked for."""

import json
import subprocess

import pytest

from client import ask
from machine import BUILD, DNS_ELF, LIMIT, Machine, kernel
from network import UserNetwork

TOOL = BUILD / "tools/trace"


def tool(*arguments, text="", status=0):
    done = subprocess.run([TOOL, *arguments], input=text, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT, check=False)
    assert done.returncode == status, done.stdout
    return done.stdout


def dump(machine):
    """The console's text from the beginning of a new dump to its end."""
    start = len(machine.text)
    machine.type("T")
    return machine.expect(r"^trace begin (?:.*\n)*?trace end$", start)[0] + "\n"


def records(machine):
    return json.loads(tool("--json", text=dump(machine)))["records"]


@pytest.fixture(scope="module")
def traced():
    with Machine(kernel(DNS_ELF), [UserNetwork()], settings={"trace": "16"}) as machine:
        yield machine.ready()


def is_step(record, step):
    return all(record.get(key) == value for key, value in step.items())


def test_a_query_is_seen_all_its_way(traced):
    for _ in range(2):
        ask(traced, "www.example.org", "A")
    seen = records(traced)
    last = max(i for i, record in enumerate(seen)
               if is_step(record, {"event": "switch", "domain": "dnsd"}))
    first = max(i for i, record in enumerate(seen[:last])
                if is_step(record, {"event": "irq", "other_domain": "virtio_drv"}))
    steps = iter(seen[first:])
    for step in (
            {"event": "irq", "other_domain": "virtio_drv"},
            {"event": "wake", "domain": "virtio_drv", "why": "signal", "other": 0},
            {"event": "switch", "domain": "virtio_drv"},
            {"event": "signal", "domain": "virtio_drv", "other_domain": "netd"},
            {"event": "wake", "domain": "netd", "other_domain": "virtio_drv"},
            {"event": "switch", "domain": "netd"},
            {"event": "wake", "domain": "dnsd", "other_domain": "netd"},
            {"event": "switch", "domain": "dnsd"},
            {"event": "wake", "domain": "netd", "other_domain": "dnsd"},
            {"event": "switch", "domain": "netd"},
            {"event": "wake", "domain": "virtio_drv", "other_domain": "netd"},
            {"event": "switch", "domain": "virtio_drv"}):
        assert any(is_step(record, step) for record in steps), step


def test_records_fit_together(traced):
    text = dump(traced)
    tool("--check", text=text)
    lines = tool("--summary", text=text).splitlines()
    names = {line.split()[0] for line in lines[1:]}
    assert {"init", "virtio_drv", "netd", "dnsd"} <= names
    spoiled = text.splitlines(keepends=True)
    switch = max(i for i, record in enumerate(json.loads(tool("--json", text=text))["records"])
                 if record["event"] == "wake")
    first = next(i for i, line in enumerate(spoiled) if line.startswith("trace domain 3")) + 1
    del spoiled[first + switch]
    assert "wasn't ready" in tool("--check", text="".join(spoiled), status=1)


def test_the_newest_on_the_console(traced):
    start = len(traced.text)
    traced.type("t")
    shown = traced.expect(r"^init: trace:\n((?:  .*\n)+)init: end of trace$", start)[1]
    assert len(shown.splitlines()) == 40
    # The last thing that can be seen is how init came to print it.
    assert shown.splitlines()[-1].endswith("switch init after idling")


def test_it_can_be_switched_off_and_on(traced):
    start = len(traced.text)
    traced.type("o")
    traced.expect("^init: trace is off$", start)
    ask(traced, "www.example.org", "A")
    before = records(traced)
    ask(traced, "www.example.org", "A")
    assert records(traced) == before
    traced.type("o")
    traced.expect("^init: trace is on$", start)
    ask(traced, "www.example.org", "A")
    assert records(traced)[-1]["tick"] > before[-1]["tick"]
    tool("--check", text=dump(traced))


def test_only_the_events_that_were_asked_for():
    settings = {"trace": "2", "trace.events": "irq,wake,nonsense"}
    with Machine(kernel(DNS_ELF), [UserNetwork()], settings=settings) as machine:
        machine.ready()
        machine.expect(r'^init: trace.events: no such event in "nonsense"$')
        ask(machine, "www.example.org", "A")
        assert {record["event"] for record in records(machine)} == {"irq", "wake"}


@pytest.mark.parametrize("pages", ["0", "513", "many", "1x"])
def test_a_number_of_pages_that_is_none(pages):
    with Machine(kernel(DNS_ELF), [UserNetwork()], settings={"trace": pages}) as machine:
        machine.ready()
        machine.expect("^init: trace: not a number of pages from 1 to 512: no trace$")


@pytest.mark.only_isolated
def test_without_the_setting_there_is_none(dns_image):
    for key in "tTo":
        start = len(dns_image.text)
        dns_image.type(key)
        dns_image.expect("^init: no trace: boot with trace=PAGES$", start)


def test_the_tool_says_what_is_wrong():
    assert "no dump" in tool(text="kernel: motet\n", status=2)
    assert "another version" in tool(text="trace begin 99 1 1\n", status=2)
    assert "line 2" in tool(text="trace begin 1 1 1\ntrace 1 2\n", status=2)
    assert "No such file" in tool("/nonexistent", status=2)
    assert "usage" in tool("--help")


def test_who_may_read_it_can_and_cannot_write():
    with Machine(kernel(BUILD / "images/trace.elf"), settings={"trace": "4"}) as machine:
        machine.expect("^watcher: a trace of 510 records$")
        machine.expect("^blind: no trace$")
        machine.expect(r"^init: writer stopped: page fault writing address 0x\w+ \(not allowed\)")
        machine.expect_counter("watcher.records", 20)
        machine.expect_counter("watcher.own_switches", 3)


def test_a_right_without_a_trace():
    with Machine(kernel(BUILD / "images/trace.elf")) as machine:
        machine.expect("^watcher: no trace$")


# Counters


def test_what_was_refused_is_counted():
    with Machine(kernel(BUILD / "images/hostile.elf"), [UserNetwork()]) as machine:
        machine.ready()
        machine.expect(r"^init: kernel_stack stopped")  # the last of those that fault
        # Domains that do so take turns: some may not have begun yet.
        for name, least in (("kernel.invoke.UNKNOWN_CALL", 100), ("kernel.unknown_call.UNKNOWN_CALL", 1),
                            ("kernel.fault_13", 1), ("kernel.fault_14", 6),
                            ("kernel.thread.configure.EMPTY_SLOT", 11), ("kernel.send.BAD_ARGUMENT", 1)):
            machine.expect_counter(name, least)


def test_a_budget_that_is_used_up_is_counted():
    with Machine(kernel(BUILD / "images/budget.elf"), settings={"trace": "4"}) as machine:
        machine.expect("^init: image budget")
        machine.expect_counter("kernel.budgets_used_up", 3)
        seen = records(machine)
        assert any(is_step(r, {"event": "budget", "domain": "greedy"}) for r in seen)
        assert any(is_step(r, {"event": "wake", "domain": "greedy", "why": "refill"}) for r in seen)
