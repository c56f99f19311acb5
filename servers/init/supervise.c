/* SPDX-License-Identifier: ISC
 *
 * What init does once everything runs: it prints logs and counters, and reports faults. A domain
 * that faults or fails stays stopped; its pages, and so its log, stay.
 */
#include <string.h>

#include "libos/kernel.h"
#include "libos/syscall.h"
#include "motet/supervisor.h"
#include "servers/init/init.h"
#include "servers/init/threads.h"

enum {
    LINE_BYTES = LOG_LINE_BYTES + 1,
    LOG_PIECE_LINES = 8, /* of one domain, then the next has its turn */
    LOG_PART = 8,        /* printing logs takes an eighth of the time at most, beyond a second's */
};

static const char *name_of(const struct init *init, uint32_t domain)
{
    return init->domain[domain].name;
}

static const struct log_page *log_of(uint32_t domain)
{
    return (const void *)(LOG_WINDOW + domain * 2 * PAGE_BYTES);
}

/* Which of a domain's servers, in link order; NULL: it has no more. */
static const char *server_name(const struct init *init, uint32_t domain, int number)
{
    const char *name = (const char *)init->image + init->domain[domain].servers;
    for (; number > 0 && *name; number--)
        name += strlen(name) + 1;
    return *name && number == 0 ? name : NULL;
}

/* Whom a line or a counter is of: where servers share a domain their own names are said. */
static bool is_shared(const struct init *init, uint32_t domain)
{
    return server_name(init, domain, 1);
}

/* Whether it begins with the name of one of the domain's servers, as libos/domain.c writes it. */
static bool names_server(const struct init *init, uint32_t domain, const char *line)
{
    const char *name;
    for (int i = 0; (name = server_name(init, domain, i)); i++) {
        size_t length = strlen(name);
        if (!memcmp(line, name, length) && line[length] == ':')
            return true;
    }
    return false;
}

static void line_print(const struct init *init, uint32_t domain, const char *line)
{
    if (is_shared(init, domain) && names_server(init, domain, line))
        console_print("%s", line);
    else
        console_line(name_of(init, domain), line);
}

/* Prints up to `lines` lines of a domain's log. False: nothing is left. */
static bool log_print(struct init *init, uint32_t domain, uint32_t lines)
{
    struct child *child = &init->child[domain];
    char line[LINE_BYTES];
    uint64_t lost = child->log.lost;
    for (; lines && log_read(&child->log, log_of(domain), line, sizeof(line)); lines--)
        line_print(init, domain, line);
    if (child->log.lost != lost)
        console_print("init: %s: %lu log lines were overwritten before they could be printed",
                      name_of(init, domain), (unsigned long)(child->log.lost - lost));
    return lines == 0;
}

/* All that a stopped domain has left: no page has more lines than bytes. */
static void log_finish(struct init *init, uint32_t domain)
{
    log_print(init, domain, LOG_BYTES);
    init->logs &= ~(1ull << domain);
}

/* Prints what is in the logs, the domains in turn. A line takes init, which everybody waits for,
 * long, and how many there are is up to the domains. So each tick spent here is paid with LOG_PART
 * ticks, of which a second's worth may be owed; then the lines wait, and those that are overwritten
 * meanwhile are counted. What took longer counts as a second: then the machine stood still. Returns
 * when to go on, 0: all is printed. */
static uint64_t logs_print(struct init *init)
{
    uint64_t credit = kernel_info()->clock_frequency;
    while (init->logs) {
        uint64_t now = kernel_clock();
        if (init->logs_paid < now)
            init->logs_paid = now;
        if (init->logs_paid - now > credit)
            return init->logs_paid - credit;
        uint64_t later = init->logs & ~0ull << (init->log_turn + 1);
        init->log_turn = (uint32_t)__builtin_ctzll(later ? later : init->logs);
        if (!log_print(init, init->log_turn, LOG_PIECE_LINES))
            init->logs &= ~(1ull << init->log_turn);
        const uint64_t took = kernel_clock() - now;
        init->logs_paid += LOG_PART * (took < credit ? took : credit);
    }
    return 0;
}

