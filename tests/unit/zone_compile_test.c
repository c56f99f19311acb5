/* SPDX-License-Identifier: ISC
 *
 * Tests of the zone compiler's rules and output (tools/zonec: store.c, check.c, write.c). Reading
 * master files needs ldns, and is tested with the program as a whole.
 */
#include <unistd.h>

#include "tests/unit/dns_zones.h"
#include "tools/zonec/master.h"

#define APEX "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n"

/* Compiles and expects exactly these messages. */
static void expect_messages(bool good, const char *text, const char *messages)
{
    struct zones zones;

    zones_begin(&zones);
    zones_add(&zones, "test", text);
    zones_end(&zones);
    assert_string_equal(zones.messages == NULL ? "" : zones.messages, messages);
    assert_int_equal(zones.good, good);
    zones_free(&zones);
}

static void sound_zone_has_no_messages(void **state)
{
    (void)state;
    expect_messages(true, APEX "a 60 CNAME b\nb 60 A 1.2.3.4\n*.c 60 TXT x\nd 60 DNAME b\n", "");
}

static void missing_soa_is_an_error(void **state)
{
    (void)state;
    expect_messages(false, "@ 60 NS ns\nns 60 A 192.0.2.1\n",
                    "test: error: zone test. has no SOA record, add one for that name\n");
}

static void second_soa_is_an_error(void **state)
{
    (void)state;
    expect_messages(false, APEX "@ 60 SOA ns h 2 2 3 4 5\n",
                    "test:4: error: zone test. has a second SOA record, remove one\n");
}

static void soa_elsewhere_is_an_error(void **state)
{
    (void)state;
    expect_messages(false, APEX "a 60 SOA ns h 2 2 3 4 5\n",
                    "test:4: error: SOA record of a.test., which isn't the zone's name: remove it "
                    "or mend the name\n");
}

static void missing_ns_is_an_error(void **state)
{
    (void)state;
    expect_messages(false, "@ 60 SOA ns h 1 2 3 4 5\n",
                    "test: error: zone test. has no NS record, add one for that name\n");
}

static void record_outside_is_an_error(void **state)
{
    (void)state;
    expect_messages(false, APEX "a.example. 60 A 1.2.3.4\n",
                    "test:4: error: a.example. is outside of zone test., move it to its own zone "
                    "or mend the name\n");
    expect_messages(false, APEX "xtest. 60 A 1.2.3.4\n",
                    "test:4: error: xtest. is outside of zone test., move it to its own zone or "
                    "mend the name\n");
}

static void cname_with_other_data_is_an_error(void **state)
{
    (void)state;
    expect_messages(false, APEX "a 60 A 1.2.3.4\na 60 CNAME b\n",
                    "test:5: error: a.test. has a CNAME record and, in line 4, other data: remove "
                    "one\n");
    expect_messages(false, APEX "a 60 CNAME b\na 60 CNAME c\n",
                    "test:5: error: a.test. has a second CNAME record, remove one\n");
    expect_messages(false, APEX "@ 60 CNAME c\n",
                    "test:4: error: test. has a CNAME record and, in line 2, other data: remove "
                    "one\n");
    expect_messages(
        true, APEX "a 60 CNAME b\na 60 RRSIG 0005\na 60 NSEC 0005\n",
        "test: warning: NSEC records, but none for the zone's name, nothing is proved with them: "
        "sign the zone again\n");
}

static void dname_rules_are_kept(void **state)
{
    (void)state;
    expect_messages(false, APEX "a 60 DNAME b\nx.a 60 A 1.2.3.4\n",
                    "test:4: error: a DNAME record, and below it x.a.test.: remove one\n");
    expect_messages(false, APEX "a 60 DNAME b\na 60 DNAME c\n",
                    "test:5: error: a.test. has a second DNAME record, remove one\n");
    expect_messages(false, APEX "a 60 DNAME b\na 60 NS ns\n",
                    "test:4: error: a.test. has a DNAME record and is delegated, remove one\n"
                    "test:4: warning: a.test. is delegated, this record is never answered\n");
}

