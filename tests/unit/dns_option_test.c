/* SPDX-License-Identifier: ISC
 *
 * What a client's options and the server's settings change: cookies, NSID, class CH, minimal
 * responses, rate limiting (servers/dnsd/opt.c, cookie.c, chaos.c, rrl.c).
 */
#include "tests/unit/dns_zones.h"

static struct zones zones;

static int set_up(void **state)
{
    (void)state;
    zones_make_every_kind(&zones);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    zones_free(&zones);
    return 0;
}

/* The example of RFC 9018 appendix A. */
static const uint8_t secret[COOKIE_SECRET_SIZE] = {0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f,
                                                   0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf, 0xcf};
static const uint8_t address[16] = {[10] = 0xff, 0xff, 198, 51, 100, 100};
static const uint8_t client_cookie[] = {0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57};
static const uint8_t server_cookie[] = {0x01, 0x00, 0x00, 0x00, 0x5c, 0xf7, 0x9f, 0x11,
                                        0x1f, 0x81, 0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80};
enum { MADE_AT = 1559731985, SECOND = 1000000000, MILLISECOND = 1000000 };

/* A server and one client, and the last answer. */
struct rig {
    struct answer_config config;
    struct answer_counters counters;
    struct answer_client client;
    struct rrl rrl;
    uint64_t now; /* nanoseconds */
    uint8_t address[16];
    uint8_t answer[2048];
    size_t length;
};

static uint64_t rig_time(void *context)
{
    return ((struct rig *)context)->now;
}

static void rig_begin(struct rig *rig)
{
    *rig = (struct rig){.config = {.udp_size = 1232, .cookies = true}};
    memcpy(rig->config.cookie_secret, secret, sizeof secret);
    memcpy(rig->address, address, sizeof address);
    rig->client = (struct answer_client){rig->address, rig_time, rig, &rig->rrl};
    rig->now = (uint64_t)MADE_AT * SECOND;
}

static void rig_ask(struct rig *rig, const struct packet *query)
{
    rig->length = answer_client_query(&zones.db, &rig->config, &rig->client, &rig->counters,
                                      query->bytes, query->length, rig->answer, 2048);
}

static unsigned rig_rcode(const struct rig *rig)
{
    return rig->answer[3] & 15;
}

static bool rig_truncated(const struct rig *rig)
{
    return rig->answer[2] & DNS_FLAG_TC;
}

/* Asks with one option, which is as long as it says. */
static void ask_option(struct rig *rig, unsigned code, const void *data, size_t length)
{
    struct packet query = query_make("mail.example.org.", "A");
    uint8_t option[600];

    store_be16(store_be16(option, code), (unsigned)length);
    memcpy(option + 4, data, length);
    query_add(&query, ".", DNS_TYPE_OPT, 1232, 0, option, 4 + length);
    rig_ask(rig, &query);
    assert_true(rig->length > 0);
}

/* The answer's last octets: an option, when nothing follows OPT. */
static bool ends_with_option(const struct rig *rig, unsigned code, const void *data, size_t length)
{
    const uint8_t *option = rig->answer + rig->length - length - 4;

    return load_be16(option) == code && load_be16(option + 2) == length &&
           memcmp(option + 4, data, length) == 0;
}

static void cookie_join(uint8_t *cookie, const uint8_t *server)
{
    memcpy(cookie, client_cookie, sizeof client_cookie);
    memcpy(cookie + sizeof client_cookie, server, COOKIE_SERVER_SIZE);
}

static void siphash_is_that_of_its_paper(void **state)
{
    uint8_t octets[16];

    (void)state;
    for (unsigned at = 0; at < sizeof octets; at++)
        octets[at] = (uint8_t)at;
    assert_true(siphash(octets, octets, 15) == 0xa129ca6149be45e5);
}

static void client_cookie_gets_a_server_cookie_rfc9018_a1(void **state)
{
    struct rig rig;
    uint8_t cookie[COOKIE_SIZE];

    (void)state;
    rig_begin(&rig);
    cookie_join(cookie, server_cookie);
    ask_option(&rig, DNS_OPTION_COOKIE, client_cookie, sizeof client_cookie);
    assert_true(ends_with_option(&rig, DNS_OPTION_COOKIE, cookie, sizeof cookie));
    assert_int_equal(rig.counters.count[ANSWER_COUNT_cookie_new], 1);
}

