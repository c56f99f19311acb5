/* SPDX-License-Identifier: ISC
 *
 * See swaps.h.
 */
#include "tools/composer/swaps.h"

#include <string.h>

#include "motet/abi.h"
#include "motet/swap.h"
#include "tools/composer/standalone.h"

_Static_assert((int)ROOM_MAX == (int)(PAGE_RUN_MAX * PAGE_BYTES), "one page object");
_Static_assert((int)SWAP_SERVERS_MAX >= (int)SERVERS_MAX, "all servers of a domain");

static const char *const restart_line = "restart = 5;";

uint32_t swap_count(const struct manifest *manifest)
{
    uint32_t count = 0;
    for (uint32_t d = 1; d < manifest->domain_count; d++)
        count += manifest->domains[d].swap;
    return count;
}

static void check_files(const struct manifest_domain *domain)
{
    for (uint32_t i = 0; i < domain->file_count; i++) {
        const struct manifest_file *file = &domain->files[i];
        if (file->reload && !domain->swap)
            report(file->at,
                   "file \"%s\" has reload = true, but domain \"%s\" can't be swapped — add "
                   "swap = true; to it",
                   file->name, domain->name);
        if (file->reload && !file->room)
            report(file->at,
                   "file \"%s\" has reload = true and no \"room\" — add room = \"256K\"; or what "
                   "the largest one needs, at most \"2M\"",
                   file->name);
        if (file->room && !file->reload)
            report(file->at, "file \"%s\" has \"room\", but stays as it is — add reload = true;",
                   file->name);
    }
}

static void check_unswapped(const struct manifest_domain *domain)
{
    if (domain->text_room || domain->constants_room || domain->state_room)
        report(domain->at,
               "domain \"%s\" has rooms for other programs, but can't be swapped — add swap = "
               "true;",
               domain->name);
    if (domain->loader && domain->restart)
        report(domain->at,
               "domain \"%s\" is the loader: it begins anew with each swap — drop \"restart\"",
               domain->name);
}

static uint64_t pages_up(uint64_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static uint64_t room(uint64_t given, uint64_t otherwise)
{
    return pages_up(given ? given : otherwise);
}

static void check_swapped(struct manifest_domain *domain)
{
    if (!domain->restart)
        report(domain->at,
               "domain \"%s\" has swap = true and no \"restart\" — a version that fails begins "
               "anew: add %s",
               domain->name, restart_line);
    if (domain->heap)
        report(domain->at,
               "domain \"%s\" has \"swap\" and \"heap\" — a heap isn't handed over: drop one of "
               "them",
               domain->name);
    if (domain->loader)
        report(domain->at, "domain \"%s\" is the loader, which isn't swapped — drop \"swap\"",
               domain->name);
    domain->text_room = room(domain->text_room, TEXT_ROOM);
    domain->constants_room = room(domain->constants_room, CONSTANTS_ROOM);
    domain->state_room = room(domain->state_room, STATE_ROOM);
}

static void find_loader(struct manifest *manifest)
{
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        const struct manifest_domain *domain = &manifest->domains[d];
        if (!domain->loader)
            continue;
        if (manifest->loader)
            report(domain->at,
                   "\"%s\" and \"%s\" have loader = true — one domain looks at new programs: drop "
                   "one",
                   manifest->domains[manifest->loader].name, domain->name);
        manifest->loader = d;
    }
}

/* Who else a swap needs. `first`: a domain that can be swapped. */
static void check_helpers(const struct manifest *manifest, const struct manifest_domain *first)
{
    if (!manifest->controller)
        report(first->at,
               "domain \"%s\" can be swapped, but nobody can ask for it — add control = true; to "
               "the domain of a control server (docs/control.md)",
               first->name);
    if (!manifest->loader)
        report(first->at,
               "domain \"%s\" can be swapped, but nobody looks at new programs — add to domains: "
               "{ name = \"loader\"; servers = [ \"loader\" ]; priority = 4; loader = true; }",
               first->name);
}

