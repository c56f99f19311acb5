# SPDX-License-Identifier: ISC
"""The simulator (docs/simulator.md): what must hold does, its runs repeat, it says what a failing
run needs, and finds the bugs that were planted in libOS and servers."""

import json
import re
import subprocess
import sys

import pytest

from machine import BUILD, LIMIT, PARTITIONS, ROOT

sys.path.insert(0, str(ROOT / "tests/bugs/servers"))
import find  # pylint: disable=wrong-import-position

IMAGE = BUILD / "images/dns.bundle"
HEAPS = BUILD / "images/dns_heap.bundle"
CHECKED, FAST, ASAN = (BUILD / "sim" / name / "sim" for name in ("checked", "fast", "asan"))
TRACE = re.compile(r"trace ([0-9a-f]{16})")


def sim(*arguments, program=CHECKED, status=0, commands="", folder=ROOT, image=IMAGE):
    """What it printed, on both outputs together."""
    done = subprocess.run([program, "--image", image, *arguments], input=commands, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT * 3,
                          cwd=folder, check=False)
    assert done.returncode == status, done.stdout
    return done.stdout


def traces(*arguments, **more):
    return TRACE.findall(sim(*arguments, **more))


# Runs


def test_seeds_pass_with_everything_checked_after_each_step():
    assert len(set(traces("--runs", "25"))) == 25


@pytest.mark.parametrize("partition", ["paired", "fused"])
def test_servers_of_one_domain(partition):
    """The invariants of their queues and of netd between two of its entry points; all builds alike."""
    image = PARTITIONS[partition].with_suffix(".bundle")
    checked = traces("--seed", "200", "--runs", "15", image=image)
    assert len(set(checked)) == 15
    assert traces("--seed", "200", "--runs", "15", "--every", "1000", program=FAST,
                  image=image) == checked
    assert traces("--seed", "200", "--runs", "2", program=ASAN, image=image) == checked[:2]


@pytest.mark.parametrize("partition", ["paired", "fused"])
def test_servers_of_one_domain_at_the_edge(partition):
    image = PARTITIONS[partition].with_suffix(".bundle")
    for option in ("slots=1 burst=200 rate=20000", "slots=3 junk=1000000 burst=100", "stolen=1000000"):
        sim("--calm", "--runs", "3", "-q", *option.split(), image=image)


def test_the_same_seed_gives_the_same_run():
    sim("--runs", "5", "--twice", "-q")


def test_all_builds_run_alike():
    checked = traces("--seed", "40", "--runs", "6")
    assert len(set(checked)) == 6
    assert traces("--seed", "40", "--runs", "6", "--every", "1000", program=FAST) == checked
    assert traces("--seed", "40", "--runs", "2", "--copy") == checked[:2]


def test_the_kernels_trace_of_a_run(tmp_path):
    """It fits together, has every switch (the simulator compares after each kernel entry), and is
    the same for the same seed and in another build."""
    seeds = [("--seed", str(seed), "-q") for seed in (3, 7, 12)]
    for number, arguments in enumerate(seeds):
        files = [tmp_path / f"{number}-{name}" for name in ("a", "b", "fast")]
        for file in files[:2]:
            assert "overwritten" not in sim(*arguments, "--trace", str(file))
        sim(*arguments, "--every", "1000", "--trace", str(files[2]), program=FAST)
        texts = [file.read_text() for file in files]
        assert texts[0] == texts[1] == texts[2]
        done = subprocess.run([BUILD / "tools/trace", "--check", files[0]], text=True,
                              stderr=subprocess.PIPE, timeout=LIMIT, check=False)
        assert done.returncode == 0, done.stderr
        lines = texts[0].splitlines()
        assert lines[-1] == "trace end" and len(lines) > 500
        times = [int(line.split()[1], 16) for line in lines if re.match("trace [0-9a-f]+ ", line)]
        assert times == sorted(times)


def test_under_sanitizers():
    assert len(traces("--runs", "3", program=ASAN)) == 3


