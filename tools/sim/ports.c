/* SPDX-License-Identifier: ISC
 *
 * What the simulated machine has beside processor and memory: I/O ports, PCI configuration space,
 * a serial port, and the ways to end.
 */
#include <stdio.h>
#include <string.h>

#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/user/processor.h"
#include "kernel/irq.h"
#include "tools/sim/composition.h"
#include "tools/sim/invariants.h"
#include "tools/sim/legacy.h"
#include "tools/sim/world.h"

enum {
    PORT_UART = 0x3f8,
    PORT_UART_STATUS = 0x3fd,
    UART_EMPTY = 0x20,
    PORT_PCI_ADDRESS = 0xcf8,
    PORT_PCI_DATA = 0xcfc,
    PORT_RESET = 0xcf9,
    PORT_DEBUG_EXIT = 0xf4,
};

static uint32_t pci_address;

/* The slot that the address names; others than the first function of bus 0 don't exist. */
static uint32_t pci_slot(void)
{
    if ((pci_address & 0x80ff0700u) != 0x80000000u)
        return UINT32_MAX;
    return pci_address >> 11 & 31;
}

static uint64_t port_in(uint64_t port, uint64_t bytes)
{
    switch (port) {
    case PORT_UART_STATUS:
        return UART_EMPTY;
    case PORT_PCI_DATA:
        return device_config_read(pci_slot(), pci_address & 0xfc);
    default:
        return legacy_in(port, bytes);
    }
}

static void port_out(uint64_t port, uint64_t bytes, uint64_t value)
{
    switch (port) {
    case PORT_UART:
        console_put((char)value);
        break;
    case PORT_PCI_ADDRESS:
        pci_address = (uint32_t)value;
        break;
    case PORT_PCI_DATA:
        device_config_write(pci_slot(), pci_address & 0xfc, (uint32_t)value);
        break;
    case PORT_RESET:
    case PORT_DEBUG_EXIT:
        world.ended = true;
        break;
    default:
        legacy_out(port, bytes, value);
    }
}

static void device_page(void *page, uint64_t physical)
{
    (void)physical;
    memcpy(page, &sim_registers, sizeof(sim_registers));
}

void ports_start(void)
{
    sim.ioport_in = port_in;
    sim.ioport_out = port_out;
    sim.device_page = device_page;
}

void interrupt_raise(uint32_t vector)
{
    if (vector >= IRQ_VECTOR_FIRST && vector <= IRQ_VECTOR_LAST)
        world.interrupts |= 1ull << (vector - IRQ_VECTOR_FIRST);
}

/* The domain that init's line begins with; 0: none. */
static uint32_t line_domain(const char *line)
{
    static const char from_init[] = "init: ";
    const char *name = line + sizeof(from_init) - 1;
    if (strncmp(line, from_init, sizeof(from_init) - 1) != 0)
        return 0;
    for (uint32_t d = 1; d < domain_count() && d < 64; d++) {
        size_t length = strlen(domain_at(d)->name);
        if (!strncmp(name, domain_at(d)->name, length) && strchr(" :", name[length]))
            return d;
    }
    return 0;
}

/* What a supervisor says when something won't come back. A domain that the manifest lets begin anew
 * will, unless it is given up. */
static bool says_dead(const char *line)
{
    uint32_t domain = line_domain(line);
    bool broken = strstr(line, " broken: "), stopped = strstr(line, " stopped");
    bool lost = strstr(line, ": given up") || strstr(line, ": not restarted");
    world.card_broken |= broken;
    if (domain && stopped)
        world.died |= 1ull << domain;
    world.flip_crashes += stopped && world.flipped >> domain & 1;
    if (domain && (lost || (stopped && !domain_at(domain)->restarts_most)))
        world.dead |= 1ull << domain;
    if (domain && stopped && (domain_at(domain)->restarts_most || domain_at(domain)->body))
        stopped = false;
    return broken || stopped || lost || strstr(line, "boot failed");
}

