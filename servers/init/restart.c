/* SPDX-License-Identifier: ISC
 *
 * Beginning stopped domains anew, as the manifest says (`restart`). Linked only into images that
 * need it. docs/restart.md.
 *
 * What outlives a domain is held here anyway: its space with all mappings, its capabilities, its
 * port, rings, pools, log and counters. So a new life is its thread set to the first instruction
 * again; the domain clears its own private memory.
 *
 * States of a stopped domain: waiting (due != 0), given up, or not to be restarted. A domain that
 * has run for STEADY_SECONDS begins to count anew.
 */
#include "libos/kernel.h"
#include "libos/syscall.h"
#include "servers/init/init.h"
#include "servers/init/threads.h"

enum {
    STEADY_SECONDS = 10, /* in between, restarts are "in a row" */
    DELAY_FIRST_PART =
        100,             /* of a second: before the second restart in a row; the first is at once */
    DELAY_DOUBLINGS = 7, /* then twice as long each time, up to 1.28 s */
};

static uint64_t delay(const struct restart *restart)
{
    if (!restart->in_row)
        return 0;
    uint32_t doublings = restart->in_row - 1u;
    return kernel_info()->clock_frequency / DELAY_FIRST_PART
           << (doublings < DELAY_DOUBLINGS ? doublings : DELAY_DOUBLINGS);
}

void restart_consider(struct init *init, uint32_t domain)
{
    struct restart *restart = &init->restart[domain];
    const char *name = init->domain[domain].name;
    const uint32_t most = init->domain[domain].restarts_most;
    uint64_t now = kernel_clock();
    if (swap_stopped && swap_stopped(init, domain))
        return;
    if (!most || !init->child[domain].stopped || restart->due || restart->given_up)
        return;
    if (now - restart->began > STEADY_SECONDS * kernel_info()->clock_frequency)
        restart->in_row = 0;
    if (restart->in_row == most) {
        restart->given_up = true;
        console_print("init: %s: given up after %u restarts in a row", name, most);
        return;
    }
    uint64_t wait = delay(restart);
    restart->due = now + wait;
    if (wait)
        console_print("init: %s: restart in %lu ms", name,
                      (unsigned long)(wait * 1000 / kernel_info()->clock_frequency));
}

/* The start page counts the domain's lives, so that it knows. */
void body_tell(struct init *init, uint32_t held, uint32_t domain, enum start_swaps why)
{
    struct start_page *start = start_page_open(init, held);
    start->swaps = why;
    start->restarts = init->restart[domain].count;
    start_page_close(init, held);
}

enum error body_set(struct init *init, uint32_t held, uint32_t body)
{
    const uint64_t entry = init->bodies.entry[body];
    return sys_invoke(init->child[held].thread, OPERATION_thread_set_registers,
                      entry ? entry : init->domain[body].entry, init->domain[body].stack_top,
                      start_address(init, body), 0, 0, NULL);
}

enum error body_begin(struct init *init, uint32_t domain)
{
    body_tell(init, domain, domain, START_LIVES);
    enum error error = body_set(init, domain, body_of(init, domain));
    return error ? error : thread_resume(init->child[domain].thread);
}

/* Devices that were stopped at the IOMMU may try again: there they reach no more than before, and
 * the new life resets them first. */
static void masters_start(struct child *child)
{
    for (uint32_t bit = 0; child->masters_stopped >> bit; bit++)
        if (child->masters_stopped >> bit & 1)
            pci_master_start(child->sources[bit]);
    child->masters_stopped = 0;
}

void restart_after_dma(struct init *init, uint32_t domain)
{
    struct child *child = &init->child[domain];
    if (!init->domain[domain].restarts_most || child->stopped)
        return; /* without its device it goes on */
    thread_suspend(child->thread);
    child->stopped = true;
    console_print("init: %s stopped: its device reached for what it may not",
                  init->domain[domain].name);
    restart_consider(init, domain);
}

enum error domain_restart(struct init *init, uint32_t domain)
{
    struct child *child = &init->child[domain];
    struct restart *restart = &init->restart[domain];
    if (init->domain[domain].pager)
        return ERROR_BAD_STATE; /* what was in its heap is another domain's business */
    masters_start(child);
    thread_suspend(child->thread);
    if (program_renew)
        program_renew(init, domain);
    restart->due = 0;
    restart->given_up = false;
    restart->count++;
    restart->in_row++;
    restart->began = kernel_clock();
    enum error error = heap_renew ? heap_renew(init, domain) : OK;
    if (!error)
        error = body_begin(init, domain);
    if (error)
        return error;
    child->stopped = false;
    console_print("init: %s: restart %u, %u in a row", init->domain[domain].name, restart->count,
                  restart->in_row);
    return OK;
}

uint64_t restarts_deadline(struct init *init)
{
    uint64_t first = 0;
    for (uint32_t d = 1; d < init->image->domains.count; d++) {
        struct restart *restart = &init->restart[d];
        if (restart->due && kernel_clock() >= restart->due) {
            enum error error = domain_restart(init, d);
            if (error) {
                restart->due = 0;
                restart->given_up = true;
                console_print("init: %s: not restarted: %s", init->domain[d].name,
                              error_text(error));
            }
        }
        if (restart->due && (!first || restart->due < first))
            first = restart->due;
    }
    return first;
}