static void types_of_messages_are_errors(void **state)
{
    (void)state;
    expect_messages(false, APEX "a 60 OPT 00\n",
                    "test:4: error: type 41 can't be in a zone, remove the record\n");
    expect_messages(false, APEX "a 60 ANY 00\n",
                    "test:4: error: type 255 can't be in a zone, remove the record\n");
    expect_messages(true, APEX "a 60 TYPE127 00\nb 60 TYPE256 00\n", "");
}

static void ttl_above_31_bits_is_an_error(void **state)
{
    (void)state;
    expect_messages(true, APEX "a 2147483647 A 1.2.3.4\n", "");
    expect_messages(false, APEX "a 2147483648 A 1.2.3.4\n",
                    "test:4: error: TTL 2147483648 is above 2147483647 seconds, lower it\n");
}

/* Compiles a master file of this text, read as the program reads it. */
static void zones_from_file(struct zones *zones, const char *text)
{
    char path[] = P_tmpdir "/zone-XXXXXX";
    size_t length = strlen(text);

    int file = mkstemp(path);
    assert_int_equal(write(file, text, length), length);
    close(file);
    zones_begin(zones);
    master_read(&zones->store, "test", path);
    zones_end(zones);
    unlink(path);
    assert_true(zones->good);
}

/* RFC 1035 5.1: an @ means the origin where it stands alone. */
static void label_of_an_at_sign_is_no_origin(void **state)
{
    static const struct {
        const char *data, *type, *octets; /* of the name in the data, or of its beginning */
        size_t size;
    } cases[] = {
        {"MX 1 \\064.b", "MX", "\0\1\1@\1b", 6}, {"MX 1 \\@.b.test.", "MX", "\0\1\1@\1b", 6},
        {"MX 1 \\064", "MX", "\0\1\1@\xc0", 5},  {"MX 1 @.b", "MX", "\0\1\1@\1b", 6},
        {"MX 1 @", "MX", "\0\1\xc0", 3},         {"MX 1 b\\064.c", "MX", "\0\1\2b@\1c", 7},
        {"TXT \\064", "TXT", "\0\2\1@", 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        struct zones zones;
        snprintf(text, sizeof text, "$TTL 1\n@ SOA ns admin 1 2 3 4 5\n@ NS ns\na %s\n",
                 cases[i].data);
        zones_from_file(&zones, text);
        struct reply *reply = ask(&zones, "a.test.", cases[i].type);
        assert_non_null(memmem(reply->bytes, reply->length, cases[i].octets, cases[i].size));
        free(reply);
        zones_free(&zones);
    }
}

/* Without $TTL 3600 seconds are taken, but 0 is one too. */
static void ttl_directive_of_zero_is_zero(void **state)
{
    static const char text[] = "$TTL 0\n@ SOA ns admin 1 2 3 4 5\n@ NS ns\na A 192.0.2.1\n"
                               "b 1 A 192.0.2.2\nc 2 A 192.0.2.3\n";
    struct zones zones;

    (void)state;
    zones_from_file(&zones, text);
    struct reply *reply = ask(&zones, "a.test.", "A");
    expect_reply(reply, 0, "a", "an|a.test. 0 A 192.0.2.1", NULL);
    free(reply);
    reply = ask(&zones, "b.test.", "A");
    expect_reply(reply, 0, "a", "an|b.test. 1 A 192.0.2.2", NULL);
    free(reply);
    reply = ask(&zones, "c.test.", "A");
    expect_reply(reply, 0, "a", "an|c.test. 2 A 192.0.2.3", NULL);
    free(reply);
    zones_free(&zones);
}

static void duplicates_are_dropped_with_a_warning(void **state)
{
    struct zones zones;

    (void)state;
    zones_make(&zones, "test",
               APEX "a 60 A 1.2.3.4\na 60 A 1.2.3.5\nA 60 A 1.2.3.4\n"
                    "m 60 MX 1 mail\nm 60 MX 1 MAIL\nm 60 MX 97 x\nm 60 MX 65 x\n");
    assert_string_equal(zones.messages,
                        "test:6: warning: the same record of a.test. is in line 4, this one is "
                        "dropped\n"
                        "test:8: warning: the same record of m.test. is in line 7, this one is "
                        "dropped\n");
    struct reply *reply = ask(&zones, "a.test.", "A");
    expect_reply(reply, 0, "a", "an|a.test. 60 A 1.2.3.4", "an|a.test. 60 A 1.2.3.5", NULL);
    free(reply);
    reply = ask(&zones, "m.test.", "MX");
    assert_int_equal(reply->answers, 3);
    free(reply);
    zones_free(&zones);
}

static void ttls_of_a_set_become_the_lowest(void **state)
{
    struct zones zones;

    (void)state;
    zones_make(&zones, "test",
               APEX "a 60 A 1.2.3.4\na 50 A 1.2.3.5\na 70 A 1.2.3.6\n"
                    "a 80 TXT x\n");
    struct reply *reply = ask(&zones, "a.test.", "A");
    expect_reply(reply, 0, "a", "an|a.test. 50 A 1.2.3.4", "an|a.test. 50 A 1.2.3.5",
                 "an|a.test. 50 A 1.2.3.6", NULL);
    free(reply);
    assert_int_equal(zones.report.warnings, 2);
    zones_free(&zones);
}

static void data_at_a_cut_is_warned_of(void **state)
{
    (void)state;
    expect_messages(true, APEX "sub 60 NS ns\nsub 60 TXT lost\nsub 60 A 1.2.3.4\n",
                    "test:5: warning: sub.test. is delegated, this record is never answered\n");
}

static void missing_glue_is_warned_of(void **state)
{
    (void)state;
    expect_messages(true, APEX "sub 60 NS ns.sub\n",
                    "test:4: warning: sub.test. is delegated to ns.sub.test., which has no address "
                    "here: add an A or AAAA record\n");
    expect_messages(true, APEX "sub 60 NS sub\nsub 60 AAAA ::1\n", "");
    expect_messages(true, APEX "sub 60 NS ns.other\nother 60 NS x.\n", "");
    expect_messages(true, APEX "sub 60 NS ns.xsub\n", "");
}

static void ds_at_the_apex_is_dropped(void **state)
{
    (void)state;
    expect_messages(true, APEX "@ 60 DS 0102\n",
                    "test:4: warning: DS at the apex belongs to the parent's zone, record "
                    "dropped\n");
}

static void same_zone_twice_is_an_error(void **state)
{
    struct zones zones;

    (void)state;
    zones_begin(&zones);
    zones_add(&zones, "test", APEX);
    zones_add(&zones, "TEST", APEX);
    zones_end(&zones);
    assert_false(zones.good);
    assert_string_equal(zones.messages,
                        "TEST: error: zone test. is in test too, give each zone one file\n");
    zones_free(&zones);
}

static void parent_gives_way_to_a_zone_compiled_with_it(void **state)
{
    struct zones zones;

    (void)state;
    zones_begin(&zones);
    zones_add(&zones, "test",
              APEX "sub 60 NS ns.sub\nns.sub 60 A 10.0.0.1\nsub 60 DS 0102\n"
                   "www.sub 60 TXT parent\n");
    zones_add(&zones, "sub.test", APEX "www 60 TXT child\n");
    zones_end(&zones);
    assert_true(zones.good);
    assert_string_equal(zones.messages,
                        "test:7: warning: www.sub.test. is answered from another zone compiled "
                        "with this one, record dropped\n");
    struct reply *reply = ask(&zones, "www.sub.test.", "TXT");
    expect_reply(reply, 0, "a", "an|www.sub.test. 60 TXT child", NULL);
    free(reply);
    reply = ask(&zones, "sub.test.", "DS");
    expect_reply(reply, 0, "a", "an|sub.test. 60 DS 0102", NULL);
    free(reply);
    zones_free(&zones);
}

static void set_larger_than_an_answer_is_an_error(void **state)
{
    struct zones zones;
    char *text = calloc(1, 1 << 20), *out = text;

    (void)state;
    out += sprintf(out, APEX);
    for (int record = 0; record < 11000; record++)
        out += sprintf(out, "a 60 A 10.0.%d.%d\n", record / 256, record % 256);
    zones_begin(&zones);
    zones_add(&zones, "test", text);
    free(text);
    zones_end(&zones);
    assert_false(zones.good);
    assert_non_null(strstr(zones.messages, "more than an answer can hold: remove some"));
    zones_free(&zones);
}

static void order_in_the_file_does_not_matter(void **state)
{
    static const char *const lines[] = {"@ 60 SOA ns h 1 2 3 4 5\n", "@ 60 NS ns\n",
                                        "ns 60 A 192.0.2.1\n",       "b 60 A 1.2.3.4\n",
                                        "b 60 A 1.2.3.5\n",          "b 60 TXT x\n"};
    struct zones first, second;
    char text[400] = "", backwards[400] = "";

    (void)state;
    for (size_t line = 0; line < 6; line++) {
        strcat(text, lines[line]);
        strcat(backwards, lines[5 - line]);
    }
    zones_make(&first, "test", text);
    zones_make(&second, "test", backwards);
    assert_int_equal(first.size, second.size);
    struct reply *one = ask(&first, "b.test.", "A"), *other = ask(&second, "b.test.", "A");
    assert_int_equal(one->length, other->length);
    assert_memory_equal(one->bytes, other->bytes, one->length);
    free(one);
    free(other);
    zones_free(&first);
    zones_free(&second);
}

static void same_input_gives_the_same_octets(void **state)
{
    struct zones first, second;

    (void)state;
    zones_make_every_kind(&first);
    zones_make_every_kind(&second);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.bytes, second.bytes, first.size);
    zones_free(&first);
    zones_free(&second);
}

