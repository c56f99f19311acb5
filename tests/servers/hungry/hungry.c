/* SPDX-License-Identifier: ISC
 *
 * A server that uses its heap: what it does is the setting hungry.act. tests/system/test_heap.py
 * looks at what happens. A chunk is a block's worth of memory, each page marked with whose it is.
 */
#include <string.h>

#include "libos/domain.h"
#include "libos/server.h"
#include "libos/state.h"
#include "libos/syscall.h"
#include "motet/image.h"

enum {
    CHUNKS = HEAP_BLOCKS_MAX,
    LATER_NS = 300000000, /* after all others have what they want */
    LOOK_NS = 50000000,
    PAGE = IMAGE_PAGE,
};

struct hungry {
    struct domain *domain;
    const char *act;
    uint64_t *chunk[CHUNKS];
    uint32_t chunks;
};

static bool act_is(const struct hungry *h, const char *act)
{
    return !strcmp(h->act, act);
}

static uint64_t mark(uint32_t chunk, uint32_t page)
{
    return 0x5eed000000000000ull | (uint64_t)chunk << 16 | page;
}

static bool is_zero(const uint64_t *page)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < PAGE / sizeof(*page); i++)
        any |= page[i];
    return any == 0;
}

/* Allocates all there is, and touches all of it. False: something wasn't zero. */
static bool take_all(struct hungry *h)
{
    bool zero = true;
    for (h->chunks = 0; h->chunks < CHUNKS; h->chunks++) {
        uint64_t *chunk = h->chunk[h->chunks] = domain_heap_alloc(h->domain, HEAP_BLOCK_BYTES);
        if (!chunk)
            break;
        for (uint32_t page = 0; page < HEAP_BLOCK_PAGES; page++) {
            uint64_t *at = chunk + page * (PAGE / sizeof(*chunk));
            zero &= is_zero(at);
            *at = mark(h->chunks, page);
        }
    }
    return zero;
}

static uint32_t wrong_pages(const struct hungry *h)
{
    uint32_t wrong = 0;
    for (uint32_t c = 0; c < h->chunks; c++) {
        const volatile uint64_t *chunk = h->chunk[c]; /* it may have gone since the last look */
        for (uint32_t page = 0; page < HEAP_BLOCK_PAGES; page++)
            wrong += chunk[page * (PAGE / sizeof(*chunk))] != mark(c, page);
    }
    return wrong;
}

static void free_last(struct hungry *h)
{
    if (h->chunks && !domain_heap_free(h->domain, h->chunk[--h->chunks], HEAP_BLOCK_BYTES))
        domain_log(h->domain, "WRONG: couldn't free");
}

/* What its pager's capabilities must not be good for. */
static bool authority_is_bounded(const struct hungry *h)
{
    enum { FREE_SLOT = 2000, PRIORITY = 62 };
    const uint32_t slot = h->domain->libos->start->heap.slot;
    const enum object objects[] = {OBJECT_thread, OBJECT_port, OBJECT_captable, OBJECT_table};
    bool refused = true;
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
        refused &= sys_invoke(slot + PAGER_SLOT_BLOCKS, OPERATION_untyped_retype, objects[i], 1,
                              SLOT_FIRST_FREE, 0, 0, NULL) != OK &&
                   sys_invoke(slot + PAGER_SLOT_BLOCKS, OPERATION_untyped_retype, objects[i], 1,
                              FREE_SLOT, 0, 0, NULL) != OK;
    const uint32_t thread = slot + PAGER_SLOT_THREAD;
    return refused &&
           sys_invoke(thread, OPERATION_thread_configure, slot + PAGER_SLOT_SPACE, 1, PRIORITY, 0,
                      0, NULL) == ERROR_NO_RIGHT &&
           sys_invoke(thread, OPERATION_thread_suspend, 0, 0, 0, 0, 0, NULL) == ERROR_NO_RIGHT &&
           sys_invoke(thread, OPERATION_thread_budget, 0, 0, 0, 0, 0, NULL) == ERROR_NO_RIGHT &&
           sys_invoke(thread, OPERATION_thread_retry, 0, 0, 0, 0, 0, NULL) == ERROR_BAD_STATE;
}

