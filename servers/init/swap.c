/* SPDX-License-Identifier: ISC
 *
 * Replacing a domain while it runs: the states of docs/swap.md. Linked only into images where a
 * domain can be swapped. What is in the bodies and who can reach what is swap_bodies.c's.
 *
 * Invariants: one swap at a time; from STARTING on the new body is the one that init calls the
 * domain's, and from there until BEGUN the old one stands in its report, so that resuming it is all
 * that going back takes.
 */
#include <string.h>

#include "libos/kernel.h"
#include "libos/syscall.h"
#include "motet/supervisor.h"
#include "servers/init/swap_bodies.h"

enum {
    PHASE_SECONDS = 1, /* loading, resting and starting each */
    REHEARSAL_SECONDS = 5,
    PROBATION_MILLISECONDS = 5000,
    PROBATION_MAX = 3600000, /* that can be set */
    SAY_PART = 100,          /* of a second: from BEGUN until it is said on the console */
};

static const char *const refusals[SWAP_REFUSALS] = {
    [SWAP_FINE] = "it has stopped",
    [SWAP_NOT_ELF] = "it is no ELF program for x86-64",
    [SWAP_NO_PROGRAM] = "it isn't a program of a Motet domain",
    [SWAP_WRONG_ABI] = "it is for another kernel or libOS",
    [SWAP_WRONG_DOMAIN] = "it is made of other servers",
    [SWAP_WRONG_PORTS] = "its ports aren't those that are connected",
    [SWAP_TOO_LARGE] = "there is too little room for it",
    [SWAP_WRONG_PLACE] = "it is linked to other addresses",
    [SWAP_WRITABLE] = "it has writable data",
    [SWAP_WRONG_CHECKSUM] = "it isn't what was sent",
    [SWAP_WRONG_SIGNATURE] = "its signature is missing or wrong",
    [SWAP_LOADER_DIED] = "the loader came to no verdict",
};

static uint32_t domain_of(const struct init *init)
{
    return init->swapping.asked.domain;
}

static const char *name_of(const struct init *init)
{
    return init->domain[domain_of(init)].name;
}

static bool is_in(const struct init *init, enum control_swap_phase phase)
{
    return init->swapping.status.phase == phase;
}

static bool is_going(const struct init *init)
{
    const uint8_t phase = init->swapping.status.phase;
    return phase >= CONTROL_SWAP_LOADING && phase <= CONTROL_SWAP_PROBATION;
}

/* What is new is a file, by its number; START_FILES_MAX: none is. */
static uint32_t file_of(const struct init *init)
{
    const struct control_swap_begin *asked = &init->swapping.asked;
    const bool is_file = asked->what >= CONTROL_SWAP_FILE && asked->bytes;
    return is_file ? (uint32_t)(asked->what - CONTROL_SWAP_FILE) : (uint32_t)START_FILES_MAX;
}

/* For so many ticks at most; 0: until something happens. */
static void enter(struct init *init, enum control_swap_phase phase, uint64_t ticks)
{
    init->swapping.status.phase = (uint8_t)phase;
    init->swapping.deadline = ticks ? kernel_clock() + ticks : 0;
}

static uint64_t phase_ticks(void)
{
    return PHASE_SECONDS * kernel_info()->clock_frequency;
}

static const char *phase_text(uint8_t phase)
{
    switch (phase) {
    case CONTROL_SWAP_REHEARSING:
        return "while the new version was tried";
    case CONTROL_SWAP_RESTING:
        return "while the old version came to rest";
    case CONTROL_SWAP_STARTING:
        return "while the new version started";
    default:
        return "in its probation";
    }
}

/* Nothing was touched. `refusal` is one of the enumeration; SWAP_FINE: the domain itself has
 * stopped, and its end says why. */
