/* SPDX-License-Identifier: ISC
 *
 * servers/dnsd/denial.c and what else DO changes, with the zones and the queries of RFC 4035
 * appendix B and RFC 5155 appendix B. Signatures are only their first two octets, what they cover:
 * nothing here verifies them. NSEC and NSEC3 data ends after what dnsd looks at.
 */
#include "servers/dnsd/sha1.h"
#include "tests/unit/dns_helper.h"

/* RRSIG data by what it covers. */
#define SIG_A     "RRSIG 0001"
#define SIG_NS    "RRSIG 0002"
#define SIG_SOA   "RRSIG 0006"
#define SIG_MX    "RRSIG 000f"
#define SIG_CNAME "RRSIG 0005"
#define SIG_DS    "RRSIG 002b"
#define SIG_NSEC  "RRSIG 002f"
#define SIG_NSEC3 "RRSIG 0032"

static const char common[] = "@ 3600 SOA ns1 bugs 1 3600 300 3600000 3600\n@ 3600 " SIG_SOA "\n"
                             "@ 3600 NS ns1\n@ 3600 NS ns2\n@ 3600 " SIG_NS "\n"
                             "@ 3600 MX 1 xx\n@ 3600 " SIG_MX "\n"
                             "a 3600 NS ns1.a\na 3600 DS e1\na 3600 " SIG_DS "\n"
                             "ns1.a 3600 A 192.0.2.5\n"
                             "ns1 3600 A 192.0.2.1\nns1 3600 " SIG_A "\n"
                             "ns2 3600 A 192.0.2.2\nns2 3600 " SIG_A "\n"
                             "*.w 3600 MX 1 ai\n*.w 3600 " SIG_MX "\n"
                             "x.w 3600 MX 1 xx\nx.w 3600 " SIG_MX "\n"
                             "x.y.w 3600 MX 1 xx\nx.y.w 3600 " SIG_MX "\n"
                             "xx 3600 A 192.0.2.10\nxx 3600 " SIG_A "\n"
                             "ai 3600 A 192.0.2.9\nai 3600 " SIG_A "\n"
                             "to-wild 3600 CNAME q.w\nto-wild 3600 " SIG_CNAME "\n";

#define NSEC(owner) owner " 3600 NSEC aa\n" owner " 3600 " SIG_NSEC "\n"
static const char nsec_part[] =
    "b 3600 NS ns1.b\nns1.b 3600 A 192.0.2.7\n" NSEC("@") NSEC("a") NSEC("ai") NSEC("b") NSEC("ns1")
        NSEC("ns2") NSEC("to-wild") NSEC("*.w") NSEC("x.w") NSEC("x.y.w") NSEC("xx");

/* SHA-1, opt-out, 12 iterations, salt aabbccdd. */
#define NSEC3(owner) owner " 3600 NSEC3 0101000c04aabbccdd\n" owner " 3600 " SIG_NSEC3 "\n"
#define H_EXAMPLE    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
#define H_NS1        "2t7b4g4vsa5smi47k61mv5bv1a22bojr"
#define H_A          "35mthgpgcu1qg68fab165klnsnk3dpvl"
#define H_X_W        "b4um86eghhds6nea196smvmlo4ors995"
#define H_Y_W        "ji6neoaepv8b5o6k4ev33abha8ht9fgc"
#define H_W          "k8udemvp1j2f7eg6jebps17vp3n8i58h"
#define H_NS2        "q04jkcevqvmu85r014c7dkba38o0ji5r"
#define H_WILD       "r53bq7cc2uvmubfu5ocmm6pers9tk9en"
static const char nsec3_part[] =
    "c 3600 NS ns1.c\nns1.c 3600 A 192.0.2.7\n"
    "@ 3600 NSEC3PARAM 0100000c04aabbccdd\n" NSEC3(H_EXAMPLE) NSEC3(H_NS1)
        NSEC3("2vptu5timamqttgl4luu9kg21e0aor3s") NSEC3(H_A) NSEC3(H_X_W)
            NSEC3("gjeqe526plbf1g8mklp59enfd789njgi") NSEC3(H_Y_W) NSEC3(H_W) NSEC3(H_NS2)
                NSEC3(H_WILD) NSEC3("t644ebqk9bibcna874givr6joj62mlhv");

static struct zones nsec, nsec3;