static void ten_thousand_addresses_take_less_than_48_octets_each(void **state)
{
    struct zones zones;
    char *text = calloc(1, 1 << 20), *out = text;

    (void)state;
    out += sprintf(out, APEX);
    for (int host = 0; host < 10000; host++)
        out += sprintf(out, "host%d 60 A 10.0.%d.%d\n", host, host / 256, host % 256);
    zones_make(&zones, "example", text);
    free(text);
    assert_in_range(zones.size, 1, 48 * 10003);
    zones_free(&zones);
}

/* Names that share a bucket with seed 0 are what an enemy of the lookup would choose. */
static void crowded_bucket_makes_another_seed(void **state)
{
    enum { NAMES = 40 };
    struct zones zones;
    char text[4000] = APEX;
    uint32_t names = NAMES + 2; /* with the apex and ns */

    (void)state;
    for (unsigned number = 0, found = 0; found < NAMES; number++) {
        char label[16];
        uint8_t wire[DNS_NAME_MAX];
        struct dns_name name;
        sprintf(label, "n%u.test.", number);
        name_from_text(wire, label, ".");
        name_parse(&name, wire, sizeof wire);
        if ((uint64_t)name_hash(name.folded, name.length, 0) * names >> 32 != 0)
            continue;
        sprintf(text + strlen(text), "n%u 60 A 10.0.0.1\n", number);
        found++;
    }
    zones_make(&zones, "test", text);
    assert_int_not_equal(zones.db.hash_seed, 0);
    struct reply *reply = ask(&zones, "ns.test.", "A");
    assert_int_equal(reply->answers, 1);
    free(reply);
    zones_free(&zones);
}