static void refuse(struct init *init, enum swap_refusal refusal, uint32_t detail)
{
    struct control_swap *status = &init->swapping.status;
    status->at = status->phase;
    status->refusal = (uint8_t)refusal;
    status->detail = (uint16_t)detail;
    status->error = refusal == SWAP_FINE ? ERROR_PEER_DIED : OK;
    enter(init, CONTROL_SWAP_REFUSED, 0);
    console_print("init: %s not swapped: %s", name_of(init), refusals[refusal]);
}

/* The old version goes on, or begins anew; OK: the domain's end says why. */
static void rolled_back(struct init *init, enum error error)
{
    struct control_swap *status = &init->swapping.status;
    status->at = status->phase;
    status->error = error;
    console_print("init: %s: swap rolled back %s: %s", name_of(init), phase_text(status->at),
                  error ? error_text(error) : "it stopped");
    enter(init, CONTROL_SWAP_ROLLED_BACK, 0);
}

/* --- LOADING --- */

static void loader_end(struct init *init)
{
    thread_suspend(init->child[init->image->loader].thread);
    staging_take(init, init->image->loader);
}

static void loader_begin(struct init *init)
{
    const uint32_t loader = init->image->loader;
    struct child *child = &init->child[loader];
    thread_suspend(child->thread);
    child->stopped = false;
    staging_give(init, loader);
    init->restart[loader].count++;
    struct start_page *start = start_page_open(init, loader);
    start->staged = init->swapping.asked.bytes;
    start->staged_for = domain_of(init);
    start->staged_check = init->swapping.asked.check;
    start_page_close(init, loader);
    enter(init, CONTROL_SWAP_LOADING, phase_ticks());
    if (body_begin(init, loader)) {
        loader_end(init);
        refuse(init, SWAP_LOADER_DIED, 0);
    }
}

/* Offset and length as the loader says, inside what was staged and what there is room for. */
static bool is_inside(const struct init *init, uint32_t offset, uint32_t bytes, uint32_t region)
{
    return (uint64_t)offset + bytes <= init->swapping.asked.bytes &&
           bytes <= region_bytes(init, region);
}

static bool makes_sense(const struct init *init, const struct swap_verdict *verdict)
{
    const uint32_t spare = spare_of(init, domain_of(init));
    const uint32_t text = init->domain[spare].program_region;
    const uint64_t address = mapping_of(init, text, spare)->address;
    return is_inside(init, verdict->text_offset, verdict->text_bytes, text) &&
           is_inside(init, verdict->constants_offset, verdict->constants_bytes,
                     init->domain[spare].constants_region) &&
           verdict->entry - address < verdict->text_bytes;
}

/* --- REHEARSING --- */

/* The old version saves its state, and goes on. */
static void rehearse(struct init *init)
{
    enter(init, CONTROL_SWAP_REHEARSING, REHEARSAL_SECONDS * kernel_info()->clock_frequency);
    sys_signal(init->bodies.rest[domain_of(init)]);
}

/* The new version tries to begin with that state: in time that nobody else wants, as the loader has
 * had its. */
static void rehearsal_begin(struct init *init)
{
    const uint32_t domain = domain_of(init);
    const uint8_t priority = init->domain[init->image->loader].priority;
    enum error error = spare_ready(init, domain, START_REHEARSES, priority);
    if (!error)
        error = thread_resume(spare_held(init, domain)->thread);
    if (error)
        rolled_back(init, error);
}

static void rehearsal_failed(struct init *init, enum error error)
{
    thread_suspend(spare_held(init, domain_of(init))->thread);
    rolled_back(init, error);
}

/* --- RESTING --- */

/* What can be done before nobody serves is done before. */
static void rest(struct init *init)
{
    const uint32_t domain = domain_of(init);
    enum error error = spare_ready(init, domain, START_TAKES_OVER, init->domain[domain].priority);
    init->swapping.asked_at = kernel_clock();
    enter(init, CONTROL_SWAP_RESTING, phase_ticks());
    if (error) {
        rolled_back(init, error);
        return;
    }
    sys_signal(init->bodies.rest[domain]);
}

