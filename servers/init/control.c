/* SPDX-License-Identifier: ISC
 *
 * What init tells the domain that the manifest makes the controller, and does for it: questions and
 * answers of motet/control.h, one number each way in. Linked only into images that have a
 * controller.
 *
 * The controller sees the log and the counters of every domain, and all that is printed on the
 * console, in pages that it can't write. It gets no capability by that.
 */
#include <string.h>

#include "ipc/channel.h"
#include "libos/kernel.h"
#include "libos/syscall.h"
#include "motet/control.h"
#include "motet/supervisor.h"
#include "servers/init/init.h"

#define CONSOLE_LOG (LOG_WINDOW) /* the pages of domain 0, which is init itself */

/* A budget that is never used up counts the ticks that were run. */
#define ACCOUNT_TICKS (1ull << 60)

static struct log_page *console_log(void)
{
    return (struct log_page *)CONSOLE_LOG;
}

void control_begin(struct init *init)
{
    if (!init->image->controller)
        return;
    init->console_page = object_make(init, OBJECT_page, 1);
    object_map(init, init->console_page, INIT_SPACE, CONSOLE_LOG, RIGHT_READ | RIGHT_WRITE);
}

void console_keep(const char *name, const char *line)
{
    const struct image_header *image = (const struct image_header *)INIT_IMAGE_ADDRESS;
    char text[LOG_LINE_BYTES];
    if (!image->controller)
        return;
    size_t used = 0;
    if (name) {
        used = strlen(name);
        memcpy(text, name, used);
        text[used++] = ':';
        text[used++] = ' ';
    }
    size_t length = strlen(line);
    if (length > sizeof(text) - used)
        length = sizeof(text) - used;
    memcpy(text + used, line, length);
    log_write(console_log(), text, used + length);
}

enum error control_account(const struct init *init, uint32_t domain, uint32_t thread)
{
    if (!init->image->controller || init->domain[domain].budget || init->domain[domain].watchdog)
        return OK;
    return sys_invoke(thread, OPERATION_thread_budget, ACCOUNT_TICKS, ACCOUNT_TICKS, 0, 0, 0, NULL);
}

static uint32_t watch(struct init *init, uint32_t slot, uint32_t controller, uint64_t address)
{
    uint32_t copy = object_copy(init, slot, RIGHT_READ, "log", init->domain[controller].name);
    object_map(init, copy, init->child[controller].space, address, RIGHT_READ);
    return copy;
}

/* To one of the controller's bodies. */
static void body_give(struct init *init, uint32_t controller, uint32_t watches[])
{
    uint64_t address = start_address(init, controller) +
                       (uint64_t)init->domain[controller].watch_page * PAGE_BYTES;
    watch(init, init->console_page, controller, address);
    for (uint32_t d = 1; d < init->image->domains.count; d++) {
        const struct image_domain *domain = &init->domain[d];
        uint64_t at = address + d * 2ull * PAGE_BYTES;
        watch(init, init->region_slots[domain->log_region], controller, at);
        watches[d] =
            watch(init, init->region_slots[domain->counter_region], controller, at + PAGE_BYTES);
    }
    struct start_page *start = start_page_open(init, controller);
    start->watch_address = address;
    start->watched = init->image->domains.count;
    start_page_close(init, controller);
}

void control_give(struct init *init)
{
    const uint32_t controller = init->image->controller;
    if (!controller)
        return;
    body_give(init, controller, init->bodies.watch[0]);
    if (init->domain[controller].body)
        body_give(init, init->domain[controller].body, init->bodies.watch[1]);
}

/* What a domain's message said, if it stopped for that. */
static void end_note(struct init *init, uint32_t domain, const struct msg *m)
{
    struct control_end *end = &init->end[domain];
    if (!init->child[domain].stopped || init->restart[domain].due || init->restart[domain].given_up)
        return; /* it goes on, or that was noted */
    if (m->op == SUPERVISOR_FAILED)
        *end = (struct control_end){.kind = CONTROL_END_FAILED, .code = (uint32_t)m->w[0]};
    else if (m->op == KERNEL_FAULT || m->op == SUPERVISOR_FAULT)
        *end = (struct control_end){.kind = CONTROL_END_FAULT,
                                    .code = (uint32_t)m->w[0],
                                    .address = m->w[1],
                                    .instruction = m->w[2],
                                    .stack = m->w[3]};
}

/* Answers: each fills in the words of `m`. */

