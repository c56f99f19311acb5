# SPDX-License-Identifier: ISC
"""bench/driver.py works: few batches, no verdict on what they take."""

import json
import subprocess

import pytest

from machine import BUILD, ROOT

LIMIT = 300  # seconds, for what takes ten on an idle machine
IMAGE = BUILD / "images/driver-wire.elf"


def bench(tmp_path, *arguments):
    """(exit status, figures by name, what it printed)"""
    out = tmp_path / "driver.json"
    done = subprocess.run(
        ["/usr/bin/python3", ROOT / "bench/driver.py", "--image", IMAGE, "--kernel", BUILD / "kernel.elf",
         "--out", out, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False)
    figures = json.loads(out.read_text()) if out.exists() else []
    return done.returncode, {one["name"]: one for one in figures}, done.stdout


def test_both_drivers_are_counted_in_both_directions(tmp_path):
    status, figures, printed = bench(tmp_path, "--few", "2", "--many", "6", "--functions")
    assert status == 0, printed
    for driver in ("virtio_drv", "e1000_drv"):
        for way in ("rx", "tx"):
            one = figures[f"{driver}_{way}_instructions"]
            assert one["unit"] == "instructions/packet" and 50 < one["median"] < 5000
            assert f"{driver} {way}: " in printed
        assert 50 < figures[f"{driver}_lines"]["median"] < 2000
    assert figures["virtio_drv_to_e1000_drv_entries"]["median"] >= 2


def test_a_batch_costs_less_than_its_frames_alone(tmp_path):
    one, many = (bench(tmp_path, "--few", "2", "--many", "6", "--batch", batch)[1] for batch in ("1", "32"))
    for name in ("virtio_drv_tx_instructions", "virtio_drv_rx_instructions"):
        assert one[name]["median"] > 1.5 * many[name]["median"]


@pytest.mark.parametrize("words", [["--batch", "33"], ["--batch", "0"], ["--few", "5", "--many", "5"]])
def test_bad_options_are_named(tmp_path, words):
    status, figures, printed = bench(tmp_path, *words)
    assert status == 2 and not figures and "--many is more than --few" in printed