static void rehearsal_end(struct init *init)
{
    thread_suspend(spare_held(init, domain_of(init))->thread);
    rest(init);
}

static void verdict_take(struct init *init, const struct msg *m)
{
    struct swap_verdict verdict;
    msg_get(m, &verdict, sizeof(verdict));
    loader_end(init);
    version_put(init->swapping.status.version, verdict.version);
    if (verdict.refusal) {
        refuse(init, verdict.refusal < SWAP_REFUSALS ? verdict.refusal : SWAP_LOADER_DIED,
               verdict.detail);
    } else if (!makes_sense(init, &verdict)) {
        refuse(init, SWAP_LOADER_DIED, 0);
    } else {
        program_put(init, domain_of(init), &verdict);
        files_give(init, domain_of(init), START_FILES_MAX, 0);
        rehearse(init);
    }
}

/* --- STARTING --- */

/* Before the new version has begun: the old one goes on where it was. */
static void go_back(struct init *init, enum error error)
{
    const uint32_t domain = domain_of(init);
    struct child *child = &init->child[domain];
    thread_suspend(child->thread);
    bodies_exchange(init, domain);
    child->stopped = false;
    rolled_back(init, error);
    thread_resume(child->thread);
}

static void rested(struct init *init, const struct msg *m)
{
    const uint32_t domain = domain_of(init);
    struct swapping *swapping = &init->swapping;
    struct swap_rested tell;
    msg_get(m, &tell, sizeof(tell));
    if (!tell.error && tell.bytes > region_bytes(init, init->domain[domain].state_region))
        tell.error = ERROR_BAD_ARGUMENT;
    if (tell.error) {
        rolled_back(init, tell.error < ERROR_COUNT ? (enum error)tell.error : ERROR_BAD_ARGUMENT);
        return;
    }
    if (is_in(init, CONTROL_SWAP_REHEARSING)) {
        rehearsal_begin(init);
        return;
    }
    const uint64_t now = kernel_clock();
    const bool possible = tell.rested >= swapping->asked_at && tell.rested <= now;
    swapping->rested = possible ? tell.rested : now;
    swapping->status.state_bytes = tell.bytes;
    thread_suspend(init->child[domain].thread);
    bodies_exchange(init, domain);
    enter(init, CONTROL_SWAP_STARTING, phase_ticks());
    enum error error = thread_resume(init->child[domain].thread);
    if (error)
        go_back(init, error);
}

/* --- PROBATION --- */

/* Of the probation, until it is said that it has begun. */
static uint64_t say_ticks(const struct init *init)
{
    const uint64_t most = kernel_info()->clock_frequency / SAY_PART;
    return most < init->swapping.probation / 2 ? most : init->swapping.probation / 2;
}

static void begun(struct init *init, const struct msg *m)
{
    const uint32_t domain = domain_of(init);
    struct control_swap *status = &init->swapping.status;
    const uint64_t ticks = kernel_clock() - init->swapping.rested;
    struct swap_begun tell;
    msg_get(m, &tell, sizeof(tell));
    status->blackout = ticks * 1000000 / kernel_info()->clock_frequency * 1000;
    status->queued = tell.queued;
    body_begun(init, domain);
    counters_exchange(init, domain);
    init->swapping.said = false;
    enter(init, CONTROL_SWAP_PROBATION, say_ticks(init));
}

/* A line on the console takes long, and the new version is waited for. */
static void say_swapped(struct init *init)
{
    const struct control_swap *status = &init->swapping.status;
    if (init->swapping.said)
        return;
    init->swapping.said = true;
    console_print("init: %s swapped: blackout %lu us, %u messages queued meanwhile, state %u bytes",
                  name_of(init), (unsigned long)(status->blackout / 1000), status->queued,
                  status->state_bytes);
}

