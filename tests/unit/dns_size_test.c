/* SPDX-License-Identifier: ISC
 *
 * Tests of how large answers get: limits, truncation, and what is left out first.
 */
#include "servers/dnsd/message.h"
#include "tests/unit/dns_helper.h"

#define APEX "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n"

/* A zone "test" in which "x" has one record of `length` octets. */
static void zones_of_size(struct zones *zones, size_t length)
{
    char *text = calloc(1, 2 * length + 200);

    strcpy(text, APEX "x 60 TYPE65280 ");
    for (size_t octet = 0; octet < length; octet++)
        strcat(text, "5a");
    zones_make(zones, "test", text);
    free(text);
}

/* What asking for x.test costs besides the record's data: header, question, and the record's head.
 */
enum { AROUND = 12 + 12 + 12 };

/* Asks for that record with EDNS size `size`, 0 for none, and checks whether it fits. */
static void check_size(size_t length, unsigned size, unsigned udp_size, size_t capacity, bool fits)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("x.test.", "TYPE65280");
    struct zones zones;

    zones_of_size(&zones, length);
    if (size > 0)
        query_add_opt(&query, size);
    struct reply *reply = reply_get(&zones, &query, udp_size, capacity, &counters);
    assert_int_equal(reply->tc, !fits);
    assert_int_equal(reply->answers, fits);
    assert_int_equal(reply->rcode, 0);
    assert_true(reply->aa);
    assert_int_equal(reply->edns, size > 0);
    assert_int_equal(counters.count[ANSWER_COUNT_truncated], !fits);
    if (fits)
        assert_int_equal(reply->length, AROUND + length + (size > 0 ? DNS_OPT_SIZE : 0));
    free(reply);
    zones_free(&zones);
}

static void without_edns_512_octets_are_the_limit(void **state)
{
    (void)state;
    check_size(512 - AROUND, 0, 1232, 2048, true);
    check_size(513 - AROUND, 0, 1232, 2048, false);
}

/* Six records of 77 octets, one of 14 and its name's: the last octet is the root's. */
static void check_names_up_to_the_limit(const char *last, bool fits)
{
    struct answer_counters counters = {{0}};
    struct zones zones;
    char text[1000] = APEX, label[63] = "";

    memset(label, 'a', 62);
    for (int record = 0; record < 6; record++)
        sprintf(text + strlen(text), "x 60 PTR %s%d.\n", label, record);
    sprintf(text + strlen(text), "x 60 PTR %s.\n", last);
    zones_make(&zones, "test", text);
    struct packet query = query_make("x.test.", "PTR");
    struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
    assert_int_equal(reply->tc, !fits);
    assert_int_equal(reply->length, fits ? DNS_UDP_SIZE_MIN : 12 + 12);
    free(reply);
    zones_free(&zones);
}

static void name_may_end_at_the_limit(void **state)
{
    (void)state;
    check_names_up_to_the_limit("bbbbbbbbbbbb", true);
    check_names_up_to_the_limit("bbbbbbbbbbbbb", false);
}

static void edns_record_counts_into_the_limit(void **state)
{
    (void)state;
    check_size(600 - AROUND - DNS_OPT_SIZE, 600, 1232, 2048, true);
    check_size(601 - AROUND - DNS_OPT_SIZE, 600, 1232, 2048, false);
}

static void our_size_limits_what_the_client_takes(void **state)
{
    (void)state;
    check_size(1232 - AROUND - DNS_OPT_SIZE, 4096, 1232, 2048, true);
    check_size(1233 - AROUND - DNS_OPT_SIZE, 4096, 1232, 2048, false);
    check_size(1400 - AROUND - DNS_OPT_SIZE, 65535, 1400, 2048, true);
    check_size(1401 - AROUND - DNS_OPT_SIZE, 65535, 1400, 2048, false);
}

static void edns_sizes_below_512_mean_512(void **state)
{
    static const unsigned sizes[] = {1, 100, 511, 512};

    (void)state;
    for (size_t index = 0; index < 4; index++) {
        check_size(512 - AROUND - DNS_OPT_SIZE, sizes[index], 1232, 2048, true);
        check_size(513 - AROUND - DNS_OPT_SIZE, sizes[index], 1232, 2048, false);
    }
    /* The same for a setting of ours. */
    check_size(512 - AROUND - DNS_OPT_SIZE, 4096, 100, 2048, true);
    check_size(513 - AROUND - DNS_OPT_SIZE, 4096, 100, 2048, false);
}

static void answer_buffer_limits_too(void **state)
{
    (void)state;
    check_size(700 - AROUND - DNS_OPT_SIZE, 4096, 1232, 700, true);
    check_size(701 - AROUND - DNS_OPT_SIZE, 4096, 1232, 700, false);
    check_size(512 - AROUND, 0, 1232, 512, true);
}

