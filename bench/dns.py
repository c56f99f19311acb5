# SPDX-License-Identifier: ISC
"""Measures a DNS image, beside a Linux guest with a bare responder in the same run.

Called by `make bench`. Prints a table and writes the same figures as JSON. What can't be
measured is named on standard error, with the reason; the other figures are measured still, and
the exit status is then 1. Guests take turns, one at a time, under the same client, network,
machine and CPU model, so that whatever else the host does hits both alike.
"""

import argparse
import json
import signal
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import lib_qemu
from lib_qemu import BenchError, Client, Guest, InstructionCounter, Qemu, figure

FIRST_ANSWER_RUNS = 15  # of each machine: short and scattered
FIRST_ANSWER_LIMIT = 30  # seconds; Linux needs 2 to 4 on a slow host
MEMORY_LIMIT = 10  # seconds for an answer at a given memory size, before it counts as none
WARM_UP = 100  # queries; QEMU's translation of code not run before is no cost of a query
SEQUENTIAL = 1000  # queries
DNSPERF_ROUNDS, DNSPERF_SECONDS = 3, 2  # a round in which dnsperf stalls isn't the median
IDLE_SECONDS = 10
BATCHES, BATCH = 10, 100  # queries counted instruction by instruction
SETTLE_SECONDS = 0.02  # without any instruction: the work for the last query is done
MEMORY_SIZES = (4, 16, 64)  # MB
RUN_LIMIT = 1800  # seconds for everything

LINUX = lib_qemu.BUILD / "linux"


def linux_guest():
    """The guest to compare with, built when it's missing or older than its sources."""
    sources = lib_qemu.ROOT / "bench/linux"
    kernel, initrd = LINUX / "vmlinuz", LINUX / "initramfs.gz"
    if not lib_qemu.is_newer(initrd, sources / "build.sh", sources / "responder.c"):
        lib_qemu.run(sources / "build.sh", seconds=600)
    return Guest("linux", kernel, initrd, lib_qemu.LINUX_APPEND, memory=128)


@contextmanager
def booted(guest, options, memory=None, more=()):
    """A guest that answers: QEMU, a client, and the seconds to the first answer."""
    with Qemu(guest, options.network, memory, more) as qemu:
        with Client(qemu, options.query) as client:
            yield qemu, client, lib_qemu.wait_ready(client, qemu, FIRST_ANSWER_LIMIT)


# Service: first answer, CPU time, throughput


def service_sample(guest, options):
    """One boot: every service figure once, as {name: (unit, value)}."""
    with booted(guest, options) as (qemu, client, first):
        client.ask(WARM_UP)
        cpu = lib_qemu.cpu_of_queries(client, qemu, SEQUENTIAL)
        rounds = [lib_qemu.dnsperf(qemu.address, options.query, DNSPERF_SECONDS)
                  for _ in range(DNSPERF_ROUNDS)]
    rates, latencies, lost = zip(*rounds)
    return {
        "first_answer": ("s", first),
        "cpu_1000_queries": ("ms", cpu * 1e3),
        "qps_q64": ("queries/s", statistics.median(rates)),
        "latency_p99_q64": ("ms", statistics.median(latencies) * 1e3),
        "lost_q64": ("queries", sum(lost)),
    }


def sample_figures(prefix, samples):
    return [
        figure(prefix + name, unit, [sample[name][1] for sample in samples])
        for name, (unit, _) in samples[0].items()
    ]


def ratio_figure(name, ours, theirs):
    pairs = zip(ours, theirs)
    return figure(f"ratio_{name}", "x", [our[name][1] / their[name][1] for our, their in pairs])


def measure_service(options):
    guests, samples = [options.guest], [[], []]
    if options.linux:
        guests.append(options.linux)
    for _ in range(options.runs):
        for guest, taken in zip(guests, samples):
            taken.append(service_sample(guest, options))
    yield from sample_figures("", samples[0])
    if not options.linux:
        raise BenchError(f"no Linux guest to compare with: {options.linux_missing}")
    yield from sample_figures("linux_", samples[1])
    yield ratio_figure("cpu_1000_queries", *samples)
    yield ratio_figure("qps_q64", *samples)


def first_answer(guest, options, machine):
    with Qemu(guest, options.network, machine=machine) as qemu:
        with Client(qemu, options.query) as client:
            return lib_qemu.wait_ready(client, qemu, FIRST_ANSWER_LIMIT)