static const char *counter_owner(const struct init *init, uint32_t domain, uint32_t n)
{
    const char *name = NULL;
    if (is_shared(init, domain))
        name = server_name(init, domain, counters_server(counters_of(domain), n));
    return name ? name : name_of(init, domain);
}

/* Counters that aren't zero, a line each. */
static void counters_print(struct init *init)
{
    char name[COUNTER_NAME_BYTES];
    uint64_t value;
    console_print("init: counters:");
    for (uint32_t d = 1; d < domains_shown(init); d++)
        for (uint32_t n = 0; counters_read(counters_of(d), n, name, &value); n++)
            if (value)
                console_print("  %s.%s %lu", counter_owner(init, d, n), name, (unsigned long)value);
    kernel_counters_print();
    console_print("init: end of counters");
}

static void domains_print(struct init *init)
{
    static const char *const states[] = {
        [THREAD_SUSPENDED] = "suspended", [THREAD_READY] = "ready",
        [THREAD_RUNNING] = "running",     [THREAD_WAITING] = "waiting",
        [THREAD_FAULTED] = "stopped",     [THREAD_EXHAUSTED] = "out of budget",
    };
    console_print("init: domains:");
    for (uint32_t d = 1; d < domains_shown(init); d++) {
        struct invoked info;
        sys_invoke(init->child[d].thread, OPERATION_thread_info, 0, 0, 0, 0, 0, &info);
        console_print("  %s: %s, priority %u", name_of(init, d),
                      init->child[d].stopped ? "stopped" : states[info.a[0] % 6],
                      init->domain[d].priority);
        if (has_heaps())
            heap_print(init, d);
    }
}

static const char *fault_text(uint64_t cause)
{
    switch (cause) {
    case FAULT_PAGE:
        return "page fault";
    case FAULT_DIVIDE:
        return "division by zero";
    case FAULT_INVALID_OPCODE:
        return "invalid instruction";
    case FAULT_PROTECTION:
        return "protection fault";
    case FAULT_STUCK:
        return "stuck: it ran for too long without waiting";
    default:
        return "exception";
    }
}

/* Page fault error code (SDM volume 3, 4.7). */
static const char *access_text(uint64_t error)
{
    if (error & 1 << 4)
        return "executing";
    return error & 1 << 1 ? "writing" : "reading";
}

static bool has_faulted(uint32_t thread)
{
    struct invoked info;
    return sys_invoke(thread, OPERATION_thread_info, 0, 0, 0, 0, 0, &info) == OK &&
           info.a[0] == THREAD_FAULTED;
}

/* Its log comes first. */
static void stop(struct init *init, uint32_t domain)
{
    struct child *child = &init->child[domain];
    log_finish(init, domain);
    child->stopped = true;
    if (child->pager) {
        thread_suspend(child->pager);
        thread_suspend(child->thread);
    }
}

/* What the domain held of its heap is free; whose pages were in there can't go on. */
static void memory_release(struct init *init, uint32_t domain)
{
    if (!has_heaps())
        return;
    for (uint32_t d = 1; d < init->image->domains.count; d++) {
        if (init->domain[d].pager != domain || init->child[d].stopped)
            continue;
        thread_suspend(init->child[d].thread);
        stop(init, d);
        console_print("init: %s stopped: its pager %s has stopped", name_of(init, d),
                      name_of(init, domain));
    }
    heap_release(init, domain);
}

void fault_print(const struct init *init, uint32_t body, const struct msg *m)
{
    if (m->w[0] == FAULT_PAGE)
        console_print(
            "init: %s stopped: page fault %s address 0x%lx (%s) at instruction 0x%lx, stack "
            "0x%lx",
            name_of(init, body), access_text(m->w[4]), (unsigned long)m->w[1],
            m->w[4] & 1 ? "not allowed" : "not mapped", (unsigned long)m->w[2],
            (unsigned long)m->w[3]);
    else
        console_print("init: %s stopped: %s (cause %lu, error 0x%lx) at instruction 0x%lx, stack "
                      "0x%lx",
                      name_of(init, body), fault_text(m->w[0]), (unsigned long)m->w[0],
                      (unsigned long)m->w[4], (unsigned long)m->w[2], (unsigned long)m->w[3]);
    if (backtrace_print)
        backtrace_print(init, body, m);
}

