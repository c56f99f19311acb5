# SPDX-License-Identifier: ISC
"""Inputs of the `calls` target written by hand: what chance needs long to find, such as the end of
a derivation 32 levels deep, or a call into the middle of a removal.

    seeds.py DIR    writes them there, one file each

An input is a machine's number (tests/explore/scene.h: configurations) and then steps; a step that
begins with RAW is a call of the running thread with numbers as calls_fuzz.c reads them.
"""

import struct
import sys
from pathlib import Path

from calls_def import CALLS, OPERATIONS

IPC, TIME, MEMORY, DERIVE, TABLES, IRQ, ALL, TRACE = range(8)  # machines
DMA = 0xF8  # the last machine: calls_fuzz.c, LAST
RAW = 0xF0
DEPTH_MAX = 32  # DERIVATION_DEPTH_MAX
RIGHTS = {"read": 1, "signal": 1 << 5, "wait": 1 << 6, "control": 1 << 7, "all": 255}
DMASPACE_TYPE = 11  # object types
OBJECTS = ["none", "untyped", "page", "table", "space", "captable", "thread", "port"]

# Slots of main's table (scene.c). FREE: empty in all machines, and all above it up to LAST_FREE.
TABLE, SPACE, THREAD, PORT = 1, 2, 3, 4
FREE, LAST_FREE = 14, 56
IOPORTS, IRQS, MEMORY_ALL = 59, 60, 63
VECTOR = 10  # of the irq machine
TABLES_FREE_TABLE, UNTYPED = 11, 12  # of the memory machine
DMASPACE, DMA_PAGE, DMA_TABLE, IOMMU = 5, 11, 8, 57  # of the DMA machine
CHAIN_END = 35  # of the derive machine: at depth 31
TRACE_ALL, TRACE_PAGE, TRACE_RING = 58, 10, 11  # of the trace machine


def number(value):
    return bytes([value]) if value < 0x40 else b"\xff" + struct.pack("<Q", value)


def call(name, rdi=0, rsi=0, a=(), rbx=0, slots=(0, 0), deadline=0):
    a = (*a, 0, 0, 0, 0)[:4]
    words = [CALLS.index(name), rdi, rsi, *a, rbx, *slots, deadline]
    return bytes([RAW]) + b"".join(map(number, words))


def invoke(operation, slot, *a):
    return call("invoke", slot, OPERATIONS.index(operation), a)


def copies(first, to, count):
    """A capability copied from slot to slot, each derived from the one before."""
    steps, source = b"", first
    for slot in range(to, to + count):
        steps += invoke("captable.copy", TABLE, source, slot, RIGHTS["all"])
        source = slot
    return steps


def untyped_in_untyped():
    steps, source = b"", UNTYPED
    for slot in range(FREE, FREE + DEPTH_MAX - 1):
        steps += invoke("untyped.retype", source, OBJECTS.index("untyped"), 1, slot)
        source = slot
    return steps + invoke("untyped.retype", source, OBJECTS.index("untyped"), 1, LAST_FREE)


def half_revoked(slot):
    """Two copies of it, and the first step of taking them back."""
    return (invoke("captable.copy", TABLE, slot, FREE, RIGHTS["all"])
            + invoke("captable.copy", TABLE, slot, FREE + 1, RIGHTS["all"])
            + invoke("captable.revoke", TABLE, slot))


def without(slot, rights):
    return invoke("captable.copy", TABLE, slot, FREE, rights)