def answered_all(output):
    answered, asked = re.search(r"(\d+) of (\d+) answered", output).groups()
    return answered == asked and int(asked) >= 1000


def test_a_calm_run_answers_all():
    assert answered_all(sim("--calm"))


@pytest.mark.parametrize("partition", PARTITIONS)
def test_each_death_of_a_domain_is_reported(partition):
    image = PARTITIONS[partition].with_suffix(".bundle")
    totals = json.loads(sim("--sweep", "queries=155", image=image))
    assert totals["messages"] > 900
    assert totals["reported"] == totals["deaths"] == totals["messages"]


@pytest.mark.parametrize("how", [["--every", "1"], ["--copy"]])
def test_heaps_come_and_go_beside_the_service(how):
    output = sim("--calm", "-v", "pages=1060", "queries=400", *how, image=HEAPS)
    assert "init: 1536 KiB for heaps, which may have 1792" in output
    for line in ("checker: checked 1 chunks: zero, 0 wrong, refused", "giver: holds 3 chunks",
                 "walker: walked 64 pages, 0 wrong", "taker: holds 2 chunks"):
        assert f"| {line}" in output, output
    assert "WRONG" not in output and "by force" not in output and "404 of 404 answered" in output


def test_heaps_under_faults_and_sanitizers():
    assert len(set(traces("--runs", "10", "pages=1060", "--every", "10", image=HEAPS))) == 10
    assert len(traces("--runs", "2", "pages=1060", "--every", "10", image=HEAPS, program=ASAN)) == 2


def test_a_card_that_lies_is_survived_or_reported_broken():
    output = sim("--runs", "12", "--calm", "card_lies=20000")
    assert "reported dead" in output and len(TRACE.findall(output)) == 12


def test_a_card_that_interrupts_by_msi():
    """All are answered, also when interrupts get lost or come for nothing, domains die or are swapped."""
    assert answered_all(sim("--calm", "card_msi=1"))
    sim("--runs", "6", "-q", "card_msi=1", "card_pin=0", "lost_interrupts=50000", "spurious=100")
    sim("--calm", "--runs", "6", "-q", "card_msi=1", "kill=500", "kills=20", "kill_every=300",
        image=BUILD / "images/dns_restart.bundle")
    swaps = sim("--calm", "card_msi=1", "queries=3000", "rate=3000", "swaps=2000", "swap_every=1",
                "swap_probation=1", image=BUILD / "images/dns_swap.bundle")
    assert answered_all(swaps) and int(re.search(r"(\d+) swaps, 0 failed", swaps)[1]) > 100


def test_another_kind_of_card():
    """All are answered, and the same runs in all builds; when it lies, when interrupts come for nothing, when
    domains die it is survived or said."""
    image = BUILD / "images/dns-e1000.bundle"
    assert answered_all(sim("--calm", image=image))
    checked = traces("--seed", "200", "--runs", "15", image=image)
    assert len(set(checked)) == 15
    assert traces("--seed", "200", "--runs", "15", "--every", "1000", program=FAST, image=image) == checked
    assert traces("--seed", "200", "--runs", "2", program=ASAN, image=image) == checked[:2]
    lying = sim("--runs", "12", "--calm", "card_lies=20000", image=image)
    assert "reported dead" in lying and len(TRACE.findall(lying)) == 12
    for option in ("slots=3 burst=200 rate=20000", "stolen=1000000", "junk=1000000 burst=100 slots=3"):
        sim("--calm", "--runs", "3", "-q", *option.split(), image=image)


def test_another_kind_of_card_that_runs_on_while_its_driver_begins_anew():
    """In seed 19 a frame came when the ring was cleared and the card not reset."""
    image = BUILD / "images/dns-e1000.bundle"
    sim("--seed", "15", "--runs", "15", "-q", "kill=60", "kills=6", "kill_every=100", image=image)
    sim("--seed", "108", "-q", "rate=200000", "queries=20000", "burst=1", "kill=200", "kills=6", "kill_every=300",
        "card_lies=0", "delay=50", image=image)  # a query comes while netd is back, and dnsd's port isn't
    totals = json.loads(sim("--sweep", "queries=100", image=image))
    assert totals["messages"] == totals["deaths"] > 300 and totals["reported"] == 0


