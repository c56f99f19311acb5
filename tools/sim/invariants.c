/* SPDX-License-Identifier: ISC
 *
 * See invariants.h. Called by step.c. Domains are believed nothing but where their start pages say
 * that things are. Bounds: LINKS_MAX ends of channels, OWNERS_MAX pools; what is beyond isn't
 * looked at.
 */
#include "tools/sim/invariants.h"

#include <stddef.h>
#include <string.h>

#include "kernel/arch.h"
#include "ipc/proto/entropy.h"
#include "kernel/arch/sim/boot.h"
#include "libos/state.h"
#include "servers/netd/netd.h"
#include "tools/sim/composition.h"
#include "tools/sim/legacy.h"
#include "tools/sim/rng.h"
#include "tools/sim/torn.h"
#include "tools/sim/world.h"

enum {
    LINKS_MAX = 32,
    DOMAINS_MAX = 16,
    OWNERS_MAX = 2 + CLIENTS_MAX,
    CLASSES = 2,           /* of which each reply is looked at */
    LOOK_AGAIN_STEPS = 64, /* while the machine is being built, mappings change all the time */
};

/* One end of a connection inside a domain. */
struct inner {
    const struct link *link;
    uint32_t domain;
    const char *name;
};

/* One end of a channel. */
struct end {
    const struct ring *mine, *theirs;
    const struct link *link; /* the libOS's, NULL: not there yet */
    uint32_t slots, domain, instance;
    const char *name;
    bool hostile; /* one of the two sides keeps to no rule */
};

struct owner {
    const struct pool_owner *pool;
    const char *name;
};

static struct {
    bool stale;
    uint64_t looked_at; /* world.steps */
    uint32_t ends, inners, domains, owners, turn;
    struct end end[LINKS_MAX];
    struct inner inner[LINKS_MAX];
    struct owner owner[OWNERS_MAX];
    const struct counter_page *counters[DOMAINS_MAX];
    const struct log_page *log[DOMAINS_MAX];
    const struct thread *thread[DOMAINS_MAX];
    const struct netd *netd;
    const struct domain *netd_shares;          /* where others live with it: its libOS's view */
    const struct pool *send_pool[CLIENTS_MAX]; /* of netd's clients */
    uint32_t netd_domain;
    uint64_t attacked; /* domains with a peer that is hostile or tries them, a bit each */
    struct {           /* the last replies of a driver */
        const struct ring *ring;
        uint32_t seen; /* of them */
    } told[CLASSES];
    uint64_t last[DOMAINS_MAX][COUNTERS_MAX]; /* values of counters */
} known;

void invariants_reset(void)
{
    memset(&known, 0, sizeof(known));
    known.stale = true;
}

void invariants_moved(void)
{
    known.stale = true;
}

void invariants_forget(uint32_t d)
{
    if (d < DOMAINS_MAX)
        memset(known.last[d], 0, sizeof(known.last[d]));
}

/* --- finding things --- */

static void find_ends(const struct start_page *start, uint32_t d, const struct libos *libos)
{
    for (uint32_t i = 0; i < start->conns && known.ends < LINKS_MAX; i++) {
        const struct start_conn *conn = &start->conn[i];
        if (conn->transport == START_DIRECT) {
            if (libos && known.inners < LINKS_MAX)
                known.inner[known.inners++] = (struct inner){&libos->link[i], d, conn->name};
            continue;
        }
        struct end *end = &known.end[known.ends];
        *end = (struct end){domain_memory(conn->mine),
                            domain_memory(conn->theirs),
                            libos ? &libos->link[i] : NULL,
                            conn->slots,
                            d,
                            conn->instance,
                            conn->name,
                            false};
        known.ends += end->mine && end->theirs;
    }
}

