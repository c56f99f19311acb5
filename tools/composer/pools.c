/* SPDX-License-Identifier: ISC
 *
 * See pools.h.
 */
#include "tools/composer/pools.h"

#include <string.h>

#include "ipc/pool.h"
#include "tools/composer/fields.h"
#include "tools/composer/names.h"
#include "tools/composer/swaps.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field pool_fields[] = {
    {"name", FIELD_NAME, true, offsetof(struct manifest_pool, name), 0, 0},
    {"buffers", FIELD_NUMBER, true, offsetof(struct manifest_pool, buffers), 1, POOL_BUFFERS_MAX},
    {"size", FIELD_POWER, true, offsetof(struct manifest_pool, size), 64, 65536},
    {"owner", FIELD_TEXT, true, offsetof(struct manifest_pool, owner_name), 0, 0},
    {"rights", FIELD_LIST, true, 0, 0, 0},
    {"rate", FIELD_NUMBER, false, offsetof(struct manifest_pool, rate), 1, RATE_MAX},
};

static const struct field right_fields[] = {
    {"server", FIELD_TEXT, false, offsetof(struct manifest_right, server_name), 0, 0},
    {"domain", FIELD_TEXT, false, offsetof(struct manifest_right, domain_name), 0, 0},
    {"may", FIELD_TEXT, true, offsetof(struct manifest_right, may), 0, 0},
    {"as", FIELD_NAME, false, offsetof(struct manifest_right, name), 0, 0},
};

static uint8_t parse_rights(const struct manifest_right *right)
{
    uint8_t rights = 0;
    for (const char *letter = right->may; *letter; letter++) {
        uint8_t bit = *letter == 'r'   ? POOL_READ
                      : *letter == 'w' ? POOL_WRITE
                      : *letter == 'd' ? POOL_DMA
                                       : 0;
        if (!bit || (rights & bit)) {
            report(right->at, "may = \"%s\" — use each of r (read), w (write) and d (dma) once",
                   right->may);
            return POOL_READ;
        }
        rights |= bit;
    }
    if ((rights & POOL_WRITE) && !(rights & POOL_READ))
        report(right->at, "may = \"%s\": a page that can be written can be read — write \"r%s\"",
               right->may, right->may);
    return rights;
}

/* Whose right it is. */
static void read_holder(const struct manifest *manifest, struct manifest_right *right)
{
    right->server = START_EVERY_SERVER;
    if (!right->domain_name == !right->server_name) {
        report(right->at, "a right has %s — write server = \"...\", or domain = \"...\"",
               right->domain_name ? "both \"server\" and \"domain\"" : "no \"server\"");
        return;
    }
    if (right->domain_name) {
        right->domain = find_domain(manifest, right->at, right->domain_name);
        return;
    }
    right->domain = find_holder(manifest, right->at, right->server_name, &right->server);
    if (right->domain && right->server == START_EVERY_SERVER)
        report(right->at, "\"%s\" is no server that lives in one domain — write domain = \"...\"",
               right->server_name);
}

static void read_right(const struct manifest *manifest, struct manifest_pool *pool,
                       config_setting_t *setting)
{
    struct manifest_right *right = &pool->rights[pool->right_count];
    right->at = setting_place(setting);
    memcpy(right->name, pool->name, sizeof right->name);
    fields_read(setting, "a right", right_fields, COUNT(right_fields), right);
    if (!config_setting_is_group(setting))
        return;
    read_holder(manifest, right);
    if (!right->domain || !right->may)
        return;
    right->rights = parse_rights(right);
    for (uint32_t i = 0; i < pool->right_count; i++) {
        if (pool->rights[i].domain == right->domain && pool->rights[i].server == right->server)
            report(right->at, "pool \"%s\" gives %s \"%s\" rights twice — join the letters",
                   pool->name, right->server_name ? "server" : "domain",
                   right->server_name ? right->server_name : right->domain_name);
    }
    pool->right_count++;
}

static void check_pool_name(const struct manifest *manifest, const struct manifest_pool *pool)
{
    for (const struct manifest_pool *other = manifest->pools; other < pool; other++) {
        if (pool->name[0] && !strcmp(other->name, pool->name))
            report(pool->at, "a pool \"%s\" exists already — give one of them another name",
                   pool->name);
    }
}

static void check_pool(const struct manifest *manifest, const struct manifest_pool *pool)
{
    check_pool_name(manifest, pool);
    if ((uint64_t)pool->buffers * pool->size > POOL_SIZE_MAX)
        report(pool->at,
               "pool \"%s\" has %u x %u bytes — a pool can have %d bytes at most, so "
               "give it fewer or smaller buffers",
               pool->name, pool->buffers, pool->size, POOL_SIZE_MAX);
    for (uint32_t i = 0; i < pool->right_count; i++) {
        if (pool->rights[i].domain == pool->owner)
            return;
    }
    if (pool->owner)
        report(pool->at,
               "the owner of pool \"%s\" has no right on it — add one of \"%s\" to its rights",
               pool->name, pool->owner_name);
}

static void read_pool(struct manifest *manifest, struct manifest_pool *pool,
                      config_setting_t *setting)
{
    uint32_t server;
    pool->at = setting_place(setting);
    fields_read(setting, "a pool", pool_fields, COUNT(pool_fields), pool);
    if (pool->owner_name)
        pool->owner = find_holder(manifest, pool->at, pool->owner_name, &server);
    uint32_t rights = list_length(setting, "rights", RIGHTS_MAX);
    for (uint32_t i = 0; i < rights; i++)
        read_right(manifest, pool, list_element(setting, "rights", i));
    check_pool(manifest, pool);
}

/* Whether one server could mean either by that name. */
static bool views_meet(const struct manifest_right *a, const struct manifest_right *b)
{
    return (a->server == b->server || a->server == START_EVERY_SERVER ||
            b->server == START_EVERY_SERVER) &&
           !strcmp(a->name, b->name);
}

/* Each server's own names of its pools are different, and there are as many as a start page holds.
 */
static void check_pool_views(const struct manifest *manifest)
{
    uint32_t counts[IMAGE_DOMAINS_MAX] = {0};
    const struct manifest_right *seen[IMAGE_DOMAINS_MAX][START_POOLS_MAX];
    for (uint32_t i = 0; i < manifest->pool_count; i++) {
        const struct manifest_pool *pool = &manifest->pools[i];
        for (uint32_t j = 0; j < pool->right_count; j++) {
            const struct manifest_right *right = &pool->rights[j];
            const char *name = manifest->domains[right->domain].name;
            uint32_t *count = &counts[right->domain];
            for (uint32_t k = 0; k < *count; k++) {
                if (views_meet(seen[right->domain][k], right))
                    report(right->at,
                           "%s \"%s\" knows two pools as \"%s\" — name this one with as = \"...\"",
                           right->server_name ? "server" : "domain",
                           right->server_name ? right->server_name : name, right->name);
            }
            if (*count < START_POOLS_MAX)
                seen[right->domain][(*count)++] = right;
            else
                report(right->at,
                       "domain \"%s\" has more than %d pools (one of several servers counts for "
                       "each) — join some of them",
                       name, START_POOLS_MAX);
        }
    }
}

void read_pools(struct manifest *manifest, config_setting_t *root)
{
    manifest->pool_count = list_length(root, "pools", POOLS_MAX);
    for (uint32_t i = 0; i < manifest->pool_count; i++)
        read_pool(manifest, &manifest->pools[i], list_element(root, "pools", i));
    check_pool_views(manifest);
}
