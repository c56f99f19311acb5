/* SPDX-License-Identifier: ISC
 *
 * See inspect.h. Commands only look, but for those that let the machine go on.
 */
#include "tools/sim/inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/mappings.h"
#include "kernel/port.h"
#include "kernel/space.h"
#include "ipc/channel.h"
#include "libos/counters.h"
#include "libos/log.h"
#include "libos/start.h"
#include "libos/state.h"
#include "tools/sim/composition.h"
#include "tools/sim/run.h"
#include "tools/sim/snapshot.h"
#include "tools/sim/step.h"
#include "tools/sim/symbols.h"
#include "tools/sim/world.h"

static const char *const object_names[OBJECT_COUNT] = {
#define OBJECT(name, text) [OBJECT_##name] = #name,
#include "motet/calls.def"
};

static const char *const state_names[] = {
    [THREAD_SUSPENDED] = "suspended", [THREAD_READY] = "ready",     [THREAD_RUNNING] = "running",
    [THREAD_WAITING] = "waiting",     [THREAD_FAULTED] = "faulted",
};

/* A domain by number or name; 0 with a message when there is none. */
static uint32_t domain_named(const char *name)
{
    for (uint32_t d = 1; d < domain_count(); d++)
        if (!strcmp(domain_at(d)->name, name) || (uint32_t)atoi(name) == d)
            return d;
    printf("no domain \"%s\": \"threads\" lists them\n", name);
    return 0;
}

/* Whose port it is: the domain whose table has it in the slot for that. */
static const char *port_name(const struct port *port)
{
    for (const struct cap *cap = first_cap(); cap; cap = cap->next) {
        if (cap->type != OBJECT_thread || !(cap->flags & CAP_FIRST))
            continue;
        const struct thread *thread = cap->object;
        const struct cap *own =
            thread->captable ? captable_slot(thread->captable, SLOT_OWN_PORT) : NULL;
        if (own && own->type == OBJECT_port && own->object == port)
            return space_name(thread->space);
    }
    return "init";
}

/* --- commands --- */

static void print_registers(const struct thread *thread)
{
    const struct registers *r = &thread->registers;
    char place[SYMBOL_BYTES];
    symbol_name(r->rip, place);
    printf("    at %s, stack %#" PRIx64 "\n    rax %#" PRIx64 " rdi %#" PRIx64 " rsi %#" PRIx64
           " rdx %#" PRIx64 " r10 %#" PRIx64 " r8 %#" PRIx64 " r14 %#" PRIx64 " r15 %" PRIu64 "\n",
           place, r->rsp, r->rax, r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r14, r->r15);
}

static void threads_print(const char *argument)
{
    (void)argument;
    for (const struct cap *cap = first_cap(); cap; cap = cap->next) {
        const struct thread *thread = cap->object;
        if (cap->type != OBJECT_thread || !(cap->flags & CAP_FIRST))
            continue;
        printf("%s %s: %s, priority %u", sim_cpu.current == thread ? "*" : " ",
               thread->space ? space_name(thread->space) : "(none)", state_names[thread->state % 5],
               thread->priority);
        if (thread->deadline.time)
            printf(", deadline in %.6f s", (double)(thread->deadline.time - sim_clock) / 1e9);
        printf("\n");
        print_registers(thread);
    }
}

static void message_print(const struct port *port, unsigned n)
{
    const struct port_entry *entry = &port->entries[(port->head + n) % PORT_QUEUE_SLOTS];
    printf("    op %u from badge %#" PRIx64 ": %#" PRIx64 " %#" PRIx64 " %#" PRIx64 "\n",
           entry->msg.op, entry->msg.tag, entry->msg.w[0], entry->msg.w[1], entry->msg.w[2]);
    for (int c = 0; c < 2; c++)
        if (entry->caps[c].type != OBJECT_none)
            printf("      with a %s\n", object_names[entry->caps[c].type]);
}

static void ports_print(const char *argument)
{
    (void)argument;
    for (const struct cap *cap = first_cap(); cap; cap = cap->next) {
        const struct port *port = cap->object;
        if (cap->type != OBJECT_port || !(cap->flags & CAP_FIRST))
            continue;
        printf("  %s: pending %#" PRIx64 ", %u messages%s%s\n", port_name(port), port->pending,
               port->count, port->waiter ? ", a thread waits" : "",
               list_empty(&port->faulted) ? "" : ", a fault isn't reported yet");
        for (unsigned n = 0; n < port->count; n++)
            message_print(port, n);
    }
}