@pytest.mark.parametrize("pages", [40, 60, 150, 300])
def test_too_little_memory_is_said(pages):
    output = sim("--calm", "-v", f"pages={pages}")
    assert "reported dead" in output
    assert re.search("too little memory|boot failed", output)


@pytest.mark.parametrize("option", ["slots=3 burst=200 rate=20000", "stolen=1000000",
                                    "preempt=2", "junk=1000000 burst=100 slots=3"])
def test_at_the_edge(option):
    sim("--calm", "--runs", "3", "-q", *option.split())


def test_a_name_server_with_room_for_one_message_is_woken_by_more():
    """It wanted room for two, and nobody rings for that."""
    sim("--seed", "4", "-q", "--calm", "clients=2", "queries=62", "burst=25", "late=699",
        "preempt=40", "slots=5")


# Images in which a server checks a driver: docs/driver.md, "Classes"


# What is said in the end, and how many messages there are at least.
CHECKS = {
    "entropy_check": ("entropy_check: conforms: 143 requests, 4820 bytes\n", 150),
    "block_check": ("block_check: conforms: 256 blocks\n", 150),
    "clock_check": ("clock_check: conforms: 25 answers, 946684800 seconds since 1970, ", 50),
    "console_check": ("console_check: conforms: 600 bytes\n", 200),
}
KILLS = ("kill=20", "kills=4", "kill_every=200")


def verdicts(name, *arguments, **more):
    """What the server that checks said last in each run; the simulator believes no other end."""
    output = sim(*arguments, image=BUILD / f"images/{name}.bundle", **more)
    found = re.findall(rf"^{name}: (conforms|told): .*, trace ", output, re.MULTILINE)
    assert len(found) == len(TRACE.findall(output))
    return found


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("how", [(), ("lost_interrupts=50000", "spurious=100", "late=2000"),
                                 ("card_pin=1",), ("card_msi=1", "card_pin=0"), KILLS,
                                 ("card_packed=1", *KILLS), ("clock_races=100000", "jumps=3", *KILLS)],
                         ids=["drawn", "interrupts", "pin", "msi", "kills", "packed", "races"])
def test_a_driver_conforms(name, how):
    assert verdicts(name, "--runs", "12", "card_lies=0", *how) == ["conforms"] * 12


@pytest.mark.parametrize("name", CHECKS)
def test_a_calm_check_goes_to_its_end_in_all_builds(name):
    image = BUILD / f"images/{name}.bundle"
    checked = sim("--calm", "-v", image=image)
    assert f"  | {CHECKS[name][0]}" in checked
    for program, every in ((FAST, "1000"), (ASAN, "1")):
        assert traces("--calm", "--every", every, program=program, image=image) == TRACE.findall(checked)


@pytest.mark.parametrize("name", CHECKS)
def test_a_device_that_lies_is_survived_or_told(name):
    """Nothing else: no wrong byte, no other domain that dies, nobody who waits for ever."""
    for how in ((), KILLS):
        assert set(verdicts(name, "--runs", "20", "card_lies=30000", *how)) == {"conforms", "told"}


@pytest.mark.parametrize("name", CHECKS)
def test_without_its_device_a_client_is_told(name):
    assert verdicts(name, "--runs", "3", "without=20", "without_isa=3") == ["told"] * 3


@pytest.mark.parametrize("name", CHECKS)
def test_answers_come_again_after_each_death(name):
    """Of the driver or of its client, at each message: either begins anew, and the check ends well."""
    totals = json.loads(sim("--sweep", image=BUILD / f"images/{name}.bundle"))
    assert totals["messages"] == totals["deaths"] > CHECKS[name][1]
    assert totals["reported"] == 2  # the control channel's, at its only messages


