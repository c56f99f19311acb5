/* SPDX-License-Identifier: ISC
 *
 * A state of the control server that is damaged: refused, or it goes on and answers. The host and
 * init are those of control_server_test.c.
 */
int whole_tests(void);
#define main whole_tests
#include "tests/unit/control_server_test.c"
#undef main
#include "tests/unit/fake_swap.h"

/* Takes what it says, and hears init's answer to what it asks, until it has answered a request. */
static void after(void *context)
{
    struct rig *rig = context;
    uint8_t bytes[CONTROL_REQUEST_MAX + CONTROL_FRAME_EXTRA];
    uint8_t flush[CONTROL_FLUSH_BYTES] = {0};
    struct control_counters_request wanted = {.domain = 1};
    struct msg m;
    uint32_t got = 0;
    for (uint32_t at = 0; at < sizeof(flush); at += 32)
        if (!deliver(rig, flush + at, sizeof(flush) - at < 32 ? sizeof(flush) - at : 32))
            fake_domain_batch_end(rig->domain);
    fake_domain_batch_end(rig->domain);
    if (fake_domain_asked(rig->domain, &m)) {
        m.status = OK;
        fake_domain_message(rig->domain, &m);
    }
    fake_domain_batch_end(rig->domain);
    fake_domain_advance(rig->domain, 10000000000);
    fake_domain_batch_end(rig->domain);
    fake_conn_clear(rig->console);
    uint32_t count = request_make(rig, bytes, CONTROL_COUNTERS, &wanted, sizeof(wanted));
    assert_true(deliver(rig, bytes, count));
    fake_domain_batch_end(rig->domain);
    while (fake_conn_pop(rig->console, &m))
        got++;
    assert_true(got);
}

static void damage(struct rig *rig)
{
    uint32_t taken;
    uint32_t refused = fake_swap_damage(rig->domain, after, rig, &taken);
    print_message("%u refused, %u taken\n", refused, taken);
    assert_true(refused && taken);
}

static void while_init_is_asked(void **state)
{
    struct rig *rig = *state;
    struct control_request wanted = {.argument = 1};
    uint8_t bytes[CONTROL_REQUEST_MAX + CONTROL_FRAME_EXTRA];
    uint32_t count = request_make(rig, bytes, CONTROL_DOMAIN, &wanted, sizeof(wanted));
    assert_true(deliver(rig, bytes, count));
    assert_true(deliver(rig, bytes, count / 2)); /* half of another one */
    fake_domain_batch_end(rig->domain);
    damage(rig);
}

static void while_a_reply_goes_out(void **state)
{
    struct rig *rig = *state;
    struct control_counters_request wanted = {.domain = 1};
    uint8_t bytes[CONTROL_REQUEST_MAX + CONTROL_FRAME_EXTRA];
    rig->watched[1].counters.count = 30;
    uint32_t count = request_make(rig, bytes, CONTROL_COUNTERS, &wanted, sizeof(wanted));
    fake_conn_set_capacity(rig->console, 2);
    assert_true(deliver(rig, bytes, count));
    fake_domain_batch_end(rig->domain);
    fake_conn_set_capacity(rig->console, FAKE_QUEUE_MAX);
    damage(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(while_init_is_asked), TEST(while_a_reply_goes_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
