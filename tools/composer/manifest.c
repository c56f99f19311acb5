/* SPDX-License-Identifier: ISC
 *
 * Reads a manifest with libconfig and checks what can be checked without the servers: keys, types,
 * ranges, names that must exist, names that must not exist twice. See manifest.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/pool.h"
#include "ipc/ring_layout.h"
#include "motet/abi.h"
#include "tools/composer/fields.h"
#include "tools/composer/heaps.h"
#include "tools/composer/manifest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field image_fields[] = {
    {"image", FIELD_NAME, true, offsetof(struct manifest, image), 0, 0},
    {"memory", FIELD_SIZE, false, offsetof(struct manifest, memory), 1 << 20, 1ull << 40},
    {"domains", FIELD_LIST, true, 0, 0, 0},
    {"connections", FIELD_LIST, false, 0, 0, 0},
    {"pools", FIELD_LIST, false, 0, 0, 0},
};

/* Microseconds. A budget must be worth the two switches that it costs. */
enum { BUDGET_MIN = 10, PERIOD_MAX = 10 * 1000 * 1000 };

static const struct field domain_fields[] = {
    {"name", FIELD_NAME, true, offsetof(struct manifest_domain, name), 0, 0},
    {"servers", FIELD_LIST, true, 0, 0, 0},
    {"priority", FIELD_NUMBER, true, offsetof(struct manifest_domain, priority), PRIORITY_MIN,
     PRIORITY_MAX},
    {"devices", FIELD_LIST, false, 0, 0, 0},
    {"files", FIELD_LIST, false, 0, 0, 0},
    {"settings", FIELD_LIST, false, 0, 0, 0},
    {"stack", FIELD_SIZE, false, offsetof(struct manifest_domain, stack), PAGE_BYTES, STACK_MAX},
    {"table_slots", FIELD_NUMBER, false, offsetof(struct manifest_domain, table_slots),
     SLOTS_PER_PAGE, SLOTS_PER_PAGE *CAPTABLE_PAGES_MAX},
    {"budget", FIELD_NUMBER, false, offsetof(struct manifest_domain, budget), BUDGET_MIN,
     PERIOD_MAX},
    {"period", FIELD_NUMBER, false, offsetof(struct manifest_domain, period), BUDGET_MIN,
     PERIOD_MAX},
    {"heap", FIELD_SIZE, false, offsetof(struct manifest_domain, heap), 1,
     (uint64_t)HEAP_BLOCKS_MAX *HEAP_BLOCK_BYTES},
    {"heap_kept", FIELD_SIZE, false, offsetof(struct manifest_domain, heap_kept), 0,
     (uint64_t)HEAP_BLOCKS_MAX *HEAP_BLOCK_BYTES},
    {"pager", FIELD_TEXT, false, offsetof(struct manifest_domain, pager_name), 0, 0},
    {"trace", FIELD_BOOL, false, offsetof(struct manifest_domain, trace), 0, 0},
    {"control", FIELD_BOOL, false, offsetof(struct manifest_domain, control), 0, 0},
};

enum { VIRTIO_TYPE_MAX = 63 }; /* PCI ids 0x1041 to 0x107f name these */

static const struct field claim_fields[] = {
    {"server", FIELD_TEXT, true, offsetof(struct manifest_claim, server_name), 0, 0},
    {"pci", FIELD_TEXT, false, offsetof(struct manifest_claim, pci), 0, 0},
    {"virtio", FIELD_NUMBER, false, offsetof(struct manifest_claim, virtio), 1, VIRTIO_TYPE_MAX},
    {"most", FIELD_NUMBER, false, offsetof(struct manifest_claim, most), 1, START_DEVICES_MAX},
    {"vectors", FIELD_NUMBER, false, offsetof(struct manifest_claim, vectors), 0,
     DEVICE_VECTORS_MAX},
    {"required", FIELD_BOOL, false, offsetof(struct manifest_claim, required), 0, 0},
    {"contained", FIELD_BOOL, false, offsetof(struct manifest_claim, contained), 0, 0},
};