static int set_up(void **state)
{
    char text[8192];

    (void)state;
    snprintf(text, sizeof text, "%s%s", common, nsec_part);
    zones_make(&nsec, "example", text);
    snprintf(text, sizeof text, "%s%s", common, nsec3_part);
    zones_make(&nsec3, "example", text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    zones_free(&nsec);
    zones_free(&nsec3);
    return 0;
}

static struct reply *ask_do(const struct zones *zones, const char *name, const char *type,
                            unsigned size)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make(name, type);

    query_add(&query, ".", DNS_TYPE_OPT, size, 0x8000, "", 0);
    struct reply *reply = reply_get(zones, &query, size, 4096, &counters);
    assert_true(reply->length > 0);
    assert_true(reply->edns_do);
    return reply;
}

#define expect_do(zones, name, type, code, flags, ...)                                             \
    do {                                                                                           \
        struct reply *reply = ask_do(zones, name, type, 4096);                                     \
        expect_reply(reply, code, flags, __VA_ARGS__, NULL);                                       \
        free(reply);                                                                               \
    } while (0)

#define RECORD(section, owner, data) section "|" owner " 3600 " data
#define SOA                                                                                        \
    RECORD("ns", "example.", "SOA ns1.example. bugs.example. 1 3600 300 3600000 3600"),            \
        RECORD("ns", "example.", SIG_SOA)
#define PROOF(owner) RECORD("ns", owner, "NSEC aa"), RECORD("ns", owner, SIG_NSEC)
#define PROOF3(hash)                                                                               \
    RECORD("ns", hash ".example.", "NSEC3 0101000c04aabbccdd"),                                    \
        RECORD("ns", hash ".example.", SIG_NSEC3)

static void without_do_nothing_of_it_is_sent(void **state)
{
    struct reply *reply = ask(&nsec, "ns1.example.", "A");

    (void)state;
    expect_reply(reply, 0, "a", "an|ns1.example. 3600 A 192.0.2.1", NULL);
    free(reply);
    reply = ask(&nsec3, "ml.example.", "A");
    expect_reply(reply, 3, "a",
                 "ns|example. 3600 SOA ns1.example. bugs.example. 1 3600 300 3600000 3600", NULL);
    free(reply);
}

static void answer_has_its_signature_rfc4035_b1(void **state)
{
    (void)state;
    expect_do(&nsec, "x.w.example.", "MX", 0, "a", RECORD("an", "x.w.example.", "MX 1 xx.example."),
              RECORD("an", "x.w.example.", SIG_MX), RECORD("ar", "xx.example.", "A 192.0.2.10"),
              RECORD("ar", "xx.example.", SIG_A));
}

static void name_error_rfc4035_b2(void **state)
{
    (void)state;
    expect_do(&nsec, "ml.example.", "A", 3, "a", SOA, PROOF("b.example."), PROOF("example."));
}

static void no_data_rfc4035_b3(void **state)
{
    (void)state;
    expect_do(&nsec, "ns1.example.", "MX", 0, "a", SOA, PROOF("ns1.example."));
}

static void no_data_at_an_empty_non_terminal(void **state)
{
    (void)state;
    expect_do(&nsec, "y.w.example.", "A", 0, "a", SOA, PROOF("x.w.example."));
}

static void referral_to_signed_zone_rfc4035_b4(void **state)
{
    (void)state;
    expect_do(&nsec, "mc.a.example.", "MX", 0, "", RECORD("ns", "a.example.", "NS ns1.a.example."),
              RECORD("ns", "a.example.", "DS e1"), RECORD("ns", "a.example.", SIG_DS),
              RECORD("ar", "ns1.a.example.", "A 192.0.2.5"));
}

static void referral_to_unsigned_zone_rfc4035_b5(void **state)
{
    (void)state;
    expect_do(&nsec, "mc.b.example.", "MX", 0, "", RECORD("ns", "b.example.", "NS ns1.b.example."),
              PROOF("b.example."), RECORD("ar", "ns1.b.example.", "A 192.0.2.7"));
}

static void wildcard_expansion_rfc4035_b6(void **state)
{
    (void)state;
    expect_do(&nsec, "a.z.w.example.", "MX", 0, "a",
              RECORD("an", "a.z.w.example.", "MX 1 ai.example."),
              RECORD("an", "a.z.w.example.", SIG_MX), PROOF("x.y.w.example."),
              RECORD("ar", "ai.example.", "A 192.0.2.9"), RECORD("ar", "ai.example.", SIG_A));
}

static void wildcard_no_data_rfc4035_b7(void **state)
{
    (void)state;
    expect_do(&nsec, "a.z.w.example.", "AAAA", 0, "a", SOA, PROOF("x.y.w.example."),
              PROOF("*.w.example."));
}

static void ds_of_the_zone_itself_rfc4035_b8(void **state)
{
    (void)state;
    expect_do(&nsec, "example.", "DS", 0, "a", SOA, PROOF("example."));
}

