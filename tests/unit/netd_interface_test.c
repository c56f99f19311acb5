/* SPDX-License-Identifier: ISC
 *
 * servers/netd/interface.c: addresses as people write them, and what is a neighbour.
 */
#include "tests/unit/netd_fixture.h"

static void a_good_address_is_read(void **state)
{
    (void)state;
    struct interface interface = {0};
    assert_true(interface_set_address(&interface, "10.0.2.15/24"));
    assert_int_equal(interface.address, OUR_IP);
    assert_int_equal(interface.mask, 0xffffff00);
    assert_true(interface_set_address(&interface, "192.0.2.1/1"));
    assert_int_equal(interface.mask, 0x80000000);
    assert_true(interface_set_address(&interface, "192.0.2.0/31"));
    assert_int_equal(interface.mask, 0xfffffffe);
    assert_true(interface_set_address(&interface, "192.0.2.0/32"));
    assert_int_equal(interface.mask, 0xffffffff);
}

static void malformed_addresses_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "10.0.2.15",
        "10.0.2.15/",
        "10.0.2.15/0",
        "10.0.2.15/33",
        "10.0.2/24",
        "10.0.2.15/24 ",
        " 10.0.2.15/24",
        "10.0.2.15/024",
        "10.0.02.15/24",
        "10.0.2.256/24",
        "10.0.2.15.1/24",
        "10..2.15/24",
        "10.0.2.15/-1",
        "10.0.2.15/24x",
        "10.0.2.15/99999999999",
        "99999999999.0.0.1/8",
        "ten.0.2.15/24",
        "10.0.2.15\\24",
        "10,0,2,15/24",
        "::1/64",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct interface interface = {0};
        assert_false(interface_set_address(&interface, bad[i]));
        assert_int_equal(interface.address, 0);
        assert_int_equal(interface.mask, 0);
    }
}

static void addresses_that_no_host_has_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"0.0.0.1/8",          "127.0.0.1/8", "224.0.0.1/24",
                                      "255.255.255.255/32", "10.0.2.0/24", "10.0.2.255/24",
                                      "240.0.0.1/8"};
    struct interface interface = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(interface_set_address(&interface, bad[i]));
}

static void the_gateway_is_another_host_of_the_network(void **state)
{
    (void)state;
    struct interface interface = {0};
    assert_true(interface_set_address(&interface, "10.0.2.15/24"));
    static const char *const bad[] = {"10.0.3.2",  "10.0.2.15", "10.0.2.0", "10.0.2.255",
                                      "10.0.2.2/", "10.0.2",    "",         "10.0.2.2 "};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(interface_set_gateway(&interface, bad[i]));
        assert_int_equal(interface.gateway, 0);
    }
    assert_true(interface_set_gateway(&interface, "10.0.2.2"));
    assert_int_equal(interface.gateway, GATEWAY_IP);
}

static void neighbours_and_others(void **state)
{
    (void)state;
    struct interface interface = {0};
    assert_true(interface_set_address(&interface, "10.0.2.15/24"));
    assert_true(interface_set_gateway(&interface, "10.0.2.2"));
    assert_int_equal(interface_next_hop(&interface, NEIGHBOUR_IP), NEIGHBOUR_IP);
    assert_int_equal(interface_next_hop(&interface, FAR_IP), GATEWAY_IP);
    interface.gateway = 0;
    assert_int_equal(interface_next_hop(&interface, FAR_IP), 0);
    assert_true(interface_is_peer(&interface, FAR_IP));
    assert_true(interface_is_peer(&interface, NEIGHBOUR_IP));
    assert_false(interface_is_peer(&interface, OUR_IP));
    assert_false(interface_is_peer(&interface, 0x0a000200));
    assert_false(interface_is_peer(&interface, 0x0a0002ff));
    assert_false(interface_is_peer(&interface, 0x7f000001));
    assert_false(interface_is_peer(&interface, 0xe0000001));
    assert_false(interface_is_peer(&interface, 0xffffffff));
    assert_false(interface_is_peer(&interface, 0));
}

static void small_networks_have_no_broadcast(void **state)
{
    (void)state;
    struct interface interface = {0};
    assert_true(interface_set_address(&interface, "192.0.2.6/31"));
    assert_true(interface_is_peer(&interface, 0xc0000207));
    assert_false(interface_is_broadcast(&interface, 0xc0000207));
    assert_true(interface_set_gateway(&interface, "192.0.2.7"));
    assert_true(interface_is_broadcast(&interface, 0xffffffff));
    assert_true(interface_set_address(&interface, "192.0.2.6/30"));
    assert_true(interface_is_broadcast(&interface, 0xc0000207));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_address_is_read),
        cmocka_unit_test(malformed_addresses_change_nothing),
        cmocka_unit_test(addresses_that_no_host_has_are_refused),
        cmocka_unit_test(the_gateway_is_another_host_of_the_network),
        cmocka_unit_test(neighbours_and_others),
        cmocka_unit_test(small_networks_have_no_broadcast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
