/* SPDX-License-Identifier: ISC
 *
 * See store.h.
 */
#include "tests/explore/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    TABLE_FIRST = 1 << 16, /* entries of the set of hashes, at first */
    NODES_FIRST = 1 << 16,
};

static void *resize(struct store *store, void *old, uint64_t old_bytes, uint64_t bytes)
{
    void *at = old ? mremap(old, old_bytes, bytes, MREMAP_MAYMOVE)
                   : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        perror("explore: memory");
        exit(2);
    }
    store->bytes += bytes - old_bytes;
    return at;
}

static void release(struct store *store, void *at, uint64_t bytes)
{
    if (at && munmap(at, bytes) == 0)
        store->bytes -= bytes;
}

static void table_make(struct store *store, uint64_t capacity, bool owners)
{
    store->capacity = capacity;
    store->hashes = resize(store, NULL, 0, capacity * sizeof(uint64_t));
    madvise(store->hashes, capacity * sizeof(uint64_t), MADV_HUGEPAGE);
    store->owners = owners ? resize(store, NULL, 0, capacity * sizeof(uint32_t)) : NULL;
}

static void nodes_grow(struct store *store)
{
    uint64_t from = store->room, to = from ? 2 * from : NODES_FIRST;
    store->parents = resize(store, store->parents, from * sizeof(uint32_t), to * sizeof(uint32_t));
    store->actions =
        resize(store, store->actions, from * sizeof(struct action), to * sizeof(struct action));
    store->room = to;
}

void store_open(struct store *store, uint64_t bound, bool owners)
{
    *store = (struct store){.bound = bound};
    table_make(store, TABLE_FIRST, owners);
    nodes_grow(store);
}

void store_close(struct store *store)
{
    release(store, store->hashes, store->capacity * sizeof(uint64_t));
    release(store, store->owners, store->capacity * sizeof(uint32_t));
    release(store, store->parents, store->room * sizeof(uint32_t));
    release(store, store->actions, store->room * sizeof(struct action));
    *store = (struct store){0};
}

/* Where the hash is, or would be. */
static uint64_t find(const struct store *store, uint64_t hash)
{
    uint64_t at = hash & (store->capacity - 1);
    while (store->hashes[at] && store->hashes[at] != hash)
        at = (at + 1) & (store->capacity - 1);
    return at;
}

static void table_grow(struct store *store)
{
    const struct store old = *store;
    table_make(store, 2 * old.capacity, old.owners);
    for (uint64_t i = 0; i < old.capacity; i++) {
        if (!old.hashes[i])
            continue;
        uint64_t at = find(store, old.hashes[i]);
        store->hashes[at] = old.hashes[i];
        if (old.owners)
            store->owners[at] = old.owners[i];
    }
    release(store, old.hashes, old.capacity * sizeof(uint64_t));
    release(store, old.owners, old.capacity * sizeof(uint32_t));
}

/* Whether one more can be kept within the bound; makes room. */
static bool make_room(struct store *store)
{
    uint64_t entry = sizeof(uint64_t) + (store->owners ? sizeof(uint32_t) : 0);
    if (store->count == store->room) {
        uint64_t more = store->room * (sizeof(uint32_t) + sizeof(struct action));
        if (store->bytes + more > store->bound || store->count * 2 > UINT32_MAX)
            return false;
        nodes_grow(store);
    }
    if (store->count * 4 >= store->capacity * 3) {
        if (store->bytes + 2 * store->capacity * entry > store->bound)
            return false;
        table_grow(store);
    }
    return true;
}

bool store_has(const struct store *store, uint64_t hash)
{
    return store->hashes[find(store, hash)] != 0;
}

uint32_t store_owner(const struct store *store, uint64_t hash)
{
    return store->owners[find(store, hash)];
}

bool store_add(struct store *store, uint64_t hash, uint32_t parent, const struct action *action)
{
    if (!make_room(store))
        return false;
    uint64_t at = find(store, hash);
    store->hashes[at] = hash;
    if (store->owners)
        store->owners[at] = (uint32_t)store->count;
    store->parents[store->count] = parent;
    store->actions[store->count++] = *action;
    return true;
}