static void rights_text(uint8_t rights, char text[9])
{
    static const char letters[] = "rwxdsSWc"; /* in the order of enum right */
    for (int i = 0; i < 8; i++)
        text[i] = rights >> i & 1 ? letters[i] : '-';
    text[8] = 0;
}

static void cap_print(const struct cap *cap)
{
    char rights[9];
    rights_text(cap->rights, rights);
    printf("%*s%s %s %#" PRIx64, cap->depth * 2 + 2, "", object_names[cap->type], rights,
           cap->address);
    if (cap->pages)
        printf(", %u pages", cap->pages);
    if ((cap->type == OBJECT_page || cap->type == OBJECT_table) && cap->map.space)
        printf(", at %#" PRIx64 " in %s", cap->map.at, space_name(cap->map.space));
    if (cap->type == OBJECT_untyped)
        printf(", %" PRIu64 " used", cap->untyped.used);
    if (cap->type == OBJECT_port)
        printf(" of %s, badge %#" PRIx64 ", share %u", port_name(cap->object), cap->port.badge,
               cap->port.share);
    printf("%s%s%s\n", cap->flags & CAP_FIRST ? ", first" : "",
           cap->flags & CAP_DYING ? ", dying" : "", cap->flags & CAP_REVOKING ? ", revoking" : "");
}

/* The derivation tree; with an argument only capabilities of that type. */
static void caps_print(const char *argument)
{
    for (const struct cap *cap = first_cap(); cap; cap = cap->next)
        if (!*argument || !strcmp(argument, object_names[cap->type]))
            cap_print(cap);
}

static void space_print(const char *argument)
{
    uint32_t d = domain_named(argument);
    for (const struct cap *cap = first_cap(); d && cap; cap = cap->next) {
        const struct space *space = cap->object;
        if (cap->type != OBJECT_space || !(cap->flags & CAP_FIRST) ||
            strcmp(space_name(space), domain_at(d)->name))
            continue;
        for (const struct list *l = space->maps.next; l != &space->maps; l = l->next)
            cap_print(CONTAINER_OF(l, struct cap, map.maps));
    }
}

static void counters_print(const char *argument)
{
    for (uint32_t d = 1; d < domain_count(); d++) {
        char name[COUNTER_NAME_BYTES];
        uint64_t value;
        const struct start_page *start = domain_start_page(d);
        const struct counter_page *page = start ? domain_memory(start->counters_address) : NULL;
        if (*argument && strcmp(argument, domain_at(d)->name))
            continue;
        for (uint32_t n = 0; page && counters_read(page, n, name, &value); n++)
            if (value)
                printf("  %s.%s %" PRIu64 "\n", domain_at(d)->name, name, value);
    }
}

static void ring_print(const char *name, const struct start_conn *conn)
{
    const struct ring *mine = domain_memory(conn->mine), *theirs = domain_memory(conn->theirs);
    if (!mine || !theirs)
        return;
    printf("  %s.%s: sent %u (%u not taken), taken %u of %u, current %u, sleeping %s, wants room "
           "%s\n",
           name, conn->name, mine->produced, mine->produced - theirs->done, mine->done,
           theirs->produced, mine->current, mine->sleeping & 1 ? "yes" : "no",
           mine->want_room & 1 ? "yes" : "no");
}

static void queue_print(uint32_t d, uint32_t n)
{
    const struct start_page *start = domain_start_page(d);
    const struct libos *libos = domain_piece(start->private_address, sizeof(*libos));
    if (!libos || !libos->links_end)
        return;
    const struct queue *queue = &libos->link[n].queue;
    printf("  %s.%s: queued %u of %u%s\n", domain_at(d)->name, start->conn[n].name,
           queue->put - queue->taken, queue->mask + 1, queue->stalled ? ", refused" : "");
}

static void rings_print(const char *argument)
{
    (void)argument;
    for (uint32_t d = 1; d < domain_count(); d++) {
        const struct start_page *start = domain_start_page(d);
        for (uint32_t i = 0; start && i < start->conns; i++)
            if (start->conn[i].transport == START_DIRECT)
                queue_print(d, i);
            else
                ring_print(domain_at(d)->name, &start->conn[i]);
    }
}