static enum error image_tell(const struct init *init, struct msg *m)
{
    struct control_image image = {.domains = domains_shown(init),
                                  .connections = init->image->connections.count,
                                  .controller = init->image->controller,
                                  .memory_bytes = init->boot->memory_bytes};
    memcpy(image.name, init->image->name, sizeof(image.name));
    memcpy(m->bytes, &image, sizeof(image));
    return OK;
}

static uint64_t cpu_ticks(const struct init *init, uint32_t d)
{
    const struct child *child = &init->child[d];
    const uint32_t body = init->domain[d].body;
    const uint32_t threads[] = {child->thread, child->pager, body ? init->child[body].thread : 0};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
        const uint32_t thread = threads[i];
        struct invoked info = {{0}};
        if (thread && sys_invoke(thread, OPERATION_thread_budget_info, 0, 0, 0, 0, 0, &info) == OK)
            sum += info.a[0];
    }
    return sum;
}

static uint32_t pages_writable(const struct init *init, uint32_t d)
{
    uint32_t pages = 0;
    for (uint32_t r = 0; r < init->image->regions.count; r++) {
        const struct image_region *region = &init->region[r];
        for (uint32_t m = 0; m < region->mappings; m++) {
            const struct image_mapping *mapping = &init->mapping[region->first_mapping + m];
            if (mapping->domain == d && mapping->rights & IMAGE_WRITE)
                pages += region->pages;
        }
    }
    return pages;
}

/* The n-th of a domain's servers; the empty text behind the last. */
static const char *server_name(const struct init *init, uint32_t d, uint32_t n)
{
    const char *name = (const char *)init->image + init->domain[d].servers;
    for (; n && *name; n--)
        name += strlen(name) + 1;
    return name;
}

/* Fewer than `bytes` characters of a text; the rest stays zero. */
static void name_put(char *to, uint32_t bytes, const char *text)
{
    for (uint32_t i = 0; i < bytes - 1 && text[i]; i++)
        to[i] = text[i];
}

static const char *version_of(const struct init *init, uint32_t d)
{
    const uint32_t version = init->domain[d].version;
    if (init->domain[d].body && swap_version)
        return swap_version(init, d);
    return version ? (const char *)init->image + version : "";
}

static uint8_t state_of(const struct init *init, uint32_t d)
{
    struct invoked info = {{0}};
    if (init->child[d].stopped)
        return init->restart[d].due ? CONTROL_RESTARTING : CONTROL_STOPPED;
    sys_invoke(init->child[d].thread, OPERATION_thread_info, 0, 0, 0, 0, 0, &info);
    return (uint8_t)info.a[0];
}

static enum error domain_tell(const struct init *init, uint32_t d, struct msg *m)
{
    struct control_domain tell = {.state = state_of(init, d),
                                  .priority = init->domain[d].priority,
                                  .restarts_most = init->domain[d].restarts_most,
                                  .restarts = init->restart[d].count,
                                  .memory_pages = pages_writable(init, d),
                                  .heap_pages =
                                      init->heaps.blocks.held[d] * (uint32_t)HEAP_BLOCK_PAGES,
                                  .cpu_ticks = cpu_ticks(init, d)};
    while (*server_name(init, d, tell.servers))
        tell.servers++;
    memcpy(tell.name, init->domain[d].name, sizeof(tell.name));
    memcpy(m->bytes, &tell, sizeof(tell));
    return OK;
}

static enum error server_tell(const struct init *init, uint32_t d, uint32_t n, struct msg *m)
{
    struct control_server server = {.name = ""};
    const char *name = server_name(init, d, n);
    if (!*name)
        return ERROR_NOT_FOUND;
    name_put(server.name, sizeof(server.name), name);
    name_put(server.version, sizeof(server.version), version_of(init, d));
    memcpy(m->bytes, &server, sizeof(server));
    return OK;
}

/* init's own slot of the region that the domain has at `address`; 0: none. */
static uint32_t slot_at(const struct init *init, uint32_t d, uint64_t address)
{
    uint32_t region;
    return mapping_at(init, d, address, IMAGE_READ, &region) ? init->region_slots[region] : 0;
}