static void good_cookie_stays_until_it_is_old_rfc9018_4_3(void **state)
{
    struct rig rig;
    uint8_t cookie[COOKIE_SIZE];

    (void)state;
    rig_begin(&rig);
    cookie_join(cookie, server_cookie);
    static const struct {
        int age;
        bool same, good;
    } cases[] = {{0, true, true},      {1800, true, true}, {1801, false, true}, {3600, false, true},
                 {3601, false, false}, {-300, true, true}, {-301, false, false}};
    for (unsigned index = 0; index < sizeof cases / sizeof *cases; index++) {
        rig.counters = (struct answer_counters){{0}};
        rig.now = (uint64_t)(MADE_AT + cases[index].age) * SECOND;
        ask_option(&rig, DNS_OPTION_COOKIE, cookie, sizeof cookie);
        assert_int_equal(ends_with_option(&rig, DNS_OPTION_COOKIE, cookie, sizeof cookie),
                         cases[index].same);
        assert_int_equal(rig.counters.count[ANSWER_COUNT_cookie_good], cases[index].good);
        assert_int_equal(rig.counters.count[ANSWER_COUNT_cookie_bad], !cases[index].good);
        assert_int_equal(rig_rcode(&rig), DNS_NOERROR);
    }
}

static void each_bit_of_a_cookie_counts(void **state)
{
    struct rig rig;
    uint8_t cookie[COOKIE_SIZE];

    (void)state;
    rig_begin(&rig);
    for (unsigned bit = 0; bit < COOKIE_SIZE * 8; bit++) {
        cookie_join(cookie, server_cookie);
        cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(cookie_check(secret, address, MADE_AT, cookie, COOKIE_SIZE), COOKIE_BAD);
    }
    cookie_join(cookie, server_cookie);
    rig.address[15]++;
    assert_int_equal(cookie_check(secret, rig.address, MADE_AT, cookie, COOKIE_SIZE), COOKIE_BAD);
}

static void cookies_of_wrong_length_are_format_errors_rfc7873_5_2_2(void **state)
{
    struct rig rig;
    uint8_t cookie[48] = {0};

    (void)state;
    rig_begin(&rig);
    for (size_t length = 0; length <= sizeof cookie; length++) {
        bool good = length == 8 || (length >= 16 && length <= 40);
        ask_option(&rig, DNS_OPTION_COOKIE, cookie, length);
        assert_int_equal(rig_rcode(&rig), good ? DNS_NOERROR : DNS_FORMERR);
    }
}

static void cookie_can_be_asked_for_alone_rfc7873_5_4(void **state)
{
    struct packet query = {{0x12, 0x34, 0, 0, 0, 0}, DNS_HEADER_SIZE};
    struct rig rig;
    uint8_t option[12] = {0, DNS_OPTION_COOKIE, 0, 8};
    uint8_t cookie[COOKIE_SIZE];

    (void)state;
    rig_begin(&rig);
    memcpy(option + 4, client_cookie, sizeof client_cookie);
    query_add(&query, ".", DNS_TYPE_OPT, 1232, 0, option, sizeof option);
    rig_ask(&rig, &query);
    assert_int_equal(rig_rcode(&rig), DNS_NOERROR);
    assert_int_equal(rig.length, DNS_HEADER_SIZE + DNS_OPT_SIZE + 4 + COOKIE_SIZE);
    cookie_join(cookie, server_cookie);
    assert_true(ends_with_option(&rig, DNS_OPTION_COOKIE, cookie, sizeof cookie));
    rig.config.cookies = false;
    rig_ask(&rig, &query);
    assert_int_equal(rig_rcode(&rig), DNS_FORMERR);
}

static void nsid_is_told_to_who_asks_rfc5001(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    ask_option(&rig, DNS_OPTION_NSID, "", 0);
    size_t without = rig.length;
    rig.config.nsid = "left-1";
    ask_option(&rig, DNS_OPTION_NSID, "", 0);
    assert_int_equal(rig.length, without + 4 + 6);
    assert_true(ends_with_option(&rig, DNS_OPTION_NSID, "left-1", 6));
    ask_option(&rig, DNS_OPTION_NSID + 1, "", 0);
    assert_int_equal(rig.length, without);
}