static int hex(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* All zeros would mean that there is none. */
static void read_key(struct manifest *manifest)
{
    const char *text = manifest->swap_key_text;
    uint8_t any = 0;
    bool is_key = text && strlen(text) == 2 * (size_t)SWAP_KEY_BYTES;
    for (uint32_t i = 0; is_key && i < SWAP_KEY_BYTES; i++) {
        const int high = hex(text[2 * i]), low = hex(text[2 * i + 1]);
        is_key = high >= 0 && low >= 0;
        manifest->swap_key[i] = (uint8_t)(high * 16 + low);
        any |= manifest->swap_key[i];
    }
    if (text && (!is_key || !any))
        report(manifest->swap_key_at,
               "swap_key is no key: 64 digits from 0 to f are — motet key FILE makes one and says "
               "what to write");
    else if (text && !manifest->swaps)
        report(manifest->swap_key_at,
               "swap_key is given, but no domain can be swapped — add swap = true; to one, or drop "
               "the key");
}

void swaps_check(struct manifest *manifest)
{
    const struct manifest_domain *first = NULL;
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        struct manifest_domain *domain = &manifest->domains[d];
        check_files(domain);
        if (!domain->swap) {
            check_unswapped(domain);
            continue;
        }
        check_swapped(domain);
        if (!first)
            first = domain;
    }
    find_loader(manifest);
    manifest->swaps = first;
    if (first)
        check_helpers(manifest, first);
    else if (manifest->loader)
        report(manifest->domains[manifest->loader].at,
               "domain \"%s\" is the loader, but none can be swapped — add swap = true; to one, "
               "or drop it",
               manifest->domains[manifest->loader].name);
    else if (manifest->staging)
        report(manifest->staging_at,
               "staging is given, but no domain can be swapped — add swap = true; to one, or drop "
               "the key");
    read_key(manifest);
    manifest->staging = manifest->swaps ? room(manifest->staging, STAGING_BYTES) : 0;
    if (manifest->domain_count + swap_count(manifest) > IMAGE_DOMAINS_MAX)
        report(manifest->at,
               "%u domains and %u second bodies of those that can be swapped — there can be %d in "
               "all: drop some, or let fewer be swapped",
               manifest->domain_count, swap_count(manifest), IMAGE_DOMAINS_MAX);
}

uint64_t stack_room(const struct manifest_domain *domain)
{
    uint64_t bytes = STACK_MARGIN_BYTES;
    for (uint32_t s = 0; s < domain->server_count; s++)
        bytes += domain->server_stack[s];
    return pages_up(domain->stack ? domain->stack : bytes > STACK_ROOM ? bytes : STACK_ROOM);
}

/* What comes during a swap, and half as much again. */
static uint64_t wanted(uint32_t rate)
{
    const uint64_t parts = 10 * 1000; /* tenths of milliseconds of a second */
    return ((uint64_t)rate * BLACKOUT_MS * BLACKOUT_TENTHS + parts - 1) / parts;
}

static void check_pool_rate(const struct manifest *manifest, const struct manifest_pool *pool)
{
    for (uint32_t r = 0; r < pool->right_count; r++) {
        const struct manifest_domain *domain = &manifest->domains[pool->rights[r].domain];
        if (!domain->swap || pool->buffers >= wanted(pool->rate))
            continue;
        warn(pool->at,
             "pool \"%s\" has %u buffers; at rate = %u a swap of \"%s\" (%d ms) wants %llu — give "
             "buffers = %llu or more, or some packets are lost meanwhile",
             pool->name, pool->buffers, pool->rate, domain->name, BLACKOUT_MS,
             (unsigned long long)wanted(pool->rate), (unsigned long long)wanted(pool->rate));
        return;
    }
}

static void check_connection_rate(const struct manifest *manifest,
                                  const struct manifest_connection *connection)
{
    const struct manifest_domain *client = &manifest->domains[connection->client.domain];
    const struct manifest_domain *server = &manifest->domains[connection->server.domain];
    if (is_direct(connection) || !(client->swap || server->swap) ||
        connection->slots >= wanted(connection->rate))
        return;
    warn(connection->at,
         "the connection holds %u messages; at rate = %u a swap of \"%s\" (%d ms) wants %llu — "
         "give more slots, or the other side waits meanwhile",
         connection->slots, connection->rate, server->swap ? server->name : client->name,
         BLACKOUT_MS, (unsigned long long)wanted(connection->rate));
}