static void find_netd(const struct libos *libos, uint32_t server)
{
    const struct domain *view = &libos->domain[server];
    const struct netd *netd = domain_piece((uint64_t)view->state, sizeof(*netd));
    if (!netd || !netd->receive_pool)
        return;
    known.netd = netd;
    known.netd_shares = libos->links_by[START_DIRECT] ? view : NULL;
    known.owner[known.owners++] = (struct owner){&netd->receive, "rx"};
    for (uint32_t i = 0; i < netd->clients && i < CLIENTS_MAX; i++) {
        known.owner[known.owners++] = (struct owner){&netd->client[i].receive, "recv"};
        known.send_pool[i] = domain_piece((uint64_t)netd->client[i].send_pool, sizeof(struct pool));
    }
}

/* Which of the domain's servers is netd; -1: none. */
static int netd_number(uint32_t d)
{
    const char *name = (const char *)sim_image() + domain_at(d)->servers;
    for (int n = 0; *name; n++, name += strlen(name) + 1)
        if (!strcmp(name, "netd"))
            return n;
    return -1;
}

static void find_domain(uint32_t d)
{
    const uint32_t body = domain_body(d);
    const struct start_page *start = domain_start_page(body);
    if (!start)
        return;
    const bool runs = body_receives(body) && !start->swaps; /* else it is about to */
    const struct libos *libos = domain_piece(start->private_address, sizeof(*libos));
    if (libos && (!libos->links_end || !runs))
        libos = NULL;
    known.stale |= !libos; /* it hasn't begun */
    known.counters[d] = runs ? domain_memory(start->counters_address) : NULL;
    known.log[d] = domain_memory(start->log_address);
    known.thread[d] = domain_thread(body);
    find_ends(start, d, libos);
    int netd = netd_number(d);
    if (libos && netd >= 0 && !known.netd) { /* the first, if there are several */
        find_netd(libos, (uint32_t)netd);
        known.netd_domain = d;
    }
}

/* Servers that attack their peers (tests/servers/rogue_client/rogue.h). */
static bool is_hostile(uint32_t d)
{
    return !strncmp(domain_at(d)->name, "rogue", 5);
}

static void find_hostile(void)
{
    known.attacked = 0;
    for (struct end *end = known.end; end < known.end + known.ends; end++) {
        bool tried = false;
        for (const struct end *peer = known.end; peer < known.end + known.ends; peer++) {
            if (peer->mine != end->theirs)
                continue;
            end->hostile |= is_hostile(peer->domain);
            tried |= peer->domain == domain_checking();
        }
        known.attacked |= (uint64_t)(end->hostile || tried) << end->domain;
        end->hostile |= is_hostile(end->domain);
    }
}

/* What the other side of a hostile end, or a domain that shares a pool with it, may find changed.
 */
static void find_torn_entries(const struct start_page *start, uint32_t d)
{
    for (uint32_t i = 0; i < known.ends; i++) {
        const struct end *end = &known.end[i];
        if (!end->hostile || end->domain != d)
            continue;
        for (uint32_t n = 0; n < start->conns; n++)
            if (domain_memory(start->conn[n].theirs) == end->theirs)
                torn_add(start->conn[n].theirs + RING_HEADER_BYTES, end->theirs->entry,
                         (uint64_t)end->slots * RING_ENTRY_BYTES);
    }
}

static bool hostile_writes(uint32_t pool)
{
    for (uint32_t d = 1; d < known.domains; d++) {
        const struct start_page *start = is_hostile(d) ? domain_start_page(d) : NULL;
        for (uint32_t i = 0; start && i < start->pools; i++)
            if (start->pool[i].number == pool && start->pool[i].rights & POOL_WRITE)
                return true;
    }
    return false;
}

static void find_torn(void)
{
    torn_reset();
    for (uint32_t d = 1; d < known.domains; d++) {
        const struct start_page *start = is_hostile(d) ? NULL : domain_start_page(d);
        if (!start)
            continue;
        find_torn_entries(start, d);
        for (uint32_t i = 0; i < start->pools; i++) {
            const struct start_pool *pool = &start->pool[i];
            uint64_t bytes = (uint64_t)pool->buffers * pool->buffer_size;
            const void *memory = pool->base ? domain_piece(pool->base, bytes) : NULL;
            if (memory && hostile_writes(pool->number))
                torn_add(pool->base, memory, bytes);
        }
    }
}