static void log_print(const char *argument)
{
    uint32_t d = domain_named(argument);
    const struct start_page *start = d ? domain_start_page(d) : NULL;
    const struct log_page *page = start ? domain_memory(start->log_address) : NULL;
    struct log_reader reader = {0};
    char line[LOG_LINE_BYTES + 1];
    while (page && log_read(&reader, page, line, sizeof(line)))
        printf("  %s\n", line);
}

static void console_print_kept(const char *argument)
{
    (void)argument;
    uint64_t first = world.line > LINES_KEPT ? world.line - LINES_KEPT : 0;
    for (; first < world.line; first++)
        printf("  %s\n", world.lines[first % LINES_KEPT]);
}

static void memory_print(const char *argument)
{
    char *end;
    uint64_t address = strtoull(argument, &end, 0), count = strtoull(end, NULL, 0);
    for (uint64_t i = 0; i < (count ? count : 8); i++, address += 8) {
        const uint64_t *word = address >= SIM_ARENA && address < SIM_ARENA + sim_pages * PAGE_BYTES
                                   ? (const uint64_t *)address
                                   : domain_memory(address);
        if (!word) {
            printf("  %#" PRIx64 ": not mapped\n", address);
            return;
        }
        printf("  %#" PRIx64 ": %016" PRIx64 "\n", address, *word);
    }
}

static void now_print(const char *argument)
{
    (void)argument;
    printf("  step %" PRIu64 ", %.9f s, %s, trace %016" PRIx64 "\n", world.steps,
           (double)sim_clock / 1e9,
           sim_cpu.current ? space_name(sim_cpu.current->space) : "nobody runs", world.hash);
}

static void go_on(uint64_t steps)
{
    struct run_result result;
    if (!run_steps(steps, &result))
        printf("FAILED at step %" PRIu64 ": %s\n", world.steps, result.text);
    now_print("");
}

static void step_on(const char *argument)
{
    go_on(*argument ? strtoull(argument, NULL, 0) : 1);
}

static void run_on(const char *argument)
{
    (void)argument;
    go_on(UINT64_MAX);
}

static void save_now(const char *argument)
{
    if (!*argument)
        printf("save FILE\n");
    else if (snapshot_save(argument))
        printf("  saved\n");
}

static void commands_print(const char *argument);

static const struct command {
    const char *name, *text;
    void (*run)(const char *argument);
} commands[] = {
    {"help", "this list", commands_print},
    {"now", "where the machine stands", now_print},
    {"step", "[N]: takes N steps (1)", step_on},
    {"run", "goes on until the end, or until something fails", run_on},
    {"threads", "all threads and their registers; * runs", threads_print},
    {"ports", "pending signals and queued messages", ports_print},
    {"caps", "[TYPE]: the derivation tree", caps_print},
    {"space", "DOMAIN: what is mapped", space_print},
    {"rings", "the channels between domains, the queues inside", rings_print},
    {"counters", "[DOMAIN]: those that aren't zero", counters_print},
    {"log", "DOMAIN: what it has written", log_print},
    {"console", "what the console said last", console_print_kept},
    {"memory", "ADDRESS [N]: N words (8)", memory_print},
    {"save", "FILE: the machine as it is, for --load", save_now},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void commands_print(const char *argument)
{
    (void)argument;
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].text);
    printf("  %-9s the end\n", "quit");
}

/* False: the end. */
static bool command_run(char *line)
{
    char *name = strtok(line, " \t\n"), *argument = strtok(NULL, "\n");
    if (!name)
        return true;
    if (!strcmp(name, "quit") || !strcmp(name, "q"))
        return false;
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name)) {
            commands[i].run(argument ? argument : "");
            return true;
        }
    printf("no command \"%s\": \"help\" lists them\n", name);
    return true;
}

int inspect(struct options *options, const struct how *how)
{
    struct run_result result;
    char line[256];
    bool person = isatty(STDIN_FILENO);
    options_draw(options, options->seed);
    if (!run_begin(options, how, &result)) {
        fprintf(stderr, "%s\n", result.text);
        return 1;
    }
    now_print("");
    for (;;) {
        if (person)
            printf("(sim) ");
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin) || !command_run(line))
            return 0;
    }
}
