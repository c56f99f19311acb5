/* SPDX-License-Identifier: ISC
 *
 * See connections.h.
 */
#include "tools/composer/connections.h"

#include <string.h>

#include "ipc/ring_layout.h"
#include "tools/composer/regions.h"

_Static_assert((int)RING_ENTRY_BYTES == (int)STATE_ALIGN, "queues follow the states as they are");

void add_rings(struct composition *c, struct ring_regions *rings)
{
    const struct manifest *m = c->manifest;
    for (uint32_t i = 0; i < m->connection_count; i++) {
        const struct manifest_connection *connection = &m->connections[i];
        if (is_direct(connection))
            continue;
        uint64_t pages = pages_of(ring_bytes(connection->slots));
        rings->requests[i] = add_region(c, IMAGE_MEMORY, pages, "ring %s > %s",
                                        connection->client.text, connection->server.text);
        rings->replies[i] = add_region(c, IMAGE_MEMORY, pages, "ring %s > %s",
                                       connection->server.text, connection->client.text);
    }
}

/* How many of the domain's earlier connections go to the same port. */
static uint16_t instance_of(const struct start_page *page, uint32_t server, uint32_t port)
{
    uint16_t instance = 0;
    for (uint32_t i = 0; i < page->conns; i++)
        instance += page->conn[i].server == server && page->conn[i].port == port;
    return instance;
}

/* One end of a connection, but for what its transport needs. */
static struct start_conn *add_end(struct composition *c, const struct endpoint *end, uint32_t slots,
                                  enum conn_role role)
{
    struct composed_domain *domain = &c->domains[end->domain];
    struct start_page *page = &domain->page;
    struct start_conn *conn = &page->conn[page->conns];
    *conn = (struct start_conn){
        .slots = slots,
        .role = (uint8_t)role,
        .server = (uint8_t)end->server,
        .port = (uint8_t)end->port,
        .instance = instance_of(page, end->server, end->port),
    };
    strcpy(conn->name, domain->program->servers[end->server].ports[end->port].name);
    page->conns++;
    return conn;
}

static void add_doorbell(struct composition *c, uint32_t d, struct start_conn *conn, uint32_t *slot,
                         uint8_t *bit)
{
    struct composed_domain *domain = &c->domains[d];
    *slot = conn->doorbell = domain->slots++;
    *bit = conn->bit = (uint8_t)((uint32_t)(conn - domain->page.conn) % SIGNAL_CONNS);
}

void add_ends(struct composition *c)
{
    for (uint32_t i = 0; i < c->manifest->connection_count; i++) {
        const struct manifest_connection *drawn = &c->manifest->connections[i];
        struct start_conn *client = add_end(c, &drawn->client, drawn->slots, CONN_CLIENT);
        struct start_conn *server = add_end(c, &drawn->server, drawn->slots, CONN_SERVER);
        if (is_direct(drawn)) {
            const struct start_conn *first = c->domains[drawn->client.domain].page.conn;
            client->transport = server->transport = START_DIRECT;
            client->peer = (uint8_t)(server - first);
            server->peer = (uint8_t)(client - first);
            continue;
        }
        struct image_connection *out = &c->connections[i];
        out->client = (uint16_t)drawn->client.domain;
        out->server = (uint16_t)drawn->server.domain;
        add_doorbell(c, out->client, client, &out->client_slot, &out->client_bit);
        add_doorbell(c, out->server, server, &out->server_slot, &out->server_bit);
        c->channel_count++;
    }
}

uint64_t queue_bytes(const struct composition *c, uint32_t d)
{
    const struct start_page *page = &c->domains[d].page;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < page->conns; i++)
        if (page->conn[i].transport == START_DIRECT)
            bytes += page->conn[i].slots * (uint64_t)RING_ENTRY_BYTES;
    return bytes;
}

void place_queues(struct composition *c, uint32_t d, uint64_t address)
{
    struct start_page *page = &c->domains[d].page;
    for (uint32_t i = 0; i < page->conns; i++) {
        if (page->conn[i].transport != START_DIRECT)
            continue;
        page->conn[i].mine = address;
        address += page->conn[i].slots * (uint64_t)RING_ENTRY_BYTES;
    }
}

/* Its ends are in its start page in the connections' order. */
void map_rings(struct composition *c, uint32_t d, const struct ring_regions *rings)
{
    struct start_conn *conn = c->domains[d].page.conn;
    for (uint32_t i = 0; i < c->manifest->connection_count; i++) {
        const struct manifest_connection *drawn = &c->manifest->connections[i];
        bool client = drawn->client.domain == d, server = drawn->server.domain == d;
        if (is_direct(drawn)) {
            conn += client ? 2 : 0;
        } else if (client || server) {
            uint8_t write = IMAGE_READ | IMAGE_WRITE;
            uint64_t requests =
                map_next(c, d, rings->requests[i], client ? write : IMAGE_READ)->address;
            uint64_t replies =
                map_next(c, d, rings->replies[i], server ? write : IMAGE_READ)->address;
            conn->mine = client ? requests : replies;
            conn->theirs = client ? replies : requests;
            conn++;
        }
    }
}