/* The new version has failed, and what the old one knew is past: its program begins anew. */
static void begin_anew(struct init *init)
{
    const uint32_t domain = domain_of(init);
    say_swapped(init);
    thread_suspend(init->child[domain].thread);
    counters_exchange(init, domain);
    counters_carry(init, domain); /* before anybody takes the old body's for the domain's */
    bodies_exchange(init, domain);
    body_begun(init, domain);
    init->swapping.status.lost = 1;
    rolled_back(init, OK);
    init->restart[domain].in_row = 0; /* it isn't the old one's fault */
    enum error error = domain_restart(init, domain);
    if (error)
        console_print("init: %s: not restarted: %s", name_of(init), error_text(error));
}

/* --- what happens meanwhile --- */

void swap_begin(struct init *init)
{
    const char *text = settings_get(&init->settings, "swap.probation");
    uint64_t milliseconds = text ? setting_number(text, PROBATION_MAX) : PROBATION_MILLISECONDS;
    if (!milliseconds) {
        console_print("init: swap.probation: not a number of milliseconds from 1 to %u: not used",
                      PROBATION_MAX);
        milliseconds = PROBATION_MILLISECONDS;
    }
    init->swapping.probation = milliseconds * kernel_info()->clock_frequency / 1000;
    bodies_start(init);
}

uint32_t swap_sender(const struct init *init, uint32_t number)
{
    if (number >= init->image->domains.count)
        return 0;
    const uint32_t domain = init->domain[number].second ? init->domain[number].body : number;
    return body_of(init, domain) == number ? domain : 0;
}

uint64_t swap_logs(const struct init *init, uint64_t pending)
{
    for (uint32_t d = domains_shown(init); d < init->image->domains.count; d++) {
        pending |= (pending >> d & 1) << init->domain[d].body;
        pending &= ~(1ull << d);
    }
    return pending;
}

void swap_message(struct init *init, uint32_t domain, const struct msg *m)
{
    if (m->op == SUPERVISOR_VERDICT && is_in(init, CONTROL_SWAP_LOADING) &&
        domain == init->image->loader)
        verdict_take(init, m);
    else if (domain != domain_of(init) || init->child[domain].stopped)
        return;
    else if (m->op == SUPERVISOR_RESTED &&
             (is_in(init, CONTROL_SWAP_RESTING) || is_in(init, CONTROL_SWAP_REHEARSING)))
        rested(init, m);
    else if (m->op == SUPERVISOR_BEGUN && is_in(init, CONTROL_SWAP_STARTING))
        begun(init, m);
}

bool swap_rehearsed(struct init *init, uint32_t number, const struct msg *m)
{
    if (!is_in(init, CONTROL_SWAP_REHEARSING) || number != spare_of(init, domain_of(init)))
        return false;
    if (m->op == SUPERVISOR_BEGUN)
        rehearsal_end(init);
    if (m->op == KERNEL_FAULT)
        fault_print(init, spare_of(init, domain_of(init)), m);
    if (m->op == KERNEL_FAULT || m->op == SUPERVISOR_FAILED)
        rehearsal_failed(init, OK);
    return true;
}

bool swap_stopped(struct init *init, uint32_t domain)
{
    if (!is_going(init) || !init->child[domain].stopped)
        return false;
    if (domain == init->image->loader) {
        if (is_in(init, CONTROL_SWAP_LOADING)) {
            loader_end(init);
            refuse(init, SWAP_LOADER_DIED, 0);
        }
        return true;
    }
    if (domain != domain_of(init))
        return false;
    switch (init->swapping.status.phase) {
    case CONTROL_SWAP_LOADING:
        loader_end(init);
        refuse(init, SWAP_FINE, 0);
        return false; /* it begins anew as it would have */
    case CONTROL_SWAP_REHEARSING:
        rehearsal_failed(init, OK);
        return false;
    case CONTROL_SWAP_RESTING:
        rolled_back(init, OK);
        return false;
    case CONTROL_SWAP_STARTING:
        go_back(init, OK);
        return true;
    default:
        begin_anew(init);
        return true;
    }
}