static const struct field file_fields[] = {
    {"name", FIELD_NAME, true, offsetof(struct manifest_file, name), 0, 0},
    {"file", FIELD_TEXT, true, offsetof(struct manifest_file, file), 0, 0},
};

static const struct field connection_fields[] = {
    {"client", FIELD_TEXT, true, offsetof(struct manifest_connection, client.text), 0, 0},
    {"server", FIELD_TEXT, true, offsetof(struct manifest_connection, server.text), 0, 0},
    {"slots", FIELD_POWER, true, offsetof(struct manifest_connection, slots), RING_SLOTS_MIN,
     RING_SLOTS_MAX},
};

static const struct field pool_fields[] = {
    {"name", FIELD_NAME, true, offsetof(struct manifest_pool, name), 0, 0},
    {"buffers", FIELD_NUMBER, true, offsetof(struct manifest_pool, buffers), 1, POOL_BUFFERS_MAX},
    {"size", FIELD_POWER, true, offsetof(struct manifest_pool, size), 64, 65536},
    {"owner", FIELD_TEXT, true, offsetof(struct manifest_pool, owner_name), 0, 0},
    {"rights", FIELD_LIST, true, 0, 0, 0},
};

static const struct field right_fields[] = {
    {"domain", FIELD_TEXT, true, offsetof(struct manifest_right, domain_name), 0, 0},
    {"may", FIELD_TEXT, true, offsetof(struct manifest_right, may), 0, 0},
    {"as", FIELD_NAME, false, offsetof(struct manifest_right, name), 0, 0},
};

static config_setting_t *element(config_setting_t *group, const char *key, uint32_t index)
{
    return config_setting_get_elem(config_setting_get_member(group, key), index);
}

/* Index of the domain, or 0 (init, which can't be meant) after reporting. */
static uint32_t find_domain(const struct manifest *manifest, struct place at, const char *name)
{
    const char *names[IMAGE_DOMAINS_MAX];
    for (uint32_t i = 1; i < manifest->domain_count; i++) {
        if (!strcmp(manifest->domains[i].name, name))
            return i;
        names[i - 1] = manifest->domains[i].name;
    }
    char buffer[SUGGESTION_BYTES];
    report(at, "unknown domain \"%s\" — %s", name,
           suggest(buffer, name, names, manifest->domain_count - 1));
    return 0;
}

/* Index of the server in the domain, or SERVERS_MAX after reporting. */
static uint32_t find_server(const struct manifest_domain *domain, struct place at, const char *name)
{
    const char *names[SERVERS_MAX];
    for (uint32_t i = 0; i < domain->server_count; i++) {
        names[i] = domain->servers[i].text;
        if (!strcmp(names[i], name))
            return i;
    }
    char buffer[SUGGESTION_BYTES];
    report(at, "domain \"%s\" has no server \"%s\" — %s", domain->name, name,
           suggest(buffer, name, names, domain->server_count));
    return SERVERS_MAX;
}

/* Texts of the list `key` go to out[]; those that aren't texts are reported. */
static uint32_t read_texts(config_setting_t *group, const char *key, struct manifest_text *out,
                           uint32_t max)
{
    uint32_t length = list_length(group, key, max), count = 0;
    for (uint32_t i = 0; i < length; i++) {
        config_setting_t *setting = element(group, key, i);
        const char *text = config_setting_get_string(setting);
        if (text && text[0])
            out[count++] = (struct manifest_text){setting_place(setting), text};
        else
            report(setting_place(setting), "%s has an element that is no text — put it in \"\"",
                   key);
    }
    return count;
}