SEEDS = {
    "send_limit": (DERIVE, copies(CHAIN_END, CHAIN_END + 1, 1)
                   + call("send", PORT, 1, slots=(CHAIN_END + 1, 0))),
    "send_no_right": (IPC, without(PORT, RIGHTS["wait"]) + call("send", FREE, 1)),
    "wait_no_right": (IPC, without(PORT, RIGHTS["signal"]) + call("wait", FREE)),
    "untyped_retype_limit": (MEMORY, untyped_in_untyped()),
    "irq_derive_limit": (IRQ, copies(IRQS, FREE, DEPTH_MAX)
                         + invoke("irq.derive", FREE + DEPTH_MAX - 1, 0x31, LAST_FREE)),
    "ioport_derive_limit": (IRQ, copies(IOPORTS, FREE, DEPTH_MAX)
                            + invoke("ioport.derive", FREE + DEPTH_MAX - 1, 0x60, 1, LAST_FREE)),
    "ioport_derive_revoked": (IRQ, half_revoked(IOPORTS)
                              + invoke("ioport.derive", IOPORTS, 0x60, 1, LAST_FREE)),
    "irq_derive_revoked": (IRQ, half_revoked(IRQS)
                           + invoke("irq.derive", IRQS, 0x31, LAST_FREE)),
    "ioport_out_bytes": (IRQ, invoke("ioport.out", IOPORTS, 0x60, 3, 0)),
    "page_map_revoked": (MEMORY, half_revoked(SPACE)
                         + invoke("page.map", 9, SPACE, 0x403000, RIGHTS["read"])),
    "table_map_revoked": (MEMORY, half_revoked(SPACE)
                          + invoke("table.map", TABLES_FREE_TABLE, SPACE, 0x600000)),
    "table_map_no_right": (MEMORY, without(SPACE, RIGHTS["read"])
                           + invoke("table.map", TABLES_FREE_TABLE, FREE, 0x600000)),
    "thread_configure_no_right": (MEMORY, without(SPACE, RIGHTS["read"])
                                  + invoke("untyped.retype", MEMORY_ALL, OBJECTS.index("thread"), 1,
                                           FREE + 1)
                                  + invoke("thread.configure", FREE + 1, FREE, TABLE, 10, 0)),
    "set_registers_range": (MEMORY, invoke("untyped.retype", MEMORY_ALL, OBJECTS.index("thread"), 1,
                                           FREE)
                            + invoke("thread.set_registers", FREE, 1 << 46, 0, 0)),
    "budget_range": (MEMORY, invoke("thread.budget", THREAD, 2, 1)),
    "budget_running": (MEMORY, invoke("thread.budget", THREAD, 1, 2)),
    "copy_limit": (DERIVE, copies(CHAIN_END, CHAIN_END + 1, 2)),
    "retype_more": (MEMORY, invoke("untyped.retype", MEMORY_ALL, OBJECTS.index("page"), 10, FREE)),
    "irq_bind_revoked": (IRQ, half_revoked(PORT) + invoke("irq.bind", VECTOR, PORT, 6, 0xFFFF)),
    "set_registers_running": (MEMORY, invoke("thread.set_registers", THREAD, 0x400000, 0x500000)),
    "retry_running": (MEMORY, invoke("thread.retry", THREAD)),
    "retype_occupied": (MEMORY, invoke("untyped.retype", MEMORY_ALL, OBJECTS.index("page"), 1,
                                       TABLE)),
    "move_nothing": (MEMORY, invoke("captable.move", TABLE, FREE, FREE + 1)),
    "irq_bind_no_right": (IRQ, without(PORT, RIGHTS["signal"])
                          + invoke("irq.bind", VECTOR, FREE, 5, 0xFFFF)),
    "trace_attach_range": (TRACE, invoke("trace.attach", TRACE_ALL, 1, TRACE_PAGE)),
    "trace_attach_empty": (TRACE, invoke("trace.attach", TRACE_ALL, 0, FREE)),
    "trace_attach_type": (TRACE, invoke("trace.attach", TRACE_ALL, 0, SPACE)),
    "trace_attach_twice": (TRACE, invoke("trace.attach", TRACE_ALL, 0, TRACE_PAGE)),
    "trace_attach_no_right": (TRACE, without(TRACE_PAGE, RIGHTS["read"])
                              + invoke("trace.attach", TRACE_ALL, 0, FREE)),
    "trace_attach_revoked": (TRACE, half_revoked(TRACE_PAGE)
                             + invoke("trace.attach", TRACE_ALL, 0, TRACE_PAGE)),
    "trace_mask_range": (TRACE, invoke("trace.mask", TRACE_ALL, 0, 1)),
    "trace_mask_nothing": (TRACE, invoke("captable.delete", TABLE, TRACE_RING)
                           + invoke("trace.mask", TRACE_ALL, 0, 2)),
    "trace_label_range": (TRACE, invoke("trace.label", TRACE_ALL, SPACE, 1 << 16)),
    "trace_label_type": (TRACE, invoke("trace.label", TRACE_ALL, PORT, 1)),
    "trace_label_empty": (TRACE, invoke("trace.label", TRACE_ALL, FREE, 1)),
    "trace_label_no_right": (TRACE, without(SPACE, RIGHTS["read"])
                             + invoke("trace.label", TRACE_ALL, FREE, 1)),
    "trace_label_revoked": (TRACE, half_revoked(SPACE)
                            + invoke("trace.label", TRACE_ALL, SPACE, 1)),
    "iommu_no_right": (DMA, without(DMASPACE, RIGHTS["read"])
                       + invoke("iommu.assign", IOMMU, 0x20, FREE)),
    "iommu_revoked": (DMA, half_revoked(DMASPACE) + invoke("iommu.assign", IOMMU, 0x20, DMASPACE)),
    "iommu_arguments": (DMA, invoke("iommu.assign", IOMMU, 0x10000, DMASPACE)
                        + invoke("iommu.assign", IOMMU, 0x18, FREE)
                        + invoke("iommu.assign", IOMMU, 0x18, PORT)
                        + invoke("iommu.assign", IOMMU, 0x100, DMASPACE)
                        + invoke("iommu.assign", IOMMU, 0x200, DMASPACE)
                        + invoke("iommu.fault", IOMMU) + invoke("page.unmap", DMA_PAGE)),
    "iommu_occupied": (DMA, invoke("untyped.retype", MEMORY_ALL, DMASPACE_TYPE, 3, FREE)
                       + invoke("iommu.assign", IOMMU, 0x18, FREE)),
    "table_unmap_more": (DMA, invoke("page.unmap", DMA_PAGE) + invoke("table.unmap", DMA_TABLE)),
    # A waits; its port goes; A runs and finds out. Main yields to it first.
    "wait_peer_died": (IPC, invoke("captable.delete", TABLE, PORT + 1) * 4
                       + call("yield") * 3),
    # A waits and is suspended: what its wait then says is seen when it is resumed.
    "wait_suspended": (IPC, invoke("thread.suspend", 8) + invoke("thread.resume", 8)
                       + call("yield") * 3),
}


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (machine, steps) in SEEDS.items():
        (folder / name).write_bytes(bytes([machine]) + steps)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    write(Path(sys.argv[1]))
