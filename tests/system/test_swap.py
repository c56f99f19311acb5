# SPDX-License-Identifier: ISC
"""Domains are replaced while they run (docs/swap.md): in the simulator, where a server of the image
asks for it, under load, among deaths of both versions and damaged states."""

import json
import re
import subprocess

import pytest

from machine import BUILD, LIMIT, Machine, kernel
from network import UserNetwork

BUNDLE = BUILD / "images/dns_swap.bundle"
SWAP_ELF = BUILD / "images/dns_swap.elf"
CHECKED, FAST, ASAN = (BUILD / "sim" / name / "sim" for name in ("checked", "fast", "asan"))
DOMAINS = {"virtio_drv": 1, "netd": 2, "dnsd": 3, "swapper": 4}
ALL = 0


def run(*arguments, program=CHECKED):
    done = subprocess.run([program, "--image", BUNDLE, "pages=1500", *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT * 6,
                          check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def swaps(text):
    """How many were, and how many came to nothing."""
    return tuple(map(int, re.search(r"(\d+) swaps, (\d+) failed", text).groups()))


def answered_all(text):
    answered, asked = re.search(r"(\d+) of (\d+) answered", text).groups()
    return answered == asked


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_no_query_is_lost(domain):
    """Bursts, so that each swap finds the domain at work; nobody asks twice."""
    text = run("--calm", "queries=3000", "rate=3000", "burst=20", "swaps=2000", "swap_every=1",
               "swap_probation=1", f"swap_domain={domain}")
    done, failed = swaps(text)
    assert done > 40 and not failed, text
    assert answered_all(text), text


def test_swaps_in_all_weathers():
    """Whatever else goes wrong: whoever swaps, the invariants hold, and in the end all get answers."""
    text = run("--runs", "15", "-q", "swaps=2000", "swap_every=5", "swap_probation=5")
    assert "FAILED" not in text


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_the_old_one_goes_on(domain):
    """New versions that die while they start, and states that are damaged: no query is lost."""
    text = run("--calm", "queries=3000", "rate=3000", "burst=20", "swaps=2000", "swap_every=1",
               "swap_probation=1", "swap_deaths=200000", "swap_flips=300000",
               f"swap_domain={domain}")
    done, failed = swaps(text)
    assert done > 10 and failed > 10, text
    assert answered_all(text), text


@pytest.mark.parametrize("domain", ("virtio_drv", "netd"))
def test_a_sender_that_waits_for_room(domain, tmp_path):
    """Channels of eight messages and bursts of sixty pings: whichever of both ends is swapped, the
    driver waits for room again and again, and what it holds is delivered: the simulator knows of
    nobody who sleeps on a frame or on room."""
    words = ("--calm", "queries=3000", "rate=3000", "burst=60", "pings=1000000", "slots=3",
             "swaps=2000", "swap_every=1", "swap_probation=1", f"swap_domain={DOMAINS[domain]}")
    done, failed = swaps(run(*words))
    assert done > 100 and not failed
    run(*words, "--until", "25000", "--save", tmp_path / "machine")
    looked = subprocess.run([CHECKED, "--image", BUNDLE, "--load", tmp_path / "machine", "--inspect"],
                            input="counters\n", stdout=subprocess.PIPE, text=True, timeout=LIMIT,
                            check=True).stdout
    assert int(re.search(r"virtio_drv\.rx_held (\d+)", looked)[1]) > 100, looked


def test_a_new_file():
    text = run("--calm", "queries=3000", "rate=3000", "swaps=2000", "swap_every=1",
               "swap_probation=1", "swap_file=1", f"swap_domain={DOMAINS['dnsd']}")
    done, failed = swaps(text)
    assert done > 40 and not failed, text
    assert answered_all(text), text


def test_a_damaged_file_is_refused_by_who_reads_it():
    text = run("--calm", "queries=3000", "rate=3000", "swaps=2000", "swap_every=1",
               "swap_probation=1", "swap_file=1", "swap_damage=2",
               f"swap_domain={DOMAINS['dnsd']}")
    done, failed = swaps(text)
    assert done > 10 and failed > 10, text
    assert answered_all(text), text


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_a_death_at_each_message_boundary(domain):
    """Of old versions and new ones, in each state of a swap, and of their peers."""
    text = run("--sweep", "--calm", "queries=60", "swaps=8", "swap_every=5", "swap_probation=10",
               f"swap_domain={domain}")
    totals = json.loads(text)
    assert totals["messages"] == totals["deaths"] > 300
    assert totals["reported"] == 0


def test_deaths_and_swaps_of_all():
    for seed in range(1, 6):
        run("--seed", seed, "-q", "swaps=2000", "swap_every=3", "swap_probation=5", "kill=300",
            "kills=30", "kill_every=300", "swap_deaths=50000", "swap_flips=50000")


def test_all_builds_run_alike():
    arguments = ("--calm", "queries=500", "swaps=2000", "swap_every=3", "swap_probation=5")
    traces = {re.search(r"trace ([0-9a-f]{16})", run(*arguments, program=program))[1]
              for program in (CHECKED, ASAN)}
    traces.add(re.search(r"trace ([0-9a-f]{16})", run(*arguments, "--every", "1000",
                                                      program=FAST))[1])
    assert len(traces) == 1


def test_a_thousand_swaps_leave_nothing_behind():
    """The simulator compares the number of capabilities after each."""
    text = run("--calm", "--every", "1000", "queries=40000", "rate=2000", "swaps=1000",
               "swap_every=1", "swap_probation=1", program=FAST)
    assert swaps(text) == (1000, 0)
    assert answered_all(text), text


def test_on_a_machine():
    """The same image in QEMU."""
    words = "swapper.swaps=40 swapper.every=20 swap.probation=20"
    with Machine([*kernel(SWAP_ELF), "-append", words], [UserNetwork()]) as machine:
        for name in DOMAINS:
            machine.expect(rf"^init: {name} swapped: blackout \d+ us, \d+ messages queued "
                           r"meanwhile, state \d+ bytes$")
