/* SPDX-License-Identifier: ISC
 *
 * What init does once everything runs: it prints logs and counters, and reports faults. A domain
 * that faults or fails stays stopped; its pages, and so its log, stay.
 */
#include "libos/syscall.h"
#include "motet/supervisor.h"
#include "servers/init/init.h"

enum { LINE_BYTES = LOG_LINE_BYTES + 1 };

static const char *name_of(const struct init *init, uint32_t domain)
{
    return init->domain[domain].name;
}

static const struct log_page *log_of(uint32_t domain)
{
    return (const void *)(LOG_WINDOW + domain * 2 * PAGE_BYTES);
}

static const struct counter_page *counters_of(uint32_t domain)
{
    return (const void *)(LOG_WINDOW + domain * 2 * PAGE_BYTES + PAGE_BYTES);
}

static void log_print(struct init *init, uint32_t domain)
{
    struct child *child = &init->child[domain];
    char line[LINE_BYTES];
    uint64_t lost = child->log.lost;
    /* No page has more lines than bytes, whatever its domain does to it meanwhile. */
    for (int i = 0; i < LOG_BYTES && log_read(&child->log, log_of(domain), line, sizeof(line)); i++)
        console_line(name_of(init, domain), line);
    if (child->log.lost != lost)
        console_print("init: %s: %lu log lines were overwritten before they could be printed",
                      name_of(init, domain), (unsigned long)(child->log.lost - lost));
}

/* Counters that aren't zero, a line each. */
static void counters_print(struct init *init)
{
    char name[COUNTER_NAME_BYTES];
    uint64_t value;
    console_print("init: counters:");
    for (uint32_t d = 1; d < init->image->domains.count; d++)
        for (uint32_t n = 0; counters_read(counters_of(d), n, name, &value); n++)
            if (value)
                console_print("  %s.%s %lu", name_of(init, d), name, (unsigned long)value);
    console_print("init: end of counters");
}

static void domains_print(struct init *init)
{
    static const char *const states[] = {"suspended", "ready", "running", "waiting", "stopped"};
    console_print("init: domains:");
    for (uint32_t d = 1; d < init->image->domains.count; d++) {
        struct invoked info;
        sys_invoke(init->child[d].thread, OPERATION_thread_info, 0, 0, 0, 0, 0, &info);
        console_print("  %s: %s, priority %u", name_of(init, d),
                      init->child[d].stopped ? "stopped" : states[info.a[0] % 5],
                      init->domain[d].priority);
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

static void fault_report(struct init *init, uint32_t domain, const struct msg *m)
{
    log_print(init, domain);
    init->child[domain].stopped = true;
    if (m->w[0] == FAULT_PAGE)
        console_print(
            "init: %s stopped: page fault %s address 0x%lx (%s) at instruction 0x%lx, stack "
            "0x%lx",
            name_of(init, domain), access_text(m->w[4]), (unsigned long)m->w[1],
            m->w[4] & 1 ? "not allowed" : "not mapped", (unsigned long)m->w[2],
            (unsigned long)m->w[3]);
    else
        console_print("init: %s stopped: %s (cause %lu, error 0x%lx) at instruction 0x%lx, stack "
                      "0x%lx",
                      name_of(init, domain), fault_text(m->w[0]), (unsigned long)m->w[0],
                      (unsigned long)m->w[4], (unsigned long)m->w[2], (unsigned long)m->w[3]);
}

static void failure_report(struct init *init, uint32_t domain, const struct msg *m)
{
    struct supervisor_failed failed;
    msg_get(m, &failed, sizeof(failed));
    log_print(init, domain);
    init->child[domain].stopped = true;
    console_print("init: %s stopped by itself: %s", name_of(init, domain),
                  error_text((enum error)failed.error));
}

static void message_handle(struct init *init, const struct msg *m)
{
    uint32_t domain = m->tag ? (uint32_t)__builtin_ctzll(m->tag) : 0;
    if (domain == 0 || domain >= init->image->domains.count)
        return;
    switch (m->op) {
    case KERNEL_FAULT:
        fault_report(init, domain, m);
        break;
    case SUPERVISOR_FAILED:
        failure_report(init, domain, m);
        break;
    default:
        break;
    }
}

static void console_handle(struct init *init)
{
    for (int typed; (typed = console_read()) >= 0;) {
        if (typed == 's')
            counters_print(init);
        else if (typed == 'd')
            domains_print(init);
        else if (typed >= ' ')
            console_print("init: s: counters, d: domains");
    }
}

static void signals_handle(struct init *init, uint64_t pending)
{
    for (uint32_t d = 1; d < init->image->domains.count; d++)
        if (pending >> d & 1)
            log_print(init, d);
    if (pending >> CONSOLE_BIT & 1)
        console_handle(init);
}

static uint64_t clock_after(uint64_t seconds)
{
    const struct kernel_info *info = (const void *)(INIT_BOOT_ADDRESS + PAGE_BYTES);
    return __builtin_ia32_rdtsc() + seconds * info->clock_frequency;
}

void supervise(struct init *init)
{
    uint64_t deadline = init->stats_interval ? clock_after(init->stats_interval) : 0;
    for (;;) {
        struct received received = {0};
        enum error error = sys_wait(init->port, deadline, &received);
        if (error == ERROR_TIMEOUT) {
            counters_print(init);
            deadline = clock_after(init->stats_interval);
            continue;
        }
        if (received.msg.op)
            message_handle(init, &received.msg);
        signals_handle(init, received.pending);
    }
}
