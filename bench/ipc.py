# SPDX-License-Identifier: ISC
"""What IPC costs, beside function calls and beside Linux's own ways: `make bench-ipc`.

Prints tables, writes all figures as JSON and pictures as SVG beside it. docs/ipc-cost.md says how to
read them. Fails, and says why, when two runs under -icount differ, when a server reports an error,
or when a query isn't answered."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

import ipc_dns
import ipc_guest
import ipc_native
import ipc_plot
import lib_qemu
from ipc_guest import Case, Value
from lib_qemu import BenchError

PARTS = ("guest", "wall", "native", "dns")
BATCHES = tuple(2 ** n for n in range(9))
PAYLOADS = tuple(2 ** n for n in range(3, 17))
RUN_LIMIT = 3000  # seconds for everything
MODES = {"inline": "in the message", "shared": "shared", "copied": "copied once",
         "twice": "copied twice"}
PLACES = {"fused": "same domain", "isolated": "other domain"}
HOST_ROWS = ("futex", "spin", "fused", "pipe", "pipe_batch", "stream", "stream_batch", "seqpacket",
             "seqpacket_batch", "shm_futex", "shm_eventfd", "io_uring")


# --- tables ---


def shown(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def print_matrix(title, rows, columns, column_name=str):
    """ROWS: {name: {column: number}}."""
    print(f"\n{title}")
    print(f"{'':<44}" + "".join(f"{column_name(column):>9}" for column in columns))
    for name, cells in rows.items():
        if cells:
            print(f"{name:<44}" + "".join(f"{shown(cells.get(c)):>9}" for c in columns))


def print_lines(title, lines):
    """LINES: [(name, Value, unit)], with ranges."""
    print(f"\n{title}")
    for name, value, unit in lines:
        spread = "" if value.least == value.most else f"  ({shown(value.least)} to {shown(value.most)})"
        print(f"  {name:<58}{shown(value.median):>9} {unit}{spread}")


# --- calls, ports and channels inside Motet ---


def per_message(cases, where, pattern, mode="message", payload=0):
    """{batch: cost of one message} of the medians."""
    return {batch: cases[case].median / case.messages() for batch in BATCHES
            if (case := Case(where, pattern, mode, batch, payload)) in cases}


def per_payload(cases, where, mode, batch):
    """{payload: cost of sending it once}"""
    return {payload: cases[case].median / batch for payload in PAYLOADS
            if (case := Case(where, "stream", mode, batch, payload)) in cases}


def root_row(measured, what, minus=None):
    """{batch: cost of one message}; `minus` is what else there is in it."""
    rows = {}
    for (name, batch), value in measured.root.items():
        if name == what:
            less = measured.root[minus, batch].median if minus else 0
            rows[batch] = (value.median - less) / batch
    return rows


def queue_row(cases):
    """What an answer costs that is queued: an echo has as many as its batch, a stream has one."""
    rows = {}
    for batch in BATCHES[1:]:
        echo, stream = (cases.get(Case("fused", pattern, "message", batch, 0))
                        for pattern in ("echo", "stream"))
        if echo and stream:
            rows[batch] = (echo.median - stream.median) / (batch - 1)
    return rows


def message_rows(measured):
    awake = root_row(measured, "awake", "plain")
    awake.pop(1, None)  # a round trip
    return {
        "function call": root_row(measured, "call"),
        "call through a pointer": root_row(measured, "pointer"),
        "direct, same domain": per_message(measured.cases, "fused", "stream"),
        "queue, same domain": queue_row(measured.cases),
        "channel, both awake": awake,
        "channel, asleep: one answer a batch": per_message(measured.cases, "isolated", "stream"),
        "channel, asleep: an answer each": per_message(measured.cases, "isolated", "echo"),
        "kernel port, same space": root_row(measured, "port_same"),
        "kernel port, other space": root_row(measured, "port_other"),
    }


def payload_rows(cases, places=PLACES):
    return {f"{text}, {mode_text}, batch {batch}": per_payload(cases, where, mode, batch)
            for mode, mode_text in MODES.items() for where, text in places.items()
            for batch in (1, 32)}


def round_trips(measured):
    """[(figure, text, Value)]"""
    ping = {where: measured.cases[Case(where, "ping", "message", 1, 0)] for where in PLACES}
    return [
        ("fused_round_trip", "servers of one domain: message and answer", ping["fused"]),
        ("awake_round_trip", "channel, both awake: message and answer", measured.root["awake", 1]),
        ("sleeping_round_trip", "channel, peer asleep, other domain: message and answer",
         ping["isolated"]),
        ("port_round_trip", "kernel port, other space: send_wait and back",
         measured.kernel["ipc_round_trip"]),
        ("doorbell_round_trip", "kernel: wait that rings, there and back, other space",
         measured.kernel["doorbell_round_trip"]),
        ("signal_latency", "signal until the woken thread runs, other space",
         measured.kernel["signal_switch"]),
    ]


def channel_message(measured, batch=32):
    """Sender and receiver together, without what the two servers do themselves."""
    plain = measured.root["plain", batch].median
    return measured.root["awake", batch].per(batch, plain)


def guest_figures(measured):
    suffix, unit = ("", "instructions") if measured.unit == "instructions" else ("_ns", "ns")
    figures = [channel_message(measured).figure(f"channel_message_batch32{suffix}", unit),
               measured.root["awake", 32].per(32).figure(
                   f"channel_message_batch32_with_servers{suffix}", unit)]
    figures += [value.figure(name + suffix, unit) for name, _, value in round_trips(measured)]
    figures += [value.per(batch).figure(f"{what}_batch{batch}{suffix}", unit)
                for (what, batch), value in measured.root.items()]
    figures += [value.per(case.messages()).figure(case.name() + suffix, unit)
                for case, value in measured.cases.items()]
    return figures


def guest_print(measured):
    unit = measured.unit
    print_matrix(f"Motet, {unit} per message of 64 bytes, by batch", message_rows(measured), BATCHES)
    print_matrix(f"Motet, {unit} per payload, by its bytes (one answer per batch)",
                 payload_rows(measured.cases), PAYLOADS, ipc_plot.size)
    lines = [(text, value, unit) for _, text, value in round_trips(measured)]
    lines.append(("channel_message_batch32: both awake, beyond a call", channel_message(measured),
                  unit))
    print_lines(f"Motet, {unit}", lines)


def plot_row(row):
    """What has no batches, a call, costs the same in each."""
    return [(batch, row[1]) for batch in BATCHES] if list(row) == [1] else list(row.items())


def guest_plots(measured, folder):
    unit, name = measured.unit, "instructions" if measured.unit == "instructions" else "ns"
    if len(per_message(measured.cases, "isolated", "stream")) < 3:
        return  # a short run
    ipc_plot.lines(
        folder / f"ipc-batch-{name}.svg", f"A message of 64 bytes: {unit} by batch",
        "messages per batch", f"{unit} per message",
        {key: plot_row(row) for key, row in message_rows(measured).items()})
    rows = {f"{PLACES[where]}, {MODES[mode]}": list(
        per_payload(measured.cases, where, mode, 32).items())
            for mode in MODES for where in PLACES if (mode, where) != ("inline", "fused")}
    ipc_plot.lines(folder / f"ipc-payload-{name}.svg", f"A payload, in batches of 32: {unit}",
                   "bytes of payload", f"{unit} per payload", rows, ipc_plot.size)


# --- processes of the host ---


def native_rows(cases, row_of):
    """One table for both numbers of processors: {text: row}."""
    rows = {}
    for cpus in ipc_native.CPUS:
        for kind in HOST_ROWS:
            row = row_of(ipc_native.where(kind, cpus))
            who = "Motet" if kind in ("futex", "spin", "fused") else "Linux"
            if row:
                rows[f"{who} {kind}, {cpus} cpu{'s' * (cpus == 'two')}"] = row
    return rows


def native_print(cases, missing):
    print_matrix("Host processes, ns per message of 64 bytes, by batch (echo)",
                 native_rows(cases, lambda where: per_message(cases, where, "echo")), BATCHES)
    print_matrix("Host processes, ns per payload copied in and out, batches of 32, by its bytes",
                 native_rows(cases, lambda where: per_payload(cases, where, "twice", 32)), PAYLOADS,
                 ipc_plot.size)
    for kind in missing:
        print(f"{kind}: not available on this kernel")
    ratios(cases)


def ratio(cases, theirs, ours, of):
    pairs = cases.get(Case(theirs, *of)), cases.get(Case(ours, *of))
    return pairs[0].median / pairs[1].median if all(pairs) else None


def ratios(cases):
    """Linux's ways against Motet's channel with a futex, one processor, same run."""
    columns = {"round trip": ("echo", "message", 1, 0), "batch 32": ("echo", "message", 32, 0),
               "64K x1": ("stream", "twice", 1, 65536), "64K x32": ("stream", "twice", 32, 65536)}
    rows = {kind: {name: ratio(cases, ipc_native.where(kind, "one"),
                               ipc_native.where("futex", "one"), of)
                   for name, of in columns.items()} for kind in HOST_ROWS[3:]}
    print_matrix("Host, one processor: times as long as Motet's channel with a futex doorbell",
                 rows, list(columns))


def native_plots(cases, folder):
    rows = native_rows(cases, lambda where: per_message(cases, where, "echo"))
    one = {name: list(row.items()) for name, row in rows.items() if "one cpu" in name}
    if all(len(row) < 3 for row in one.values()):
        return
    ipc_plot.lines(folder / "ipc-native-batch.svg",
                   "Two processes of the host on one processor: a message of 64 bytes",
                   "messages per batch", "ns per message",
                   {name.removesuffix(", one cpu"): row for name, row in one.items()})
    rows = native_rows(cases, lambda where: per_payload(cases, where, "twice", 32))
    ipc_plot.lines(folder / "ipc-native-payload.svg",
                   "Two processes on one processor: a payload copied in and out, batches of 32",
                   "bytes of payload", "ns per payload",
                   {name.removesuffix(", one cpu"): list(row.items()) for name, row in rows.items()
                    if "one cpu" in name}, ipc_plot.size)


# --- DNS ---

DNS_ROWS = (("instructions", "instructions"), ("entries", "entries"), ("switches", "switches"),
            ("copied", "bytes"))


def dns_measure(options, network):
    """{partition: (table alone, table of bursts)}, and the times."""
    images = [ipc_dns.Image(partition, elf) for partition, elf in options.dns]
    counted = {}
    with tempfile.TemporaryDirectory(prefix="motet-bench-") as folder:
        for image in images:
            alone, bursts = ipc_dns.count(image, options.kernel, network, options.dns_samples,
                                          options.query, folder)
            counted[image.partition] = alone.table(), bursts.table()
            if options.functions:
                for name, samples in (("alone", alone), ("burst", bursts)):
                    functions_write(options.out.parent / f"ipc-{image.partition}-{name}.txt",
                                    samples.busiest())
    return counted, ipc_dns.time_all(images, network, options.query, options.runs)


def functions_write(path, lines):
    path.write_text("instructions calls (per query) place part function\n" + "".join(
        f"{line[0]:10.1f} {line[1]:8.3f} {' '.join(line[2:])}\n" for line in lines),
        encoding="utf-8")


def dns_figures(counted, times):
    figures = []
    for partition, tables in counted.items():
        figures.append(tables[0]["instructions"].figure(f"dns_query_{partition}", "instructions"))
        for name, table in zip(("alone", f"burst{ipc_dns.BURST}"), tables):
            for what, unit in DNS_ROWS:
                figures.append(table[what].figure(f"dns_{what}_{name}_{partition}", unit))
            for key, value in table.items():
                if key.startswith("part "):
                    figures.append(value.figure(
                        f"dns_{name}_{partition}_{key.removeprefix('part ')}", "instructions"))
    for partition, (microseconds, rate) in times.items():
        figures.append(microseconds.figure(f"dns_us_{partition}", "us"))
        figures.append(rate.figure(f"dns_qps_{partition}", "queries/s"))
    if "isolated" in counted:
        figures.append(counted["isolated"][1]["entries"].figure("entries_per_query_burst64",
                                                                "entries"))
    return figures + dns_ratios(counted)


def dns_ratios(counted):
    """Isolated against fused, alone and in bursts."""
    if not {"isolated", "fused"} <= set(counted):
        return []
    found = []
    for index, name in enumerate(("alone", "burst64")):
        apart, together = (counted[p][index]["instructions"] for p in ("isolated", "fused"))
        found.append(Value(apart.median / together.median, apart.least / together.most,
                           apart.most / together.least, apart.n).figure(
                               f"ratio_dns_{name}_isolated_fused", "x"))
    return found


def dns_print(counted, times):
    for index, name in enumerate(("alone", f"in a burst of {ipc_dns.BURST}")):
        rows = {what: {p: counted[p][index][what].median for p in counted} for what, _ in DNS_ROWS}
        for partition in counted:
            for key, value in counted[partition][index].items():
                if key.startswith("part "):
                    rows.setdefault(f"  instructions of {key.removeprefix('part ')}", {})[
                        partition] = value.median
        print_matrix(f"A DNS query {name}", rows, list(counted))
    rows = {"microseconds, one after the other": {p: t[0].median for p, t in times.items()},
            "queries/s, 64 outstanding": {p: t[1].median for p, t in times.items()}}
    print_matrix("DNS by the clock on the wall, the client's time included", rows, list(counted))
    for one in dns_ratios(counted):
        print(f"{one['name']}: {one['median']:.2f} ({one['min']:.2f} to {one['max']:.2f})")


def dns_plots(counted, folder):
    names = {key for tables in counted.values() for table in tables for key in table}
    parts = [part for part in ("kernel", "libos", "virtio_drv", "netd", "dnsd", "other")
             if f"part {part}" in names]
    groups = [(f"{partition}, {name}",
               {part: tables[index][f"part {part}"].median for part in parts
                if f"part {part}" in tables[index]})
              for index, name in enumerate(("alone", "burst")) for partition, tables in
              counted.items()]
    ipc_plot.bars(folder / "ipc-dns.svg", "Instructions per DNS query", "", groups, parts)


# --- all ---


def measure_guest(options):
    measured = ipc_guest.instructions(options.images, options.append())
    guest_print(measured)
    guest_plots(measured, options.out.parent)
    return guest_figures(measured)


def measure_wall(options):
    measured = ipc_guest.nanoseconds(options.images, options.append(), options.runs)
    guest_print(measured)
    guest_plots(measured, options.out.parent)
    return guest_figures(measured)


def measure_native(options):
    cases, missing = ipc_native.measure(options.native, options.samples, options.rounds,
                                        options.runs, options.short)
    native_print(cases, missing)
    native_plots(cases, options.out.parent)
    return [value.per(case.messages()).figure(f"{case.name()}_ns", "ns")
            for case, value in cases.items()]


def measure_dns(options):
    counted, times = dns_measure(options, lib_qemu.open_network(options.net))
    dns_print(counted, times)
    dns_plots(counted, options.out.parent)
    return dns_figures(counted, times)


MEASUREMENTS = {"guest": measure_guest, "wall": measure_wall, "native": measure_native,
                "dns": measure_dns}


class Options(argparse.Namespace):
    def append(self):
        """The settings of the source (bench/ipc/servers/source)."""
        words = [f"ipc.samples={self.samples}", f"ipc.rounds={self.rounds}"]
        return " ".join(words + ["ipc.short=1"] * self.short)


def partition(text):
    name, _, path = text.partition("=")
    if name not in ipc_dns.PARTITIONS or not path:
        raise argparse.ArgumentTypeError(f"not one of {ipc_dns.PARTITIONS} with =IMAGE")
    return name, Path(path)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="the folder with ipc-*.elf")
    parser.add_argument("--native", type=Path, required=True, help="ipc-native")
    parser.add_argument("--kernel", type=Path, required=True, help="the kernel with its symbols")
    parser.add_argument("--dns", action="append", type=partition, default=[],
                        metavar="PARTITION=IMAGE", help="a DNS image: isolated, paired or fused")
    parser.add_argument("--out", type=Path, required=True, help="the result file (JSON)")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part")
    parser.add_argument("--short", action="store_true", help="few cases: to see that it works")
    parser.add_argument("--samples", type=int, default=5, help="of each case and run (default 5)")
    parser.add_argument("--rounds", type=int, default=8, help="batches per sample (default 8)")
    parser.add_argument("--runs", type=int, default=3, help="by the clock on the wall (default 3)")
    parser.add_argument("--dns-samples", type=int, default=25, help="queries and bursts counted")
    parser.add_argument("--query", default="www.example.org", help="a name with an address")
    parser.add_argument("--net", choices=("auto", "user", "tap"), default="auto",
                        help="QEMU's user network, a tap (needs root), or a tap if possible")
    parser.add_argument("--functions", action="store_true",
                        help="write what each function executes per query, beside the result file")
    return parser.parse_args(namespace=Options())


def stop(number, _):
    raise SystemExit(f"bench/ipc.py: stopped by {signal.Signals(number).name}")


def main():
    options = parse_arguments()
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, stop)
    signal.alarm(RUN_LIMIT)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figures, complete = [], True
    for part in options.only or PARTS:
        print(f"measuring {part}", file=sys.stderr)
        try:
            figures += MEASUREMENTS[part](options)
        except (BenchError, OSError) as error:
            print(f"bench/ipc.py: {part}: {error}", file=sys.stderr)
            complete = False
    lib_qemu.write_results(figures, options.out)
    print(f"\n{options.out}: {len(figures)} figures; pictures beside it")
    raise SystemExit(0 if complete else 1)


if __name__ == "__main__":
    main()
