# SPDX-License-Identifier: ISC
"""tools/motet: what it makes is whole, what it refuses changes nothing, and it knows its commands."""

import re
import subprocess

import pytest

from machine import BUILD_LIMIT, LIMIT, ROOT
from scratch import LONGEST, MOTET


@pytest.mark.parametrize("words, client", [
    (["hello"], None), (["echo", "--client"], "echo_client"), (["x", "--client=y"], "y"),
    ([LONGEST, f"--client={LONGEST[:-1]}z"], f"{LONGEST[:-1]}z"),
], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_a_new_server_boots_and_passes_its_tests(tree, words, client):
    name = words[0]
    said, _ = tree.new("server", *words)
    commands = re.findall(r"tools/motet test \w+", said)
    tests = [tree.run(*command.split()) for command in commands]
    assert all(test.returncode == 0 for test in tests), tests
    passed = [re.search(r"\n(\d+) passed, 0 failed\n$", test.stdout)[1] for test in tests]
    assert sum(map(int, passed)) == (7 if client else 4)
    checked = tree.run(MOTET, "check", name)
    counts = "2 domains, 1 connection" if client else "1 domain, 0 connections"
    assert re.search(rf"^images/{name}\.conf: good: {counts}, 0 pools, needs \d+ KiB$", checked.stdout,
                     re.MULTILINE)


def test_its_tests_can_fail(tree):
    """A server whose sum is wrong is found by its unit test and by its system test."""
    assert tree.run(MOTET, "new", "server", "wrong", "--client").returncode == 0
    source = tree.root / "servers/wrong/wrong.c"
    source.write_text(source.read_text().replace("own->sum += add.value", "own->sum -= add.value"))
    tests = tree.run(MOTET, "test", "wrong")
    assert tests.returncode != 0
    assert "unit/wrong_server.test_the_sum_grows" in tests.stdout
    assert "system/wrong.test_the_client_is_answered" in tests.stdout


@pytest.mark.parametrize("words, complaint", [
    (["Hello"], '"Hello" is no name — lowercase letters, digits and _'),
    (["9lives"], '"9lives" is no name'),
    (["two words"], '"two words" is no name'),
    (["../up"], '"../up" is no name'),
    (["a_name_of_16_let"], '"a_name_of_16_let" has more than 15 letters — choose a shorter one'),
    (["nine_name", "--client"], '"nine_name_client" has more than 15 letters — choose one by --client=CLIENT'),
    (["same", "--client=same"], 'server and client are both "same"'),
    (["other", "--client=netd"], 'there is a server "netd" already'),
    (["netd"], 'there is a server "netd" already, servers/netd — choose another name'),
    (["busy"], 'there is a server "busy" already, tests/servers/busy'),
    (["sock"], "there is ipc/proto/sock.h already"),
    (["budget"], "there is tests/images/budget.conf already"),
    (["dns"], "there is images/dns.conf already"),
    (["boot"], "there is tests/system/test_boot.py already"),
    (["start"], '"start" is a part of the system'),
    (["kbench"], '"kbench" is an image of the tests'),
    (["one", "two"], "two: one word too many"),
    (["one", "--nonsense"], "--nonsense: no such option"),
])
def test_refused_names_change_nothing(tree, words, complaint):
    tree.refuses_new("server", words, complaint)


def test_a_failure_on_the_way_leaves_nothing_behind(tree):
    """tests/system can't take a file: four others are in place by then."""
    folder, aside = tree.root / "tests/system", tree.root / "tests/aside"
    folder.rename(aside)
    folder.write_text("no folder")
    before, folders = tree.files(), sorted(tree.root.glob("servers/*"))
    try:
        assert tree.run(MOTET, "new", "server", "halfway", "--client").returncode != 0
        assert tree.files() == before
        assert sorted(tree.root.glob("servers/*")) == folders
        assert not list(tree.root.glob(".new-server*"))
    finally:
        folder.unlink()
        aside.rename(folder)


def motet(*words, cwd=ROOT):
    return subprocess.run([ROOT / MOTET, *words], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=BUILD_LIMIT)


def test_commands_and_their_help(tmp_path):
    """From any folder; `help X` and `X --help` are the same."""
    said = motet("--help", cwd=tmp_path)
    assert said.returncode == 0
    for command in ("new", "run", "test", "explain", "check", "compose"):
        assert re.search(rf"^  {command}\b", said.stdout, re.MULTILINE)
        helped = motet("help", command, cwd=tmp_path)
        assert helped.returncode == 0 and helped.stdout.startswith("usage: ")
        if command != "new":
            assert motet(command, "--help", cwd=tmp_path).stdout == helped.stdout
    assert motet("new", "server", "--help").stdout == motet("help", "new").stdout
    assert motet().returncode == 2


@pytest.mark.parametrize("words, status, complaint", [
    (["rnu"], 2, 'no command "rnu" — did you mean "run"? there are: new run test '),
    (["help", "chek"], 2, 'no command "chek" — did you mean "check"? there are: '),
    (["something"], 2, 'no command "something" — there are: new run test '),
    (["new", "sever"], 2, '"sever" can\'t be made new — motet new server NAME'),
    (["run", "dns", "fast"], 2, 'run: "fast" isn\'t VARIABLE=VALUE'),
    (["run", "--fast"], 2, 'run: no option "--fast"'),
    (["run", "dsn"], 1, 'no image and no manifest "dsn" — did you mean "dns"? '),
    (["test", "netdd"], 1, 'no server "netdd" — did you mean "netd"? there are: '),
    (["explain", "dsn"], 1, 'no image and no manifest "dsn" — did you mean "dns"? '),
])
def test_misuse(tmp_path, words, status, complaint):
    done = motet(*words, cwd=tmp_path)
    assert done.returncode == status
    assert f"error: {complaint}" in done.stderr


CONTROL = """#!/bin/sh
case "$*" in
--help) printf '  motet ps [--json]\\n  motet kill SERVER\\n' ;;
"kill --help") echo "  --json  --socket PATH" ;;
"ps --json"*) printf '[\\n  {"domain": "netd", "state": 1}\\n]\\n' ;;
*) echo "control: $*"; exit 3 ;;
esac
"""


def test_commands_for_a_running_image_go_to_the_program_that_talks_to_it(tree):
    """The one of the tree, if it has one, is hidden by a stand-in."""
    program = tree.root / "build/tools/motet"
    program.unlink(missing_ok=True)
    program.write_text(CONTROL)
    program.chmod(0o755)
    done = tree.run(MOTET, "kill", "netd", "--json")
    assert (done.returncode, done.stdout) == (3, "control: kill netd --json\n")
    assert "\n  kill SERVER\n" in tree.run(MOTET, "help").stdout
    assert tree.run(MOTET, "help", "kill").stdout.startswith("  --json")
    assert 'did you mean "kill"?' in tree.run(MOTET, "klil").stdout
    assert complete("tools/motet k", tree.root) == ["kill"]
    assert complete("tools/motet kill ", tree.root) == ["--json", "--socket", "netd"]


def complete(line, root):
    words = line.split(" ")
    script = f""". tools/motet.bash
        COMP_WORDS=({' '.join(word or '""' for word in words)}); COMP_CWORD={len(words) - 1}
        _{'motet' if 'motet' in line else 'compose'} 2>/dev/null; printf '%s\\n' "${{COMPREPLY[@]}}\""""
    return subprocess.run(["bash", "-c", script], cwd=root, capture_output=True, text=True,
                          timeout=LIMIT, check=True).stdout.split()


@pytest.mark.parametrize("line, wanted, unwanted", [
    ("tools/motet ", ["new", "run", "test", "explain", "check", "compose", "help"], ["dns"]),
    ("tools/motet ru", ["run"], ["new"]),
    ("tools/motet new ", ["server"], ["--client"]),
    ("tools/motet new server hello --", ["--client"], ["server"]),
    ("tools/motet run d", ["dns", "dns_heap"], ["wild"]),
    ("tools/motet run dns M", ["MACHINE=", "MEDIUM="], ["PORT="]),
    ("tools/motet test net", ["netd"], []),
    ("tools/motet explain wi", ["wild"], []),
    ("tools/motet check b", ["budget"], []),
    ("tools/compose --e", ["--explain"], []),
    ("tools/compose --explain tr", ["trace"], []),
])
def test_completion(line, wanted, unwanted):
    found = complete(line, ROOT)
    assert set(wanted) <= set(found) and not set(unwanted) & set(found)
