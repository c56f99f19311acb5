# SPDX-License-Identifier: ISC
"""A copy of the tree, for tests that change it: with what is built already, so that little has to be
built again."""

import os
import re
import shutil
import subprocess

from machine import BUILD_LIMIT, ROOT

BUILT = ("setup.stamp", "target", "host", "kernel", "tools", "zones.list", "zones.zdb")

MOTET = "tools/motet"
LONGEST = "a_name_of_15_le"  # that a server can have


def environment():
    """Of a command in a copy: it builds there, and as if no make had called it."""
    return {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MOTET_BUILD"}


class Scratch:
    """The tree at `root`: files that git knows or would add."""

    def __init__(self, root):
        self.root = root
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                cwd=ROOT, check=True, capture_output=True, text=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        for name in BUILT:
            source, target = ROOT / "build" / name, root / "build" / name
            target.parent.mkdir(exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.new"))
            elif source.exists():
                shutil.copy2(source, target)

    def run(self, *words, seconds=BUILD_LIMIT, cwd=None):
        """Its standard output and error are one text, as on a terminal."""
        return subprocess.run(list(map(str, words)), cwd=cwd or self.root, env=environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds)

    def files(self):
        """All but what is built: path and contents."""
        return {path.relative_to(self.root): path.read_bytes() for path in self.root.rglob("*")
                if path.is_file() and not {"build", "__pycache__"} & set(path.parts)}

    def new(self, kind, *words):
        """`motet new` makes what it lists and nothing else, formatted and under the licence. What it says,
        and the paths."""
        before = self.files()
        done = self.run(MOTET, "new", kind, *words)
        assert done.returncode == 0, done.stdout
        paths = re.search(r"^made:\n((?:  .*\n)+)", done.stdout, re.MULTILINE)[1].split()
        assert sorted(map(str, self.files().keys() - before.keys())) == sorted(paths), done.stdout
        sources = [path for path in paths if path.endswith((".c", ".h"))]
        formatted = self.run("clang-format", "--dry-run", "-Werror", *sources)
        assert formatted.returncode == 0, formatted.stdout
        for path in paths:
            assert "SPDX-License-Identifier: ISC" in (self.root / path).read_text(), path
        return done.stdout, paths

    def refuses_new(self, kind, words, complaint):
        """... and nothing is changed."""
        before = self.files()
        done = self.run(MOTET, "new", kind, *words)
        assert done.returncode == 1 and f"motet: error: {complaint}" in done.stdout, done.stdout
        assert self.files() == before