static void alias_to_a_wildcard_is_proved_too(void **state)
{
    (void)state;
    expect_do(&nsec, "to-wild.example.", "MX", 0, "a",
              RECORD("an", "to-wild.example.", "CNAME q.w.example."),
              RECORD("an", "to-wild.example.", SIG_CNAME),
              RECORD("an", "q.w.example.", "MX 1 ai.example."),
              RECORD("an", "q.w.example.", SIG_MX), PROOF("*.w.example."),
              RECORD("ar", "ai.example.", "A 192.0.2.9"), RECORD("ar", "ai.example.", SIG_A));
}

static void name_error_rfc5155_b1(void **state)
{
    (void)state;
    expect_do(&nsec3, "a.c.x.w.example.", "A", 3, "a", SOA, PROOF3(H_EXAMPLE), PROOF3(H_X_W),
              PROOF3(H_A));
}

static void no_data_rfc5155_b2(void **state)
{
    (void)state;
    expect_do(&nsec3, "ns1.example.", "MX", 0, "a", SOA, PROOF3(H_NS1));
}

static void no_data_at_an_empty_non_terminal_rfc5155_b2_1(void **state)
{
    (void)state;
    expect_do(&nsec3, "y.w.example.", "A", 0, "a", SOA, PROOF3(H_Y_W));
}

static void referral_to_opt_out_zone_rfc5155_b3(void **state)
{
    (void)state;
    expect_do(&nsec3, "mc.c.example.", "MX", 0, "", RECORD("ns", "c.example.", "NS ns1.c.example."),
              PROOF3(H_A), PROOF3(H_EXAMPLE), RECORD("ar", "ns1.c.example.", "A 192.0.2.7"));
}

static void ds_of_opt_out_zone_rfc5155_7_2_4(void **state)
{
    (void)state;
    expect_do(&nsec3, "c.example.", "DS", 0, "a", SOA, PROOF3(H_A), PROOF3(H_EXAMPLE));
}

static void wildcard_expansion_rfc5155_b4(void **state)
{
    (void)state;
    expect_do(&nsec3, "a.z.w.example.", "MX", 0, "a",
              RECORD("an", "a.z.w.example.", "MX 1 ai.example."),
              RECORD("an", "a.z.w.example.", SIG_MX), PROOF3(H_NS2),
              RECORD("ar", "ai.example.", "A 192.0.2.9"), RECORD("ar", "ai.example.", SIG_A));
}

static void wildcard_no_data_rfc5155_b5(void **state)
{
    (void)state;
    expect_do(&nsec3, "a.z.w.example.", "AAAA", 0, "a", SOA, PROOF3(H_W), PROOF3(H_NS2),
              PROOF3(H_WILD));
}

static void ds_of_the_zone_itself_rfc5155_b6(void **state)
{
    (void)state;
    expect_do(&nsec3, "example.", "DS", 0, "a", SOA, PROOF3(H_EXAMPLE));
}

static void owner_of_nsec3_is_no_name_rfc5155_7_2_8(void **state)
{
    (void)state;
    for (unsigned index = 0; index < 2; index++) {
        struct reply *reply = ask_do(&nsec3, H_A ".example.", index ? "NSEC3" : "A", 4096);
        assert_int_equal(reply->rcode, DNS_NXDOMAIN);
        free(reply);
    }
}

static void all_signatures_are_answered_by_type(void **state)
{
    (void)state;
    expect_do(&nsec, "example.", "RRSIG", 0, "a", RECORD("an", "example.", SIG_SOA),
              RECORD("an", "example.", SIG_NS), RECORD("an", "example.", SIG_MX),
              RECORD("an", "example.", SIG_NSEC));
}

/* An answer either has the signature with its RRset, or TC and neither. */
static void signature_that_does_not_fit_truncates(void **state)
{
    static const char signature[] =
        "@ 60 SOA a a 1 2 3 4 5\n@ 60 NS a\na 60 A 192.0.2.1\na 60 RRSIG 0001%0900d\n";
    char text[2048];
    struct zones zones;

    (void)state;
    snprintf(text, sizeof text, signature, 0);
    zones_make(&zones, "test", text);
    struct reply *reply = ask_do(&zones, "a.test.", "A", 512);
    expect_reply(reply, 0, "at", NULL);
    free(reply);
    reply = ask_do(&zones, "a.test.", "A", 1232);
    assert_int_equal(reply->records, 2);
    assert_false(reply->tc);
    free(reply);
    zones_free(&zones);
}