static void read_servers(config_setting_t *group, struct manifest_domain *domain)
{
    domain->server_count = read_texts(group, "servers", domain->servers, SERVERS_MAX);
    if (!domain->server_count && config_setting_get_member(group, "servers"))
        report(domain->at, "domain \"%s\" has no servers — name at least one, or drop the domain",
               domain->name);
    for (uint32_t i = 0; i < domain->server_count; i++) {
        struct manifest_text *server = &domain->servers[i];
        if (!is_identifier(server->text, sizeof domain->name - 1))
            report(server->at, "server \"%s\" is no name — use lowercase letters, digits and _",
                   server->text);
        for (uint32_t j = 0; j < i; j++) {
            if (!strcmp(domain->servers[j].text, server->text))
                report(server->at,
                       "server \"%s\" is twice in domain \"%s\" — give the second a domain of its "
                       "own",
                       server->text, domain->name);
        }
    }
}

/* "1af4:1041" or "1af4:1041-107f". */
static bool parse_pci(struct manifest_claim *claim)
{
    unsigned vendor, id, last;
    int end = 0;
    if (strspn(claim->pci, "0123456789abcdef:-") != strlen(claim->pci))
        return false;
    if (sscanf(claim->pci, "%4x:%4x-%4x%n", &vendor, &id, &last, &end) != 3) {
        end = 0;
        if (sscanf(claim->pci, "%4x:%4x%n", &vendor, &id, &end) != 2)
            return false;
        last = id;
    }
    claim->vendor = (uint16_t)vendor;
    claim->id = (uint16_t)id;
    claim->id_last = (uint16_t)last;
    return !claim->pci[end] && last >= id;
}

static void read_claims(config_setting_t *group, struct manifest_domain *domain)
{
    domain->claim_count = list_length(group, "devices", CLAIMS_MAX);
    for (uint32_t i = 0; i < domain->claim_count; i++) {
        config_setting_t *setting = element(group, "devices", i);
        struct manifest_claim *claim = &domain->claims[i];
        *claim = (struct manifest_claim){.at = setting_place(setting), .most = 1};
        fields_read(setting, "a device", claim_fields, COUNT(claim_fields), claim);
        if (claim->server_name)
            claim->server = find_server(domain, claim->at, claim->server_name);
        if (!claim->pci == !claim->virtio)
            report(claim->at, "a device claim has %s — write pci = \"VENDOR:ID\" or virtio = TYPE",
                   claim->pci ? "both \"pci\" and \"virtio\"" : "neither \"pci\" nor \"virtio\"");
        if (claim->pci && !parse_pci(claim))
            report(claim->at,
                   "pci = \"%s\" names no device — write VENDOR:ID or VENDOR:FIRST-LAST in "
                   "hexadecimal digits, like \"1af4:1041\"",
                   claim->pci);
    }
}

static void read_files(config_setting_t *group, struct manifest_domain *domain)
{
    domain->file_count = list_length(group, "files", START_FILES_MAX);
    for (uint32_t i = 0; i < domain->file_count; i++) {
        config_setting_t *setting = element(group, "files", i);
        struct manifest_file *file = &domain->files[i];
        file->at = setting_place(setting);
        fields_read(setting, "a file", file_fields, COUNT(file_fields), file);
        for (uint32_t j = 0; j < i; j++) {
            if (file->name[0] && !strcmp(domain->files[j].name, file->name))
                report(file->at, "domain \"%s\" has two files \"%s\" — give one another name",
                       domain->name, file->name);
        }
    }
}

static void read_domain(struct manifest *manifest, config_setting_t *setting)
{
    struct manifest_domain *domain = &manifest->domains[manifest->domain_count];
    domain->at = setting_place(setting);
    fields_read(setting, "a domain", domain_fields, COUNT(domain_fields), domain);
    if (!config_setting_is_group(setting))
        return;
    if (!config_setting_get_member(setting, "heap_kept") && !domain->pager_name)
        domain->heap_kept = domain->heap;
    read_servers(setting, domain);
    read_claims(setting, domain);
    read_files(setting, domain);
    domain->setting_count = read_texts(setting, "settings", domain->settings, SETTINGS_MAX);
    for (uint32_t i = 0; i < manifest->domain_count; i++) {
        if (domain->name[0] && !strcmp(manifest->domains[i].name, domain->name))
            report(domain->at, "a domain \"%s\" exists already — %s", domain->name,
                   i ? "give one of them another name" : "init is always there; take another name");
    }
    if (!domain->budget != !domain->period || domain->budget > domain->period)
        report(
            domain->at,
            "budget = %u microseconds in each period = %u — give both, the period at least as long",
            domain->budget, domain->period);
    if (domain->table_slots % SLOTS_PER_PAGE)
        report(domain->at, "table_slots = %u fills no whole pages — give a multiple of %d",
               domain->table_slots, SLOTS_PER_PAGE);
}

