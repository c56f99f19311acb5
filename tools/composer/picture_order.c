/* SPDX-License-Identifier: ISC
 *
 * See picture_order.h. A server's depth is the longest way of requests from it to one that asks
 * nobody; requests make no cycle (check.c), so it is below the number of servers. Between domains
 * there can be cycles: then some arrows go the other way.
 */
#include <stdlib.h>

#include "tools/composer/picture_order.h"

typedef uint32_t depths[IMAGE_DOMAINS_MAX][SERVERS_MAX];

static void find_depths(const struct picture *p, depths depth)
{
    bool changed = true;
    for (uint32_t round = 0; changed && round < IMAGE_DOMAINS_MAX * SERVERS_MAX; round++) {
        changed = false;
        for (uint32_t i = 0; i < p->arrow_count; i++) {
            const struct picture_arrow *arrow = &p->arrows[i];
            uint32_t least = depth[arrow->to.domain][arrow->to.server] + 1;
            uint32_t *from = &depth[arrow->from.domain][arrow->from.server];
            if (*from < least) {
                *from = least;
                changed = true;
            }
        }
    }
}

/* Both get the lower number of the two. */
static bool join(uint32_t group[], uint32_t a, uint32_t b)
{
    uint32_t low = group[a] < group[b] ? group[a] : group[b];
    bool changed = group[a] != group[b];
    group[a] = group[b] = low;
    return changed;
}

static bool join_pool(const struct manifest_pool *pool, uint32_t group[])
{
    bool changed = false;
    for (uint32_t r = 1; r < pool->right_count; r++)
        changed |= join(group, pool->rights[0].domain, pool->rights[r].domain);
    return changed;
}

/* Domains that are joined by arrows or pools, in however many steps, get one number: that of the
 * first of them. */
static void find_groups(const struct picture *p, uint32_t group[IMAGE_DOMAINS_MAX])
{
    bool changed = true;
    for (uint32_t d = 0; d < IMAGE_DOMAINS_MAX; d++)
        group[d] = d;
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < p->arrow_count; i++)
            changed |= join(group, p->arrows[i].from.domain, p->arrows[i].to.domain);
        for (uint32_t i = 0; i < p->c->manifest->pool_count; i++)
            changed |= join_pool(&p->c->manifest->pools[i], group);
    }
}

static bool is_alone(const struct picture *p, uint32_t domain)
{
    for (uint32_t i = 0; i < p->arrow_count; i++) {
        if (p->arrows[i].from.domain == domain || p->arrows[i].to.domain == domain)
            return false;
    }
    for (uint32_t i = 0; i < p->c->manifest->pool_count; i++) {
        const struct manifest_pool *pool = &p->c->manifest->pools[i];
        for (uint32_t r = 0; r < pool->right_count; r++) {
            if (pool->rights[r].domain == domain)
                return false;
        }
    }
    return true;
}

/* The deepest to the right; equals stay as the manifest has them. */
static void order_servers(struct picture_column *column, const uint32_t depth[], uint32_t count)
{
    for (uint32_t s = 0; s < count; s++) {
        uint32_t at = s;
        for (; at && depth[column->order[at - 1]] > depth[s]; at--)
            column->order[at] = column->order[at - 1];
        column->order[at] = s;
    }
}

/* Those alone last; what is joined together; who is asked before who asks. */
static int by_place(const void *left, const void *right)
{
    const struct picture_column *a = left, *b = right;
    if (a->alone != b->alone)
        return a->alone - b->alone;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->layer != b->layer)
        return a->layer < b->layer ? -1 : 1;
    return (a->domain > b->domain) - (a->domain < b->domain);
}

void picture_order(struct picture *p)
{
    static depths depth;
    uint32_t group[IMAGE_DOMAINS_MAX];
    find_depths(p, depth);
    find_groups(p, group);
    for (uint32_t d = 1; d < p->c->drawn_count; d++) {
        struct picture_column *column = &p->columns[p->count++];
        uint32_t servers = p->c->domains[d].program->server_count;
        column->domain = d;
        column->group = group[d];
        column->alone = is_alone(p, d);
        p->joined += !column->alone;
        order_servers(column, depth[d], servers);
        for (uint32_t s = 0; s < servers; s++) {
            if (depth[d][s] > column->layer)
                column->layer = depth[d][s];
        }
    }
    qsort(p->columns, p->count, sizeof p->columns[0], by_place);
    for (uint32_t i = 0; i < p->count; i++)
        p->column_of[p->columns[i].domain] = i;
}
