/* SPDX-License-Identifier: ISC
 *
 * A pager in a domain of its own: serves the heap of one other domain out of a few frames of its
 * own heap, and keeps what doesn't fit in its state, as if that were a disk. docs/paging.md.
 */
#include <string.h>

#include "libos/domain.h"
#include "libos/paging.h"
#include "libos/server.h"
#include "motet/abi.h"
#include "motet/image.h"

enum { FRAMES = 4, STORED = HEAP_BLOCK_PAGES, NONE = -1 };

struct frames {
    struct domain *domain;
    char *frame[FRAMES];
    int holds[FRAMES]; /* the page of the other's heap that is there, NONE */
    uint32_t next;     /* the frame to be emptied */
    uint64_t served, refused, taken_back;
    char store[STORED][PAGE_BYTES];
};

static enum error frames_start(void *state, struct domain *domain)
{
    struct frames *f = state;
    f->domain = domain;
    for (uint32_t i = 0; i < FRAMES; i++) {
        f->holds[i] = NONE;
        f->frame[i] = domain_heap_alloc(domain, PAGE_BYTES);
        if (!f->frame[i])
            return ERROR_NO_MEMORY;
        f->frame[i][0] = 0; /* it is there from now on */
    }
    return OK;
}

/* The frame is ours again, and what the other wrote is in the store. */
static enum error frame_empty(struct frames *f, uint32_t frame)
{
    if (f->holds[frame] == NONE)
        return OK;
    enum error error = paging_take(f->domain, f->frame[frame]);
    if (error)
        return error;
    memcpy(f->store[f->holds[frame]], f->frame[frame], PAGE_BYTES);
    f->holds[frame] = NONE;
    f->taken_back++;
    return OK;
}

static void frames_message(void *state, const struct msg *m)
{
    struct frames *f = state;
    uint32_t page, frame = f->next;
    const struct start_paged *paged = paging_find(f->domain, m, &page);
    enum error error = paged && page < STORED ? frame_empty(f, frame) : ERROR_BAD_ARGUMENT;
    if (!error) {
        memcpy(f->frame[frame], f->store[page], PAGE_BYTES);
        error = paging_give(f->domain, paged, page, f->frame[frame]);
    }
    if (error) {
        f->refused += paging_refuse(f->domain, m);
        return;
    }
    f->holds[frame] = (int)page;
    f->next = (f->next + 1) % FRAMES;
    f->served++;
    paging_retry(f->domain, paged);
    if (f->served % STORED == 0)
        domain_log(f->domain, "served %lu pages, took %lu back", (unsigned long)f->served,
                   (unsigned long)f->taken_back);
}

const struct server motet_server_frames;
const struct server motet_server_frames = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "frames",
    .state_size = sizeof(struct frames),
    .stack_bytes = 512,
    .start = frames_start,
    .message = frames_message,
};
SERVER_EXPORT(motet_server_frames);