/* Everything twice: what was used before is zero again; and what mustn't work doesn't. */
static void check(struct hungry *h)
{
    bool zero = take_all(h);
    uint32_t chunks = h->chunks, wrong = wrong_pages(h);
    bool refused = !domain_heap_alloc(h->domain, 1) && !domain_heap_free(h->domain, h, PAGE) &&
                   !domain_heap_free(h->domain, (char *)h->chunk[0] + 1, PAGE) &&
                   !domain_heap_free(h->domain, h->chunk[0], 2 * HEAP_BLOCK_BYTES) &&
                   authority_is_bounded(h);
    while (h->chunks)
        free_last(h);
    refused = refused && !domain_heap_free(h->domain, h->chunk[0], PAGE) &&
              !domain_heap_alloc(h->domain, 0) &&
              !domain_heap_alloc(h->domain, HEAP_BLOCK_BYTES + 1);
    zero = take_all(h) && zero;
    domain_log(h->domain, "checked %u chunks: %s, %u wrong, %s", chunks,
               zero && h->chunks == chunks ? "zero" : "NOT ZERO", wrong + wrong_pages(h),
               refused ? "refused" : "NOT REFUSED");
}

/* Through a heap that another domain serves: more pages than that one has frames for. */
static void walk(struct hungry *h)
{
    size_t size;
    char *heap = domain_heap(h->domain, &size);
    uint32_t pages = (uint32_t)(size / PAGE), wrong = 0;
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < pages; i++) {
            uint32_t page = round == 1 ? pages - 1 - i : i;
            uint64_t *at = (uint64_t *)(heap + page * (uint64_t)PAGE);
            if (round == 0)
                wrong += *at != 0;
            else
                wrong += *at != mark(round - 1, page);
            *at = mark(round, page);
        }
    domain_log(h->domain, "walked %u pages, %u wrong", pages, wrong);
}

/* Memory of the heap that nobody has allocated. */
static void wild(struct hungry *h)
{
    size_t size;
    volatile char *heap = domain_heap(h->domain, &size);
    heap[size / 2] = 1;
}

static void stray(struct hungry *h)
{
    size_t size;
    volatile char *heap = domain_heap(h->domain, &size);
    heap[size + PAGE] = 1;
}

static void hold(struct hungry *h)
{
    const bool zero = take_all(h);
    domain_log(h->domain, "holds %u chunks%s", h->chunks, zero ? "" : ", WRONG: not zero");
    domain_set_deadline(h->domain, domain_time(h->domain) + LOOK_NS);
}

static enum error hungry_start(void *state, struct domain *domain)
{
    struct hungry *h = state;
    h->domain = domain;
    h->act = domain_setting(domain, "hungry.act");
    if (!h->act)
        return ERROR_NOT_FOUND;
    if (act_is(h, "take") || act_is(h, "wild") || act_is(h, "stray"))
        domain_set_deadline(domain, domain_time(domain) + LATER_NS);
    else if (act_is(h, "check"))
        check(h);
    else if (act_is(h, "walk"))
        walk(h);
    else
        hold(h);
    return OK;
}

/* With its heap full. */
static void die(const struct hungry *h)
{
    domain_log(h->domain, "dies with %u chunks, %u wrong", h->chunks, wrong_pages(h));
    volatile uint32_t *volatile nowhere = NULL;
    *nowhere = h->chunks;
}

/* Looks at what it holds, again and again. Without end, it answers to nobody. */
static void look(struct hungry *h)
{
    uint32_t wrong;
    do
        wrong = wrong_pages(h);
    while (!wrong && act_is(h, "deaf"));
    if (wrong)
        domain_log(h->domain, "WRONG: %u pages", wrong);
    domain_set_deadline(h->domain, domain_time(h->domain) + LOOK_NS);
}

static void hungry_deadline(void *state)
{
    struct hungry *h = state;
    if (act_is(h, "wild"))
        wild(h);
    else if (act_is(h, "stray"))
        stray(h);
    else if (act_is(h, "die"))
        die(h);
    else if (h->chunks)
        look(h);
    else
        hold(h);
}

static void hungry_reclaim(void *state)
{
    struct hungry *h = state;
    if (act_is(h, "give"))
        free_last(h);
}

const struct server motet_server_hungry;
static const char *const settings[] = {"hungry.act"};
const struct server motet_server_hungry = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "hungry",
    .state_size = sizeof(struct hungry),
    .stack_bytes = 1024,
    .settings = settings,
    .setting_count = 1,
    .start = hungry_start,
    .deadline = hungry_deadline,
    .reclaim = hungry_reclaim,
};
SERVER_EXPORT(motet_server_hungry);