@pytest.mark.parametrize("how", [(), ("card_lies=0", *KILLS), ("card_lies=0", "card_packed=1", "card_short=1")],
                         ids=["drawn", "kills", "packed"])
def test_clients_get_the_bytes_of_an_image_that_is_no_name_server(how):
    """As many as they asked for, and none twice; whether a byte is the device's is looked at, too."""
    output = sim("--runs", "12", *how, image=BUILD / "images/entropy.bundle")
    assert len(re.findall(r"^[1-9]\d* of \d+ answered, ", output, re.MULTILINE)) == 12


def test_what_a_check_complains_of_fails_the_run():
    output = sim("--calm", "--no-shrink", status=1, image=BUILD / "images/block_check.bundle",
                 program=find.program_of(BUILD, "24-answered-before-it-is-done"))
    assert re.search(r"FAILED at step \d+: block_check: doesn't conform: block \d+: ", output)


# A failing run


@pytest.fixture(scope="module", name="failing")
def a_failing_run(tmp_path_factory):
    """Program, folder and output of a run that meets a planted bug."""
    folder = tmp_path_factory.mktemp("failing")
    program = find.program_of(BUILD, "05-lent-buffers-miscounted")
    return program, folder, sim("--runs", "20", program=program, status=1, folder=folder)


def test_a_failing_run_says_how_to_repeat_it(failing):
    program, folder, output = failing
    failed = re.search(r"^FAILED at step \d+: (.*)$", output, re.MULTILINE)
    assert "netd has lent" in failed[1]
    for kind in ("repeat", "simpler"):
        command = re.search(rf"^  {kind}: +(.*)$", output, re.MULTILINE)[1].split()
        assert command[0] == str(program)
        again = subprocess.run([*command, "--no-shrink"], capture_output=True, text=True, check=False,
                               timeout=LIMIT, cwd=folder)
        assert again.returncode == 1
        assert re.search(r"FAILED at step \d+: netd has lent", again.stderr), again.stderr


def test_the_step_before_is_kept_and_fails_again(failing):
    program, folder, output = failing
    _, _, snapshot, _ = re.search(r"the step before: +(.*)$", output, re.MULTILINE)[1].split()
    again = sim("--load", snapshot, "--inspect", program=program, folder=folder,
                commands="now\nstep\n")
    message = re.search(r"^FAILED at step \d+: (.*)$", output, re.MULTILINE)[1]
    failed = re.search(r"^FAILED at step (\d+): (.*)$", again, re.MULTILINE)
    assert failed and failed[2].split(" and ")[0][:14] == message[:14]
    assert int(re.search(r"step (\d+),", again)[1]) == int(failed[1]) - 1


def test_a_snapshot_of_another_program_is_refused(failing):
    _, folder, output = failing
    snapshot = re.search(r"--load (\S+)", output)[1]
    said = sim("--load", snapshot, "--inspect", program=FAST, folder=folder, status=1)
    assert "another build of this program" in said


def test_a_damaged_snapshot_is_refused(tmp_path):
    whole, cut, foreign = (tmp_path / name for name in ("whole", "cut", "foreign"))
    sim("--calm", "--until", "1000", "--save", whole)
    cut.write_bytes(whole.read_bytes()[:100_000])
    foreign.write_text("anything")
    assert "cut: cut off" in sim("--load", cut, "--inspect", status=1)
    assert "foreign: no snapshot" in sim("--load", foreign, "--inspect", status=1)
    assert "No such file" in sim("--load", tmp_path / "none", "--inspect", status=1)


def test_a_saved_run_goes_on_as_it_would_have(tmp_path):
    sim("--calm", "--until", "2000", "--save", tmp_path / "half")
    loaded = sim("--load", tmp_path / "half", "--inspect", commands="run\n")
    assert TRACE.findall(loaded)[-1] == traces("--calm")[0]


