# SPDX-License-Identifier: ISC
"""Domains that have stopped begin anew, and the service comes back by itself (docs/restart.md): in
QEMU under load, and in the simulator at each message boundary."""

import json
import re
import select
import socket
import subprocess
import threading
import time

import pytest

from client import ask, query
from machine import BUILD, LIMIT, Machine, kernel
from managed import MANAGED, REFUSED, Managed
from network import UserNetwork

CRASHES = BUILD / "images/crashes.elf"
STUCK = BUILD / "images/stuck.elf"
BUNDLE = BUILD / "images/dns_restart.bundle"
CHECKED, ASAN = BUILD / "sim/checked/sim", BUILD / "sim/asan/sim"
KILLS = 15  # one a second, from the eighth on
SERVERS = ["dnsd", "netd", "virtio_drv"]


class Load:
    """Queries, one after the other, for as long as the `with` lasts; lost ones are asked again."""

    def __init__(self, machine):
        self._machine = machine
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._end = threading.Event()
        self._changed = threading.Condition()
        self._answers = 0
        self.wrong = []

    def __enter__(self):
        self._thread.start()
        self.more()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join(LIMIT)

    def _ask(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.connect(self._machine.address)
            number = 0
            while not self._end.is_set():
                number = (number + 1) % 65536
                question = query("www.example.org", id=number)
                try:
                    link.send(question.to_wire())
                    if not select.select([link], [], [], 0.05)[0]:
                        continue
                    answer = link.recv(4096)
                except ConnectionRefusedError:
                    continue
                if b"\xc0\x00\x02\x50" not in answer:  # 192.0.2.80
                    self.wrong.append(answer)
                with self._changed:
                    self._answers += 1
                    self._changed.notify_all()

    def more(self, count=20):
        """Waits for so many answers from now on."""
        deadline = time.monotonic() + LIMIT
        with self._changed:
            wanted = self._answers + count
            while self._answers < wanted:
                if not self._changed.wait(deadline - time.monotonic()):
                    self._machine.fail(f"{self._answers} answers instead of {wanted}")


def kill_each(machine):
    with Load(machine) as load:
        for name in SERVERS:
            start = len(machine.text)
            assert machine.motet("kill", name) == f"{name}: killed\n"
            machine.expect(rf"^init: {name} stopped: killed by the host$", start)
            machine.expect(rf"^init: {name}: restart 1, 1 in a row$", start)
            load.more()
            told = machine.ps()[name]
            assert (told["restarts"], told["last_end"]) == (1, "killed by the host")
            assert told["state"] != "stopped"
        assert not load.wrong


def test_each_comes_back_under_load():
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        kill_each(machine)
        counters = machine.counters()
        assert "netd.rx_bad_buffer" not in counters
        assert "virtio_drv.tx_refused" not in counters


def test_an_idle_machine_needs_no_packet():
    """Nothing wakes anybody but the death itself."""
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        ask(machine, "www.example.org", "A")
        for name in ("dnsd", "netd", "dnsd", "virtio_drv"):
            start = len(machine.text)
            machine.motet("restart", name)
            machine.expect(r"^dnsd: serving 11 records" if name != "virtio_drv"
                           else r"^netd: net0: ", start)
            ask(machine, "www.example.org", "A")


def test_with_a_pin():
    """The interrupt line may be masked when its driver dies."""
    with Managed(kernel(MANAGED), [UserNetwork()], device="virtio-net-pci,vectors=0") as machine:
        machine.ready()
        kill_each(machine)


def test_behind_an_iommu():
    """No device reaches for what has moved on."""
    obeys = ",disable-legacy=on,iommu_platform=on"
    with Managed(kernel(MANAGED), [UserNetwork()], machine="q35", serial="virtio-serial-pci" + obeys,
                 device="virtio-net-pci" + obeys, options=["-device", "intel-iommu"]) as machine:
        machine.ready()
        kill_each(machine)
        assert "may not" not in machine.text and "DMA fault" not in machine.text


def test_the_console_comes_back():
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        for count in range(1, 4):
            assert machine.motet("kill", "virtio_con") == "virtio_con: killed\n"
            assert machine.ps()["virtio_con"]["restarts"] == count


def test_restart_by_the_host_is_no_crash():
    """However often: it never gives up, and nothing is used up."""
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        with Load(machine) as load:
            for count in range(1, 16):
                for name in SERVERS:
                    assert machine.motet("restart", name) == f"{name}: restarted\n"
                load.more(3)
                assert machine.ps()["netd"]["restarts"] == count
            assert not load.wrong
        assert "given up" not in machine.text
        memory = {name: told["memory_bytes"] for name, told in machine.ps().items()}
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        assert memory == {name: told["memory_bytes"] for name, told in machine.ps().items()}


def refusals(machine):
    """What the kernel has refused so far, but for waits that ended without news."""
    return {name: value for name, value in machine.counters().items()
            if name.startswith("kernel.") and not name.startswith("kernel.wait.")}


@pytest.mark.parametrize("vectors", ["", ",vectors=0"])
def test_a_driver_that_is_killed_again_and_again(vectors):
    """Under load; in a row, so init waits longer each time, up to 1.28 s. Nothing is used up, and each
    interrupt comes where it came before (in the simulator, tools/sim/ports.c counts that)."""
    with Managed(kernel(BUILD / "images/dns_killed.elf"), [UserNetwork()],
                 device="virtio-net-pci" + vectors) as machine:
        machine.ready()
        memory = {name: told["memory_bytes"] for name, told in machine.ps().items()}
        refused = refusals(machine)
        with Load(machine) as load:
            for count in range(1, KILLS + 1):
                start = len(machine.text)
                assert machine.motet("kill", "virtio_drv") == "virtio_drv: killed\n"
                machine.expect(rf"^init: virtio_drv: restart {count}, {count} in a row$", start)
                machine.expect(r"^virtio_drv: net0: ", start)
                load.more(5)
            assert not load.wrong
        told = machine.ps()
        assert told["virtio_drv"]["restarts"] == KILLS and told["netd"]["restarts"] == 0
        assert memory == {name: told["memory_bytes"] for name, told in told.items()}
        assert refusals(machine) == refused
        counters = machine.counters()
        assert "netd.rx_bad_buffer" not in counters and "virtio_drv.tx_refused" not in counters
        for _ in range(20):
            ask(machine, "www.example.org", "A")


def test_a_poisoned_queue():
    """A message that its server doesn't survive kills one life: the next finds it dropped, with all
    behind it. One that comes again kills again, until the server is given up. Whoever has nothing to do
    with it goes on."""
    with Machine(kernel(BUILD / "images/poisoned.elf"), [UserNetwork()]) as machine:
        machine.ready()
        with Load(machine) as load:
            for name in ("eater", "victim"):
                machine.expect(rf"^init: {name} stopped: invalid instruction .*\n"
                               rf"init: {name}:   at 0x4[0-9a-f]{{5}} eater_receive\+.*\n")
            machine.expect(r"^init: eater: restart 1, 1 in a row\n(?:(?!init: eater).*\n)*eater: ate 8$")
            machine.expect(r"^init: victim: given up after 3 restarts in a row$")
            load.more()
            assert not load.wrong
        assert machine.text.count("init: eater stopped") == 1
        assert machine.text.count("init: victim stopped") == 4
        counters = machine.counters()
        assert (counters["eater.eaten"], counters["victim.eaten"]) == (3 + 8, 4 * 3)
        assert "feeder stopped" not in machine.text and "poisoner stopped" not in machine.text


def test_counters_and_log_outlive_it():
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        for _ in range(5):
            ask(machine, "www.example.org", "A")
        machine.motet("restart", "dnsd")
        machine.expect(r"^init: dnsd: restart 1, (?:.*\n)+?dnsd: serving 11 records")
        for _ in range(5):
            ask(machine, "www.example.org", "A")
        assert json.loads(machine.motet("stats", "dnsd", "--json"))["dnsd.noerror"] == 10
        assert machine.motet("log", "dnsd").count("serving 11 records") == 2


def trace(domain, *functions):
    """Lines of a stack trace, with these functions in that order; others may be between."""
    line = rf"init: {domain}:   (?:at|from) 0x4[0-9a-f]{{5}} [\w.]+\+0x[0-9a-f]+\n"
    at, *calls = functions
    return (rf"init: {domain}:   at 0x4[0-9a-f]{{5}} {at}\+0x[0-9a-f]+\n" + "".join(
        rf"(?:{line})*?init: {domain}:   from 0x4[0-9a-f]{{5}} {name}\+0x[1-9a-f][0-9a-f]*\n"
        for name in calls) + rf"(?:{line})*")


def test_who_never_waits_is_stopped_and_begun_anew():
    """The watchdog: 20 ms of its own time each, and then whoever is below has the processor."""
    with Machine(kernel(STUCK)) as machine:
        stuck = (r"init: greedy stopped: stuck: it ran for too long without waiting .*\n" +
                 trace("greedy", "start", "loop_start", "domain_run", "_start"))
        machine.expect(rf"^{stuck}(?:(?:(?!init: greedy stopped).*\n)*?{stuck}){{3}}"
                       r"init: greedy: given up after 3 restarts in a row$")
        before, after = machine.counters(), machine.counters()
        assert before["greedy.turns"] == after["greedy.turns"]
        assert before["modest.turns"] < after["modest.turns"]
        assert after["kernel.fault_31"] == 4


def test_who_crashes_again_and_again_is_given_up():
    with Managed(kernel(CRASHES)) as machine:
        fault = (r"init: faulty stopped: page fault writing address 0x0 .*\n" +
                 trace("faulty", "write_null", "faulty_start", "loop_start", "domain_run", "_start"))
        machine.expect(r"^" + fault +
                       r"init: faulty: restart 1, 1 in a row\n" + fault +
                       r"init: faulty: restart in 10 ms\n"
                       r"(?:(?!init: faulty).*\n)*"
                       r"init: faulty: restart 2, 2 in a row\n" + fault +
                       r"init: faulty: restart in 20 ms\n"
                       r"(?:(?!init: faulty).*\n)*"
                       r"init: faulty: restart 3, 3 in a row\n" + fault +
                       r"init: faulty: given up after 3 restarts in a row$")
        told = machine.ps()["faulty"]
        assert (told["state"], told["restarts"]) == ("stopped", 3)
        assert told["last_end"].startswith("page fault, address 0x0, instruction 0x4")
        assert "refused" in machine.motet("restart", "nosy", status=REFUSED)


def stopped_by(act):
    """What faulty is told to have been doing, up to its first restart."""
    with Managed([*kernel(CRASHES), "-append", f"faulty.act={act}"]) as machine:
        return machine.expect(r"^init: faulty stopped: (?:.*\n)*?init: faulty: restart 1")[0]


def test_a_stack_trace_names_who_called():
    for act in ("divide", "invalid", "not_canonical"):
        assert re.search(trace("faulty", act, "faulty_start", "domain_run"), stopped_by(act))


def test_a_stack_trace_of_what_is_no_program():
    """The instruction is on the stack: its caller is known all the same."""
    text = stopped_by("exec_stack")
    assert re.search(r"^init: faulty:   at 0x4[0-9a-f]{5}\n"
                     r"init: faulty:   from 0x4[0-9a-f]{5} exec_stack\+", text, re.MULTILINE)


def test_a_stack_pointer_to_nowhere():
    text = stopped_by("kernel_stack")
    assert re.search(r"^init: faulty:   at 0x4[0-9a-f]{5} kernel_stack\+0x[0-9a-f]+\n"
                     r"init: faulty:   its stack pointer 0xffff8[0-9a-f]+ is in none of its memory\n"
                     r"init: faulty: restart", text, re.MULTILINE)
    assert "kernel" not in stopped_by("stack_overflow")


def test_a_stack_trace_of_another_version():
    """The image's symbols aren't its own: init says so, and gives addresses."""
    with Managed(kernel(MANAGED), [UserNetwork()]) as machine:
        machine.ready()
        refused = machine.motet("swap", "netd", BUILD / "programs/dns-managed/netd-crash.elf",
                                status=REFUSED)
        assert "rolled back" in refused
        machine.expect(r"^init: netd stopped: .*\n"
                       r"init: netd:   \(symbols are of the version that was booted\)\n"
                       r"init: netd:   at 0x4[0-9a-f]{5}\n"
                       r"(?:init: netd:   from 0x4[0-9a-f]{5}\n)+"
                       r"init: netd: swap rolled back")
        ask(machine, "www.example.org", "A")


@pytest.mark.parametrize("restart", ["restart = 1; ", ""])
def test_no_restart_with_another_domains_pager(tmp_path, restart):
    """Neither of who uses it nor of who serves it."""
    other = "" if restart else "restart = 1; "
    text = tmp_path / "both.conf"
    text.write_text(f"""image = "both"; domains = (
        {{ name = "a"; servers = [ "a" ]; priority = 1; heap = "1M"; pager = "b"; {restart}}},
        {{ name = "b"; servers = [ "b" ]; priority = 1; heap = "1M"; {other}}} );""", encoding="utf-8")
    done = subprocess.run([BUILD / "tools/compose", "--check", text], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 1
    assert 'domain "a" has "b" as pager' in done.stdout and 'drop "restart" or "pager"' in done.stdout


def test_a_heap_begins_empty():
    """However often its domain dies with all of it in use: just so much memory is there for it."""
    with Machine(kernel(BUILD / "images/heap_restart.elf"),
                 settings={"heap.limit": str(4 * 256)}) as machine:
        life = (r"(?:mayfly: holds 2 chunks\n(?:(?!mayfly|init: mayfly).*\n)*"
                r"mayfly: dies with 2 chunks, 0 wrong\n"
                r"init: mayfly stopped: page fault writing address 0x0 .*\n"
                r"(?:(?!mayfly).*\n)*?)")
        machine.expect(life + r"{4}init: mayfly: given up after 3 restarts in a row$")
        assert "WRONG" not in machine.text and "by force" not in machine.text


def test_a_running_domain_with_a_heap_begins_anew():
    with Managed(kernel(BUILD / "images/heap_restart.elf"),
                 settings={"heap.limit": str(4 * 256)}) as machine:
        machine.expect(r"^keeper: holds 2 chunks$")
        for count in range(1, 8):
            start = len(machine.text)
            machine.motet("kill" if count % 2 else "restart", "keeper")
            machine.expect(r"^keeper: holds 2 chunks$", start)
            told = machine.ps()["keeper"]
            assert (told["restarts"], told["state"]) == (count, "waiting")
        start = len(machine.text)
        machine.type("d")
        machine.expect(r"^  keeper: .*\n    heap: 512 of 512 KiB, 512 kept; given back 0, lost 0$", start)
        assert "WRONG" not in machine.text and "by force" not in machine.text


# In the simulator


def sim(*arguments, program=CHECKED, image=BUNDLE):
    done = subprocess.run([program, "--image", image, *arguments], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT * 4,
                          check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_death_at_each_message_boundary():
    """Whoever dies, wherever: each client gets an answer afterwards, nobody else dies, no buffer is
    lost, and nobody accuses another."""
    totals = json.loads(sim("--sweep", "--calm", "queries=60"))
    assert totals["deaths"] == totals["messages"] > 300
    assert totals["reported"] == 0


@pytest.mark.parametrize("seed", range(1, 13))
def test_many_deaths_among_other_faults(seed):
    sim("--seed", str(seed), f"kill={seed * 31 % 200 + 1}", "kills=12", "kill_every=150",
        "card_lies=0")


def test_many_deaths_under_the_sanitizers():
    for seed in (21, 22, 23):
        sim("--seed", str(seed), "--every", "100", "kill=40", "kills=8", "kill_every=150",
            "card_lies=0", program=ASAN)


def test_deaths_of_domains_with_heaps():
    """At each message boundary, and many in one run, with all of the heap in use: the next life finds
    the memory that is kept for it, zero."""
    image = BUILD / "images/dns_heap_restart.bundle"
    totals = json.loads(sim("--sweep", "--calm", "pages=1400", "queries=20", image=image))
    assert totals["deaths"] == totals["messages"] > 100
    assert totals["reported"] == 0
    for seed in (31, 32, 33):
        output = sim("-v", "--seed", str(seed), "pages=1400", "kill=60", "kills=12", "kill_every=90",
                     "card_lies=0", image=image)
        assert output.count(": holds 2 chunks") > 2 and "WRONG" not in output
    sim("--seed", "34", "--every", "100", "pages=1400", "kill=60", "kills=8", "kill_every=150",
        "card_lies=0", program=ASAN, image=image)