static void probation_end(struct init *init)
{
    if (!init->swapping.said) {
        say_swapped(init);
        enter(init, CONTROL_SWAP_PROBATION, init->swapping.probation - say_ticks(init));
        return;
    }
    init->swapping.count++;
    enter(init, CONTROL_SWAP_DONE, 0);
}

uint64_t swap_deadline(struct init *init)
{
    struct swapping *swapping = &init->swapping;
    if (!swapping->deadline || kernel_clock() < swapping->deadline)
        return swapping->deadline;
    switch (swapping->status.phase) {
    case CONTROL_SWAP_LOADING:
        loader_end(init);
        refuse(init, SWAP_LOADER_DIED, 0);
        break;
    case CONTROL_SWAP_REHEARSING:
        rehearsal_failed(init, ERROR_TIMEOUT);
        break;
    case CONTROL_SWAP_RESTING:
        rolled_back(init, ERROR_TIMEOUT);
        break;
    case CONTROL_SWAP_STARTING:
        go_back(init, ERROR_TIMEOUT);
        break;
    default:
        probation_end(init);
    }
    return swapping->deadline;
}

/* --- the controller's requests --- */

bool swap_forbids(const struct init *init, uint32_t domain, uint16_t op)
{
    if (op != CONTROL_KILL && op != CONTROL_RESTART)
        return false;
    if (domain == init->image->loader)
        return true; /* it lives for one swap at a time */
    return is_going(init) && domain == domain_of(init) &&
           !(op == CONTROL_KILL && is_in(init, CONTROL_SWAP_PROBATION));
}

static enum error begin_check(const struct init *init, const struct control_swap_begin *asked,
                              uint64_t room)
{
    if (!asked->domain || asked->domain >= domains_shown(init))
        return ERROR_NOT_FOUND;
    const struct image_domain *domain = &init->domain[asked->domain];
    const uint32_t file = asked->what - CONTROL_SWAP_FILE;
    if (!domain->body)
        return ERROR_NO_RIGHT;
    if (asked->what == CONTROL_SWAP_PROGRAM)
        return asked->bytes <= room ? OK : ERROR_LIMIT;
    if (file >= START_FILES_MAX || !(domain->files >> file & 1))
        return ERROR_NOT_FOUND;
    return asked->bytes <= region_bytes(init, file_target(init, asked->domain, file)) ? OK
                                                                                      : ERROR_LIMIT;
}

static uint64_t staging_bytes(const struct init *init)
{
    return init->image->staging_region ? region_bytes(init, init->image->staging_region) : 0;
}

static enum error begin(struct init *init, const struct msg *m, struct msg *reply)
{
    struct control_swap_begin asked;
    const struct control_swap_room room = {(uint32_t)staging_bytes(init)};
    msg_get(m, &asked, sizeof(asked));
    if (is_going(init))
        return ERROR_BAD_STATE;
    enum error error = begin_check(init, &asked, room.bytes);
    if (!error && init->child[asked.domain].stopped)
        error = ERROR_BAD_STATE;
    if (error)
        return error;
    init->swapping = (struct swapping){.count = init->swapping.count,
                                       .probation = init->swapping.probation,
                                       .asked = asked,
                                       .status = {.domain = asked.domain}};
    enter(init, CONTROL_SWAP_STAGING, 0);
    staging_take(init, init->image->controller); /* of a swap that didn't go */
    if (asked.bytes)
        staging_give(init, init->image->controller);
    memcpy(reply->bytes, &room, sizeof(room));
    return OK;
}

static enum error take(struct init *init, uint64_t bytes)
{
    struct swapping *swapping = &init->swapping;
    const uint32_t file = file_of(init);
    if (!is_in(init, CONTROL_SWAP_STAGING) || file == START_FILES_MAX)
        return ERROR_BAD_STATE;
    if (bytes > staging_bytes(init) || bytes > swapping->asked.bytes - swapping->taken)
        return ERROR_LIMIT;
    swapping->check =
        file_put(init, domain_of(init), file, swapping->taken, (uint32_t)bytes, swapping->check);
    swapping->taken += (uint32_t)bytes;
    return OK;
}

