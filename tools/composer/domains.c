/* SPDX-License-Identifier: ISC
 *
 * See domains.h.
 */
#include "tools/composer/domains.h"

#include <stdio.h>
#include <string.h>

#include "motet/abi.h"
#include "tools/composer/fields.h"
#include "tools/composer/isa.h"
#include "tools/composer/names.h"
#include "tools/composer/swaps.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Microseconds. A budget must be worth the two switches that it costs. */
enum { BUDGET_MIN = 10, PERIOD_MAX = 10 * 1000 * 1000, WATCHDOG_MIN = 1000 };

enum { RESTARTS_MAX = 100 }; /* in a row */

static const struct field domain_fields[] = {
    {"name", FIELD_NAME, false, offsetof(struct manifest_domain, name), 0, 0},
    {"servers", FIELD_LIST, true, 0, 0, 0},
    {"priority", FIELD_NUMBER, false, offsetof(struct manifest_domain, priority), PRIORITY_MIN,
     PRIORITY_MAX},
    {"devices", FIELD_LIST, false, 0, 0, 0},
    {"files", FIELD_LIST, false, 0, 0, 0},
    {"settings", FIELD_LIST, false, 0, 0, 0},
    {"stack", FIELD_SIZE, false, offsetof(struct manifest_domain, stack), PAGE_BYTES, STACK_MAX},
    {"table_slots", FIELD_NUMBER, false, offsetof(struct manifest_domain, table_slots),
     SLOTS_PER_PAGE, SLOTS_PER_PAGE *CAPTABLE_PAGES_MAX},
    {"watchdog", FIELD_NUMBER, false, offsetof(struct manifest_domain, watchdog), WATCHDOG_MIN,
     PERIOD_MAX},
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
    {"restart", FIELD_NUMBER, false, offsetof(struct manifest_domain, restart), 1, RESTARTS_MAX},
    {"loader", FIELD_BOOL, false, offsetof(struct manifest_domain, loader), 0, 0},
    {"swap", FIELD_BOOL, false, offsetof(struct manifest_domain, swap), 0, 0},
    {"text_room", FIELD_SIZE, false, offsetof(struct manifest_domain, text_room), PAGE_BYTES,
     ROOM_MAX},
    {"constants_room", FIELD_SIZE, false, offsetof(struct manifest_domain, constants_room),
     PAGE_BYTES, ROOM_MAX},
    {"state_room", FIELD_SIZE, false, offsetof(struct manifest_domain, state_room), PAGE_BYTES,
     STATE_ROOM_MAX},
};

/* What belongs to a server: of the above what isn't about a domain. */
static const struct field part_fields[] = {
    {"name", FIELD_NAME, true, offsetof(struct manifest_domain, name), 0, 0},
    {"priority", FIELD_NUMBER, true, offsetof(struct manifest_domain, priority), PRIORITY_MIN,
     PRIORITY_MAX},
    {"devices", FIELD_LIST, false, 0, 0, 0},
    {"files", FIELD_LIST, false, 0, 0, 0},
    {"settings", FIELD_LIST, false, 0, 0, 0},
    {"stack", FIELD_SIZE, false, offsetof(struct manifest_domain, stack), PAGE_BYTES, STACK_MAX},
    {"heap", FIELD_SIZE, false, offsetof(struct manifest_domain, heap), 1,
     (uint64_t)HEAP_BLOCKS_MAX *HEAP_BLOCK_BYTES},
    {"heap_kept", FIELD_SIZE, false, offsetof(struct manifest_domain, heap_kept), 0,
     (uint64_t)HEAP_BLOCKS_MAX *HEAP_BLOCK_BYTES},
    {"trace", FIELD_BOOL, false, offsetof(struct manifest_domain, trace), 0, 0},
    {"control", FIELD_BOOL, false, offsetof(struct manifest_domain, control), 0, 0},
    {"restart", FIELD_NUMBER, false, offsetof(struct manifest_domain, restart), 1, RESTARTS_MAX},
    {"swap", FIELD_BOOL, false, offsetof(struct manifest_domain, swap), 0, 0},
};

enum { VIRTIO_TYPE_MAX = 63 }; /* PCI ids 0x1041 to 0x107f name these */