# Looking


INSPECTED = {
    "now": r"step 3000, \d+\.\d+ s, [\w ]+, trace [0-9a-f]{16}",
    "threads": r"netd: \w+, priority 20\n    at \w+\+0x[0-9a-f]+",
    "ports": r"netd: pending 0?x?[0-9a-f]+, \d+ messages",
    "caps": r"untyped \S+ 0x[0-9a-f]+, \d+ pages",
    "caps port": r"port \S+ .* of dnsd, badge 0x[0-9a-f]+",
    "space netd": r"page \S+ .* in netd",
    "rings": r"netd\.net: sent \d+ \(\d+ not taken\), taken \d+ of \d+",
    "counters": r"dnsd\.\w+ [1-9]\d*",
    "counters netd": r"netd\.rx_frames [1-9]\d*",
    "log netd": r"net0: 10\.0\.2\.15/24",
    "console": r"init: image dns",
    "memory 0x180000000000 2": r"0x180000000000: [0-9a-f]{16}\n.*0x180000000008: ",
    "help": r"threads +all threads",
    "memory 0": r"0: not mapped",
    "log nobody": r'no domain "nobody"',
    "nonsense": r'no command "nonsense"',
}


@pytest.fixture(scope="module", name="looked")
def what_commands_print():
    """Each command's output, between two that are known."""
    commands = "".join(f"{command}\nmark\n" for command in INSPECTED)
    output = sim("--calm", "--until", "3000", "--inspect", commands=commands)
    parts = output.split('no command "mark": "help" lists them\n')
    return dict(zip(INSPECTED, parts))


@pytest.mark.parametrize("command", INSPECTED)
def test_a_command_shows(looked, command):
    assert re.search(INSPECTED[command], looked[command]), looked[command]


@pytest.mark.parametrize("arguments, named", [
    (["pages"], "pages: neither an option nor"), (["colour=1"], "colour=1: no such name"),
    (["loss=much"], "loss=much: a number"), (["loss=99999999999"], "loss=99999999999: too large"),
    (["--seed", "x"], "--seed: a number"), (["--every", "0"], "--every: at least 1"),
    (["--colour"], "--colour"), (["--image", "/no/such/file"], "/no/such/file: No such file"),
])
def test_misuse_is_named(arguments, named):
    assert named in sim(*arguments, status=2)


def test_help_names_every_option():
    output = sim("--help")
    for line in (ROOT / "tools/sim/options.h").read_text().splitlines():
        option = re.match(r"\s+OPTION\((\w+), \d", line)
        assert not option or f"  {option[1]} " in output
    manual = (ROOT / "docs/simulator.md").read_text()
    for option in re.findall(r"^  (--[a-z]+|[a-z_]+) ", output, re.MULTILINE):
        assert f"`{option}" in manual, f"docs/simulator.md says nothing of {option}"


# Planted bugs


@pytest.mark.parametrize("name", find.bugs())
def test_planted_bug_is_found(name):
    assert find.program_of(BUILD, name).exists(), "it can't be planted any more: make sim-bugs"
    found = find.search(BUILD, name)
    assert found.status == 1 and found.seed and found.what, found.output


def test_a_risky_step_fails_on_a_copy_and_leaves_the_state_before_it():
    found = find.search(BUILD, "13-kernel-flush-skipped", "--copy")
    assert found.status == 1 and found.what.endswith("(on a copy)"), found.output
    saved = re.search(r"the step before: +\S+ --load (\S+) --inspect", found.output)[1]
    again = subprocess.run(
        [find.program_of(BUILD, "13-kernel-flush-skipped"), "--copy", "--load", saved, "--inspect"],
        input="step\nthreads\n", capture_output=True, text=True, check=False, timeout=60,
        cwd=BUILD.parent)
    assert f"FAILED at step {found.step}: {found.what}" in again.stdout, again.stdout
    assert "* init: running" in again.stdout
