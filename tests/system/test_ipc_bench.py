# SPDX-License-Identifier: ISC
"""bench/ipc.py works: few cases, few rounds, no verdict on what they take."""

import json
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from machine import BUILD, DNS_ELF, ROOT

sys.path.append(str(ROOT / "bench"))

import ipc_guest
import ipc_plot
import lib_qemu

LIMIT = 300  # seconds, for what takes twenty on an idle machine


def bench(tmp_path, *arguments):
    """(exit status, figures by name, what it printed)"""
    out = tmp_path / "ipc.json"
    done = subprocess.run(
        ["/usr/bin/python3", ROOT / "bench/ipc.py", "--images", BUILD / "images", "--native",
         BUILD / "bench/ipc-native", "--kernel", BUILD / "kernel.elf", "--out", out, "--short",
         "--runs", "1", "--rounds", "2", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=LIMIT, check=False)
    figures = json.loads(out.read_text()) if out.exists() else []
    return done.returncode, {one["name"]: one for one in figures}, done.stdout


@pytest.mark.parametrize("part, unit, names", [
    ("guest", "instructions", ["channel_message_batch32", "sleeping_round_trip", "awake_round_trip",
                               "isolated_echo_message_batch32", "fused_stream_twice65536_batch32",
                               "port_other_batch16"]),
    ("wall", "ns", ["channel_message_batch32_ns", "sleeping_round_trip_ns"]),
    ("native", "ns", ["native_futex_one_echo_message_batch32_ns",
                      "native_fused_one_stream_shared65536_batch32_ns",
                      "native_pipe_two_echo_message_batch1_ns",
                      "native_seqpacket_batch_one_stream_twice32768_batch32_ns"])])
def test_figures_are_measured(part, unit, names, tmp_path):
    status, figures, printed = bench(tmp_path, "--only", part, "--samples", "1")
    assert status == 0, printed
    for name in names:
        assert figures[name]["unit"] == unit
        assert 0 < figures[name]["min"] <= figures[name]["median"] <= figures[name]["max"], name
    if part == "native":
        assert any(name.startswith("native_io_uring") for name in figures) != (
            "io_uring: not available" in printed)


def test_a_dns_query_is_counted(tmp_path):
    status, figures, printed = bench(tmp_path, "--only", "dns", "--dns", f"isolated={DNS_ELF}",
                                     "--dns-samples", "2", "--net", "user", "--functions")
    assert status == 0, printed
    alone, burst = (figures[f"dns_instructions_{name}_isolated"] for name in ("alone", "burst64"))
    assert burst["median"] < alone["median"]
    assert figures["dns_query_isolated"] == dict(alone, name="dns_query_isolated")
    assert 0 < figures["entries_per_query_burst64"]["median"] < 4
    assert figures["dns_switches_alone_isolated"]["min"] >= 4  # to three domains, and back
    assert figures["dns_copied_alone_isolated"]["min"] > 6 * 64
    for part in ("kernel", "libos", "virtio_drv", "netd", "dnsd"):
        assert figures[f"dns_alone_isolated_{part}"]["min"] > 100
    assert " dnsd answer" in (tmp_path / "ipc-isolated-alone.txt").read_text()
    xml.etree.ElementTree.parse(tmp_path / "ipc-dns.svg")


def test_an_error_of_a_server_ends_it(tmp_path):
    status, figures, printed = bench(tmp_path, "--only", "guest", "--samples", "65")
    assert status == 1 and not figures
    assert "ipc error: ipc.samples is not a number of 1 to 64" in printed


def test_runs_that_differ_end_it(monkeypatch):
    monkeypatch.setattr(ipc_guest, "ICOUNT", [])  # by the clock on the wall no two are alike
    with pytest.raises(lib_qemu.BenchError, match="two runs under -icount differ"):
        ipc_guest.repeated(BUILD / "images/ipc-fused.elf", "ipc done", "ipc.short=1")


def test_pictures_are_svg(tmp_path):
    path = tmp_path / "x.svg"
    ipc_plot.lines(path, "a < b", "x", "y", {
        "one & all": [(1, 7), (2, 5.5), (4, 0)], "flat": [(1, 7), (2, 7), (4, 7)], "none": []})
    root = xml.etree.ElementTree.parse(path).getroot()
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "one & all" in texts and "flat" in texts and "none" not in texts
    circles = [one for one in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(circles) == 5  # nothing is 0 on a logarithmic axis
