/* SPDX-License-Identifier: ISC
 *
 * Counter pages: see counters.h. counters_add is called by domain_init, counters_read by init.
 */
#include <string.h>

#include "libos/counters.h"

static void name_copy(char to[COUNTER_NAME_BYTES], const char *from)
{
    memset(to, 0, COUNTER_NAME_BYTES);
    for (uint32_t i = 0; i < COUNTER_NAME_BYTES - 1 && from[i]; i++)
        to[i] = from[i] < ' ' || from[i] > '~' ? '.' : from[i];
}

uint64_t *counters_add(struct counter_page *page, const char *const *names, uint64_t count)
{
    uint32_t first = page->count;
    if (count > COUNTERS_MAX - first)
        return NULL;
    for (uint64_t i = 0; i < count; i++)
        name_copy(page->name[first + i], names[i]);
    page->count = first + (uint32_t)count;
    return page->value + first;
}

int counters_server(const struct counter_page *page, uint32_t n)
{
    if (n < page->libos_end)
        return -1;
    for (int i = 0; i < COUNTER_SERVERS_MAX; i++)
        if (n < page->server_end[i])
            return i;
    return -1;
}

bool counters_read(const struct counter_page *page, uint32_t n, char name[COUNTER_NAME_BYTES],
                   uint64_t *value)
{
    if (n >= COUNTERS_MAX || n >= __atomic_load_n(&page->count, __ATOMIC_ACQUIRE))
        return false;
    name_copy(name, page->name[n]);
    *value = __atomic_load_n(&page->value[n], __ATOMIC_RELAXED);
    return true;
}