def measure_first_answer_microvm(options):
    """Without PCI and a firmware's scan of it; beside it the pc machine, in turn."""
    values = {"_microvm": [], "_pc": []}
    for _ in range(FIRST_ANSWER_RUNS):
        values["_microvm"].append(first_answer(options.guest, options, lib_qemu.MICROVM))
        values["_pc"].append(first_answer(options.guest, options, lib_qemu.PC))
    for name, taken in values.items():
        yield figure(f"first_answer{name}", "s", taken)
    ratios = [ours / theirs for ours, theirs in zip(*values.values())]
    yield figure("ratio_first_answer_microvm", "x", ratios)  # of two runs that follow each other


def measure_memory_sizes(options):
    values = {memory: [] for memory in MEMORY_SIZES}
    for _ in range(options.runs):
        for memory, taken in values.items():
            with booted(options.guest, options, memory) as (qemu, client, _):
                client.ask(WARM_UP)
                taken.append(lib_qemu.cpu_of_queries(client, qemu, SEQUENTIAL) * 1e3)
    for memory, taken in values.items():
        yield figure(f"cpu_1000_queries_m{memory}", "ms", taken)


# Instructions


def elf_files(domains):
    return [(domain["name"], lib_qemu.ROOT / domain["elf"]) for domain in domains]


def split_figures(name, unit, samples):
    """The total, then the kernel and each domain that executed anything."""
    yield figure(name, unit, [sum(sample.values()) for sample in samples])
    for part in samples[0]:
        if any(sample[part] for sample in samples):
            yield figure(f"{name}_{part}", unit, [sample[part] for sample in samples])


def measure_idle(options):
    with InstructionCounter(elf_files(options.domains)) as counter:
        with booted(options.guest, options, more=counter.options()):
            counter.settle(1, limit=5)
            before = counter.read()
            time.sleep(IDLE_SECONDS)
            executed = lib_qemu.difference(before, counter.read())
    yield from split_figures("idle_instructions", "instructions", [executed])


def batch_sample(client, counter):
    """Instructions per query of one batch, from one quiet moment to the next."""
    before = counter.read()
    client.ask(BATCH)
    counter.settle(SETTLE_SECONDS, limit=1)
    executed = lib_qemu.difference(before, counter.read())
    return {name: count / BATCH for name, count in executed.items()}


def batch_samples(options, clock):
    """The batches of one boot under -icount CLOCK, and whether the guest rests when unasked."""
    with InstructionCounter(elf_files(options.domains)) as counter:
        more = ["-icount", clock, *counter.options()]
        with booted(options.guest, options, more=more) as (_, client, _):
            client.ask(WARM_UP)
            rests = counter.settle(SETTLE_SECONDS, limit=1)
            return [batch_sample(client, counter) for _ in range(BATCHES)], rests


def measure_instructions_per_query(options):
    samples, rests = batch_samples(options, "shift=0,sleep=off")
    if not rests:
        # Idle time takes no time with sleep=off, so that periodic work would fill the waits.
        print("instructions_per_query: the guest has periodic work, so measured with sleep=on",
              file=sys.stderr)
        samples, _ = batch_samples(options, "shift=0,sleep=on")
    yield from split_figures("instructions_per_query", "instructions", samples)


# Sizes


def answers_with(guest, options, memory):
    with Qemu(guest, options.network, memory) as qemu, Client(qemu, options.query_10k) as client:
        return client.wait_first(MEMORY_LIMIT) is not None


def measure_min_memory(options):
    if options.guest_10k is None:
        raise BenchError("needs --image-10k")
    low, high = 0, options.guest_10k.memory  # MB; low fails, high answers
    if not answers_with(options.guest_10k, options, high):
        raise BenchError(f"{options.guest_10k.kernel} doesn't answer even with {high} MB")
    while high - low > 1:
        middle = (low + high) // 2
        if answers_with(options.guest_10k, options, middle):
            high = middle
        else:
            low = middle
    yield figure("min_memory", "MB", [high])


def stripped_size(elf):
    with tempfile.NamedTemporaryFile(prefix="motet-bench-") as stripped:
        lib_qemu.run("strip", "-o", stripped.name, elf)
        return Path(stripped.name).stat().st_size


def measure_payload(options):
    yield figure("payload_bytes", "bytes", [stripped_size(options.guest.kernel)])
    for domain in options.domains:
        size = domain["text"]["bytes"] + domain["rodata"]["bytes"]
        yield figure(f"part_bytes_{domain['name']}", "bytes", [size])


def measure_disk(options):
    path = options.guest.kernel.with_suffix(".img.json")
    if not path.exists():
        raise BenchError(f"{path} is missing: 'make images' writes it")
    size = json.loads(path.read_text(encoding="utf-8"))["unpadded"]
    yield figure("disk_bytes", "bytes", [size])