static void ask_chaos(struct rig *rig, const char *name, const char *type)
{
    struct packet query = query_make(name, type);

    store_be16(query.bytes + query.length - 2, DNS_CLASS_CH);
    rig_ask(rig, &query);
}

static void chaos_tells_what_the_settings_say_rfc4892(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    ask_chaos(&rig, "version.bind.", "TXT");
    assert_int_equal(rig_rcode(&rig), DNS_REFUSED);
    rig.config.version = "1.0";
    rig.config.identity = "left";
    static const struct {
        const char *name, *text;
    } cases[] = {{"version.bind.", "\0031.0"},
                 {"VERSION.Server.", "\0031.0"},
                 {"id.server.", "\4left"},
                 {"hostname.bind.", "\4left"}};
    for (unsigned index = 0; index < sizeof cases / sizeof *cases; index++) {
        size_t length = strlen(cases[index].text);
        ask_chaos(&rig, cases[index].name, "TXT");
        assert_int_equal(rig_rcode(&rig), DNS_NOERROR);
        assert_int_equal(rig.answer[7], 1);
        const uint8_t *tail = rig.answer + rig.length - length - DNS_RECORD_TAIL;
        assert_int_equal(load_be16(tail), DNS_TYPE_TXT);
        assert_int_equal(load_be16(tail + 2), DNS_CLASS_CH);
        assert_memory_equal(tail + DNS_RECORD_TAIL, cases[index].text, length);
    }
    ask_chaos(&rig, "version.bind.", "A");
    assert_int_equal(rig_rcode(&rig), DNS_REFUSED);
    ask_chaos(&rig, "mail.example.org.", "TXT");
    assert_int_equal(rig_rcode(&rig), DNS_REFUSED);
}

static void refusal_says_not_authoritative_rfc8914(void **state)
{
    static const uint8_t option[] = {0, DNS_OPTION_ERROR, 0, 2, 0, 20};
    struct packet query = query_make("www.elsewhere.test.", "A");
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    query_add_opt(&query, 1232);
    rig_ask(&rig, &query);
    assert_int_equal(rig_rcode(&rig), DNS_REFUSED);
    assert_memory_equal(rig.answer + rig.length - sizeof option, option, sizeof option);
}

static void minimal_leaves_out_all_but_glue(void **state)
{
    struct packet mx = query_make("example.org.", "MX");
    struct packet below = query_make("x.sub.example.org.", "A");
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    rig_ask(&rig, &mx);
    assert_int_equal(rig.answer[11], 1);
    rig_ask(&rig, &below);
    unsigned glue = rig.answer[11];
    rig.config.minimal = true;
    rig_ask(&rig, &mx);
    assert_int_equal(rig.answer[7], 1);
    assert_int_equal(rig.answer[11], 0);
    rig_ask(&rig, &below);
    assert_int_equal(rig.answer[11], glue);
    assert_true(glue > 0);
}

/* Asks `count` times; returns how many answers came whole, and how many empty with TC. */
static void ask_often(struct rig *rig, const char *name, unsigned count, unsigned *sent,
                      unsigned *slipped)
{
    struct packet query = query_make(name, "A");

    *sent = *slipped = 0;
    for (; count > 0; count--) {
        rig_ask(rig, &query);
        if (rig->length == 0)
            continue;
        if (rig_truncated(rig)) {
            assert_int_equal(rig->length, query.length);
            ++*slipped;
        } else {
            ++*sent;
        }
    }
}

static void equal_answers_are_limited(void **state)
{
    struct rig rig;
    unsigned sent, slipped;

    (void)state;
    rig_begin(&rig);
    rig.config.rrl = (struct rrl_config){10, 2, 24, 56};
    ask_often(&rig, "mail.example.org.", 30, &sent, &slipped);
    assert_int_equal(sent, 10);
    assert_int_equal(slipped, 10);
    assert_int_equal(rig.counters.count[ANSWER_COUNT_dropped_rate], 10);
    assert_int_equal(rig.counters.count[ANSWER_COUNT_rate_slipped], 10);
    assert_int_equal(rig.counters.count[ANSWER_COUNT_noerror], 20);
    rig.now += 500 * MILLISECOND;
    ask_often(&rig, "mail.example.org.", 30, &sent, &slipped);
    assert_int_equal(sent, 5);
    rig.config.rrl.slip = 0;
    ask_often(&rig, "mail.example.org.", 30, &sent, &slipped);
    assert_int_equal(sent + slipped, 0);
    rig.config.rrl.slip = 1;
    ask_often(&rig, "mail.example.org.", 30, &sent, &slipped);
    assert_int_equal(slipped, 30);
}