static const struct field claim_fields[] = {
    {"server", FIELD_TEXT, false, offsetof(struct manifest_claim, server_name), 0, 0},
    {"pci", FIELD_TEXT, false, offsetof(struct manifest_claim, pci), 0, 0},
    {"virtio", FIELD_NUMBER, false, offsetof(struct manifest_claim, virtio), 1, VIRTIO_TYPE_MAX},
    {"isa", FIELD_TEXT, false, offsetof(struct manifest_claim, isa_name), 0, 0},
    {"most", FIELD_NUMBER, false, offsetof(struct manifest_claim, most), 1, START_DEVICES_MAX},
    {"vectors", FIELD_NUMBER, false, offsetof(struct manifest_claim, vectors), 0,
     DEVICE_VECTORS_MAX},
    {"required", FIELD_BOOL, false, offsetof(struct manifest_claim, required), 0, 0},
    {"contained", FIELD_BOOL, false, offsetof(struct manifest_claim, contained), 0, 0},
};

static const struct field file_fields[] = {
    {"name", FIELD_NAME, true, offsetof(struct manifest_file, name), 0, 0},
    {"file", FIELD_TEXT, true, offsetof(struct manifest_file, file), 0, 0},
    {"reload", FIELD_BOOL, false, offsetof(struct manifest_file, reload), 0, 0},
    {"room", FIELD_SIZE, false, offsetof(struct manifest_file, room), PAGE_BYTES, ROOM_MAX},
};