static enum error go(struct init *init)
{
    struct swapping *swapping = &init->swapping;
    const uint32_t domain = domain_of(init), file = file_of(init);
    if (!is_in(init, CONTROL_SWAP_STAGING) || init->child[domain].stopped)
        return ERROR_BAD_STATE;
    staging_take(init, init->image->controller);
    if (file == START_FILES_MAX && swapping->asked.bytes) {
        loader_begin(init);
    } else if (file < START_FILES_MAX && (swapping->taken != swapping->asked.bytes ||
                                          swapping->check != swapping->asked.check)) {
        refuse(init, SWAP_WRONG_CHECKSUM, 0);
    } else {
        program_repeat(init, domain);
        version_put(init->swapping.status.version, swap_version(init, domain));
        files_give(init, domain, file, swapping->asked.bytes);
        rehearse(init);
    }
    return OK;
}

static enum error cancel(struct init *init)
{
    if (!is_in(init, CONTROL_SWAP_STAGING))
        return ERROR_BAD_STATE;
    staging_take(init, init->image->controller);
    enter(init, CONTROL_SWAP_NONE, 0);
    return OK;
}

/* The new version has done well enough. */
static enum error commit(struct init *init)
{
    if (!is_in(init, CONTROL_SWAP_PROBATION))
        return ERROR_BAD_STATE;
    say_swapped(init);
    probation_end(init);
    return OK;
}

static enum error file_tell(struct init *init, uint64_t argument, struct msg *reply)
{
    const uint32_t domain = argument & 0xffff, file = (argument >> 16) & 0xffff;
    struct control_file tell = {.room = 0};
    if (!domain || domain >= domains_shown(init) || file >= START_FILES_MAX)
        return ERROR_NOT_FOUND;
    const struct start_page *start = start_page_open(init, domain);
    const bool exists = file < start->files;
    tell.bytes = start->file[file].size;
    memcpy(tell.name, start->file[file].name, sizeof(tell.name));
    start_page_close(init, domain);
    if (!exists)
        return ERROR_NOT_FOUND;
    if (init->domain[domain].body && init->domain[domain].files >> file & 1)
        tell.room = (uint32_t)region_bytes(init, file_target(init, domain, file));
    memcpy(reply->bytes, &tell, sizeof(tell));
    return OK;
}

/* What is left of the probation: tenths of a second. */
static uint16_t left(const struct init *init)
{
    const struct swapping *swapping = &init->swapping;
    const uint64_t now = kernel_clock(), tenth = kernel_info()->clock_frequency / 10;
    uint64_t ticks = swapping->deadline > now ? swapping->deadline - now : 0;
    if (!is_in(init, CONTROL_SWAP_PROBATION))
        return 0;
    if (!swapping->said)
        ticks += swapping->probation - say_ticks(init);
    return (uint16_t)((ticks + tenth - 1) / tenth);
}

enum error swap_asked(struct init *init, uint16_t op, const struct msg *m, struct msg *reply)
{
    struct control_swap status = init->swapping.status;
    switch (op) {
    case CONTROL_SWAP_BEGIN:
        return begin(init, m, reply);
    case CONTROL_SWAP_TAKE:
        return take(init, m->w[0]);
    case CONTROL_SWAP_GO:
        return go(init);
    case CONTROL_SWAP_CANCEL:
        return cancel(init);
    case CONTROL_SWAP_COMMIT:
        return commit(init);
    case CONTROL_FILE:
        return file_tell(init, m->w[0], reply);
    case CONTROL_SWAP_STATUS:
        status.count = (uint16_t)init->swapping.count;
        status.left = left(init);
        memcpy(reply->bytes, &status, sizeof(status));
        return OK;
    default:
        return ERROR_UNKNOWN_CALL;
    }
}