static void too_small_an_answer_buffer_is_counted(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("x.test.", "A");
    struct zones zones;

    (void)state;
    zones_of_size(&zones, 1);
    struct reply *reply = reply_get(&zones, &query, 1232, 511, &counters);
    assert_int_equal(reply->length, 0);
    assert_int_equal(counters.count[ANSWER_COUNT_dropped_no_capacity], 1);
    free(reply);
    zones_free(&zones);
}

/* Writing a record that doesn't fit must not touch what lies behind the limit: the client's size is
 * a promise, but the buffer is the caller's. */
static void nothing_is_written_behind_the_limit(void **state)
{
    struct answer_config config = {.udp_size = 1232};
    struct answer_counters counters = {{0}};
    struct packet query = query_make("x.test.", "TYPE65280");
    struct zones zones;
    uint8_t answer[2048];

    (void)state;
    zones_of_size(&zones, 1000);
    memset(answer, 0xa5, sizeof answer);
    assert_int_equal(answer_query(&zones.db, &config, &counters, query.bytes, query.length, answer,
                                  sizeof answer),
                     12 + 12);
    for (size_t at = 512; at < sizeof answer; at++)
        assert_int_equal(answer[at], 0xa5);
    zones_free(&zones);
}

static void sets_are_whole_or_missing(void **state)
{
    char *text = calloc(1, 1 << 16), *out = text, name[32];
    struct zones zones;

    (void)state;
    out += sprintf(out, APEX);
    for (int count = 1; count <= 60; count++) {
        for (int record = 0; record < count; record++)
            out += sprintf(out, "a%d 60 A 10.0.0.%d\n", count, record);
    }
    zones_make(&zones, "test", text);
    free(text);
    for (unsigned count = 1; count <= 60; count++) {
        struct answer_counters counters = {{0}};
        sprintf(name, "a%u.test.", count);
        struct packet query = query_make(name, "A");
        struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
        bool fits = query.length + count * 16 <= 512;
        assert_int_equal(reply->tc, !fits);
        assert_int_equal(reply->answers, fits ? count : 0);
        free(reply);
    }
    zones_free(&zones);
}

static void alias_stays_when_its_target_does_not_fit(void **state)
{
    struct zones zones;
    char text[3000] = APEX "c 60 CNAME x\nx 60 TYPE65280 ";

    (void)state;
    memset(text + strlen(text), 'a', 1000);
    zones_make(&zones, "test", text);
    struct answer_counters counters = {{0}};
    struct packet query = query_make("c.test.", "TYPE65280");
    struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
    expect_reply(reply, 0, "at", "an|c.test. 60 CNAME x.test.", NULL);
    free(reply);
    zones_free(&zones);
}

static void soa_that_does_not_fit_truncates(void **state)
{
    struct zones zones;
    char label[64] = {0}, text[800], name[300];
    struct answer_counters counters = {{0}};

    (void)state;
    memset(label, 'y', 63);
    sprintf(text, "@ 60 SOA %s.%s.%s.a. %s.%s.%s.b. 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n",
            label, label, label, label, label, label);
    zones_make(&zones, "test", text);
    sprintf(name, "%s.%s.test.", label, label);
    struct packet query = query_make(name, "A");
    struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
    expect_reply(reply, DNS_NXDOMAIN, "at", NULL);
    free(reply);
    zones_free(&zones);
}

static void additional_data_is_left_out_first(void **state)
{
    struct zones zones;
    struct answer_counters counters = {{0}};
    char text[4000] = APEX;

    (void)state;
    for (int host = 0; host < 20; host++)
        sprintf(text + strlen(text),
                "x 60 MX 1 h%d\nh%d 60 A 10.0.0.%d\nh%d 60 AAAA 2001:db8::%d\n", host, host, host,
                host, host + 1);
    zones_make(&zones, "test", text);
    struct packet query = query_make("x.test.", "MX");
    struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
    assert_false(reply->tc);
    assert_int_equal(reply->answers, 20);
    assert_in_range(reply->additionals, 1, 39);
    assert_int_equal(counters.count[ANSWER_COUNT_additional_omitted], 40 - reply->additionals);
    assert_true(reply->length > 512 - 28);
    free(reply);
    zones_free(&zones);
}

/* A zone with a delegation to `servers` name servers inside of it, and as many beside it. */
static void zones_with_glue(struct zones *zones, int servers, bool inside)
{
    char text[8000] = APEX;

    if (!inside)
        strcat(text, "other 60 NS ns0.other\n");
    for (int server = 0; server < servers; server++)
        sprintf(text + strlen(text),
                inside ? "sub 60 NS ns%d.sub\nns%d.sub 60 A 10.0.0.%d\n"
                       : "sub 60 NS ns%d.other\nns%d.other 60 A 10.0.0.%d\n",
                server, server, server);
    zones_make(zones, "test", text);
}