static bool is_server_name(const char *name)
{
    return is_identifier(name, IMAGE_NAME_BYTES - 1);
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

/* Which device it is. */
static void read_identity(struct manifest_claim *claim)
{
    const int ways = !!claim->pci + !!claim->virtio + !!claim->isa_name;
    if (ways != 1)
        report(claim->at,
               "a device claim has %s of \"pci\", \"virtio\" and \"isa\" — write pci = "
               "\"VENDOR:ID\", virtio = TYPE or isa = \"NAME\"",
               ways ? "several" : "none");
    if (claim->pci && !parse_pci(claim))
        report(claim->at,
               "pci = \"%s\" names no device — write VENDOR:ID or VENDOR:FIRST-LAST in "
               "hexadecimal digits, like \"1af4:1041\"",
               claim->pci);
    claim->isa = claim->isa_name ? isa_find(claim->at, claim->isa_name) : NULL;
    if (claim->isa)
        isa_check_claim(claim);
}

/* `part`: what belongs to a server, so that the claim needn't say whose it is. */
static void read_claim(config_setting_t *setting, struct manifest_domain *domain, bool part,
                       struct manifest_claim *claim)
{
    *claim = (struct manifest_claim){.at = setting_place(setting), .most = 1};
    fields_read(setting, "a device", claim_fields, COUNT(claim_fields), claim);
    if (!config_setting_is_group(setting))
        return;
    if (part && claim->server_name)
        report(claim->at, "a device of a server says \"server\" — drop the key, it is clear whose");
    if (!part && !claim->server_name)
        report(claim->at, "a device has no \"server\" — add server = ...;");
    if (!part && claim->server_name)
        claim->server = find_server(domain, claim->at, claim->server_name);
    read_identity(claim);
}

static void check_file_name(const struct manifest_domain *domain, const struct manifest_file *file,
                            uint32_t before)
{
    for (uint32_t i = 0; i < before; i++) {
        const struct manifest_file *other = &domain->files[i];
        bool meet = other->server == file->server || other->server == START_EVERY_SERVER ||
                    file->server == START_EVERY_SERVER;
        if (file->name[0] && meet && !strcmp(other->name, file->name))
            report(file->at, "domain \"%s\" has two files \"%s\" — give one another name",
                   domain->name, file->name);
    }
}

/* What a domain and a server have in common. */
static void read_belongings(config_setting_t *setting, struct manifest_domain *domain, bool part)
{
    domain->claim_count = list_length(setting, "devices", CLAIMS_MAX);
    for (uint32_t i = 0; i < domain->claim_count; i++)
        read_claim(list_element(setting, "devices", i), domain, part, &domain->claims[i]);
    domain->file_count = list_length(setting, "files", START_FILES_MAX);
    for (uint32_t i = 0; i < domain->file_count; i++) {
        config_setting_t *element = list_element(setting, "files", i);
        struct manifest_file *file = &domain->files[i];
        file->at = setting_place(element);
        file->server = START_EVERY_SERVER;
        fields_read(element, "a file", file_fields, COUNT(file_fields), file);
        check_file_name(domain, file, i);
    }
    domain->setting_count = read_texts(setting, "settings", domain->settings, SETTINGS_MAX);
    if (!config_setting_get_member(setting, "heap_kept") && !domain->pager_name)
        domain->heap_kept = domain->heap;
}

static void read_part(struct manifest *manifest, config_setting_t *setting)
{
    struct manifest_domain *part = &manifest->parts[manifest->part_count];
    part->at = setting_place(setting);
    fields_read(setting, "a server", part_fields, COUNT(part_fields), part);
    if (!config_setting_is_group(setting))
        return;
    read_belongings(setting, part, true);
    for (uint32_t i = 0; i < manifest->part_count; i++) {
        if (part->name[0] && !strcmp(manifest->parts[i].name, part->name))
            report(part->at, "a server \"%s\" is listed already — join the two", part->name);
    }
    manifest->part_count++;
}

/* The domain takes over what belongs to its server s. What doesn't fit is said. */

static void take_claims(struct manifest_domain *domain, uint32_t s,
                        const struct manifest_domain *part)
{
    for (uint32_t i = 0; i < part->claim_count; i++) {
        if (domain->claim_count == CLAIMS_MAX) {
            report(part->claims[i].at,
                   "the servers of domain \"%s\" claim devices more than %d times — let some of "
                   "them live elsewhere",
                   domain->name, CLAIMS_MAX);
            return;
        }
        struct manifest_claim *claim = &domain->claims[domain->claim_count++];
        *claim = part->claims[i];
        claim->server = s;
    }
}

static void take_files(struct manifest_domain *domain, uint32_t s,
                       const struct manifest_domain *part)
{
    for (uint32_t i = 0; i < part->file_count; i++) {
        if (domain->file_count == START_FILES_MAX) {
            report(part->files[i].at,
                   "the servers of domain \"%s\" have more than %d files — let some of them live "
                   "elsewhere",
                   domain->name, START_FILES_MAX);
            return;
        }
        struct manifest_file *file = &domain->files[domain->file_count];
        *file = part->files[i];
        file->server = s;
        check_file_name(domain, file, domain->file_count++);
    }
}

/* Whether two "key=value" have one key. */
static bool same_key(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return length == strcspn(b, "=") && !strncmp(a, b, length);
}

static void take_settings(struct manifest_domain *domain, const struct manifest_domain *part)
{
    for (uint32_t i = 0; i < part->setting_count; i++) {
        const struct manifest_text *setting = &part->settings[i];
        for (uint32_t j = 0; j < domain->setting_count; j++) {
            if (same_key(domain->settings[j].text, setting->text) &&
                strcmp(domain->settings[j].text, setting->text) != 0)
                report(setting->at,
                       "two servers of domain \"%s\" have \"%s\" and \"%s\" — settings are the "
                       "domain's: let them live apart",
                       domain->name, domain->settings[j].text, setting->text);
        }
        if (domain->setting_count == SETTINGS_MAX) {
            report(setting->at, "domain \"%s\" has more than %d settings — drop some", domain->name,
                   SETTINGS_MAX);
            return;
        }
        domain->settings[domain->setting_count++] = *setting;
    }
}

static void take_part(struct manifest_domain *domain, uint32_t s, struct manifest_domain *part)
{
    if (part->server_count++)
        report(
            domain->servers[s].at,
            "server \"%s\" lives in two domains, and what `servers` says of it is one server's — "
            "drop it from one of them, or write it into the domains",
            part->name);
    take_claims(domain, s, part);
    take_files(domain, s, part);
    take_settings(domain, part);
    domain->server_stack[s] = part->stack;
    domain->heap += part->heap;
    domain->heap_kept += part->heap_kept;
    domain->trace |= part->trace;
    domain->control |= part->control;
    domain->swap |= part->swap;
    if (part->restart > domain->restart)
        domain->restart = part->restart;
}

/* The domain's own priority counts, else the highest of its servers'. */
static void take_parts(struct manifest *manifest, struct manifest_domain *domain)
{
    uint32_t highest = 0;
    for (uint32_t s = 0; s < domain->server_count; s++) {
        for (uint32_t i = 0; i < manifest->part_count; i++) {
            struct manifest_domain *part = &manifest->parts[i];
            if (strcmp(part->name, domain->servers[s].text) != 0)
                continue;
            take_part(domain, s, part);
            if (part->priority > highest)
                highest = part->priority;
        }
    }
    if (!domain->priority)
        domain->priority = highest;
}

/* A name alone: that server, in a domain of its own. */
static void read_server_alone(config_setting_t *setting, struct manifest_domain *domain)
{
    const char *name = config_setting_get_string(setting);
    domain->servers[domain->server_count++] = (struct manifest_text){domain->at, name};
    if (!is_server_name(name))
        report(domain->at, "server \"%s\" is no name — use lowercase letters, digits and _", name);
}

/* False: it is neither a text nor a group. */
static bool read_group(config_setting_t *setting, struct manifest_domain *domain)
{
    if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
        read_server_alone(setting, domain);
        return true;
    }
    fields_read(setting, "a domain", domain_fields, COUNT(domain_fields), domain);
    if (!config_setting_is_group(setting))
        return false;
    read_servers(setting, domain);
    read_belongings(setting, domain, false);
    return true;
}

