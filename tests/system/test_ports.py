# SPDX-License-Identifier: ISC
"""Message ports and fibers (docs/ports.md): a client with several fibers and a server that answers in
every way, in two domains and in one, in QEMU and in the simulator beside the DNS service."""

import json
import re
import subprocess

import pytest

from machine import BUILD, LIMIT, ROOT, Machine, kernel

CALLS = "6 fibers: 360 calls, 0 wrong"
CANCELLED = "3 of 3 cancelled, 3 late answers"
LIES = "lied to: OK, 3 unknown, 1 of another operation"
RESTART = "the peer started again: PEER_DIED, then OK"
MOST_PER_SWITCH = 38  # instructions, the loop of the test included: 32 in gcc's build, 36 in clang's
MOST_PER_CALL = 3000
MOST_PER_FUNCTION = 130
ICOUNT = ["-icount", "shift=0,sleep=off"]  # a tick of the clock is an instruction


def said(machine, name, words):
    return machine.expect(rf"^(asker|{name}): {re.escape(words)}")


@pytest.mark.parametrize("image, name", [("ports", "asker"), ("ports_together", "both")])
def test_every_answer_comes_whatever_is_between(image, name):
    with Machine(kernel(BUILD / f"images/{image}.elf")) as machine:
        for words in (CALLS, CANCELLED, LIES):
            said(machine, name, words)
        machine.expect(rf"^init: {name} stopped by itself: the request was taken back before")


def test_a_peer_that_starts_again_is_noticed():
    with Machine(kernel(BUILD / "images/ports.elf")) as machine:
        said(machine, "asker", RESTART)


def test_init_is_asked_over_the_kernel():
    with Machine(kernel(BUILD / "images/port_control.elf")) as machine:
        said(machine, "asker", "init answers: OK, of a domain that isn't there: NOT_FOUND")


def test_what_a_switch_costs():
    with Machine(kernel(BUILD / "images/ports.elf"), options=ICOUNT) as machine:
        switches, ticks = map(int, machine.expect(r"^asker: (\d+) switches in (\d+) ticks$").groups())
        assert 0 < ticks <= switches * MOST_PER_SWITCH


def test_what_a_call_costs():
    """Both sides' message ports, fibers and loops, channels, kernel: with each side asleep."""
    with Machine(kernel(BUILD / "images/ports.elf"), options=ICOUNT) as machine:
        call, function = map(int, machine.expect(
            r"^asker: a call takes (\d+) ticks, of a function (\d+)$").groups())
        assert 0 < call <= MOST_PER_CALL
        assert 0 < function <= MOST_PER_FUNCTION


@pytest.mark.parametrize("program", ["init", "virtio_drv", "netd", "dnsd"])
def test_who_does_not_use_them_does_not_link_them(program):
    symbols = subprocess.run(["nm", BUILD / f"images/dns/{program}.elf"], text=True,
                             stdout=subprocess.PIPE, check=True).stdout
    assert "domain_run" in symbols or program == "init"
    assert not re.search(r" (msgport|request|conn_client|conn_server|fibers?|kernel_conn)_\w+$", symbols,
                         re.MULTILINE)


PRELUDE = """
#include "ipc/conn_port.h"
#include "libos/domain.h"
#include "libos/fiber_port.h"
#include "tests/servers/answerer/work.h"
#define PLACES 4
#define SECOND 1000000000ull
struct server {
    struct domain *domain;
    struct conn_client client;
    struct conn_place place[PLACES];
    struct msgport back;
    struct request request;
    struct fibers fibers;
    struct fiber fiber;
    _Alignas(16) char stack[4096];
};
"""


@pytest.mark.parametrize("number", [0, 1])
def test_the_documents_examples_compile(number):
    text = (ROOT / "docs/ports.md").read_text(encoding="utf-8")
    block = re.findall(r"^```c\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[number]
    done = subprocess.run(["gcc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
                           "-Wno-unused-parameter", "-fsyntax-only", "-I.", "-Iinclude", "-x", "c", "-"],
                          input=PRELUDE + block, text=True, cwd=ROOT, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr


def test_servers_of_one_domain_need_no_channels():
    program = BUILD / "images/ports_together/asker+answerer.elf"
    symbols = subprocess.run(["nm", program], text=True, stdout=subprocess.PIPE, check=True).stdout
    assert " conn_client_receive" in symbols and " channel_put" not in symbols


def sim(program, *arguments, image="dns_ports"):
    bundle = BUILD / f"images/{image}.bundle"
    done = subprocess.run([BUILD / "sim" / program / "sim", "--image", bundle, *arguments],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=LIMIT * 3, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("program", ["checked", "asan"])
@pytest.mark.parametrize("image", ["dns_ports", "dns_port_pair"])
def test_in_the_simulator(program, image):
    output = sim(program, "--calm", "-v", "queries=300", "clients=4", image=image)
    for words in (CALLS, CANCELLED, LIES, "asked all"):
        assert f"| asker: {words}" in output, output
    assert (f"| asker: {RESTART}" in output) == (image == "dns_ports")


@pytest.mark.parametrize("image", ["dns_ports", "dns_port_pair"])
def test_in_the_simulator_under_faults(image):
    output = sim("checked", "--runs", "15", "--every", "10", image=image)
    assert len(set(re.findall(r"trace ([0-9a-f]{16})", output))) == 15


@pytest.mark.parametrize("image, least", [("dns_ports", 300), ("dns_port_pair", 50)])
def test_a_domain_may_die_at_any_message(image, least):
    totals = json.loads(sim("checked", "--sweep", "queries=10", "clients=1", image=image))
    assert totals["messages"] > least
    assert totals["reported"] == totals["deaths"] == totals["messages"]


def test_a_server_that_died_is_asked_again():
    """Whoever is killed begins anew; what the asker then lives through to its end is right."""
    deaths = 0
    for seed in range(1, 9):
        output = sim("checked", "--seed", str(seed), "--calm", "-v", f"kill={250 + 30 * seed}", "kills=6",
                     "kill_every=120", "queries=200", "--every", "10", image="dns_port_lives")
        assert "| asker: asked all" in output, output
        calls = re.findall(r"\| asker: 6 fibers: 36\d calls, (\d+) wrong, \d+ receipts, (\d+) deaths", output)
        assert calls and all(wrong == "0" for wrong, _ in calls), output
        deaths += sum(int(met) for _, met in calls)
    assert deaths
