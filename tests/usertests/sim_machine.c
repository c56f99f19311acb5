/* SPDX-License-Identifier: ISC
 *
 * usertests in a simulator of its own, the machine's side: a serial port that prints, two ports
 * that end it, time that passes, and one step after another. After each kernel entry everything
 * that must hold is checked (kernel/arch/sim/check.h).
 */
#include "tests/usertests/sim.h"

#include <stdio.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/mappings.h"
#include "kernel/arch/sim/user.h"
#include "kernel/arch/sim/user/points.h"

enum {
    PORT_UART = 0x3f8,
    PORT_UART_STATUS = 0x3fd,
    UART_EMPTY = 0x20,
    PORT_RESET = 0xcf9,
    PORT_DEBUG_EXIT = 0xf4,
    STEP_TICKS = 300, /* a stay in user code, and the entry after it */
};

struct sim_points sim_points;
static bool ended;
static int status;

static uint64_t port_in(uint64_t port, uint64_t bytes)
{
    (void)bytes;
    return port == PORT_UART_STATUS ? UART_EMPTY : 0xff;
}

static void port_out(uint64_t port, uint64_t bytes, uint64_t value)
{
    (void)bytes;
    if (port == PORT_UART && value != '\r')
        putchar((int)(value & 0xff));
    if (port == PORT_DEBUG_EXIT)
        status = (int)value;
    if (port == PORT_DEBUG_EXIT || port == PORT_RESET)
        ended = true;
}

static void check(void)
{
    check_changed(captable_slot(sim_init_table(), INIT_CAPTABLE), sim_init_table());
}

static void user(void)
{
    struct thread *thread = sim_cpu.current;
    struct sim_fault fault;
    sim_mappings_load(sim_cpu.space);
    enum sim_exit left = sim_user_run(thread, &fault);
    sim_clock += STEP_TICKS;
    if (left == SIM_FAULT)
        sim_fault(fault.cause, fault.address, fault.error);
    else
        sim_syscall();
    sim_mappings_changed();
    check();
}

/* False: nobody will ever run again. */
static bool idle(void)
{
    if (!sim.timer)
        return false;
    if (sim_clock < sim.timer)
        sim_clock = sim.timer;
    return true;
}

int usertests_machine_run(const void *image, uint64_t bytes, const char *command_line)
{
    struct sim_boot machine = {.image = image,
                               .bytes = bytes,
                               .pages = SIM_PAGES_MAX,
                               .command_line = command_line,
                               .slots = 1,
                               .domains = 4,
                               .seed = {1, 2}};
    sim_user_start();
    sim_boot(&machine);
    sim.iommu.looks = 2; /* an invalidation is over when it is looked at the second time */
    sim.ioport_in = port_in;
    sim.ioport_out = port_out;
    sim_mappings_replaced();
    check_all(captable_slot(sim_init_table(), INIT_CAPTABLE), sim_init_table());
    sim_points.left = sim_points.boundaries = INT64_MAX;
    while (!ended) {
        check_watch(true);
        if (sim.timer && sim.timer <= sim_clock) {
            sim_advance(0);
            check();
        }
        if (sim_cpu.current)
            user();
        else if (!idle()) {
            fprintf(stderr, "usertests: nobody runs, and no time will pass\n");
            return 1;
        }
        check_watch(false);
    }
    return status;
}