/* No swap takes anything, and none leaves anything behind. */
static void swap_note(const char *line)
{
    const uint32_t domain = line_domain(line);
    if (!domain || !domain_at(domain)->body)
        return;
    if (strstr(line, " swapped: blackout ")) {
        const uint32_t capabilities = capability_count();
        if (world.count.swaps++ && capabilities != world.swap_capabilities)
            panic("there were %u capabilities after the first swap, and are %u after another",
                  world.swap_capabilities, capabilities);
        world.swap_capabilities = capabilities;
    } else if (strstr(line, " not swapped: ") || strstr(line, ": swap rolled back ")) {
        world.count.swaps_failed++;
        if (strstr(line, " in its probation: "))
            invariants_forget(domain);
    }
}

/* What the domain that checks says; all that begins anew is checked once more. */
static void verdict_note(const char *line)
{
    static const char *const words[] = {[VERDICT_CONFORMS] = ": conforms: ",
                                        [VERDICT_TOLD] = ": told: ",
                                        [VERDICT_FAILS] = ": doesn't conform: "};
    const uint32_t checking = domain_checking();
    const size_t length = checking ? strlen(domain_at(checking)->name) : 0;
    if (!checking || world.verdict == VERDICT_FAILS)
        return;
    if (line_domain(line) && strstr(line, ": restart "))
        world.verdict = VERDICT_NONE;
    if (strncmp(line, domain_at(checking)->name, length) != 0)
        return;
    for (enum verdict v = VERDICT_CONFORMS; v <= VERDICT_FAILS; v++) {
        if (strncmp(line + length, words[v], strlen(words[v])) != 0)
            continue;
        world.verdict = v;
        world.verdict_time = sim_clock - world.jumped;
        memcpy(world.verdict_line, line, LINE_BYTES);
    }
}

/* Which vectors there are, and who hears of them. */
static uint64_t bindings(void)
{
    uint64_t sum = 0;
    for (uint64_t v = IRQ_VECTOR_FIRST; v <= IRQ_VECTOR_LAST; v++) {
        const struct irq_vector *irq = irq_vector(v);
        const uint64_t words[] = {(uint64_t)irq->port, irq->bit, irq->taken,
                                  irq->routed,         irq->pin, v};
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            sum = (sum ^ words[i]) * 0x9fb21c651e98df25ull;
    }
    return sum;
}

/* Others take and give while they run. */
static bool has_heap_or_swaps(void)
{
    for (uint32_t d = 1; d < domain_count(); d++)
        if (domain_at(d)->heap_blocks || domain_at(d)->body)
            return true;
    return false;
}

/* No restart takes anything, and none leaves anything behind; a domain of which a bit has flipped
 * may do so with what is its own. */
static void restart_note(const char *line)
{
    if (!line_domain(line) || !strstr(line, ": restart ") || !strstr(line, " in a row") ||
        has_heap_or_swaps() || world.flipped)
        return;
    const uint32_t capabilities = capability_count();
    const uint64_t bound = bindings();
    if (world.restarts++ && capabilities != world.restart_capabilities)
        panic("there were %u capabilities at the first restart, and are %u at another",
              world.restart_capabilities, capabilities);
    if (world.restarts > 1 && bound != world.restart_bindings)
        panic("interrupts aren't bound as they were at the first restart");
    world.restart_capabilities = capabilities;
    world.restart_bindings = bound;
}

void console_put(char c)
{
    char *line = world.lines[world.line % LINES_KEPT];
    if (c == '\r')
        return;
    if (c == '\n') {
        line[world.column] = 0;
        swap_note(line);
        restart_note(line);
        verdict_note(line);
        world.reported |= says_dead(line);
        world.line++;
        world.column = 0;
    } else if (world.column < LINE_BYTES - 1) {
        line[world.column++] = c;
    }
}