static void find_controller(struct manifest *manifest)
{
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        const struct manifest_domain *domain = &manifest->domains[d];
        if (!domain->control)
            continue;
        if (manifest->controller)
            report(domain->at, "\"%s\" and \"%s\" have control = true — init answers one domain",
                   manifest->domains[manifest->controller].name, domain->name);
        manifest->controller = d;
        manifest->domains[0].managed = true;
    }
}

static void read_domains(struct manifest *manifest, config_setting_t *root)
{
    uint32_t length = list_length(root, "domains", IMAGE_DOMAINS_MAX - 1);
    strcpy(manifest->domains[0].name, "init");
    manifest->domains[0].priority = PRIORITY_MAX + 1;
    manifest->domains[0].at = manifest->at;
    manifest->domain_count = 1;
    for (uint32_t i = 0; i < length; i++) {
        read_domain(manifest, element(root, "domains", i));
        manifest->domain_count++;
    }
    find_controller(manifest);
    if (!length && !report_count())
        report(manifest->at, "the image has no domains — add one to domains = ( ... )");
}

/* Splits at dots. False when there are too few or too many parts, or one is too long. */
static bool split_endpoint(struct endpoint *end, uint32_t *count)
{
    const char *rest = end->text;
    for (*count = 0; *count < ENDPOINT_PARTS_MAX; rest++) {
        size_t length = strcspn(rest, ".");
        if (!length || length >= sizeof end->parts[0])
            return false;
        memcpy(end->parts[(*count)++], rest, length);
        rest += length;
        if (!*rest)
            return *count >= 2;
    }
    return false;
}

/* After this, parts[0] to [2] are domain, server and port. */
static void resolve_endpoint(const struct manifest *manifest, struct place at, struct endpoint *end)
{
    uint32_t count;
    if (!split_endpoint(end, &count)) {
        report(at, "\"%s\" names no port — write DOMAIN.PORT or DOMAIN.SERVER.PORT", end->text);
        return;
    }
    end->domain = find_domain(manifest, at, end->parts[0]);
    const struct manifest_domain *domain = &manifest->domains[end->domain];
    if (!end->domain || !domain->server_count)
        return;
    if (count == ENDPOINT_PARTS_MAX) {
        end->server = find_server(domain, at, end->parts[1]);
        return;
    }
    if (domain->server_count > 1)
        report(at, "domain \"%s\" has %u servers — write which one: %s.SERVER.%s", domain->name,
               domain->server_count, domain->name, end->parts[1]);
    memcpy(end->parts[2], end->parts[1], sizeof end->parts[2]);
}

static void read_connections(struct manifest *manifest, config_setting_t *root)
{
    uint32_t length = list_length(root, "connections", CONNECTIONS_MAX);
    for (uint32_t i = 0; i < length; i++) {
        config_setting_t *setting = element(root, "connections", i);
        struct manifest_connection *connection = &manifest->connections[i];
        connection->at = setting_place(setting);
        fields_read(setting, "a connection", connection_fields, COUNT(connection_fields),
                    connection);
        if (connection->client.text)
            resolve_endpoint(manifest, connection->at, &connection->client);
        if (connection->server.text)
            resolve_endpoint(manifest, connection->at, &connection->server);
    }
    manifest->connection_count = length;
}

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

