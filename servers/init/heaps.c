/* SPDX-License-Identifier: ISC
 *
 * Heaps: their pagers are started here, and blocks of memory go to the domains that touch them.
 * When none is left, init asks a domain for one by message, and takes it by force when the deadline
 * has passed. docs/paging.md; who has to give way is decided in blocks.c.
 *
 * One request is dealt with at a time (`current`), the others wait. Whatever a pager sends is
 * checked against the table: it can ask for blocks of its own heap and give back blocks that it
 * has.
 */
#include "libos/kernel.h"
#include "libos/syscall.h"
#include "motet/supervisor.h"
#include "servers/init/init.h"
#include "servers/init/threads.h"

enum { RETURN_PART = 10 /* of a second: how long a domain has to answer */ };

static void mint(struct init *init, uint32_t table, uint32_t port, uint32_t slot, uint8_t rights,
                 uint64_t badge, const char *name)
{
    init_check(sys_invoke(init->child[table].captable, OPERATION_captable_mint, port, slot, rights,
                          badge, 0, NULL),
               "pager", name);
}

static void copy(struct init *init, uint32_t table, uint32_t from, uint32_t slot, uint8_t rights,
                 const char *name)
{
    init_check(sys_invoke(init->child[table].captable, OPERATION_captable_copy, from, slot, rights,
                          0, 0, NULL),
               "pager", name);
}

/* All page tables that the heap will need: its pager has none to give. */
static void tables_make(struct init *init, uint32_t d)
{
    const struct image_domain *domain = &init->domain[d];
    const uint64_t covered = 512 * PAGE_BYTES; /* by one table of the lowest level */
    uint64_t end = domain->heap_address + domain->heap_blocks * (uint64_t)HEAP_BLOCK_BYTES;
    for (uint64_t at = domain->heap_address; at < end; at = (at / covered + 1) * covered)
        tables_add(init, init->child[d].space, at);
}

/* What lets `holder` page for domain d. */
static void authority_give(struct init *init, uint32_t d, uint32_t holder)
{
    const struct image_domain *domain = &init->domain[d];
    const struct child *child = &init->child[d];
    copy(init, holder, child->space, domain->pager_slot + PAGER_SLOT_SPACE, RIGHT_CONTROL,
         domain->name);
    copy(init, holder, child->thread, domain->pager_slot + PAGER_SLOT_THREAD, RIGHT_SIGNAL,
         domain->name);
    mint(init, holder, init->port, domain->pager_slot + PAGER_SLOT_SUPERVISOR, RIGHT_SEND,
         1ull << d, domain->name);
}

static void pager_make(struct init *init, uint32_t d)
{
    const struct image_domain *domain = &init->domain[d];
    struct child *child = &init->child[d];
    child->pager = object_make(init, OBJECT_thread, 1);
    child->pager_port = object_make(init, OBJECT_port, 1);
    authority_give(init, d, d);
    mint(init, d, child->pager_port, domain->fault_slot, RIGHT_SEND, 1ull << d, domain->name);
    mint(init, d, child->pager_port, domain->pager_slot + PAGER_SLOT_PORT,
         RIGHT_WAIT | RIGHT_SIGNAL, 1, domain->name);
    mint(init, d, child->port, domain->pager_slot + PAGER_SLOT_DOMAIN, RIGHT_SIGNAL,
         1ull << SIGNAL_CONTROL_FIRST, domain->name);
}

/* As much memory as the heaps can have, or as there is. */
static void blocks_make(struct init *init, uint32_t wanted, uint32_t kept)
{
    struct heaps *heaps = &init->heaps;
    const uint32_t kib = HEAP_BLOCK_BYTES / 1024, drawn = wanted;
    const uint64_t limit = init->heap_limit / kib;
    if (init->heap_limit && wanted > limit)
        wanted = (uint32_t)limit;
    while (heaps->blocks.count < wanted) {
        uint32_t slot = slot_new(init);
        if (!object_try(init, OBJECT_untyped, HEAP_BLOCK_PAGES, slot))
            break;
        heaps->slot[heaps->blocks.count++] = slot;
    }
    if (heaps->blocks.count < kept)
        init_fail("too little memory: %u KiB are to be kept for heaps, %u are there (QEMU: -m)",
                  kept * kib, heaps->blocks.count * kib);
    if (drawn)
        console_print("init: %u KiB for heaps, which may have %u", heaps->blocks.count * kib,
                      drawn * kib);
}

