/* SPDX-License-Identifier: ISC
 *
 * A state of dnsd that is damaged: refused, or dnsd goes on and keeps its invariants. The domain is
 * that of dnsd_server_test.c.
 */
int whole_tests(void);
#define main whole_tests
#include "tests/unit/dnsd_server_test.c"
#undef main
#include "servers/dnsd/dnsd.h"
#include "tests/unit/fake_swap.h"

static void buffers_done(struct rig *rig)
{
    struct sock_done done = {.pool = SEND, .count = SEND_BUFFERS, .index = {0, 1, 2, 3}};
    struct msg m;
    msg_set(&m, SOCK_SEND_DONE, &done, sizeof(done));
    assert_true(fake_domain_deliver(rig->domain, rig->net, &m));
}

static void tables_check(const struct dnsd *dnsd)
{
    assert_true(pool_owner_check(&dnsd->send_buffers));
    assert_in_range(dnsd->deferred_count, 0, DEFERRED_MAX);
    assert_in_range(dnsd->returned.count, 0, SOCK_DONE_MAX);
}

/* Until all that waited has its answer. */
static void after(void *context)
{
    struct rig *rig = context;
    const struct dnsd *dnsd = fake_domain_state(rig->domain);
    struct sock_done done;
    struct msg m;
    tables_check(dnsd);
    for (uint16_t i = 0; i < 8; i++) {
        deliver(rig, 20 + i, sizeof(query));
        fake_domain_batch_end(rig->domain);
        buffers_done(rig);
        fake_domain_batch_end(rig->domain);
    }
    tables_check(dnsd);
    assert_int_equal(dnsd->deferred_count, 0);
    assert_int_equal(dnsd->send_buffers.free_count, SEND_BUFFERS);
    while (fake_conn_pop(rig->net, &m))
        if (m.op == SOCK_RECV_DONE) {
            msg_get(&m, &done, sizeof(done));
            assert_in_range(done.count, 1, SOCK_DONE_MAX);
            for (uint32_t i = 0; i < done.count; i++)
                assert_in_range(done.index[i], 0, RECV_BUFFERS - 1);
        }
}

static void a_damaged_state_does_no_harm(void **state)
{
    struct rig rig = rig_make(RECV_BUFFERS);
    uint32_t taken, refused;
    (void)state;
    fake_domain_set(rig.domain, "dnsd.rrl", "5");
    assert_int_equal(fake_domain_start(rig.domain), OK);
    for (uint16_t i = 0; i < SEND_BUFFERS + 6; i++)
        deliver(&rig, i, sizeof(query));
    assert_int_equal(((const struct dnsd *)fake_domain_state(rig.domain))->deferred_count, 6);
    refused = fake_swap_damage(rig.domain, after, &rig, &taken);
    print_message("%u refused, %u taken\n", refused, taken);
    assert_true(refused && taken);
    after(&rig);
    fake_domain_destroy(rig.domain);
}

/* Clients' cookies stay good, and what is limited stays limited, whatever the new life drew. */
static void secrets_are_carried_over(void **state)
{
    struct rig rig = rig_make(RECV_BUFFERS);
    const struct dnsd *dnsd = fake_domain_state(rig.domain);
    uint8_t secret[COOKIE_SECRET_SIZE], key[sizeof(dnsd->rrl.key)];
    (void)state;
    assert_int_equal(fake_domain_start(rig.domain), OK);
    memcpy(secret, dnsd->config.cookie_secret, sizeof(secret));
    memcpy(key, dnsd->rrl.key, sizeof(key));
    domain_random(rig.domain); /* so that it draws others */
    assert_true(fake_swap(rig.domain));
    assert_memory_equal(secret, dnsd->config.cookie_secret, sizeof(secret));
    assert_memory_equal(key, dnsd->rrl.key, sizeof(key));
    fake_domain_destroy(rig.domain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_state_does_no_harm),
        cmocka_unit_test(secrets_are_carried_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