static void fault_report(struct init *init, uint32_t domain, const struct msg *m)
{
    const struct child *child = &init->child[domain];
    bool pager = child->pager && has_faulted(child->pager);
    if (child->stopped || (!pager && !has_faulted(child->thread)))
        return; /* it lies: the message isn't the kernel's */
    stop(init, domain);
    if (pager)
        console_print("init: %s: its pager failed:", name_of(init, domain));
    fault_print(init, body_of(init, domain), m);
    memory_release(init, domain);
}

static void failure_report(struct init *init, uint32_t domain, const struct msg *m)
{
    struct supervisor_failed failed;
    if (init->child[domain].stopped)
        return; /* said once, however often it is told */
    msg_get(m, &failed, sizeof(failed));
    stop(init, domain);
    console_print("init: %s stopped by itself: %s", name_of(init, domain),
                  error_text((enum error)failed.error));
    memory_release(init, domain);
}

void domain_stop(struct init *init, uint32_t domain)
{
    thread_suspend(init->child[domain].thread);
    stop(init, domain);
    console_print("init: %s stopped: killed by the host", name_of(init, domain));
    memory_release(init, domain);
}

static void message_handle(struct init *init, const struct msg *m)
{
    uint32_t domain = m->tag ? (uint32_t)__builtin_ctzll(m->tag) : 0;
    if (swap_rehearsed && swap_rehearsed(init, domain, m))
        return;
    if (swap_sender)
        domain = swap_sender(init, domain);
    if (domain == 0 || domain >= init->image->domains.count)
        return;
    switch (m->op) {
    case KERNEL_FAULT:
    case SUPERVISOR_FAULT:
        fault_report(init, domain, m);
        break;
    case SUPERVISOR_FAILED:
        failure_report(init, domain, m);
        break;
    default:
        if (has_heaps())
            heap_message(init, domain, m);
        break;
    }
    if (control_handle)
        control_handle(init, domain, m);
}

static void console_handle(struct init *init)
{
    for (int typed; (typed = console_read()) >= 0;) {
        if (typed == 's')
            counters_print(init);
        else if (typed == 'd')
            domains_print(init);
        else if (typed == 't')
            trace_print(init);
        else if (typed == 'T')
            trace_dump(init);
        else if (typed == 'o')
            trace_switch(init);
        else if (typed >= ' ')
            console_print(
                "init: s: counters, d: domains, t: trace, T: all of it, o: trace on or off");
    }
}

static void signals_handle(struct init *init, uint64_t pending)
{
    if (swap_logs)
        pending = swap_logs(init, pending);
    init->logs |= pending & ((1ull << init->image->domains.count) - 2);
    if (pending >> CONSOLE_BIT & 1)
        console_handle(init);
}

/* The earlier of two deadlines; 0 is none. */
static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a && (!b || a < b) ? a : b;
}

void supervise(struct init *init)
{
    const uint64_t interval = init->stats_interval * kernel_info()->clock_frequency;
    uint64_t report = interval ? kernel_clock() + interval : 0, logs = 0, faults = 0;
    for (;;) {
        struct received received = {0};
        uint64_t heaps = has_heaps() ? heaps_deadline(init) : 0;
        if (restarts_deadline)
            heaps = earlier(heaps, restarts_deadline(init));
        if (swap_deadline)
            heaps = earlier(heaps, swap_deadline(init));
        sys_wait(init->port, 0, earlier(earlier(report, logs), earlier(heaps, faults)), &received);
        if (received.msg.op)
            message_handle(init, &received.msg);
        signals_handle(init, received.pending);
        if (has_devices() &&
            (received.pending >> DMA_BIT & 1 || (faults && kernel_clock() >= faults)))
            faults = dma_faults(init);
        logs = logs_print(init);
        if (report && kernel_clock() >= report) {
            counters_print(init);
            report = kernel_clock() + interval;
        }
    }
}