/* The CNAME record that is made has no signature. */
static void redirection_is_signed_by_its_dname(void **state)
{
    struct zones zones;

    (void)state;
    zones_make(&zones, "test",
               "@ 60 SOA a a 1 2 3 4 5\n@ 60 NS a\nd 60 DNAME e\n"
               "d 60 RRSIG 0027\na.e 60 A 192.0.2.1\na.e 60 RRSIG 0001\n");
    expect_do(&zones, "a.d.test.", "A", 0, "a", "an|d.test. 60 DNAME e.test.",
              "an|d.test. 60 RRSIG 0027", "an|a.d.test. 60 CNAME a.e.test.",
              "an|a.e.test. 60 A 192.0.2.1", "an|a.e.test. 60 RRSIG 0001");
    zones_free(&zones);
}

static void sha1_of_known_texts_rfc3174(void **state)
{
    static const uint8_t of_abc[] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                                     0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    static const uint8_t of_long[] = {0x84, 0x98, 0x3e, 0x44, 0x1c, 0x3b, 0xd2, 0x6e, 0xba, 0xae,
                                      0x4a, 0xa1, 0xf9, 0x51, 0x29, 0xe5, 0xe5, 0x46, 0x70, 0xf1};
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    uint8_t hash[SHA1_SIZE];

    (void)state;
    sha1((const uint8_t *)"abc", 3, hash);
    assert_memory_equal(hash, of_abc, sizeof of_abc);
    sha1((const uint8_t *)text, sizeof text - 1, hash);
    assert_memory_equal(hash, of_long, sizeof of_long);
}

/* The parent's zone proves that there is no DS, though the name's other records are the child's. */
static void parent_proves_no_ds_of_a_zone_served_too(void **state)
{
    struct zones zones;

    (void)state;
    zones_begin(&zones);
    zones_add(&zones, "test",
              "@ 60 SOA a a 1 2 3 4 5\n@ 60 NS a\n@ 60 NSEC aa\n@ 60 RRSIG 002f\n"
              "c 60 NS a\nc 60 NSEC bb\nc 60 RRSIG 002f\n");
    zones_add(&zones, "c.test", "@ 60 SOA a a 1 2 3 4 5\n@ 60 NS a\n");
    zones_end(&zones);
    assert_true(zones.good);
    expect_do(&zones, "c.test.", "DS", 0, "a", "ns|test. 5 SOA a.test. a.test. 1 2 3 4 5",
              "ns|c.test. 60 NSEC bb", "ns|c.test. 60 RRSIG 002f");
    expect_do(&zones, "c.test.", "NSEC", 0, "a", "ns|c.test. 5 SOA a.c.test. a.c.test. 1 2 3 4 5");
    zones_free(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_do_nothing_of_it_is_sent),
        cmocka_unit_test(answer_has_its_signature_rfc4035_b1),
        cmocka_unit_test(name_error_rfc4035_b2),
        cmocka_unit_test(no_data_rfc4035_b3),
        cmocka_unit_test(no_data_at_an_empty_non_terminal),
        cmocka_unit_test(referral_to_signed_zone_rfc4035_b4),
        cmocka_unit_test(referral_to_unsigned_zone_rfc4035_b5),
        cmocka_unit_test(wildcard_expansion_rfc4035_b6),
        cmocka_unit_test(wildcard_no_data_rfc4035_b7),
        cmocka_unit_test(ds_of_the_zone_itself_rfc4035_b8),
        cmocka_unit_test(alias_to_a_wildcard_is_proved_too),
        cmocka_unit_test(name_error_rfc5155_b1),
        cmocka_unit_test(no_data_rfc5155_b2),
        cmocka_unit_test(no_data_at_an_empty_non_terminal_rfc5155_b2_1),
        cmocka_unit_test(referral_to_opt_out_zone_rfc5155_b3),
        cmocka_unit_test(ds_of_opt_out_zone_rfc5155_7_2_4),
        cmocka_unit_test(wildcard_expansion_rfc5155_b4),
        cmocka_unit_test(wildcard_no_data_rfc5155_b5),
        cmocka_unit_test(ds_of_the_zone_itself_rfc5155_b6),
        cmocka_unit_test(owner_of_nsec3_is_no_name_rfc5155_7_2_8),
        cmocka_unit_test(all_signatures_are_answered_by_type),
        cmocka_unit_test(signature_that_does_not_fit_truncates),
        cmocka_unit_test(redirection_is_signed_by_its_dname),
        cmocka_unit_test(sha1_of_known_texts_rfc3174),
        cmocka_unit_test(parent_proves_no_ds_of_a_zone_served_too),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
