# SPDX-License-Identifier: ISC
"""Does what a tutorial says, in a copy of the tree, and compares what is shown with what comes.

A tutorial is a Markdown document. What its fenced blocks are, their language says:

  console      commands behind `$ `, each with its output. A line `...` stands for any number of lines,
               `...` in a line for any part of it. A command `make run` stays in the foreground: its
               output must come in time, and it is ended before the next command.
  shell        the same, in another terminal: what was started by `make run` goes on
  text         what the machine says after the key was typed that the text before names ("Type `s`")
  says         what the machine says after the `shell` before it
  diff         a change of the file whose path the text before names last, or of the same as before:
               what has a blank or `-` in front is there once, and is replaced by what has a blank or `+`
  c, python    the whole file of that path
"""

import os
import re
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field

import pytest

from machine import LIMIT
from network import free_port
from scratch import environment

RUN_LIMIT = 300  # seconds, for a command that may build

# What a slow machine says in addition.
_PATIENCE = "compose: building what is needed...\n"

_PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.\w+)`")
_TYPED = re.compile(r"[Tt]ype `(\w)`")


@dataclass
class Step:
    line: int  # of the document
    kind: str
    text: str  # of the block
    path: str = None
    key: str = None


@dataclass
class Section:
    title: str
    steps: list = field(default_factory=list)


def sections(document):
    """Those that have something to do."""
    found, words, block, path = [Section("")], [], None, None
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        if block is not None:
            if line != "```":
                block.append(line)
                continue
            text = "\n".join(words)
            path = _PATH.findall(text)[-1] if _PATH.search(text) else path
            key = _TYPED.findall(text)[-1] if _TYPED.search(text) else None
            found[-1].steps.append(Step(start, kind, "\n".join(block), path, key))
            block, words = None, []
        elif line.startswith("```"):
            block, start, kind = [], number, line[3:]
        elif line.startswith("#"):
            found.append(Section(line.lstrip("# ")))
            words = []
        else:
            words.append(line)
    return [section for section in found if section.steps]


def pattern(text):
    """As a regular expression for whole lines."""
    lines = []
    for line in text.splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(".*?".join(map(re.escape, line.rstrip().split("..."))) + r"[ ]*\n")
    return "".join(lines)


class Follower:
    """Follows a tutorial in the tree `scratch`."""

    def __init__(self, scratch):
        self._scratch = scratch
        self._machine = None

    def close(self):
        if self._machine:
            self._machine.close()
            self._machine = None

    def follow(self, section):
        for step in section.steps:
            getattr(self, f"_{step.kind}")(step)

    def _python(self, step):
        (self._scratch.root / step.path).write_text(step.text + "\n", encoding="utf-8")

    def _c(self, step):
        self._python(step)
        done = self._scratch.run("clang-format", "--dry-run", "-Werror", step.path)
        assert done.returncode == 0, f"line {step.line}: {done.stdout}"

    def _diff(self, step):
        path = self._scratch.root / step.path
        lines = step.text.splitlines()
        old = "".join(f"{line[1:]}\n" for line in lines if line[:1] in ("", " ", "-"))
        new = "".join(f"{line[1:]}\n" for line in lines if line[:1] in ("", " ", "+"))
        text = "\n" + path.read_text(encoding="utf-8")  # so that each line begins behind one
        assert text.count(f"\n{old}") == 1, f"line {step.line}: not once in {step.path}:\n{old}"
        path.write_text(text.replace(f"\n{old}", f"\n{new}")[1:], encoding="utf-8")

    def _console(self, step):
        for part in re.split(r"^\$ ", step.text, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            self.close()
            if command.startswith("make run"):
                self._machine = _Foreground(command, self._scratch)
                self._machine.expect(f"^{pattern(output)}", step.line)
            else:
                self._run(step, command, output)

    def _shell(self, step):
        assert self._machine, f"line {step.line}: nothing runs"
        for part in re.split(r"^\$ ", step.text, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            self._machine.mark()
            self._run(step, command, output)

    def _run(self, step, command, output):
        done = self._scratch.run("sh", "-c", command, seconds=RUN_LIMIT)
        said = done.stdout.replace(_PATIENCE, "")
        assert re.fullmatch(pattern(output), said), (
            f"line {step.line}: {command}: it says\n{said}\nand not\n{output}")

    def _says(self, step):
        assert self._machine, f"line {step.line}: nothing runs"
        self._machine.expect(f"^{pattern(step.text)}", step.line)

    def _text(self, step):
        assert self._machine and step.key, f"line {step.line}: nothing runs, or no key is named"
        self._machine.type(step.key)
        self._machine.expect(f"^{pattern(step.text)}", step.line)


class _Foreground:
    """A command that runs until it is ended."""

    def __init__(self, command, scratch):
        port = str(free_port())  # others may run an image, too
        self._text, self._seen = "", 0
        self._process = subprocess.Popen(
            ["sh", "-c", command], cwd=scratch.root, env=environment() | {"PORT": port}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def mark(self):
        """From now on only what comes after this counts."""
        self._seen = len(self._text)

    def type(self, key):
        self.mark()
        self._process.stdin.write(key.encode())
        self._process.stdin.flush()

    def expect(self, wanted, line):
        """In what came since a key was typed, or a mark set, last."""
        deadline = time.monotonic() + RUN_LIMIT
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not re.search(wanted, self._text[self._seen:], re.MULTILINE):
                ready = selector.select(max(0, deadline - time.monotonic()))
                data = os.read(self._process.stdout.fileno(), 4096) if ready else b""
                assert data, f"line {line}: it says\n{self._text}\nand not\n{wanted}"
                self._text += data.decode(errors="replace").replace("\r", "")

    def close(self):
        try:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(LIMIT)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def each(found):
    """For test_section(follower, section): each goes on where the one before ended."""
    return pytest.mark.parametrize("section", found, ids=lambda section: section.title.lower())


def formatted(tree, found):
    """Whether the sources that the tutorial makes are, at its end; and what clang-format says."""
    paths = {step.path for section in found for step in section.steps if step.kind in ("c", "diff")}
    done = tree.run("clang-format", "--dry-run", "-Werror",
                    *(path for path in sorted(paths) if path.endswith((".c", ".h"))))
    return done.returncode == 0, done.stdout