static void find(void)
{
    known.ends = known.inners = known.owners = 0;
    known.netd = NULL;
    known.looked_at = world.steps;
    known.domains = domain_count() < DOMAINS_MAX ? domain_count() : DOMAINS_MAX;
    known.stale = false;
    while (domain_at(known.domains - 1)->second)
        known.domains--;
    for (uint32_t d = 1; d < known.domains; d++) {
        find_domain(d);
        known.stale |= !known.thread[d];
    }
    find_hostile();
    find_torn();
    known.stale |= !known.netd;
}

/* --- channels --- */

static void check_end(const struct end *end)
{
    if (end->hostile)
        return;
    uint32_t produced = end->theirs->produced, done = end->mine->done, current = end->mine->current;
    if (produced - done > end->slots)
        panic("%s has done %u messages of %u", domain_at(end->domain)->name, done, produced);
    if (current - done > end->slots || produced - current > end->slots)
        panic("%s has taken %u messages, done %u, of %u", domain_at(end->domain)->name, current,
              done, produced);
}

static bool waits(const struct thread *thread)
{
    return thread && thread->state == THREAD_WAITING && !thread->port->pending;
}

static void check_sleep(const struct end *end)
{
    const char *name = domain_at(end->domain)->name;
    if (end->hostile || !end->link || end->link->channel.broken ||
        !waits(known.thread[end->domain]))
        return;
    const struct channel *channel = &end->link->channel;
    if (!channel->stalled && channel->taken != end->theirs->produced)
        panic("%s sleeps on %u messages (%s): a wake-up got lost", name,
              end->theirs->produced - channel->taken, end->name);
    if (channel->short_of_room && end->theirs->done != channel->put_end - channel->mask - 1)
        panic("%s sleeps, short of room that there is (%s): a wake-up got lost", name, end->name);
}

/* Each byte that the driver of a source of entropy gives on, it had from there. */
static void check_bytes(const struct msg *m)
{
    struct entropy_read read;
    msg_get(m, &read, sizeof(read));
    if (m->op == ENTROPY_READ && m->status == OK && read.length <= ENTROPY_READ_MAX)
        rng_given_on(read.bytes, read.length);
}

/* And each time that the driver of a clock tells is what the clock showed. */
static void check_time(const struct msg *m)
{
    struct clock_time time;
    msg_get(m, &time, sizeof(time));
    if (m->op == CLOCK_TIME && m->status == OK)
        cmos_told(&time);
}

static const struct {
    const char *port;
    void (*check)(const struct msg *reply);
} classes[CLASSES] = {{"entropy", check_bytes}, {"clock", check_time}};

static void check_replies(const struct end *end, uint32_t n)
{
    const uint32_t produced = end->mine->produced;
    uint32_t *seen = &known.told[n].seen;
    if (end->mine != known.told[n].ring || produced - *seen > end->slots)
        *seen = produced; /* others than these aren't in the ring any more */
    known.told[n].ring = end->mine;
    for (; *seen != produced; (*seen)++)
        classes[n].check(&end->mine->entry[*seen % end->slots]);
}

static void check_told(const struct end *end)
{
    for (uint32_t n = 0; n < CLASSES; n++)
        if (!strcmp(end->name, classes[n].port) && !end->hostile)
            check_replies(end, n);
}

/* --- connections inside a domain --- */

static void check_inner(const struct inner *inner)
{
    const struct queue *queue = &inner->link->queue;
    uint32_t queued = queue->put - queue->taken;
    if (queued > queue->mask + 1)
        panic("%s has %u messages queued of %u (%s)", domain_at(inner->domain)->name, queued,
              queue->mask + 1, inner->name);
    if (queued && !queue->stalled && waits(known.thread[inner->domain]))
        panic("%s sleeps on %u messages of its own (%s)", domain_at(inner->domain)->name, queued,
              inner->name);
}