static void read_right(const struct manifest *manifest, struct manifest_pool *pool,
                       config_setting_t *setting)
{
    struct manifest_right *right = &pool->rights[pool->right_count];
    right->at = setting_place(setting);
    memcpy(right->name, pool->name, sizeof right->name);
    fields_read(setting, "a right", right_fields, COUNT(right_fields), right);
    if (!right->domain_name || !right->may)
        return;
    right->domain = find_domain(manifest, right->at, right->domain_name);
    right->rights = parse_rights(right);
    for (uint32_t i = 0; i < pool->right_count; i++) {
        if (pool->rights[i].domain == right->domain)
            report(right->at, "pool \"%s\" gives domain \"%s\" rights twice — join the letters",
                   pool->name, right->domain_name);
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
               "the owner of pool \"%s\" has no right on it — add { domain = \"%s\"; "
               "may = \"...\"; } to its rights",
               pool->name, pool->owner_name);
}

static void read_pools(struct manifest *manifest, config_setting_t *root)
{
    uint32_t length = list_length(root, "pools", POOLS_MAX);
    for (uint32_t i = 0; i < length; i++) {
        config_setting_t *setting = element(root, "pools", i);
        struct manifest_pool *pool = &manifest->pools[i];
        pool->at = setting_place(setting);
        fields_read(setting, "a pool", pool_fields, COUNT(pool_fields), pool);
        if (pool->owner_name)
            pool->owner = find_domain(manifest, pool->at, pool->owner_name);
        uint32_t rights = list_length(setting, "rights", IMAGE_DOMAINS_MAX);
        for (uint32_t j = 0; j < rights; j++)
            read_right(manifest, pool, element(setting, "rights", j));
        check_pool(manifest, pool);
    }
    manifest->pool_count = length;
}

/* Each domain's own names of its pools are different, and there are as many as a start page holds.
 */
static void check_pool_views(const struct manifest *manifest)
{
    uint32_t counts[IMAGE_DOMAINS_MAX] = {0};
    const struct manifest_right *seen[IMAGE_DOMAINS_MAX][START_POOLS_MAX];
    for (uint32_t i = 0; i < manifest->pool_count; i++) {
        const struct manifest_pool *pool = &manifest->pools[i];
        for (uint32_t j = 0; j < pool->right_count; j++) {
            const struct manifest_right *right = &pool->rights[j];
            uint32_t *count = &counts[right->domain];
            for (uint32_t k = 0; right->domain && k < *count; k++) {
                if (!strcmp(seen[right->domain][k]->name, right->name))
                    report(right->at,
                           "domain \"%s\" knows two pools as \"%s\" — name this one with as = "
                           "\"...\"",
                           right->domain_name, right->name);
            }
            if (*count < START_POOLS_MAX)
                seen[right->domain][(*count)++] = right;
            else if (right->domain)
                report(right->at, "domain \"%s\" has more than %d pools — join some of them",
                       right->domain_name, START_POOLS_MAX);
        }
    }
}

static bool read_file(config_t *config, const char *path)
{
    if (config_read_file(config, path) == CONFIG_TRUE)
        return true;
    if (config_error_type(config) == CONFIG_ERR_FILE_IO)
        return report((struct place){path, 0}, "can't be read — check the name and its rights");
    const char *file = config_error_file(config);
    return report((struct place){file ? file : path, (unsigned)config_error_line(config)},
                  "%s — look here and at the end of the line before; settings are key = value;",
                  config_error_text(config));
}

bool manifest_read(struct manifest *manifest, const char *path)
{
    /* Never destroyed: the struct points into it. */
    config_t *config = malloc(sizeof *config);
    if (!config)
        return report((struct place){path, 0}, "no memory — close something");
    config_init(config);
    if (!read_file(config, path))
        return false;
    config_setting_t *root = config_root_setting(config);
    manifest->at = (struct place){path, 1};
    config_setting_t *memory = config_setting_get_member(root, "memory");
    if (memory)
        manifest->memory_at = setting_place(memory);
    fields_read(root, "the manifest", image_fields, COUNT(image_fields), manifest);
    read_domains(manifest, root);
    heaps_check(manifest);
    read_connections(manifest, root);
    read_pools(manifest, root);
    check_pool_views(manifest);
    return report_count() == 0;
}