def measure_media(options):
    """The media that UEFI boots too, as files."""
    for name, ending in (("uefi_disk_bytes", "-uefi.img"), ("cd_bytes", ".iso")):
        path = options.guest.kernel.with_name(options.guest.kernel.stem + ending)
        if not path.exists():
            raise BenchError(f"{path} is missing: 'make images' writes it")
        yield figure(name, "bytes", [path.stat().st_size])


# Each with the figures that --only selects it by.
SERVICE = ("first_answer", "cpu_1000_queries", "qps_q64", "latency_p99_q64", "lost_q64")
MEASUREMENTS = (  # the first is the one that needs the Linux guest
    ((*SERVICE, *(f"linux_{name}" for name in SERVICE), "ratio_cpu_1000_queries",
      "ratio_qps_q64"), measure_service),
    (("first_answer_microvm", "first_answer_pc", "ratio_first_answer_microvm"),
     measure_first_answer_microvm),
    (tuple(f"cpu_1000_queries_m{memory}" for memory in MEMORY_SIZES), measure_memory_sizes),
    (("idle_instructions",), measure_idle),
    (("instructions_per_query",), measure_instructions_per_query),
    (("min_memory",), measure_min_memory),
    (("payload_bytes",), measure_payload),
    (("disk_bytes",), measure_disk),
    (("cd_bytes", "uefi_disk_bytes"), measure_media),
)


def measure_all(options):
    """All chosen figures, and whether every measurement succeeded."""
    figures, complete = [], True
    for names, measure in MEASUREMENTS:
        if options.only and not set(options.only) & set(names):
            continue
        print(f"measuring {names[0]}", file=sys.stderr)
        try:
            for one in measure(options):  # what comes before a failure is kept
                figures.append(one)
        except BenchError as error:
            print(f"bench/dns.py: {names[0]}: {error}", file=sys.stderr)
            complete = False
    return figures, complete


def parse_arguments():
    known = [name for names, _ in MEASUREMENTS for name in names]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", type=Path, required=True, help="the image to measure")
    parser.add_argument("--image-10k", type=Path, help="one with 10,000 records, for min_memory")
    parser.add_argument("--out", type=Path, required=True, help="the result file (JSON)")
    parser.add_argument("--only", action="append", choices=known, metavar="NAME",
                        help="only the measurement that gives this figure: " + ", ".join(known))
    parser.add_argument("--runs", type=int, default=5, help="boots of each guest (default 5)")
    parser.add_argument("--net", choices=("auto", "user", "tap"), default="auto",
                        help="QEMU's user network, a tap (needs root), or a tap if possible")
    parser.add_argument("--query", default="www.example.org", help="a name with an address")
    parser.add_argument("--query-10k", help="the same for --image-10k (default: --query)")
    parser.add_argument("--initrd", type=Path, help="if the image is another system's kernel")
    parser.add_argument("--append", default="", help="the image's command line")
    parser.add_argument("--memory", type=int, default=64, help="of the image, in MB (default 64)")
    return parser.parse_args()


def prepare_linux(options):
    """Before the network of our own is entered: the guest's packages come from outside."""
    options.linux = options.linux_missing = None
    if options.only and not set(options.only) & set(MEASUREMENTS[0][0]):
        return
    try:
        options.linux = linux_guest()
    except BenchError as error:
        options.linux_missing = error


def domains_of(image):
    """The domains in the image's map; none when it has no map."""
    path = image.with_suffix(".map.json")
    return json.loads(path.read_text(encoding="utf-8"))["domains"] if path.exists() else []


def prepare(options):
    """Adds to the arguments what they stand for."""
    options.query_10k = options.query_10k or options.query
    rest = (options.initrd, options.append, options.memory)
    options.guest = Guest("motet", options.image, *rest)
    options.guest_10k = Guest("motet", options.image_10k, *rest) if options.image_10k else None
    options.domains = domains_of(options.image)
    for path in filter(None, (options.image, options.image_10k, options.initrd)):
        if not path.exists():
            raise BenchError(f"{path} doesn't exist: run 'make images'")
    prepare_linux(options)
    options.network = lib_qemu.open_network(options.net)


def stop(number, _):
    raise SystemExit(f"bench/dns.py: stopped by {signal.Signals(number).name}")


def main():
    options = parse_arguments()
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, stop)
    signal.alarm(RUN_LIMIT)
    try:
        prepare(options)
        print(f"{options.image}, software emulation, {options.network.name} network", flush=True)
        figures, complete = measure_all(options)
        lib_qemu.print_table(figures)
        lib_qemu.write_results(figures, options.out)
    except (BenchError, OSError) as error:
        raise SystemExit(f"bench/dns.py: {error}") from error
    raise SystemExit(0 if complete else 1)


if __name__ == "__main__":
    main()
