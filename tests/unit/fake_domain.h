/* SPDX-License-Identifier: ISC
 *
 * libos/domain.h for unit tests: a domain on the host whose connections are inspectable queues,
 * whose pools are plain memory, and whose time stands still until a test moves it. A test builds a
 * domain, starts the server in it, delivers messages and looks at what the server sent, counted and
 * logged. Wrong use by the test itself ends it with assert().
 *
 *     struct domain *domain = fake_domain_create(&motet_server_netd);
 *     struct conn *net = fake_domain_connect(domain, "net", 0);
 *     fake_domain_add_pool(domain, "rx", 1, 64, 2048, POOL_READ);
 *     assert_int_equal(fake_domain_start(domain), OK);
 *     assert_true(fake_conn_pop(net, &m)); // the first message that the server sent
 */
#ifndef MOTET_TESTS_FAKE_DOMAIN_H
#define MOTET_TESTS_FAKE_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libos/domain.h"
#include "libos/server.h"
#include "libos/supervisor.h"

enum {
    FAKE_CONNS_MAX = 16,
    FAKE_POOLS_MAX = 32,
    FAKE_SETTINGS_MAX = 32,
    FAKE_FILES_MAX = 4,
    FAKE_DEVICES_MAX = 4,
    FAKE_COUNTERS_MAX = 128,
    FAKE_QUEUE_MAX = 4096, /* messages that a server may send before the test looks */
};

/* An empty domain for `server` (its state is zeroed, not started). */
struct domain *fake_domain_create(const struct server *server);
void fake_domain_destroy(struct domain *domain);

/* What the manifest would draw; all before fake_domain_start. Strings are copied; a pool's memory
 * is the test's and the server's together, whatever the rights say. `rights` decide which of `base`
 * and `physical` the server sees; `physical` is the host address of the memory. */
struct conn *fake_domain_connect(struct domain *domain, const char *port, uint32_t instance);
struct pool *fake_domain_add_pool(struct domain *domain, const char *name, uint8_t number,
                                  uint32_t buffers, uint32_t buffer_size, uint8_t rights);
uint8_t *fake_pool_memory(struct domain *domain, uint32_t number);
void fake_domain_set(struct domain *domain, const char *key, const char *value);
void fake_domain_add_file(struct domain *domain, const char *name, const void *data, size_t size);
struct device *fake_domain_add_device(struct domain *domain); /* zeroed: the test fills it in */

/* The loop's part: each call is one entry into the server. */
enum error fake_domain_start(struct domain *domain);
bool fake_domain_deliver(struct domain *domain, struct conn *conn, const struct msg *m);
void fake_domain_signal(struct domain *domain, uint32_t device, uint32_t bits);
void fake_domain_batch_end(struct domain *domain);
void fake_domain_message(struct domain *domain, const struct msg *m);

/* Moves the time on; stops at each deadline on the way and calls `deadline` and `batch_end`. */
void fake_domain_advance(struct domain *domain, uint64_t nanoseconds);

/* Makes the domain the controller (libos/supervisor.h) of `domains` domains, whose pages are here
 * for the test to write. */
struct fake_watched {
    struct log_page log;
    struct counter_page counters;
};
struct fake_watched *fake_domain_watch(struct domain *domain, uint32_t domains);

/* The controller's staging memory, which is the test's; and what the loader is begun for. */
void fake_domain_set_staging(struct domain *domain, void *memory, uint32_t bytes);
void fake_domain_set_staged(struct domain *domain, const struct supervisor_staged *staged);

/* What the server asked the supervisor last; false: nothing since the last call. With `full` set
 * the supervisor takes nothing. */
bool fake_domain_asked(struct domain *domain, struct msg *m);
void fake_domain_set_full(struct domain *domain, bool full);

/* For fake_swap.c. A new life of the server begins in zeroed memory while domain_swaps(), and then
 * `load` does the rest; not OK: the old one is there again. */
enum error fake_domain_take_over(struct domain *domain,
                                 enum error (*load)(void *state, const void *context),
                                 const void *context);
extern void (*fake_domain_before_entry)(struct domain *domain);
const struct server *fake_domain_server(const struct domain *domain);

/* Whether the number is one that only this process can make sense of. */
bool fake_domain_knows_address(const struct domain *domain, uint64_t number);

/* The server as it is now, its counters and time; what it sent meanwhile is taken away. Frees. */
struct fake_life *fake_life_keep(struct domain *domain);
void fake_life_restore(struct domain *domain, struct fake_life *life);

/* What the server did. */
void *fake_domain_state(struct domain *domain);
uint64_t fake_domain_deadline(struct domain *domain); /* 0: none set */
uint64_t fake_domain_counter(struct domain *domain, const char *name);
const char *fake_domain_log(struct domain *domain);
bool fake_domain_logged(struct domain *domain, const char *part);
void fake_domain_clear_log(struct domain *domain);

/* What the server sent on a connection and the test hasn't taken yet. */
uint32_t fake_conn_waiting(struct conn *conn);
bool fake_conn_pop(struct conn *conn, struct msg *m);
void fake_conn_clear(struct conn *conn);

/* At most `messages` wait at a time, then the server meets ERROR_FULL (at first FAKE_QUEUE_MAX). */
void fake_conn_set_capacity(struct conn *conn, uint32_t messages);

#endif