/* --- pages of a domain --- */

/* What a server counts only when a peer breaks their protocol. */
static bool is_accusation(const char *name)
{
    static const char *const names[] = {
        "rx_bad_buffer",         "tx_bad_cookie", "net_bad_message",  "send_bad_buffer",
        "send_refused",          "recv_done_bad", "sock_bad_message", "bad_message",
        "provide_refused",       "tx_refused",    "tx_excess",        "not_returned",
        "libos_broken_channels",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static void check_counters(uint32_t d)
{
    const struct counter_page *page = known.counters[d];
    if (page && page->count > COUNTERS_MAX)
        panic("%s has %u counters", domain_at(d)->name, page->count);
    for (uint32_t n = 0; page && n < page->count; n++) {
        if (page->value[n] < known.last[d][n])
            panic("counter %s.%s fell from %lu to %lu", domain_at(d)->name, page->name[n],
                  known.last[d][n], page->value[n]);
        if (page->value[n] > known.last[d][n] && !(known.attacked >> d & 1) && !is_hostile(d) &&
            is_accusation(page->name[n]))
            panic("%s says that a peer broke their protocol: %s", domain_at(d)->name,
                  page->name[n]);
        known.last[d][n] = page->value[n];
    }
}

static void check_log(uint32_t d)
{
    const struct log_page *page = known.log[d];
    if (!page || !page->written)
        return;
    if (page->written > page->claimed || page->claimed > page->written + LOG_LINE_BYTES ||
        page->text[(page->written - 1) % LOG_BYTES] != '\n' || page->lines > page->written)
        panic("the log of %s is broken: %lu lines in %lu bytes, %lu claimed", domain_at(d)->name,
              page->lines, page->written, page->claimed);
}

/* --- pools --- */

static uint32_t held_by(const struct pool_owner *owner, uint32_t from, uint32_t to)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < owner->buffers; i++)
        held += owner->holder[i] >= from && owner->holder[i] <= to;
    return held;
}

static void check_owner(const struct owner *owner)
{
    const struct pool_owner *pool = owner->pool;
    bool seen[POOL_BUFFERS_MAX] = {false};
    if (pool->buffers > POOL_BUFFERS_MAX ||
        pool->free_count + held_by(pool, 1, UINT8_MAX) != pool->buffers)
        panic("pool %s: %u of %u buffers are free, and %u lent", owner->name, pool->free_count,
              pool->buffers, held_by(pool, 1, UINT8_MAX));
    for (uint32_t i = 0; i < pool->free_count; i++) {
        uint32_t index = pool->free[i];
        if (index >= pool->buffers || pool->holder[index] || seen[index])
            panic("pool %s: buffer %u is free and in use, or free twice", owner->name, index);
        seen[index] = true;
    }
}

static void check_netd(const struct netd *netd)
{
    if (!transmit_check(&netd->transmit))
        panic("netd's table of frames to send contradicts itself");
    for (uint32_t i = 0; i < netd->interfaces; i++) {
        uint32_t held = held_by(&netd->receive, RECEIVE_DRIVER + i, RECEIVE_DRIVER + i);
        if (held != netd->interface[i].rx_lent)
            panic("netd has lent %u receive buffers and counts %u", held,
                  netd->interface[i].rx_lent);
    }
}

/* Where a received frame lies whose payload is being sent back, nothing else is received. */
static void check_echoes(const struct netd *netd)
{
    for (uint32_t i = 0; i < netd->transmit.slots && i < TRANSMIT_SLOTS; i++) {
        const struct slot *slot = &netd->transmit.slot[i];
        if (slot->state != SLOT_FREE && slot->first == i && slot->owner == PAYLOAD_RECEIVE &&
            netd->receive.holder[slot->payload.index % POOL_BUFFERS_MAX] != RECEIVE_STACK)
            panic("netd sends from receive buffer %u, which it has given away",
                  slot->payload.index);
    }
}