void heaps_build(struct init *init)
{
    uint32_t wanted = 0, kept = 0;
    for (uint32_t d = 1; d < init->image->domains.count; d++) {
        const struct image_domain *domain = &init->domain[d];
        if (!domain->heap_blocks)
            continue;
        tables_make(init, d);
        if (domain->pager) {
            authority_give(init, d, domain->pager);
            mint(init, d, init->child[domain->pager].port, domain->fault_slot, RIGHT_SEND,
                 1ull << d, domain->name);
            continue;
        }
        pager_make(init, d);
        init->heaps.blocks.kept[d] = (uint8_t)domain->heap_kept;
        wanted += domain->heap_blocks;
        kept += domain->heap_kept;
    }
    blocks_make(init, wanted, kept);
}

static void send(struct init *init, uint32_t domain, uint16_t op, uint64_t w0, uint64_t w1)
{
    struct msg m = {.op = op, .w = {w0, w1}};
    /* FULL: it reads none of its messages, and that is its loss. */
    sys_send(init->child[domain].pager_port, &m, 0);
}

/* Takes back all that was made of a block. */
static void block_clear(struct init *init, int index)
{
    while (sys_invoke(INIT_CAPTABLE, OPERATION_captable_revoke, init->heaps.slot[index], 0, 0, 0, 0,
                      NULL) == ERROR_MORE)
        ;
    blocks_free(&init->heaps.blocks, index);
}

/* Gives the domain its number-th block. */
static enum error block_give(struct init *init, uint32_t domain, uint32_t number)
{
    int index = blocks_take(&init->heaps.blocks, domain, number);
    if (index < 0)
        return ERROR_NO_MEMORY;
    enum error error = sys_invoke(init->heaps.slot[index], OPERATION_untyped_retype, OBJECT_untyped,
                                  HEAP_BLOCK_PAGES, init->spare_slot, UNTYPED_PAGES_ONLY, 0, NULL);
    if (!error)
        error =
            sys_invoke(init->child[domain].captable, OPERATION_captable_move, init->spare_slot,
                       init->domain[domain].pager_slot + PAGER_SLOT_BLOCKS + number, 0, 0, 0, NULL);
    if (error) { /* the domain has put something of its own there */
        block_clear(init, index);
        return error;
    }
    send(init, domain, PAGER_BLOCK, number, OK);
    return OK;
}

/* Those of `numbers` that the domain really has become free. Returns how many. */
static uint32_t blocks_clear(struct init *init, uint32_t domain, uint64_t numbers)
{
    uint32_t cleared = 0, count = 0;
    for (uint32_t n = 0; n < HEAP_BLOCKS_MAX; n++) {
        int index = numbers >> n & 1 ? blocks_find(&init->heaps.blocks, domain, n) : -1;
        if (index < 0)
            continue;
        block_clear(init, index);
        cleared |= 1u << n;
        count++;
    }
    if (cleared)
        send(init, domain, PAGER_TAKEN, cleared, 0);
    return count;
}

static void block_force(struct init *init, uint32_t victim)
{
    int number = blocks_last(&init->heaps.blocks, victim);
    if (number < 0)
        return;
    console_print("init: %u KiB of %s's heap were taken by force, for %s", HEAP_BLOCK_BYTES / 1024,
                  init->domain[victim].name, init->domain[init->heaps.current].name);
    blocks_clear(init, victim, 1ull << number);
    init->child[victim].blocks_lost++;
}

/* Asks the next domain for a block. False: there is nobody to ask. */
static bool block_ask(struct init *init)
{
    struct heaps *heaps = &init->heaps;
    uint32_t victim = blocks_victim(&heaps->blocks, heaps->current, heaps->asked);
    if (!victim)
        return false;
    heaps->asked |= 1ull << victim;
    heaps->victim = victim;
    heaps->deadline = kernel_clock() + kernel_info()->clock_frequency / RETURN_PART;
    send(init, victim, PAGER_RETURN, 1, heaps->deadline);
    return true;
}

/* The request that has waited longest by turn; false: there is none. */
static bool request_next(struct heaps *heaps)
{
    if (!heaps->waiting)
        return false;
    uint64_t later = heaps->waiting & ~0ull << (heaps->current + 1);
    heaps->current = (uint32_t)__builtin_ctzll(later ? later : heaps->waiting);
    return true;
}