static void missing_glue_inside_the_delegation_truncates(void **state)
{
    (void)state;
    for (int servers = 1; servers <= 20; servers++) {
        struct zones zones;
        struct answer_counters counters = {{0}};
        zones_with_glue(&zones, servers, true);
        struct packet query = query_make("x.sub.test.", "A");
        struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
        assert_int_equal(reply->authorities, servers > 20 ? 0 : servers);
        assert_int_equal(reply->tc, reply->additionals < (unsigned)servers);
        if (servers == 20)
            assert_true(reply->tc);
        free(reply);
        zones_free(&zones);
    }
}

static void missing_glue_beside_the_delegation_is_left_out(void **state)
{
    struct zones zones;
    struct answer_counters counters = {{0}};

    (void)state;
    zones_with_glue(&zones, 20, false);
    struct packet query = query_make("x.sub.test.", "A");
    struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
    assert_int_equal(reply->authorities, 20);
    assert_in_range(reply->additionals, 1, 19);
    assert_false(reply->tc);
    free(reply);
    zones_free(&zones);
}

static void delegation_that_does_not_fit_truncates(void **state)
{
    struct zones zones;
    struct answer_counters counters = {{0}};

    (void)state;
    zones_with_glue(&zones, 60, true);
    struct packet query = query_make("x.sub.test.", "A");
    struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
    expect_reply(reply, 0, "t", NULL);
    free(reply);
    zones_free(&zones);
}

static void more_servers_than_targets_still_give_a_sound_answer(void **state)
{
    struct zones zones;
    struct answer_counters counters = {{0}};

    (void)state;
    zones_with_glue(&zones, 100, true);
    struct packet query = query_make("x.sub.test.", "A");
    query_add_opt(&query, 4096);
    struct reply *reply = reply_get(&zones, &query, 4096, 8192, &counters);
    assert_int_equal(reply->authorities, 100);
    assert_in_range(reply->additionals, 1, MESSAGE_TARGETS + 1);
    /* Some in-domain glue is missing, and said to be. */
    assert_true(reply->tc);
    free(reply);
    zones_free(&zones);
}

static void pointers_stay_within_their_reach(void **state)
{
    struct zones zones;
    struct answer_counters counters = {{0}};
    char *text = calloc(1, 1 << 20), *out = text;

    (void)state;
    out += sprintf(out, APEX "x 60 CNAME y\n");
    for (int host = 0; host < 1500; host++)
        out += sprintf(out, "y 60 MX %d name%d.z%d\nname%d.z%d 60 A 10.0.%d.%d\n", host, host,
                       host % 7, host, host % 7, host / 256, host % 256);
    zones_make(&zones, "test", text);
    free(text);
    struct packet query = query_make("x.test.", "MX");
    query_add_opt(&query, 65535);
    struct reply *reply = calloc(1, sizeof *reply);
    struct answer_config config = {.udp_size = 65535};
    reply->length = answer_query(&zones.db, &config, &counters, query.bytes, query.length,
                                 reply->bytes, sizeof reply->bytes);
    assert_in_range(reply->length, 20000, 65535);
    /* Read every name; what is at 16 KiB and behind was written in full. */
    size_t at = query.length - DNS_OPT_SIZE;
    for (unsigned record = 0; record < 1501; record++) {
        char name[DNS_NAME_MAX + 1];
        reply_name(reply, &at, name);
        assert_string_equal(name, record == 0 ? "x.test." : "y.test.");
        at += DNS_RECORD_TAIL + load_be16(reply->bytes + at + 8);
    }
    free(reply);
    zones_free(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_edns_512_octets_are_the_limit),
        cmocka_unit_test(name_may_end_at_the_limit),
        cmocka_unit_test(edns_record_counts_into_the_limit),
        cmocka_unit_test(our_size_limits_what_the_client_takes),
        cmocka_unit_test(edns_sizes_below_512_mean_512),
        cmocka_unit_test(answer_buffer_limits_too),
        cmocka_unit_test(too_small_an_answer_buffer_is_counted),
        cmocka_unit_test(nothing_is_written_behind_the_limit),
        cmocka_unit_test(sets_are_whole_or_missing),
        cmocka_unit_test(alias_stays_when_its_target_does_not_fit),
        cmocka_unit_test(soa_that_does_not_fit_truncates),
        cmocka_unit_test(additional_data_is_left_out_first),
        cmocka_unit_test(missing_glue_inside_the_delegation_truncates),
        cmocka_unit_test(missing_glue_beside_the_delegation_is_left_out),
        cmocka_unit_test(delegation_that_does_not_fit_truncates),
        cmocka_unit_test(more_servers_than_targets_still_give_a_sound_answer),
        cmocka_unit_test(pointers_stay_within_their_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