static bool channels_empty(void)
{
    for (uint32_t i = 0; i < known.inners; i++) {
        const struct inner *inner = &known.inner[i];
        if (inner->link->queue.put != inner->link->queue.taken ||
            !waits(known.thread[inner->domain]))
            return false;
    }
    for (uint32_t i = 0; i < known.ends; i++) {
        const struct end *end = &known.end[i];
        if (end->hostile)
            continue;
        if (!end->link || end->link->channel.broken || !waits(known.thread[end->domain]) ||
            end->mine->done != end->theirs->produced)
            return false;
    }
    return true;
}

/* What is lent to a hostile client needn't come back. */
static bool client_is_hostile(uint32_t client)
{
    for (uint32_t i = 0; i < known.ends; i++)
        if (known.end[i].hostile && known.end[i].domain == known.netd_domain &&
            known.end[i].instance == client && !strcmp(known.end[i].name, "sock"))
            return true;
    return false;
}

/* Everything is at rest: what each side believes to have lent is what the other has. */
static void check_rest(const struct netd *netd)
{
    uint32_t lent = 0, posted;
    for (uint32_t i = 0; i < netd->clients; i++) {
        const struct client *client = &netd->client[i];
        uint32_t held = held_by(&client->receive, 1, UINT8_MAX);
        bool can_answer = known.send_pool[i] &&
                          client->sending + client->done_count < known.send_pool[i]->buffers;
        if (can_answer && held && !client_is_hostile(i))
            panic("%u buffers of queries are lost: netd has lent them, and nobody has a query",
                  held);
    }
    for (uint32_t i = 0; i < netd->interfaces; i++)
        lent += netd->interface[i].rx_lent;
    if (nic_rests(&posted) && posted != lent)
        panic("the driver sleeps on received frames, or has lost buffers: it was lent %u, the card "
              "has %u",
              lent, posted);
}

/* --- */

/* What it remembers is looked at between two of its entry points. Alone in its domain it has points
 * only where nothing is half done; when it calls another server, that one has points of its own. */
static bool netd_is_busy(void)
{
    return known.netd_shares && known.netd_shares->active;
}

/* One thing of those that take longer. False: there is no such number. */
static bool check_one(uint32_t n)
{
    if (n < known.owners && !netd_is_busy())
        check_owner(&known.owner[n]);
    else if (n < known.owners)
        return true;
    else if ((n -= known.owners) < known.domains)
        check_counters(n);
    else if ((n -= known.domains) < known.domains)
        check_log(n);
    else if (n > known.domains)
        return false;
    else if (known.netd && !netd_is_busy()) {
        check_netd(known.netd);
        check_echoes(known.netd);
    }
    return true;
}

static void find_if_moved(void)
{
    if (known.stale && (world.steps - known.looked_at >= LOOK_AGAIN_STEPS || !known.domains))
        find();
}

void invariants_step(void)
{
    find_if_moved();
    for (uint32_t i = 0; i < known.ends; i++) {
        check_end(&known.end[i]);
        check_told(&known.end[i]);
    }
    for (uint32_t i = 0; i < known.inners; i++)
        check_inner(&known.inner[i]);
    if (!check_one(known.turn++))
        known.turn = 0;
}

void invariants_all(void)
{
    find();
    for (uint32_t i = 0; i < known.ends; i++)
        check_end(&known.end[i]);
    for (uint32_t i = 0; i < known.inners; i++)
        check_inner(&known.inner[i]);
    for (uint32_t n = 0; n <= known.owners + 2 * known.domains; n++)
        check_one(n);
}

void invariants_idle(void)
{
    if (known.stale)
        find();
    for (uint32_t i = 0; i < known.ends; i++)
        check_sleep(&known.end[i]);
    if (known.netd && channels_empty())
        check_rest(known.netd);
}
