/* SPDX-License-Identifier: ISC
 *
 * Tests of servers/dnsd/zone.c: finding names and reading what is stored with them.
 */
#include "tests/unit/dns_zones.h"

static int setup(void **state)
{
    struct zones *zones = malloc(sizeof *zones);

    zones_make_every_kind(zones);
    *state = zones;
    return 0;
}

static int teardown(void **state)
{
    zones_free(*state);
    free(*state);
    return 0;
}

/* Finds a name; `name` must stay while the match is used. */
static enum zone_result find(const struct zones *zones, const char *text, unsigned first,
                             struct dns_name *name, struct zone_match *match)
{
    static uint8_t wire[DNS_NAME_MAX];

    name_from_text(wire, text, ".");
    assert_int_not_equal(name_parse(name, wire, sizeof wire), 0);
    return zone_find(&zones->db, name, first, match);
}

static void existing_name_is_found_as_a_whole(void **state)
{
    struct dns_name name;
    struct zone_match match;

    assert_int_equal(find(*state, "mail.example.org.", 0, &name, &match), ZONE_FOUND);
    assert_int_equal(match.label, 0);
    assert_int_equal(match.node.flags, 0);
    assert_int_equal(match.node.name_length, 4);
    assert_memory_equal(match.node.name, "mail", 4);
}

static void deepest_existing_name_is_found(void **state)
{
    struct dns_name name;
    struct zone_match match;

    assert_int_equal(find(*state, "x.y.name.example.org.", 0, &name, &match), ZONE_FOUND);
    assert_int_equal(match.label, 2);
    assert_int_equal(find(*state, "x.y.nothing.example.org.", 0, &name, &match), ZONE_FOUND);
    assert_int_equal(match.label, 3);
    assert_int_equal(match.node.flags, ZONE_FLAG_APEX);
}

static void foreign_name_is_absent(void **state)
{
    struct dns_name name;
    struct zone_match match;

    assert_int_equal(find(*state, "www.example.com.", 0, &name, &match), ZONE_ABSENT);
    assert_int_equal(find(*state, "org.", 0, &name, &match), ZONE_ABSENT);
    assert_int_equal(find(*state, ".", 0, &name, &match), ZONE_ABSENT);
}

static void search_starts_at_the_label_asked_for(void **state)
{
    struct dns_name name;
    struct zone_match match;

    assert_int_equal(find(*state, "child.example.org.", 0, &name, &match), ZONE_FOUND);
    assert_int_equal(match.label, 0);
    assert_int_equal(find(*state, "child.example.org.", 1, &name, &match), ZONE_FOUND);
    assert_int_equal(match.label, 1);
    assert_int_equal(find(*state, "child.example.org.", 2, &name, &match), ZONE_ABSENT);
}

static void flags_say_what_a_name_is(void **state)
{
    struct dns_name name;
    struct zone_match match;

    find(*state, "sub.example.org.", 0, &name, &match);
    assert_int_equal(match.node.flags, ZONE_FLAG_CUT);
    find(*state, "ns.sub.example.org.", 0, &name, &match);
    assert_int_equal(match.node.flags, ZONE_FLAG_OCCLUDED);
    find(*state, "wild.example.org.", 0, &name, &match);
    assert_int_equal(match.node.flags, ZONE_FLAG_WILDCARD);
    find(*state, "moved.example.org.", 0, &name, &match);
    assert_int_equal(match.node.flags, ZONE_FLAG_DNAME);
}

static void cut_and_apex_are_above(void **state)
{
    const struct zones *zones = *state;
    struct dns_name name;
    struct zone_match match;

    find(zones, "x.ns.sub.example.org.", 0, &name, &match);
    assert_int_equal(match.label, 1);
    assert_int_equal(zone_match_cut(&zones->db, &name, &match), ZONE_FOUND);
    assert_int_equal(match.label, 2);
    assert_int_equal(match.node.flags, ZONE_FLAG_CUT);
    assert_int_equal(zone_match_apex(&zones->db, &name, &match), ZONE_FOUND);
    assert_int_equal(match.label, 3);
    assert_int_equal(match.node.flags, ZONE_FLAG_APEX);
}

static void wildcard_is_below_its_parent_only(void **state)
{
    const struct zones *zones = *state;
    struct dns_name name;
    struct zone_match match;
    struct zone_node wildcard;

    find(zones, "wild.example.org.", 0, &name, &match);
    assert_int_equal(zone_wildcard(&zones->db, &match.node, &wildcard), ZONE_FOUND);
    assert_int_equal(wildcard.name_length, 1);
    assert_int_equal(wildcard.name[0], '*');
    assert_int_equal(wildcard.parent, match.node.offset);
    find(zones, "mail.example.org.", 0, &name, &match);
    assert_int_equal(zone_wildcard(&zones->db, &match.node, &wildcard), ZONE_ABSENT);
}