/* Goes on as far as is possible without an answer. */
static void requests_serve(struct init *init)
{
    struct heaps *heaps = &init->heaps;
    while (!heaps->victim && (heaps->waiting >> heaps->current & 1 || request_next(heaps))) {
        uint32_t domain = heaps->current;
        enum error error = block_give(init, domain, init->child[domain].block_wanted);
        if (error == ERROR_NO_MEMORY && block_ask(init))
            return;
        heaps->waiting &= ~(1ull << domain);
        heaps->asked = 0;
        if (!error)
            continue;
        console_print("init: no memory left for %s's heap: it has %u KiB",
                      init->domain[domain].name,
                      heaps->blocks.held[domain] * (HEAP_BLOCK_BYTES / 1024));
        send(init, domain, PAGER_BLOCK, init->child[domain].block_wanted, error);
    }
}

/* The one who was asked has answered, or won't. */
static void answer_came(struct init *init, bool gave)
{
    struct heaps *heaps = &init->heaps;
    uint32_t victim = heaps->victim;
    heaps->victim = 0;
    heaps->deadline = 0;
    if (!gave && blocks_force(&heaps->blocks, victim, heaps->current))
        block_force(init, victim);
}

static void block_wanted(struct init *init, uint32_t domain, uint64_t number)
{
    if (!init->child[domain].pager || number >= init->domain[domain].heap_blocks ||
        init->heaps.waiting >> domain & 1 ||
        blocks_find(&init->heaps.blocks, domain, (uint32_t)number) >= 0)
        return;
    init->child[domain].block_wanted = (uint32_t)number;
    init->heaps.waiting |= 1ull << domain;
    requests_serve(init);
}

static void blocks_returned(struct init *init, uint32_t domain, uint64_t numbers)
{
    uint32_t cleared = blocks_clear(init, domain, numbers);
    init->child[domain].blocks_returned += cleared;
    if (init->heaps.victim == domain)
        answer_came(init, cleared != 0);
    requests_serve(init);
}

void heap_message(struct init *init, uint32_t domain, const struct msg *m)
{
    if (m->w[1] != init->restart[domain].count)
        return; /* what an earlier life said last: these blocks are another's by now */
    if (m->op == SUPERVISOR_BLOCK_WANTED)
        block_wanted(init, domain, m->w[0]);
    else if (m->op == SUPERVISOR_RETURNED)
        blocks_returned(init, domain, m->w[0]);
}

void heap_release(struct init *init, uint32_t domain)
{
    if (!init->child[domain].pager)
        return;
    init->heaps.waiting &= ~(1ull << domain);
    if (!init->domain[domain].restarts_most) /* else its next life finds what is kept for it */
        init->heaps.blocks.kept[domain] = 0;
    blocks_clear(init, domain, ~0ull);
    if (init->heaps.victim == domain)
        answer_came(init, true);
    else if (init->heaps.current == domain)
        init->heaps.victim = 0; /* nobody waits for the answer any more */
    requests_serve(init);
}

/* Nobody sends there any more: its thread and its pager are suspended, and we are here. */
static void queue_empty(uint32_t port)
{
    enum { LONG_AGO = 1 };
    struct received received;
    do {
        received = (struct received){0};
        sys_wait(port, 0, LONG_AGO, &received);
    } while (received.msg.op || received.pending);
}

enum error heap_renew(struct init *init, uint32_t domain)
{
    const struct image_domain *image = &init->domain[domain];
    const struct child *child = &init->child[domain];
    if (!child->pager)
        return OK;
    thread_suspend(child->pager);
    heap_release(init, domain);
    queue_empty(child->pager_port);
    enum error error = sys_invoke(child->pager, OPERATION_thread_set_registers, image->pager_entry,
                                  image->pager_stack, start_address(init, domain), 0, 0, NULL);
    if (!error)
        error = thread_resume(child->pager);
    return error;
}

uint64_t heaps_deadline(struct init *init)
{
    struct heaps *heaps = &init->heaps;
    if (heaps->victim && kernel_clock() >= heaps->deadline) {
        answer_came(init, false);
        requests_serve(init);
    }
    return heaps->victim ? heaps->deadline : 0;
}

void heap_print(struct init *init, uint32_t domain)
{
    const struct child *child = &init->child[domain];
    if (child->pager)
        console_print("    heap: %u of %u KiB, %u kept; given back %u, lost %u",
                      init->heaps.blocks.held[domain] * (HEAP_BLOCK_BYTES / 1024),
                      init->domain[domain].heap_blocks * (HEAP_BLOCK_BYTES / 1024),
                      init->domain[domain].heap_kept * (HEAP_BLOCK_BYTES / 1024),
                      child->blocks_returned * (HEAP_BLOCK_BYTES / 1024),
                      child->blocks_lost * (HEAP_BLOCK_BYTES / 1024));
}