static void odd_characters_are_escaped_in_messages(void **state)
{
    char text[NAME_TEXT_SIZE];

    (void)state;
    assert_string_equal(name_text(text, (const uint8_t *)"\7a.b\\ \x01\xff\1c\0", 11),
                        "a\\.b\\\\\\032\\001\\255.c.");
    assert_string_equal(name_text(text, (const uint8_t *)"", 1), ".");
}

static void messages_are_bounded(void **state)
{
    struct zones zones;
    char *text = calloc(1, 1 << 16), *out = text;
    unsigned lines = 0;

    (void)state;
    out += sprintf(out, APEX);
    for (int record = 0; record < 100; record++)
        out += sprintf(out, "x%d.elsewhere. 60 A 10.0.0.1\n", record);
    zones_begin(&zones);
    zones_add(&zones, "test", text);
    free(text);
    zones_end(&zones);
    assert_int_equal(zones.report.errors, 100);
    for (const char *line = zones.messages; (line = strchr(line, '\n')) != NULL; line++)
        lines++;
    assert_int_equal(lines, REPORT_SHOWN + 1);
    zones_free(&zones);
}

static void names_in_data_must_be_whole(void **state)
{
    (void)state;
    assert_true(rdata_is_whole(DNS_TYPE_NS, (const uint8_t *)"\1a\0", 3));
    assert_false(rdata_is_whole(DNS_TYPE_NS, (const uint8_t *)"\1a\0", 2));
    assert_false(rdata_is_whole(DNS_TYPE_NS, (const uint8_t *)"\1a\0x", 4));
    assert_false(rdata_is_whole(DNS_TYPE_NS, (const uint8_t *)"\xc0\x0c", 2));
    assert_false(rdata_is_whole(DNS_TYPE_MX, (const uint8_t *)"\0", 1));
    assert_true(rdata_is_whole(DNS_TYPE_MX, (const uint8_t *)"\0\1\1a\0", 5));
    assert_true(rdata_is_whole(DNS_TYPE_SOA, (const uint8_t *)"\0\0abcdefghijklmnopqrst", 22));
    assert_false(rdata_is_whole(DNS_TYPE_SOA, (const uint8_t *)"\0\0abcdefghijklmnopqrs", 21));
    assert_true(rdata_is_whole(DNS_TYPE_TXT, (const uint8_t *)"anything", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_zone_has_no_messages),
        cmocka_unit_test(missing_soa_is_an_error),
        cmocka_unit_test(second_soa_is_an_error),
        cmocka_unit_test(soa_elsewhere_is_an_error),
        cmocka_unit_test(missing_ns_is_an_error),
        cmocka_unit_test(record_outside_is_an_error),
        cmocka_unit_test(cname_with_other_data_is_an_error),
        cmocka_unit_test(dname_rules_are_kept),
        cmocka_unit_test(types_of_messages_are_errors),
        cmocka_unit_test(ttl_above_31_bits_is_an_error),
        cmocka_unit_test(label_of_an_at_sign_is_no_origin),
        cmocka_unit_test(ttl_directive_of_zero_is_zero),
        cmocka_unit_test(duplicates_are_dropped_with_a_warning),
        cmocka_unit_test(ttls_of_a_set_become_the_lowest),
        cmocka_unit_test(data_at_a_cut_is_warned_of),
        cmocka_unit_test(missing_glue_is_warned_of),
        cmocka_unit_test(ds_at_the_apex_is_dropped),
        cmocka_unit_test(same_zone_twice_is_an_error),
        cmocka_unit_test(parent_gives_way_to_a_zone_compiled_with_it),
        cmocka_unit_test(set_larger_than_an_answer_is_an_error),
        cmocka_unit_test(order_in_the_file_does_not_matter),
        cmocka_unit_test(same_input_gives_the_same_octets),
        cmocka_unit_test(ten_thousand_addresses_take_less_than_48_octets_each),
        cmocka_unit_test(crowded_bucket_makes_another_seed),
        cmocka_unit_test(odd_characters_are_escaped_in_messages),
        cmocka_unit_test(messages_are_bounded),
        cmocka_unit_test(names_in_data_must_be_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
