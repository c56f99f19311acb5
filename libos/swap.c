/* SPDX-License-Identifier: ISC
 *
 * Coming to rest, and taking over: see swap.h and docs/swap.md. Called by run.c and loop.c.
 */
#include "libos/swap.h"

#include "libos/kernel.h"
#include "libos/swap_state.h"
#include "motet/supervisor.h"
#include "motet/swap.h"

/* Nothing of a new life, ours or a peer's, is under way (libos/restart.c). */
static bool lives_agreed(const struct link *link)
{
    return link->life.announced && !link->life.waiting && !link->life.resume &&
           (link->channel.broken || ring_read(&link->channel.theirs->announced) == link->life.peer);
}

static bool can_rest(const struct libos *libos)
{
    if (libos_queued(libos) > LIBOS_QUEUED_MAX)
        return false;
    if (libos->restarts)
        for (const struct link *link = libos->links_by[START_CHANNEL]; link; link = link->next)
            if (!lives_agreed(link))
                return false;
    for (const struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        const struct server_swap *swap = server_swap(domain->server);
        if (swap && swap->rest && !swap->rest(domain->state))
            return false;
    }
    return true;
}

/* The first of the domain's servers that has no records declared; NULL: all have. */
static struct domain *without_swap(struct libos *libos)
{
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++)
        if (!server_swap(domain->server))
            return domain;
    return NULL;
}

static void rest(struct libos *libos)
{
    struct swap_rested rested = {.rested = kernel_clock()};
    struct domain *without = without_swap(libos);
    struct msg m;
    if (without) {
        domain_log(without, "%s can't be swapped: it doesn't say what its state is",
                   without->server->name);
        rested.error = ERROR_UNKNOWN_CALL;
    } else {
        rested.error = state_save(libos, rested.rested, &rested.bytes);
    }
    msg_set(&m, SUPERVISOR_RESTED, &rested, sizeof(rested));
    kernel_report(&m); /* the end, if all goes well */
}

static uint32_t messages_waiting(const struct libos *libos)
{
    uint32_t waiting = 0;
    for (struct link *link = libos->links_by[START_CHANNEL]; link; link = link->next) {
        const struct channel *channel = &link->channel;
        uint32_t arrived = ring_read(&channel->theirs->produced) - channel->taken;
        waiting += arrived <= channel->mask + 1 ? arrived : 0;
    }
    return waiting;
}

/* The other body's last round was published with nothing of a new life under way: what it said in
 * our rings is what we say. */
static enum error links_take_over(struct libos *libos, uint32_t *server)
{
    for (struct link *link = libos->links_by[START_CHANNEL]; link; link = link->next) {
        const struct ring *mine = link->channel.mine;
        *server = link->domain->number;
        if (libos->start->swaps == START_TAKES_OVER && link->channel.produced != mine->produced) {
            domain_log(link->domain, "state refused: messages were sent before it was loaded");
            return ERROR_BAD_STATE;
        }
        link->life.peer = mine->accepted;
        link->life.announced = true;
    }
    return OK;
}

static enum error servers_loaded(struct libos *libos, uint32_t *server)
{
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        const struct server_swap *swap = server_swap(domain->server);
        if (!swap->loaded)
            continue;
        *server = domain->number;
        domain->active = true;
        enum error error = swap->loaded(domain->state);
        domain->active = false;
        if (error) {
            domain_log(domain, "state refused: its records together make no sense: %s",
                       error_name(error));
            return error;
        }
    }
    return OK;
}

static enum error begin(struct libos *libos, uint32_t *server)
{
    struct domain *without = without_swap(libos);
    enum error error = without ? ERROR_UNKNOWN_CALL : OK;
    if (without)
        *server = without->number;
    if (!error)
        error = state_load(libos, server);
    if (!error)
        error = servers_loaded(libos, server);
    if (!error)
        error = links_take_over(libos, server);
    if (error)
        return error;
    libos->takes_over = false;
    struct swap_begun begun = {.queued = messages_waiting(libos), .began = kernel_clock()};
    struct msg m;
    msg_set(&m, SUPERVISOR_BEGUN, &begun, sizeof(begun));
    kernel_report(&m);
    return OK;
}

const struct swaps domain_swap = {.begin = begin, .can_rest = can_rest, .rest = rest};