static void rrsets_come_in_the_order_of_types(void **state)
{
    struct dns_name name;
    struct zone_match match;
    struct zone_rrset rrset;
    static const uint16_t types[] = {DNS_TYPE_NS, DNS_TYPE_SOA, DNS_TYPE_MX};

    find(*state, "example.org.", 0, &name, &match);
    const uint8_t *at = match.node.rrsets;
    for (size_t index = 0; index < 3; index++) {
        assert_int_equal(zone_rrset_next(&match.node, &at, &rrset), ZONE_FOUND);
        assert_int_equal(rrset.type, types[index]);
        assert_int_equal(rrset.ttl, 300);
    }
    assert_int_equal(zone_rrset_next(&match.node, &at, &rrset), ZONE_ABSENT);
    assert_int_equal(zone_rrset_find(&match.node, DNS_TYPE_SOA, &rrset), ZONE_FOUND);
    assert_int_equal(rrset.type, DNS_TYPE_SOA);
    assert_int_equal(zone_rrset_find(&match.node, DNS_TYPE_A, &rrset), ZONE_ABSENT);
}

static void records_are_as_they_were_given(void **state)
{
    struct dns_name name;
    struct zone_match match;
    struct zone_rrset rrset;
    struct zone_record record;

    find(*state, "strange.example.org.", 0, &name, &match);
    assert_int_equal(zone_rrset_find(&match.node, 65280, &rrset), ZONE_FOUND);
    assert_int_equal(rrset.shape, 0);
    const uint8_t *at = rrset.records;
    assert_int_equal(zone_record_next(&rrset, &at, &record), ZONE_FOUND);
    assert_int_equal(record.length, 4);
    assert_memory_equal(record.rdata, "\0\xff\x0d\x0a", 4);
    assert_int_equal(zone_record_next(&rrset, &at, &record), ZONE_ABSENT);
}

static void empty_non_terminal_has_no_rrsets(void **state)
{
    struct dns_name name;
    struct zone_match match;
    struct zone_rrset rrset;

    assert_int_equal(find(*state, "deep.name.example.org.", 0, &name, &match), ZONE_FOUND);
    assert_int_equal(match.label, 0);
    const uint8_t *at = match.node.rrsets;
    assert_int_equal(zone_rrset_next(&match.node, &at, &rrset), ZONE_ABSENT);
}

static void names_of_one_hash_bucket_are_told_apart(void **state)
{
    struct zones zones;
    char *text = calloc(1, 1 << 17), *out = text, host[32];
    struct dns_name name;
    struct zone_match match;

    (void)state;
    out += sprintf(out, "@ 300 SOA ns admin 7 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n");
    for (int index = 0; index < 2000; index++)
        out += sprintf(out, "h%d.x%d 300 A 10.0.0.1\n", index % 50, index / 50);
    zones_make(&zones, "test", text);
    free(text);
    for (int index = 0; index < 2000; index++) {
        sprintf(host, "h%d.x%d.test.", index % 50, index / 50);
        assert_int_equal(find(&zones, host, 0, &name, &match), ZONE_FOUND);
        assert_int_equal(match.label, 0);
        sprintf(host, "H%d.X%d.tEst.", index % 50, index / 50);
        assert_int_equal(find(&zones, host, 0, &name, &match), ZONE_FOUND);
        assert_int_equal(match.label, 0);
        sprintf(host, "h%d.x%d.test.", index % 50 + 50, index / 50);
        assert_int_equal(find(&zones, host, 0, &name, &match), ZONE_FOUND);
        assert_int_equal(match.label, 1);
    }
    zones_free(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(existing_name_is_found_as_a_whole),
        cmocka_unit_test(deepest_existing_name_is_found),
        cmocka_unit_test(foreign_name_is_absent),
        cmocka_unit_test(search_starts_at_the_label_asked_for),
        cmocka_unit_test(flags_say_what_a_name_is),
        cmocka_unit_test(cut_and_apex_are_above),
        cmocka_unit_test(wildcard_is_below_its_parent_only),
        cmocka_unit_test(rrsets_come_in_the_order_of_types),
        cmocka_unit_test(records_are_as_they_were_given),
        cmocka_unit_test(empty_non_terminal_has_no_rrsets),
        cmocka_unit_test(names_of_one_hash_bucket_are_told_apart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