static void name_domain(struct manifest_domain *domain)
{
    const char *server = domain->server_count ? domain->servers[0].text : "";
    if (domain->name[0])
        return;
    if (domain->server_count == 1 && is_server_name(server))
        strcpy(domain->name, server);
    else if (domain->server_count > 1)
        report(domain->at, "a domain of several servers has no \"name\" — add name = ...;");
}

static void check_domain(const struct manifest *manifest, const struct manifest_domain *domain)
{
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
    if (domain->watchdog && domain->budget)
        report(domain->at,
               "domain \"%s\" has \"watchdog\" and \"budget\" — the kernel keeps one of both: drop "
               "the other",
               domain->name);
    if (domain->table_slots % SLOTS_PER_PAGE)
        report(domain->at, "table_slots = %u fills no whole pages — give a multiple of %d",
               domain->table_slots, SLOTS_PER_PAGE);
}

static void read_domain(struct manifest *manifest, config_setting_t *setting)
{
    struct manifest_domain *domain = &manifest->domains[manifest->domain_count];
    unsigned before = report_count();
    domain->at = setting_place(setting);
    if (!read_group(setting, domain))
        return;
    name_domain(domain);
    take_parts(manifest, domain);
    if (!domain->priority && report_count() == before)
        report(domain->at,
               "domain \"%s\" has no \"priority\" — add priority = ...; here, or to its servers",
               domain->name);
    check_domain(manifest, domain);
}

/* Who is restarted, and whether anybody is. */
static void check_restarts(struct manifest *manifest)
{
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        const struct manifest_domain *domain = &manifest->domains[d];
        /* A new version that fails in its probation is followed by another life of the old one. */
        manifest->restarts |= domain->restart || domain->swap;
        for (uint32_t p = 1; p < manifest->domain_count && domain->pager_name; p++) {
            const struct manifest_domain *pager = &manifest->domains[p];
            if ((domain->restart || pager->restart) && !strcmp(pager->name, domain->pager_name))
                report(domain->at,
                       "domain \"%s\" has \"%s\" as pager, and one of them has \"restart\" — what "
                       "one life put into the heap isn't the next one's: drop \"restart\" or "
                       "\"pager\"",
                       domain->name, pager->name);
        }
    }
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
    }
}

void read_domains(struct manifest *manifest, config_setting_t *root)
{
    uint32_t parts = list_length(root, "servers", PARTS_MAX);
    for (uint32_t i = 0; i < parts; i++)
        read_part(manifest, list_element(root, "servers", i));
    uint32_t length = list_length(root, "domains", IMAGE_DOMAINS_MAX - 1);
    strcpy(manifest->domains[0].name, "init");
    manifest->domains[0].priority = PRIORITY_MAX + 1;
    manifest->domains[0].at = manifest->at;
    manifest->domain_count = 1;
    for (uint32_t i = 0; i < length; i++) {
        read_domain(manifest, list_element(root, "domains", i));
        manifest->domain_count++;
    }
    isa_check(manifest);
    find_controller(manifest);
    check_restarts(manifest);
    for (uint32_t i = 0; i < manifest->part_count; i++) {
        const struct manifest_domain *part = &manifest->parts[i];
        if (length && !part->server_count)
            report(part->at, "server \"%s\" lives in no domain — name it in `domains`, or drop it",
                   part->name);
    }
    if (!length && !report_count())
        report(manifest->at, "the image has no domains — add one to domains = ( ... )");
}