void rates_check(const struct manifest *manifest)
{
    for (uint32_t i = 0; i < manifest->pool_count; i++)
        check_pool_rate(manifest, &manifest->pools[i]);
    for (uint32_t i = 0; i < manifest->connection_count; i++)
        check_connection_rate(manifest, &manifest->connections[i]);
}

static void check_room(const struct manifest_domain *domain, const char *key, const char *what,
                       uint64_t bytes, uint64_t given)
{
    if (bytes > given)
        report(domain->at,
               "domain \"%s\": its %s %llu bytes, %s is %llu — give %s = \"%lluK\"; or more",
               domain->name, what, (unsigned long long)bytes, key, (unsigned long long)given, key,
               (unsigned long long)pages_up(bytes) / 1024);
}

static uint64_t stack_needed(const struct manifest *manifest, uint32_t d,
                             const struct program *program)
{
    static const uint64_t as_declared[SERVERS_MAX];
    bool connected = false;
    for (uint32_t i = 0; i < manifest->connection_count; i++)
        connected |=
            manifest->connections[i].client.domain == d && is_direct(&manifest->connections[i]);
    return servers_stack_bytes(program, as_declared, connected);
}

/* The loader knows names of ports and protocols of at most 15 characters. */
static void check_ports(const struct manifest_domain *domain, const struct program *program)
{
    for (uint32_t s = 0; s < program->server_count; s++) {
        const struct program_server *server = &program->servers[s];
        for (uint32_t p = 0; p < server->port_count; p++)
            if (strlen(server->ports[p].protocol) >= PROGRAM_NAME_BYTES)
                report(domain->at,
                       "domain \"%s\" can't be swapped: the protocol \"%s\" of its server \"%s\" "
                       "has more than %d characters — shorten it",
                       domain->name, server->ports[p].protocol, server->name,
                       PROGRAM_NAME_BYTES - 1);
    }
}

uint64_t states_bytes(const struct program *program)
{
    uint64_t bytes = 0;
    for (uint32_t s = 0; s < program->server_count; s++)
        bytes = state_end(bytes, program->servers[s].state_size);
    return bytes;
}

static void check_program(const struct manifest *manifest, uint32_t d,
                          const struct program *program)
{
    const struct manifest_domain *domain = &manifest->domains[d];
    uint64_t note;
    check_room(domain, "text_room", "text has", program->elf.text.bytes, domain->text_room);
    check_room(domain, "constants_room", "constants have", program->elf.rodata.bytes,
               domain->constants_room);
    check_room(domain, "state_room", "servers' states have", states_bytes(program),
               domain->state_room);
    check_room(domain, "stack", "servers want a stack of", stack_needed(manifest, d, program),
               stack_room(domain));
    check_ports(domain, program);
    if (!elf_symbol(&program->elf, "program_note", &note) || note != program->elf.rodata.address)
        report(domain->at,
               "domain \"%s\": its constants don't begin with program_note — link libos/program.c, "
               "with libos/domain.ld",
               domain->name);
    const uint64_t bytes =
        standalone_bytes(program) + (manifest->swap_key_text ? sizeof(struct swap_signature) : 0);
    if (bytes > manifest->staging)
        report(manifest->staging_at,
               "the program of domain \"%s\" has %llu bytes, staging is %llu — give staging = "
               "\"%lluK\"; or more",
               domain->name, (unsigned long long)bytes, (unsigned long long)manifest->staging,
               (unsigned long long)pages_up(bytes) / 1024);
}

void swaps_check_programs(const struct manifest *manifest,
                          struct program *const programs[IMAGE_DOMAINS_MAX])
{
    for (uint32_t d = 1; d < manifest->domain_count; d++)
        if (manifest->domains[d].swap)
            check_program(manifest, d, programs[d]);
}
