/* SPDX-License-Identifier: ISC
 *
 * See check.h.
 */
#include <stdio.h>
#include <string.h>

#include "libos/server.h"
#include "tools/composer/check.h"
#include "tools/composer/swaps.h"

static const struct program_port *port_of(struct program *const programs[],
                                          const struct endpoint *end)
{
    return &programs[end->domain]->servers[end->server].ports[end->port];
}

static bool find_port(struct program *const programs[], struct place at, struct endpoint *end)
{
    const struct program_server *server = &programs[end->domain]->servers[end->server];
    const char *names[PORTS_MAX];
    for (end->port = 0; end->port < server->port_count; end->port++) {
        names[end->port] = server->ports[end->port].name;
        if (!strcmp(names[end->port], end->port_name))
            return true;
    }
    char buffer[SUGGESTION_BYTES];
    return report(at, "server \"%s\" has no port \"%s\" — %s", server->name, end->port_name,
                  suggest(buffer, end->port_name, names, server->port_count));
}

static void check_ends(struct program *const programs[], struct manifest_connection *connection)
{
    struct endpoint *client = &connection->client, *server = &connection->server;
    bool found = find_port(programs, connection->at, client);
    if (!find_port(programs, connection->at, server) || !found)
        return;
    const struct program_port *from = port_of(programs, client), *to = port_of(programs, server);
    if (from->role != CONN_CLIENT)
        report(connection->at, "\"%s\" serves, it is no client — write server = \"%s\"",
               client->text, client->text);
    if (to->role != CONN_SERVER)
        report(connection->at, "\"%s\" is a client, it doesn't serve — write client = \"%s\"",
               server->text, server->text);
    if (strcmp(from->protocol, to->protocol) != 0)
        report(connection->at, "\"%s\" speaks %s, \"%s\" speaks %s — connect ports of one protocol",
               client->text, from->protocol, server->text, to->protocol);
    else if (from->version != to->version)
        report(connection->at,
               "\"%s\" speaks version %u of %s, \"%s\" version %u — bring both to one version",
               client->text, from->version, from->protocol, server->text, to->version);
}

static void check_priority(const struct manifest *manifest,
                           const struct manifest_connection *connection)
{
    const struct manifest_domain *client = &manifest->domains[connection->client.domain];
    const struct manifest_domain *server = &manifest->domains[connection->server.domain];
    if (server->priority < client->priority)
        report(connection->at,
               "\"%s\" has priority %u, its client \"%s\" %u — a server's must be at least its "
               "clients'",
               server->name, server->priority, client->name, client->priority);
}

static void count_ends(const struct manifest *manifest)
{
    uint32_t counts[IMAGE_DOMAINS_MAX] = {0};
    for (uint32_t i = 0; i < manifest->connection_count; i++) {
        const struct manifest_connection *connection = &manifest->connections[i];
        uint32_t ends[] = {connection->client.domain, connection->server.domain};
        for (size_t j = 0; j < 2; j++) {
            if (++counts[ends[j]] == START_CONNS_MAX + 1)
                report(connection->at, "domain \"%s\" has more than %d connections — split it",
                       manifest->domains[ends[j]].name, START_CONNS_MAX);
        }
    }
}

static bool is_connected(const struct manifest *manifest, uint32_t domain, uint32_t server,
                         uint32_t port)
{
    for (uint32_t i = 0; i < manifest->connection_count; i++) {
        const struct endpoint *client = &manifest->connections[i].client;
        if (client->domain == domain && client->server == server && client->port == port)
            return true;
    }
    return false;
}

static void check_client_ports(const struct manifest *manifest, const struct program *program,
                               uint32_t domain)
{
    for (uint32_t s = 0; s < program->server_count; s++) {
        const struct program_server *server = &program->servers[s];
        for (uint32_t p = 0; p < server->port_count; p++) {
            const struct program_port *port = &server->ports[p];
            if (port->role != CONN_CLIENT || is_connected(manifest, domain, s, p))
                continue;
            report(manifest->domains[domain].at,
                   "client port \"%s.%s.%s\" isn't connected — add { client = \"%s.%s.%s\"; "
                   "server = \"...\"; slots = 64; } to a server of %s version %u",
                   manifest->domains[domain].name, server->name, port->name,
                   manifest->domains[domain].name, server->name, port->name, port->protocol,
                   port->version);
        }
    }
}

/* The request graph: its nodes are servers in their domains, its edges go from client to server. */
enum { NODES_MAX = IMAGE_DOMAINS_MAX * SERVERS_MAX };

static uint32_t node_of(const struct endpoint *end)
{
    return end->domain * SERVERS_MAX + end->server;
}

/* A domain's name says enough where one server lives. */
static int name_node(char *to, size_t room, const char *before, const struct manifest *manifest,
                     const struct endpoint *end)
{
    const struct manifest_domain *domain = &manifest->domains[end->domain];
    if (domain->server_count == 1)
        return snprintf(to, room, "%s%s", before, domain->name);
    return snprintf(to, room, "%s%s.%s", before, domain->name, domain->servers[end->server].text);
}

