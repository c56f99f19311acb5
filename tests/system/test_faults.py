# SPDX-License-Identifier: ISC
"""A sample of `make faults`: bits of running servers flip, and the image goes on (docs/faults.md)."""

import json
import subprocess
import sys

from machine import LIMIT

SCRIPTS = __file__.rsplit("/", 2)[0] + "/faults"


def run(script, tmp_path, *words):
    out = tmp_path / "faults.json"
    done = subprocess.run([sys.executable, f"{SCRIPTS}/{script}", "--out", out, *words],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=LIMIT * 20, check=False)
    assert done.returncode == 0, done.stdout
    return json.loads(out.read_text(encoding="utf-8"))


def test_in_the_simulator(tmp_path):
    told = run("sim.py", tmp_path, "--faults", "2000")
    assert told["faults"] >= 2000
    assert told["stops"] > 20
    assert not told["failed"]
    assert len(told["given_up"]) <= told["stops"] / 100


def test_in_a_machine(tmp_path):
    told = run("qemu.py", tmp_path, "--faults", "20")
    assert len(told) == 20
    assert {one["server"] for one in told} == {"netd", "dnsd", "virtio_drv"}