/* Names that don't exist share an account; names that do, and other networks, have their own. */
static void accounts_are_by_network_and_kind(void **state)
{
    struct rig rig;
    unsigned sent, slipped;
    char name[40];

    (void)state;
    rig_begin(&rig);
    rig.config.rrl = (struct rrl_config){10, 0, 24, 56};
    for (unsigned index = 0; index < 30; index++) {
        sprintf(name, "no%u.example.org.", index);
        ask_often(&rig, name, 1, &sent, &slipped);
        assert_int_equal(sent, index < 10);
    }
    ask_often(&rig, "mail.example.org.", 30, &sent, &slipped);
    assert_int_equal(sent, 10);
    ask_often(&rig, "ns1.example.org.", 30, &sent, &slipped);
    assert_int_equal(sent, 10);
    rig.address[15]++;
    ask_often(&rig, "mail.example.org.", 30, &sent, &slipped);
    assert_int_equal(sent, 0);
    rig.address[14]++;
    ask_often(&rig, "mail.example.org.", 30, &sent, &slipped);
    assert_int_equal(sent, 10);
}

static void good_cookie_isnt_limited(void **state)
{
    struct rig rig;
    uint8_t cookie[COOKIE_SIZE];

    (void)state;
    rig_begin(&rig);
    rig.config.rrl = (struct rrl_config){1, 0, 24, 56};
    cookie_join(cookie, server_cookie);
    for (unsigned count = 0; count < 20; count++)
        ask_option(&rig, DNS_OPTION_COOKIE, cookie, sizeof cookie);
    assert_int_equal(rig.counters.count[ANSWER_COUNT_dropped_rate], 0);
}

/* With far more networks than accounts, one that is limited stays so. */
static void flood_of_networks_frees_nobody(void **state)
{
    struct rrl rrl = {.key = {1}};
    struct rrl_config config = {10, 0, 24, 56};
    uint8_t victim[16], other[16];
    uint64_t random = 1;

    (void)state;
    memcpy(victim, address, sizeof victim);
    memcpy(other, address, sizeof other);
    for (unsigned count = 0; count < 10; count++)
        assert_int_equal(rrl_judge(&rrl, &config, victim, RRL_ANSWER, 1, 5), RRL_SEND);
    for (unsigned count = 0; count < 100000; count++) {
        store_be32(other + 12, 0x0a000000 | (random_next(&random) & 0xffffff));
        rrl_judge(&rrl, &config, other, RRL_ANSWER, 1, 5);
    }
    assert_int_equal(rrl_judge(&rrl, &config, victim, RRL_ANSWER, 1, 5), RRL_DROP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_is_that_of_its_paper),
        cmocka_unit_test(client_cookie_gets_a_server_cookie_rfc9018_a1),
        cmocka_unit_test(good_cookie_stays_until_it_is_old_rfc9018_4_3),
        cmocka_unit_test(each_bit_of_a_cookie_counts),
        cmocka_unit_test(cookies_of_wrong_length_are_format_errors_rfc7873_5_2_2),
        cmocka_unit_test(cookie_can_be_asked_for_alone_rfc7873_5_4),
        cmocka_unit_test(nsid_is_told_to_who_asks_rfc5001),
        cmocka_unit_test(chaos_tells_what_the_settings_say_rfc4892),
        cmocka_unit_test(refusal_says_not_authoritative_rfc8914),
        cmocka_unit_test(minimal_leaves_out_all_but_glue),
        cmocka_unit_test(equal_answers_are_limited),
        cmocka_unit_test(accounts_are_by_network_and_kind),
        cmocka_unit_test(good_cookie_isnt_limited),
        cmocka_unit_test(flood_of_networks_frees_nobody),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