/* One side's header, copied: what stands there is the domain's word. */
static void ring_copy(struct init *init, uint32_t slot, struct ring *copy)
{
    object_map(init, slot, INIT_SPACE, SCRATCH_WINDOW, RIGHT_READ);
    memcpy(copy, (const void *)SCRATCH_WINDOW, sizeof(*copy));
    sys_invoke(slot, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
}

static uint32_t queued(uint32_t produced, uint32_t done, uint32_t slots)
{
    return produced - done <= slots ? produced - done : slots;
}

static enum error connection_tell(struct init *init, uint32_t n, struct msg *m)
{
    const struct image_connection *connection =
        (const void *)((const char *)init->image + init->image->connections.offset);
    if (n >= init->image->connections.count)
        return ERROR_NOT_FOUND;
    connection += n;
    struct start_conn conn = {.mine = 0};
    const struct start_page *start =
        (const void *)((const char *)init->image + init->domain[connection->client].start);
    for (uint32_t i = 0; i < start->conns; i++)
        if (start->conn[i].doorbell == connection->client_slot)
            conn = start->conn[i];
    uint32_t mine = slot_at(init, connection->client, conn.mine);
    uint32_t theirs = slot_at(init, connection->client, conn.theirs);
    if (!conn.mine || !mine || !theirs)
        return ERROR_NOT_FOUND;
    struct ring client, server;
    ring_copy(init, mine, &client);
    ring_copy(init, theirs, &server);
    struct control_connection tell = {.client = connection->client,
                                      .server = connection->server,
                                      .slots = conn.slots,
                                      .to_server = queued(client.produced, server.done, conn.slots),
                                      .to_client = queued(server.produced, client.done, conn.slots),
                                      .client_starts = client.generation,
                                      .server_starts = server.generation};
    memcpy(m->bytes, &tell, sizeof(tell));
    return OK;
}

/* On purpose: as if it had crashed. The controller itself can't answer then. */
static enum error domain_kill(struct init *init, uint32_t d)
{
    if (d == init->image->controller)
        return ERROR_NO_RIGHT;
    if (init->child[d].stopped)
        return ERROR_BAD_STATE;
    init->end[d] = (struct control_end){.kind = CONTROL_END_KILLED};
    domain_stop(init, d);
    restart_consider(init, d);
    return OK;
}

/* The manifest must allow restarts: else its peers don't know what to do. */
static enum error domain_restart_asked(struct init *init, uint32_t d)
{
    if (!init->domain[d].restarts_most)
        return ERROR_NO_RIGHT;
    if (!init->child[d].stopped) {
        init->end[d] = (struct control_end){.kind = CONTROL_END_KILLED};
        domain_stop(init, d);
    }
    init->restart[d].in_row = 0; /* it is no crash */
    return domain_restart(init, d);
}

static enum error end_tell(const struct init *init, uint32_t d, struct msg *m)
{
    struct control_end end = init->end[d];
    if (init->child[d].stopped && !end.kind)
        end.kind = CONTROL_END_PAGER; /* no word of its own */
    memcpy(m->bytes, &end, sizeof(end));
    return OK;
}

static enum error tell(struct init *init, uint16_t op, const struct msg *asked, struct msg *m)
{
    const uint64_t argument = asked->w[0];
    const uint32_t d = argument & 0xffff;
    if (op == CONTROL_IMAGE)
        return image_tell(init, m);
    if (op == CONTROL_CONNECTION)
        return connection_tell(init, d, m);
    if (op >= CONTROL_SWAP_BEGIN)
        return swap_asked ? swap_asked(init, op, asked, m) : ERROR_UNKNOWN_CALL;
    if (!d || d >= domains_shown(init))
        return ERROR_NOT_FOUND;
    if (swap_forbids && swap_forbids(init, d, op))
        return ERROR_BAD_STATE;
    switch (op) {
    case CONTROL_DOMAIN:
        return domain_tell(init, d, m);
    case CONTROL_SERVER:
        return server_tell(init, d, (uint32_t)argument >> 16, m);
    case CONTROL_END:
        return end_tell(init, d, m);
    case CONTROL_KILL:
        return domain_kill(init, d);
    case CONTROL_RESTART:
        return domain_restart_asked(init, d);
    default:
        return ERROR_UNKNOWN_CALL;
    }
}

void control_handle(struct init *init, uint32_t domain, const struct msg *m)
{
    end_note(init, domain, m);
    if (swap_message)
        swap_message(init, domain, m);
    restart_consider(init, domain);
    if (!init->image->controller || domain != init->image->controller ||
        init->child[domain].stopped || m->op < SUPERVISOR_CONTROL || m->op >= KERNEL_FAULT)
        return;
    struct msg reply = {.op = m->op, .flags = m->flags};
    reply.status = tell(init, m->op - SUPERVISOR_CONTROL, m, &reply);
    /* FULL: it doesn't take its answers, and that is its loss. */
    sys_send(init->child[domain].port, &reply, 0);
}
