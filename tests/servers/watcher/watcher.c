/* SPDX-License-Identifier: ISC
 *
 * A server for tests that reads the kernel's trace: every tenth of a second it counts the new
 * records. With watcher.act=write it writes to the trace, and must be stopped.
 */
#include "libos/domain.h"
#include "libos/server.h"
#include "libos/trace.h"

#include <string.h>

enum { PERIOD = 100000000 }; /* nanoseconds */

struct watcher {
    struct domain *domain;
    struct trace_reader reader;
};

enum counter { COUNT_RECORDS, COUNT_OWN_SWITCHES, COUNT_LOST };

static void again(struct domain *domain)
{
    domain_set_deadline(domain, domain_time(domain) + PERIOD);
}

static enum error start(void *state, struct domain *domain)
{
    const struct trace_header *trace = domain_trace(domain);
    const char *act = domain_setting(domain, "watcher.act");
    ((struct watcher *)state)->domain = domain;
    if (!trace) {
        domain_log(domain, "no trace");
        return OK;
    }
    domain_log(domain, "a trace of %u records", trace->capacity);
    if (act && !strcmp(act, "write"))
        *(volatile uint64_t *)(uintptr_t)&trace->written = 0;
    again(domain);
    return OK;
}

static void look(void *state)
{
    struct watcher *watcher = state;
    struct domain *domain = watcher->domain;
    const struct trace_header *trace = domain_trace(domain);
    uint64_t *count = domain_counters(domain);
    struct trace_record record;
    /* Bounded: reading is quicker than what is recorded, but for records about itself. */
    for (uint32_t i = 0; i < trace->capacity && trace_read(&watcher->reader, trace, &record); i++) {
        count[COUNT_RECORDS]++;
        count[COUNT_OWN_SWITCHES] += record.event == TRACE_switch && record.domain == 1;
    }
    count[COUNT_LOST] = watcher->reader.lost;
    again(domain);
}

static const char *const counters[] = {
    [COUNT_RECORDS] = "records", [COUNT_OWN_SWITCHES] = "own_switches", [COUNT_LOST] = "lost"};
static const char *const settings[] = {"watcher.act"};

extern const struct server motet_server_watcher;
const struct server motet_server_watcher = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "watcher",
    .settings = settings,
    .setting_count = 1,
    .state_size = sizeof(struct watcher),
    .stack_bytes = 1024,
    .counters = counters,
    .counter_count = 3,
    .start = start,
    .deadline = look,
};
SERVER_EXPORT(motet_server_watcher);