/* Appends the cycle: from the node where it closes, along the edges to it. */
static void report_cycle(const struct manifest *manifest, const uint32_t *came_by, uint32_t closing)
{
    char path[SUGGESTION_BYTES];
    const struct manifest_connection *edge = &manifest->connections[closing];
    uint32_t first = node_of(&edge->server);
    size_t used = (size_t)name_node(path, sizeof path, "", manifest, &edge->server);
    for (;;) {
        if (used < sizeof path)
            used +=
                (size_t)name_node(path + used, sizeof path - used, " <- ", manifest, &edge->client);
        if (node_of(&edge->client) == first)
            break;
        edge = &manifest->connections[came_by[node_of(&edge->client)]];
    }
    report(manifest->connections[closing].at,
           "requests can go round in a cycle (%s): full queues would wait for each other — take "
           "one of these connections out",
           path);
}

/* Depth-first from `start`; next[] is where each node's scan of the connections goes on. */
static void search_cycle(const struct manifest *manifest, uint32_t start, uint8_t *state)
{
    enum { NEW, OPEN, DONE };
    uint32_t stack[NODES_MAX], next[NODES_MAX] = {0}, came_by[NODES_MAX] = {0}, depth = 1;
    if (state[start] != NEW)
        return;
    stack[0] = start;
    state[start] = OPEN;
    while (depth) {
        uint32_t node = stack[depth - 1], edge = next[node]++;
        if (edge == manifest->connection_count) {
            state[node] = DONE;
            depth--;
            continue;
        }
        const struct manifest_connection *connection = &manifest->connections[edge];
        uint32_t to = node_of(&connection->server);
        if (node_of(&connection->client) != node || state[to] == DONE)
            continue;
        if (state[to] == OPEN) {
            report_cycle(manifest, came_by, edge);
            continue;
        }
        came_by[to] = edge;
        state[to] = OPEN;
        stack[depth++] = to;
    }
}

static void check_cycles(const struct manifest *manifest)
{
    uint8_t state[NODES_MAX] = {0};
    for (uint32_t i = 0; i < manifest->connection_count; i++)
        search_cycle(manifest, node_of(&manifest->connections[i].client), state);
}

bool pattern_matches(const char *pattern, const char *key)
{
    for (; *pattern; pattern++) {
        if (*pattern != '#') {
            if (*key++ != *pattern)
                return false;
            continue;
        }
        size_t digits = strspn(key, "0123456789");
        if (!digits)
            return false;
        key += digits;
    }
    return !*key;
}

static void check_setting(const struct manifest_domain *domain, const struct program *program,
                          const struct manifest_text *setting)
{
    const char *patterns[SERVERS_MAX * PATTERNS_MAX];
    uint32_t count = 0;
    const char *equals = strchr(setting->text, '=');
    if (!equals || equals == setting->text || equals - setting->text > PATTERN_BYTES_MAX) {
        report(setting->at, "\"%s\" is no setting — write \"key=value\"", setting->text);
        return;
    }
    char key[PATTERN_BYTES_MAX + 1] = "";
    memcpy(key, setting->text, (size_t)(equals - setting->text));
    for (uint32_t s = 0; s < program->server_count; s++) {
        for (uint32_t i = 0; i < program->servers[s].setting_count; i++) {
            patterns[count] = program->servers[s].settings[i];
            if (pattern_matches(patterns[count++], key))
                return;
        }
    }
    char buffer[SUGGESTION_BYTES];
    report(setting->at, "domain \"%s\" has no server with a setting \"%s\" — %s", domain->name, key,
           suggest(buffer, key, patterns, count));
}

static void check_settings(const struct manifest_domain *domain, const struct program *program)
{
    size_t bytes = 1; /* the empty string that ends the list */
    for (uint32_t i = 0; i < domain->setting_count; i++) {
        check_setting(domain, program, &domain->settings[i]);
        bytes += strlen(domain->settings[i].text) + 1;
    }
    if (bytes > START_SETTING_BYTES)
        report(domain->at, "domain \"%s\" has %zu bytes of settings — there is room for %d",
               domain->name, bytes, START_SETTING_BYTES);
}

/* `given`: 0, what the server declares. */
static void check_stack(const struct manifest_domain *domain, uint64_t given,
                        const struct program_server *server)
{
    if (given && server->stack_bytes > given)
        report(domain->at,
               "stack = %llu is less than the %llu bytes that server \"%s\" declares — give "
               "more, or drop the key",
               (unsigned long long)given, (unsigned long long)server->stack_bytes, server->name);
}

static void check_domain(const struct manifest_domain *domain, const struct program *program)
{
    uint32_t counters = 0;
    check_settings(domain, program);
    for (uint32_t s = 0; s < program->server_count; s++) {
        counters += program->servers[s].counter_count;
        check_stack(domain, domain->stack, &program->servers[s]);
        check_stack(domain, domain->server_stack[s], &program->servers[s]);
    }
    if (counters > DOMAIN_COUNTERS_MAX)
        report(domain->at,
               "the servers of domain \"%s\" have %u counters — a page holds %d: split "
               "the domain",
               domain->name, counters, DOMAIN_COUNTERS_MAX);
}

bool check_image(struct manifest *manifest, struct program *const programs[IMAGE_DOMAINS_MAX])
{
    unsigned before = report_count();
    for (uint32_t i = 0; i < manifest->connection_count; i++) {
        check_ends(programs, &manifest->connections[i]);
        check_priority(manifest, &manifest->connections[i]);
    }
    count_ends(manifest);
    for (uint32_t i = 1; i < manifest->domain_count; i++) {
        check_domain(&manifest->domains[i], programs[i]);
        if (report_count() == before) /* else a misspelt port would be reported twice */
            check_client_ports(manifest, programs[i], i);
    }
    check_cycles(manifest);
    if (report_count() == before)
        swaps_check_programs(manifest, programs);
    return report_count() == before;
}
