/* SPDX-License-Identifier: ISC
 *
 * Tests of servers/dnsd/answer.c: what is answered to well-formed queries, RFC by RFC. Sizes and
 * truncation are in dns_size_test.c, broken queries in dns_hostile_test.c.
 */
#include "tests/unit/dns_helper.h"

#define SOA "ns|example.org. 60 SOA ns1.example.org. admin.example.org. 7 3600 600 86400 60"

static const char example_org[] = "@ 300 SOA ns1 admin 7 3600 600 86400 60\n"
                                  "@ 300 NS ns1\n"
                                  "@ 300 NS ns.elsewhere.test.\n"
                                  "@ 300 MX 10 mail\n"
                                  "@ 300 MX 20 mx.elsewhere.test.\n"
                                  "ns1 300 A 192.0.2.53\n"
                                  "ns1 300 AAAA 2001:db8::53\n"
                                  "mail 300 A 192.0.2.25\n"
                                  "www 300 A 192.0.2.80\n"
                                  "www 300 A 192.0.2.81\n"
                                  "www 600 AAAA 2001:db8::80\n"
                                  "text 300 TXT words\n"
                                  "_sip._udp 300 SRV 1 2 5060 mail\n"
                                  "strange 300 TYPE65280 00ff0d0a\n"
                                  "alias 300 CNAME www\n"
                                  "chain 300 CNAME alias\n"
                                  "dangling 300 CNAME missing\n"
                                  "outside 300 CNAME www.elsewhere.test.\n"
                                  "to-sub 300 CNAME host.sub\n"
                                  "to-text 300 CNAME text\n"
                                  "loop1 300 CNAME loop2\n"
                                  "loop2 300 CNAME loop1\n"
                                  "self 300 CNAME self\n"
                                  "across 300 CNAME host.example.net.\n"
                                  "a.deep.name 300 A 192.0.2.3\n"
                                  "*.wild 300 A 192.0.2.77\n"
                                  "*.wild 300 MX 5 mx.wild\n"
                                  "other.wild 300 TXT here\n"
                                  "*.alias 300 CNAME www\n"
                                  "*.loop 300 CNAME x.loop\n"
                                  "sub 300 NS ns.sub\n"
                                  "sub 300 NS ns1\n"
                                  "sub 300 NS ns.elsewhere.test.\n"
                                  "sub 300 DS 0102030405\n"
                                  "ns.sub 300 A 198.51.100.53\n"
                                  "ns.sub 300 AAAA 2001:db8:1::53\n"
                                  "*.sub 300 A 198.51.100.54\n"
                                  "mx-to-glue 300 MX 1 ns.sub\n"
                                  "unsigned 300 NS ns.elsewhere.test.\n"
                                  "moved 300 DNAME target\n"
                                  "moved 300 TXT owner\n"
                                  "a.target 300 A 192.0.2.50\n"
                                  "back.target 300 CNAME a.moved\n"
                                  "grow 300 DNAME x.grow\n"
                                  "signed 300 CNAME www\n"
                                  "signed 300 NSEC 00ff\n"
                                  "to-moved 300 CNAME a.moved\n"
                                  "circle 300 DNAME circle\n"
                                  "*.up 300 DNAME up\n"
                                  "away 300 DNAME elsewhere.test.\n";

static const char example_net[] = "@ 300 SOA ns.example.org. admin 7 3600 600 86400 900\n"
                                  "@ 300 NS ns1.example.org.\n"
                                  "host 300 A 192.0.2.90\n"
                                  "back 300 CNAME www.example.org.\n"
                                  "child 300 NS ns.child\n"
                                  "child 300 DS aabbccdd\n"
                                  "ns.child 300 A 198.51.100.9\n"
                                  "nods 300 NS ns.nods\n"
                                  "ns.nods 300 A 198.51.100.8\n";

static const char child[] = "@ 300 SOA ns admin 7 3600 600 86400 60\n"
                            "@ 300 NS ns\n"
                            "ns 300 A 203.0.113.1\n";

static int setup(void **state)
{
    struct zones *zones = malloc(sizeof *zones);

    zones_begin(zones);
    zones_add(zones, "example.org", example_org);
    zones_add(zones, "example.net", example_net);
    zones_add(zones, "child.example.net", child);
    zones_add(zones, "nods.example.net", child);
    zones_end(zones);
    if (!zones->good)
        print_error("%s", zones->messages);
    *state = zones;
    return zones->good ? 0 : -1;
}

static int teardown(void **state)
{
    zones_free(*state);
    free(*state);
    return 0;
}

/* Asks and compares everything that comes back; see expect_reply. */
#define expect(name, type, code, flags, ...)                                                       \
    do {                                                                                           \
        struct reply *reply_ = ask(*state, name, type);                                            \
        expect_reply(reply_, code, flags, __VA_ARGS__);                                            \
        free(reply_);                                                                              \
    } while (0)

static void address_is_answered(void **state)
{
    expect("mail.example.org.", "A", 0, "a", "an|mail.example.org. 300 A 192.0.2.25", NULL);
    expect("www.example.org.", "AAAA", 0, "a", "an|www.example.org. 600 AAAA 2001:db8::80", NULL);
}

static void all_records_of_a_set_are_answered(void **state)
{
    expect("www.example.org.", "A", 0, "a", "an|www.example.org. 300 A 192.0.2.80",
           "an|www.example.org. 300 A 192.0.2.81", NULL);
}

static void any_other_type_is_answered(void **state)
{
    expect("text.example.org.", "TXT", 0, "a", "an|text.example.org. 300 TXT words", NULL);
    expect("strange.example.org.", "TYPE65280", 0, "a",
           "an|strange.example.org. 300 TYPE65280 00ff0d0a", NULL);
}

static void soa_is_answered_with_its_own_ttl(void **state)
{
    expect("example.org.", "SOA", 0, "a",
           "an|example.org. 300 SOA ns1.example.org. admin.example.org. 7 3600 600 86400 60", NULL);
}

static void case_of_the_question_does_not_matter_and_stays(void **state)
{
    struct reply *reply = ask(*state, "wWw.ExAmPlE.oRg.", "AAAA");

    /* reply_parse compares the question; the owner points to it. */
    expect_reply(reply, 0, "a", "an|wWw.ExAmPlE.oRg. 600 AAAA 2001:db8::80", NULL);
    free(reply);
}

static void missing_type_is_nodata_with_soa(void **state)
{
    expect("mail.example.org.", "AAAA", 0, "a", SOA, NULL);
    expect("example.org.", "A", 0, "a", SOA, NULL);
}

static void missing_name_is_nxdomain_with_soa(void **state)
{
    expect("nothing.example.org.", "A", 3, "a", SOA, NULL);
    expect("a.b.c.d.e.f.example.org.", "A", 3, "a", SOA, NULL);
    expect("x.www.example.org.", "A", 3, "a", SOA, NULL);
}

static void negative_ttl_is_the_lower_of_soa_ttl_and_minimum(void **state)
{
    expect("nothing.example.net.", "A", 3, "a",
           "ns|example.net. 300 SOA ns.example.org. admin.example.net. 7 3600 600 86400 900", NULL);
}

static void empty_non_terminal_is_nodata(void **state)
{
    expect("name.example.org.", "A", 0, "a", SOA, NULL);
    expect("deep.name.example.org.", "A", 0, "a", SOA, NULL);
    expect("x.name.example.org.", "A", 3, "a", SOA, NULL);
    expect("_udp.example.org.", "SRV", 0, "a", SOA, NULL);
}

static void foreign_name_is_refused(void **state)
{
    expect("www.elsewhere.test.", "A", 5, "", NULL);
    expect("org.", "SOA", 5, "", NULL);
    expect(".", "NS", 5, "", NULL);
    expect("xexample.org.", "A", 5, "", NULL);
    expect("example.orgx.", "A", 5, "", NULL);
}

static void cname_is_followed(void **state)
{
    expect("alias.example.org.", "AAAA", 0, "a", "an|alias.example.org. 300 CNAME www.example.org.",
           "an|www.example.org. 600 AAAA 2001:db8::80", NULL);
    expect("chain.example.org.", "AAAA", 0, "a",
           "an|chain.example.org. 300 CNAME alias.example.org.",
           "an|alias.example.org. 300 CNAME www.example.org.",
           "an|www.example.org. 600 AAAA 2001:db8::80", NULL);
}

static void cname_is_not_followed_when_asked_for(void **state)
{
    expect("chain.example.org.", "CNAME", 0, "a",
           "an|chain.example.org. 300 CNAME alias.example.org.", NULL);
    expect("chain.example.org.", "ANY", 0, "a",
           "an|chain.example.org. 300 CNAME alias.example.org.", NULL);
}

static void type_beside_a_cname_is_answered(void **state)
{
    expect("signed.example.org.", "NSEC", 0, "a", "an|signed.example.org. 300 NSEC 00ff", NULL);
}

static void cname_to_nothing_is_nxdomain(void **state)
{
    expect("dangling.example.org.", "A", 3, "a",
           "an|dangling.example.org. 300 CNAME missing.example.org.", SOA, NULL);
}

static void cname_to_another_type_is_nodata(void **state)
{
    expect("to-text.example.org.", "A", 0, "a",
           "an|to-text.example.org. 300 CNAME text.example.org.", SOA, NULL);
}

static void cname_out_of_our_zones_ends_there(void **state)
{
    expect("outside.example.org.", "A", 0, "a",
           "an|outside.example.org. 300 CNAME www.elsewhere.test.", NULL);
}

static void cname_into_another_zone_of_ours_is_followed(void **state)
{
    expect("across.example.org.", "A", 0, "a", "an|across.example.org. 300 CNAME host.example.net.",
           "an|host.example.net. 300 A 192.0.2.90", NULL);
    expect("back.example.net.", "AAAA", 0, "a", "an|back.example.net. 300 CNAME www.example.org.",
           "an|www.example.org. 600 AAAA 2001:db8::80", NULL);
}

static void cname_into_a_delegation_refers_and_stays_authoritative(void **state)
{
    expect("to-sub.example.org.", "A", 0, "a",
           "an|to-sub.example.org. 300 CNAME host.sub.example.org.",
           "ns|sub.example.org. 300 NS ns.sub.example.org.",
           "ns|sub.example.org. 300 NS ns1.example.org.",
           "ns|sub.example.org. 300 NS ns.elsewhere.test.",
           "ar|ns.sub.example.org. 300 A 198.51.100.53",
           "ar|ns.sub.example.org. 300 AAAA 2001:db8:1::53", "ar|ns1.example.org. 300 A 192.0.2.53",
           "ar|ns1.example.org. 300 AAAA 2001:db8::53", NULL);
}

static void cname_loops_end(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("loop1.example.org.", "A");
    struct reply *reply = reply_get(*state, &query, 1232, 2048, &counters);

    expect_reply(reply, 0, "a", "an|loop1.example.org. 300 CNAME loop2.example.org.",
                 "an|loop2.example.org. 300 CNAME loop1.example.org.", NULL);
    assert_int_equal(counters.count[ANSWER_COUNT_chain_cut], 1);
    free(reply);
    expect("self.example.org.", "A", 0, "a", "an|self.example.org. 300 CNAME self.example.org.",
           NULL);
}

static void delegation_refers_without_authority(void **state)
{
    expect("sub.example.org.", "A", 0, "", "ns|sub.example.org. 300 NS ns.sub.example.org.",
           "ns|sub.example.org. 300 NS ns1.example.org.",
           "ns|sub.example.org. 300 NS ns.elsewhere.test.",
           "ar|ns.sub.example.org. 300 A 198.51.100.53",
           "ar|ns.sub.example.org. 300 AAAA 2001:db8:1::53", "ar|ns1.example.org. 300 A 192.0.2.53",
           "ar|ns1.example.org. 300 AAAA 2001:db8::53", NULL);
    expect("unsigned.example.org.", "NS", 0, "",
           "ns|unsigned.example.org. 300 NS ns.elsewhere.test.", NULL);
    expect("x.y.unsigned.example.org.", "DS", 0, "",
           "ns|unsigned.example.org. 300 NS ns.elsewhere.test.", NULL);
}

static void glue_is_never_an_answer(void **state)
{
    struct reply *reply = ask(*state, "ns.sub.example.org.", "A");

    assert_int_equal(reply->answers, 0);
    assert_int_equal(reply->authorities, 3);
    assert_false(reply->aa);
    free(reply);
    /* Nor does a wildcard below the cut answer. */
    reply = ask(*state, "anything.sub.example.org.", "A");
    assert_int_equal(reply->answers, 0);
    assert_int_equal(reply->authorities, 3);
    free(reply);
}

static void ds_at_a_cut_is_ours(void **state)
{
    expect("sub.example.org.", "DS", 0, "a", "an|sub.example.org. 300 DS 0102030405", NULL);
    expect("unsigned.example.org.", "DS", 0, "a", SOA, NULL);
}

static void ds_of_a_zone_of_ours_comes_from_its_parent(void **state)
{
    expect("child.example.net.", "DS", 0, "a", "an|child.example.net. 300 DS aabbccdd", NULL);
    expect("nods.example.net.", "DS", 0, "a",
           "ns|example.net. 300 SOA ns.example.org. admin.example.net. 7 3600 600 86400 900", NULL);
}

static void ds_of_a_zone_without_parent_here_is_nodata(void **state)
{
    expect("example.org.", "DS", 0, "a", SOA, NULL);
}

static void deepest_zone_answers(void **state)
{
    expect("ns.child.example.net.", "A", 0, "a", "an|ns.child.example.net. 300 A 203.0.113.1",
           NULL);
    expect("x.child.example.net.", "A", 3, "a",
           "ns|child.example.net. 60 SOA ns.child.example.net. admin.child.example.net. 7 3600 600 "
           "86400 60",
           NULL);
}

static void ns_answer_has_addresses(void **state)
{
    expect("example.org.", "NS", 0, "a", "an|example.org. 300 NS ns1.example.org.",
           "an|example.org. 300 NS ns.elsewhere.test.", "ar|ns1.example.org. 300 A 192.0.2.53",
           "ar|ns1.example.org. 300 AAAA 2001:db8::53", NULL);
}

static void mx_and_srv_answers_have_addresses(void **state)
{
    expect("example.org.", "MX", 0, "a", "an|example.org. 300 MX 10 mail.example.org.",
           "an|example.org. 300 MX 20 mx.elsewhere.test.", "ar|mail.example.org. 300 A 192.0.2.25",
           NULL);
    expect("_sip._udp.example.org.", "SRV", 0, "a",
           "an|_sip._udp.example.org. 300 SRV 1 2 5060 mail.example.org.",
           "ar|mail.example.org. 300 A 192.0.2.25", NULL);
}

static void glue_is_not_added_to_mx(void **state)
{
    expect("mx-to-glue.example.org.", "MX", 0, "a",
           "an|mx-to-glue.example.org. 300 MX 1 ns.sub.example.org.", NULL);
}

static void addresses_of_other_zones_are_not_added(void **state)
{
    expect("example.net.", "NS", 0, "a", "an|example.net. 300 NS ns1.example.org.", NULL);
}

static void wildcard_answers_for_names_that_do_not_exist(void **state)
{
    expect("x.wild.example.org.", "A", 0, "a", "an|x.wild.example.org. 300 A 192.0.2.77", NULL);
    expect("x.y.z.wild.example.org.", "A", 0, "a", "an|x.y.z.wild.example.org. 300 A 192.0.2.77",
           NULL);
    expect("*.wild.example.org.", "A", 0, "a", "an|*.wild.example.org. 300 A 192.0.2.77", NULL);
}

static void wildcard_without_the_type_is_nodata(void **state)
{
    expect("x.wild.example.org.", "TXT", 0, "a", SOA, NULL);
}

static void wildcard_does_not_answer_for_existing_names(void **state)
{
    expect("other.wild.example.org.", "A", 0, "a", SOA, NULL);
    expect("x.other.wild.example.org.", "A", 3, "a", SOA, NULL);
    expect("wild.example.org.", "A", 0, "a", SOA, NULL);
}

static void wildcard_gives_addresses_to_additional_data(void **state)
{
    expect("x.wild.example.org.", "MX", 0, "a",
           "an|x.wild.example.org. 300 MX 5 mx.wild.example.org.",
           "ar|mx.wild.example.org. 300 A 192.0.2.77", NULL);
}

static void wildcard_cname_is_followed(void **state)
{
    expect("x.alias.example.org.", "AAAA", 0, "a",
           "an|x.alias.example.org. 300 CNAME www.example.org.",
           "an|www.example.org. 600 AAAA 2001:db8::80", NULL);
    expect("y.loop.example.org.", "A", 0, "a",
           "an|y.loop.example.org. 300 CNAME x.loop.example.org.",
           "an|x.loop.example.org. 300 CNAME x.loop.example.org.", NULL);
}

static void dname_redirects_what_is_below(void **state)
{
    expect("a.moved.example.org.", "A", 0, "a",
           "an|moved.example.org. 300 DNAME target.example.org.",
           "an|a.moved.example.org. 300 CNAME a.target.example.org.",
           "an|a.target.example.org. 300 A 192.0.2.50", NULL);
    expect("x.a.moved.example.org.", "A", 3, "a",
           "an|moved.example.org. 300 DNAME target.example.org.",
           "an|x.a.moved.example.org. 300 CNAME x.a.target.example.org.", SOA, NULL);
    expect("b.away.example.org.", "A", 0, "a", "an|away.example.org. 300 DNAME elsewhere.test.",
           "an|b.away.example.org. 300 CNAME b.elsewhere.test.", NULL);
    expect("a.moved.example.org.", "CNAME", 0, "a",
           "an|moved.example.org. 300 DNAME target.example.org.",
           "an|a.moved.example.org. 300 CNAME a.target.example.org.", NULL);
}

static void dname_does_not_redirect_its_owner(void **state)
{
    expect("moved.example.org.", "TXT", 0, "a", "an|moved.example.org. 300 TXT owner", NULL);
    expect("moved.example.org.", "A", 0, "a", SOA, NULL);
}

static void dname_behind_a_cname_redirects(void **state)
{
    expect("to-moved.example.org.", "A", 0, "a",
           "an|to-moved.example.org. 300 CNAME a.moved.example.org.",
           "an|moved.example.org. 300 DNAME target.example.org.",
           "an|a.moved.example.org. 300 CNAME a.target.example.org.",
           "an|a.target.example.org. 300 A 192.0.2.50", NULL);
}

static void dname_met_twice_is_answered_once_and_followed_twice(void **state)
{
    expect("back.moved.example.org.", "A", 0, "a",
           "an|moved.example.org. 300 DNAME target.example.org.",
           "an|back.moved.example.org. 300 CNAME back.target.example.org.",
           "an|back.target.example.org. 300 CNAME a.moved.example.org.",
           "an|a.moved.example.org. 300 CNAME a.target.example.org.",
           "an|a.target.example.org. 300 A 192.0.2.50", NULL);
}

static void dname_that_leads_to_itself_ends(void **state)
{
    expect("a.grow.example.org.", "A", 0, "a", "an|grow.example.org. 300 DNAME x.grow.example.org.",
           "an|a.grow.example.org. 300 CNAME a.x.grow.example.org.", NULL);
    expect("x.circle.example.org.", "A", 0, "a",
           "an|circle.example.org. 300 DNAME circle.example.org.",
           "an|x.circle.example.org. 300 CNAME x.circle.example.org.", NULL);
}

static void dname_asked_for_by_an_alias_that_it_made_is_answered_once(void **state)
{
    expect("*.*.up.example.org.", "DNAME", 0, "a", "an|*.up.example.org. 300 DNAME up.example.org.",
           "an|*.*.up.example.org. 300 CNAME *.up.example.org.", NULL);
}

static void dname_that_makes_too_long_a_name_is_yxdomain(void **state)
{
    char name[260] = "";
    struct packet query;
    struct answer_counters counters = {{0}};

    /* 3 labels of 63 and one of 42 below moved.example.org.: 255 octets with target for moved. */
    for (int label = 0; label < 3; label++) {
        memset(name + strlen(name), 'a', 63);
        strcat(name, ".");
    }
    memset(name + strlen(name), 'a', 42);
    strcat(name, ".moved.example.org.");
    query = query_make(name, "A");
    query_add_opt(&query, 1232);
    struct reply *reply = reply_get(*state, &query, 1232, 2048, &counters);
    assert_int_equal(reply->rcode, DNS_NXDOMAIN);
    free(reply);

    strcpy(strstr(name, ".moved"), "a.moved.example.org.");
    query = query_make(name, "A");
    query_add_opt(&query, 1232);
    reply = reply_get(*state, &query, 1232, 2048, &counters);
    expect_reply(reply, DNS_YXDOMAIN, "a", "an|moved.example.org. 300 DNAME target.example.org.",
                 NULL);
    assert_int_equal(counters.count[ANSWER_COUNT_yxdomain], 1);
    free(reply);
}

static struct reply *ask_dnssec(const struct zones *zones, const char *name, const char *type)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make(name, type);

    query_add(&query, ".", DNS_TYPE_OPT, 1232, (uint32_t)DNS_EDNS_DO << 8, "", 0);
    return reply_get(zones, &query, 1232, 2048, &counters);
}

/* RFC 4035 3.1.4: a zone that isn't signed can't say whether its children are. */
static void unsigned_zone_refers_without_ds(void **state)
{
    struct reply *reply = ask_dnssec(*state, "host.sub.example.org.", "A");

    expect_reply(reply, 0, "", "ns|sub.example.org. 300 NS ns.sub.example.org.",
                 "ns|sub.example.org. 300 NS ns1.example.org.",
                 "ns|sub.example.org. 300 NS ns.elsewhere.test.",
                 "ar|ns.sub.example.org. 300 A 198.51.100.53",
                 "ar|ns.sub.example.org. 300 AAAA 2001:db8:1::53",
                 "ar|ns1.example.org. 300 A 192.0.2.53",
                 "ar|ns1.example.org. 300 AAAA 2001:db8::53", NULL);
    free(reply);
}

/* RFC 9471 3.2: glue of a sibling, though that one's zone is here and its data are the child's. */
static void server_in_a_zone_that_is_here_too_has_addresses(void **state)
{
    struct zones zones;

    (void)state;
    zones_begin(&zones);
    zones_add(&zones, "org",
              "@ 60 SOA ns admin 1 2 3 4 60\n@ 60 NS ns.elsewhere.test.\n"
              "one 60 NS ns.one\nns.one 60 A 192.0.2.1\ntwo 60 NS ns.one\n");
    zones_add(&zones, "one.org", "@ 60 SOA ns admin 1 2 3 4 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n");
    zones_end(&zones);
    struct reply *reply = ask(&zones, "x.two.org.", "A");
    expect_reply(reply, 0, "", "ns|two.org. 60 NS ns.one.org.", "ar|ns.one.org. 60 A 192.0.2.1",
                 NULL);
    free(reply);
    zones_free(&zones);
}

/* RFC 4592 2.1.1: a name * is one like others when it is met by itself. */
static void wildcard_cname_to_itself_is_given_with_both_owners(void **state)
{
    struct zones zones;

    (void)state;
    zones_make(&zones, "test",
               "@ 60 SOA ns admin 1 2 3 4 60\n@ 60 NS ns.elsewhere.test.\n*.w 60 CNAME *.w\n");
    struct reply *reply = ask(&zones, "a.w.test.", "A");
    expect_reply(reply, 0, "a", "an|a.w.test. 60 CNAME *.w.test.",
                 "an|*.w.test. 60 CNAME *.w.test.", NULL);
    free(reply);
    reply = ask(&zones, "*.w.test.", "A");
    expect_reply(reply, 0, "a", "an|*.w.test. 60 CNAME *.w.test.", NULL);
    free(reply);
    zones_free(&zones);
}

static void wildcard_cname_that_leads_to_the_question_is_given_once(void **state)
{
    struct zones zones;

    (void)state;
    zones_make(&zones, "test",
               "@ 60 SOA ns admin 1 2 3 4 60\n@ 60 NS ns.elsewhere.test.\n*.w 60 CNAME c.w\n"
               "*.v 60 CNAME d\nd 60 CNAME c.v\n");
    struct reply *reply = ask(&zones, "c.w.test.", "A");
    expect_reply(reply, 0, "a", "an|c.w.test. 60 CNAME c.w.test.", NULL);
    free(reply);
    reply = ask(&zones, "c.v.test.", "A");
    expect_reply(reply, 0, "a", "an|c.v.test. 60 CNAME d.test.", "an|d.test. 60 CNAME c.v.test.",
                 NULL);
    free(reply);
    zones_free(&zones);
}

/* RFC 4035 3.1.4.1: DS is the parent's, and so are its signatures. */
static void apex_has_no_signatures_of_ds(void **state)
{
    struct zones zones;

    (void)state;
    zones_begin(&zones);
    zones_add(&zones, "org",
              "@ 60 SOA ns admin 1 2 3 4 60\n@ 60 NS ns.elsewhere.test.\n"
              "one 60 NS ns.one\none 60 DS aabb\none 60 RRSIG 002b\n");
    zones_add(&zones, "one.org", "@ 60 SOA ns admin 1 2 3 4 60\n@ 60 NS ns\n@ 60 RRSIG 0002\n");
    zones_end(&zones);
    struct reply *reply = ask(&zones, "one.org.", "RRSIG");
    expect_reply(reply, 0, "a", "an|one.org. 60 RRSIG 0002", NULL);
    free(reply);
    zones_free(&zones);
}

/* They were given with the DNAME record, if DNSSEC records are wanted. */
static void signatures_of_a_dname_that_led_to_itself_are_given_once(void **state)
{
    struct zones zones;
    struct answer_counters counters = {{0}};

    (void)state;
    zones_make(&zones, "test",
               "@ 60 SOA ns admin 1 2 3 4 60\n@ 60 NS ns.elsewhere.test.\n*.up 60 DNAME up\n"
               "*.up 60 RRSIG 0027\n*.up 60 NSEC 00\n*.up 60 RRSIG 002f\n");
    struct packet query = query_make("*.*.up.test.", "RRSIG");
    struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
    expect_reply(reply, 0, "a", "an|*.up.test. 60 DNAME up.test.",
                 "an|*.*.up.test. 60 CNAME *.up.test.", "an|*.up.test. 60 RRSIG 0027",
                 "an|*.up.test. 60 RRSIG 002f", NULL);
    free(reply);
    query = query_make("*.*.up.test.", "RRSIG");
    query_add_opt(&query, 1232);
    query.bytes[query.length - 4] = DNS_EDNS_DO;
    reply = reply_get(&zones, &query, 1232, 2048, &counters);
    assert_int_equal(reply->answers, 4);
    assert_true(reply_has(reply, "an|*.up.test. 60 RRSIG 002f"));
    free(reply);
    zones_free(&zones);
}

static void any_is_answered_with_one_set(void **state)
{
    expect("www.example.org.", "ANY", 0, "a", "an|www.example.org. 300 A 192.0.2.80",
           "an|www.example.org. 300 A 192.0.2.81", NULL);
    expect("name.example.org.", "ANY", 0, "a", SOA, NULL);
    expect("nothing.example.org.", "ANY", 3, "a", SOA, NULL);
}

static void transfers_are_refused(void **state)
{
    expect("example.org.", "AXFR", DNS_NOTIMP, "", NULL);
    expect("example.org.", "IXFR", DNS_REFUSED, "", NULL);
    expect("www.example.org.", "IXFR", DNS_NOTAUTH, "", NULL);
    expect("elsewhere.test.", "IXFR", DNS_NOTAUTH, "", NULL);
}

static void recursion_is_never_available(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("mail.example.org.", "A");
    struct reply *reply;

    reply = reply_get(*state, &query, 1232, 2048, &counters);
    assert_true(reply->rd);
    free(reply);
    /* All flags that a query may carry, and those that it shouldn't. */
    query.bytes[2] = DNS_FLAG_AA | DNS_FLAG_TC;
    query.bytes[3] = 0xff;
    reply = reply_get(*state, &query, 1232, 2048, &counters);
    expect_reply(reply, 0, "a", "an|mail.example.org. 300 A 192.0.2.25", NULL);
    assert_false(reply->rd);
    free(reply);
}

static void class_any_is_answered_without_authority(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("mail.example.org.", "A");

    store_be16(query.bytes + query.length - 2, DNS_CLASS_ANY);
    struct reply *reply = reply_get(*state, &query, 1232, 2048, &counters);
    expect_reply(reply, 0, "", "an|mail.example.org. 300 A 192.0.2.25", NULL);
    free(reply);
}

static void edns_is_answered_with_edns(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("mail.example.org.", "A");
    struct reply *reply = reply_get(*state, &query, 1232, 2048, &counters);

    assert_false(reply->edns);
    free(reply);
    query_add_opt(&query, 4096);
    reply = reply_get(*state, &query, 1400, 2048, &counters);
    assert_true(reply->edns);
    assert_int_equal(reply->edns_size, 1400);
    assert_false(reply->edns_do);
    free(reply);
}

static void dnssec_ok_is_echoed(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("mail.example.org.", "A");

    query_add(&query, ".", DNS_TYPE_OPT, 4096, 0x0000ffff, "", 0);
    struct reply *reply = reply_get(*state, &query, 1232, 2048, &counters);
    assert_true(reply->edns_do);
    /* The other flags aren't ours to set (RFC 6891 6.1.4). */
    assert_memory_equal(reply->bytes + reply->length - 4, "\x80\0\0\0", 4);
    free(reply);
}

static void other_edns_version_is_answered_with_ours(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("mail.example.org.", "A");

    query_add(&query, ".", DNS_TYPE_OPT, 4096, 0x00010000, "", 0);
    struct reply *reply = reply_get(*state, &query, 1232, 2048, &counters);
    expect_reply(reply, DNS_BADVERS, "", NULL);
    assert_int_equal(reply->questions, 1);
    assert_memory_equal(reply->bytes + reply->length - 6, "\x01\0\0\0\0\0", 6);
    assert_int_equal(counters.count[ANSWER_COUNT_badvers], 1);
    free(reply);
}

static void names_are_compressed(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("example.org.", "MX");
    struct reply *reply = reply_get(*state, &query, 1232, 2048, &counters);

    /* Header and question 29; MX 10 mail: 12 + 2 + 5 + 2; MX 20 mx.elsewhere.test.: 12 + 2 + 19;
     * its address: 12 + 4. */
    assert_int_equal(reply->length, 29 + 21 + 33 + 16);
    free(reply);

    query = query_make("nothing.example.org.", "A");
    reply = reply_get(*state, &query, 1232, 2048, &counters);
    /* SOA: 12, ns1 and admin each with a pointer, five numbers. */
    assert_int_equal(reply->length, 37 + 12 + 6 + 8 + 20);
    free(reply);
}

static void names_in_younger_types_are_not_compressed(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet query = query_make("_sip._udp.example.org.", "SRV");
    struct reply *reply = reply_get(*state, &query, 1232, 2048, &counters);

    /* RFC 2782: the target is written in full; the address' owner points to it. */
    assert_int_equal(reply->length, 39 + 12 + 6 + 18 + 16);
    free(reply);
}

static void chain_of_sixteen_is_followed_and_a_longer_one_cut(void **state)
{
    struct zones zones;
    struct answer_counters counters = {{0}};
    char text[2000] = "@ 300 SOA ns admin 7 3600 600 86400 60\n@ 300 NS ns\nns 300 A 192.0.2.1\n"
                      "c0 300 A 192.0.2.2\n";
    struct packet query;

    (void)state;
    for (int link = 1; link <= 18; link++)
        sprintf(text + strlen(text), "c%d 300 CNAME c%d\n", link, link - 1);
    zones_make(&zones, "example.org", text);
    query = query_make("c16.example.org.", "A");
    struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
    assert_int_equal(reply->answers, 17);
    assert_true(reply_has(reply, "an|c0.example.org. 300 A 192.0.2.2"));
    assert_int_equal(counters.count[ANSWER_COUNT_chain_cut], 0);
    free(reply);
    query = query_make("c18.example.org.", "A");
    reply = reply_get(&zones, &query, 1232, 2048, &counters);
    assert_int_equal(reply->answers, 16);
    assert_int_equal(reply->rcode, 0);
    assert_int_equal(counters.count[ANSWER_COUNT_chain_cut], 1);
    free(reply);
    zones_free(&zones);
}

static void chain_cut_before_a_wildcard_ends_there_too(void **state)
{
    struct zones zones;
    struct answer_counters counters = {{0}};
    char text[2000] = "@ 300 SOA ns admin 7 3600 600 86400 60\n@ 300 NS ns\nns 300 A 192.0.2.1\n"
                      "* 300 CNAME ns\n";

    (void)state;
    for (int link = 1; link <= 16; link++)
        sprintf(text + strlen(text), "c%d 300 CNAME c%d\n", link, link - 1);
    zones_make(&zones, "example.org", text);
    struct packet query = query_make("c16.example.org.", "A");
    struct reply *reply = reply_get(&zones, &query, 1232, 2048, &counters);
    assert_int_equal(reply->answers, 16);
    assert_false(reply_has(reply, "an|c0.example.org. 300 CNAME ns.example.org."));
    assert_int_equal(counters.count[ANSWER_COUNT_chain_cut], 1);
    free(reply);
    zones_free(&zones);
}

/* As many as 1232 octets hold. */
static void each_of_seventy_mail_servers_has_its_address(void **state)
{
    struct zones zones;
    struct answer_counters counters = {{0}};
    char text[8000] = "@ 300 SOA ns admin 7 3600 600 86400 60\n@ 300 NS ns.elsewhere.test.\n";

    (void)state;
    for (int server = 0; server < 70; server++)
        sprintf(text + strlen(text), "@ 300 MX %d m%d\nm%d 300 A 192.0.2.%d\n", server, server,
                server, server);
    zones_make(&zones, "example.org", text);
    struct packet query = query_make("example.org.", "MX");
    query_add_opt(&query, 4096);
    struct reply *reply = reply_get(&zones, &query, 4096, 4096, &counters);
    assert_int_equal(reply->answers, 70);
    assert_true(reply_has(reply, "ar|m0.example.org. 300 A 192.0.2.0"));
    assert_true(reply_has(reply, "ar|m69.example.org. 300 A 192.0.2.69"));
    free(reply);
    zones_free(&zones);
}

static void root_zone_answers(void **state)
{
    struct zones zones;

    (void)state;
    zones_make(&zones, ".",
               "@ 300 SOA a.root. admin.root. 7 3600 600 86400 60\n"
               "@ 300 NS a.root.\n"
               "a.root. 300 A 192.0.2.1\n"
               "org. 300 NS ns.org.\n"
               "ns.org. 300 A 192.0.2.2\n");
    struct reply *reply = ask(&zones, ".", "NS");
    expect_reply(reply, 0, "a", "an|. 300 NS a.root.", "ar|a.root. 300 A 192.0.2.1", NULL);
    free(reply);
    reply = ask(&zones, "www.example.org.", "A");
    expect_reply(reply, 0, "", "ns|org. 300 NS ns.org.", "ar|ns.org. 300 A 192.0.2.2", NULL);
    free(reply);
    reply = ask(&zones, "nothing.", "A");
    expect_reply(reply, 3, "a", "ns|. 60 SOA a.root. admin.root. 7 3600 600 86400 60", NULL);
    free(reply);
    reply = ask(&zones, ".", "DS");
    expect_reply(reply, 0, "a", "ns|. 60 SOA a.root. admin.root. 7 3600 600 86400 60", NULL);
    free(reply);
    zones_free(&zones);
}

static void many_zones_are_told_apart(void **state)
{
    struct zones zones;
    char name[64], record[128];

    (void)state;
    zones_begin(&zones);
    for (int zone = 0; zone < 1000; zone++) {
        sprintf(name, "zone%d.test", zone);
        sprintf(record,
                "@ 300 SOA ns admin 7 3600 600 86400 60\n@ 300 NS ns\nns 300 A 10.0.%d.%d\n",
                zone / 256, zone % 256);
        zones_add(&zones, name, record);
    }
    zones_end(&zones);
    assert_true(zones.good);
    for (int zone = 0; zone < 1000; zone++) {
        sprintf(name, "ns.zone%d.test.", zone);
        sprintf(record, "an|ns.zone%d.test. 300 A 10.0.%d.%d", zone, zone / 256, zone % 256);
        struct reply *reply = ask(&zones, name, "A");
        expect_reply(reply, 0, "a", record, NULL);
        free(reply);
    }
    zones_free(&zones);
}

static void ten_thousand_names_are_found(void **state)
{
    struct zones zones;
    char name[64], record[128];

    (void)state;
    char *text = malloc(1 << 20), *out = text;
    out += sprintf(out, "@ 300 SOA ns admin 7 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n");
    for (int host = 0; host < 10000; host++)
        out += sprintf(out, "host%d 300 A 10.0.%d.%d\n", host, host / 256, host % 256);
    zones_make(&zones, "big.test", text);
    free(text);
    for (int host = 0; host < 10000; host += 7) {
        sprintf(name, "host%d.big.test.", host);
        sprintf(record, "an|host%d.big.test. 300 A 10.0.%d.%d", host, host / 256, host % 256);
        struct reply *reply = ask(&zones, name, "A");
        expect_reply(reply, 0, "a", record, NULL);
        free(reply);
    }
    zones_free(&zones);
}

static void names_of_255_octets_are_answered(void **state)
{
    struct zones zones;
    char label[64] = {0}, text[600], name[300], record[400];

    (void)state;
    memset(label, 'x', 63);
    sprintf(text,
            "@ 300 SOA ns admin 7 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n"
            "%s.%s.%s.%.55s 300 A 1.2.3.4\n",
            label, label, label, label);
    zones_make(&zones, "zone", text);
    sprintf(name, "%s.%s.%s.%.55s.zone.", label, label, label, label);
    sprintf(record, "an|%s 300 A 1.2.3.4", name);
    struct reply *reply = ask(&zones, name, "A");
    expect_reply(reply, 0, "a", record, NULL);
    free(reply);
    name[0] = 'y';
    reply = ask(&zones, name, "A");
    assert_int_equal(reply->rcode, DNS_NXDOMAIN);
    free(reply);
    zones_free(&zones);
}

static void names_of_127_labels_are_answered(void **state)
{
    struct zones zones;
    char name[300] = "", text[600];

    (void)state;
    for (int label = 0; label < 126; label++)
        strcat(name, "a.");
    sprintf(text,
            "@ 300 SOA ns admin 7 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n%sz. 300 A "
            "1.2.3.4\n",
            name);
    zones_make(&zones, "z", text);
    strcat(name, "z.");
    struct reply *reply = ask(&zones, name, "A");
    assert_int_equal(reply->answers, 1);
    free(reply);
    reply = ask(&zones, name + 2, "A");
    assert_int_equal(reply->rcode, 0);
    assert_int_equal(reply->authorities, 1);
    free(reply);
    name[0] = 'b';
    reply = ask(&zones, name, "A");
    assert_int_equal(reply->rcode, DNS_NXDOMAIN);
    free(reply);
    zones_free(&zones);
}

static void every_query_is_counted_once(void **state)
{
    static const struct {
        const char *name, *type;
        enum answer_counter counter;
    } cases[] = {{"mail.example.org.", "A", ANSWER_COUNT_noerror},
                 {"sub.example.org.", "A", ANSWER_COUNT_noerror},
                 {"nothing.example.org.", "A", ANSWER_COUNT_nxdomain},
                 {"elsewhere.test.", "A", ANSWER_COUNT_refused},
                 {"example.org.", "AXFR", ANSWER_COUNT_notimp},
                 {"elsewhere.test.", "IXFR", ANSWER_COUNT_notauth}};

    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        struct answer_counters counters = {{0}};
        struct packet query = query_make(cases[index].name, cases[index].type);
        free(reply_get(*state, &query, 1232, 2048, &counters));
        for (unsigned counter = 0; counter < ANSWER_COUNTER_COUNT; counter++)
            assert_int_equal(counters.count[counter], counter == cases[index].counter);
    }
}

static void counters_have_names(void **state)
{
    (void)state;
    assert_string_equal(answer_counter_names[ANSWER_COUNT_dropped_short], "dropped_short");
    assert_string_equal(answer_counter_names[ANSWER_COUNT_database_damaged], "database_damaged");
    for (unsigned counter = 0; counter < ANSWER_COUNTER_COUNT; counter++)
        assert_in_range(strnlen(answer_counter_names[counter], 20), 1, 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_is_answered),
        cmocka_unit_test(all_records_of_a_set_are_answered),
        cmocka_unit_test(any_other_type_is_answered),
        cmocka_unit_test(soa_is_answered_with_its_own_ttl),
        cmocka_unit_test(case_of_the_question_does_not_matter_and_stays),
        cmocka_unit_test(missing_type_is_nodata_with_soa),
        cmocka_unit_test(missing_name_is_nxdomain_with_soa),
        cmocka_unit_test(negative_ttl_is_the_lower_of_soa_ttl_and_minimum),
        cmocka_unit_test(empty_non_terminal_is_nodata),
        cmocka_unit_test(foreign_name_is_refused),
        cmocka_unit_test(cname_is_followed),
        cmocka_unit_test(cname_is_not_followed_when_asked_for),
        cmocka_unit_test(type_beside_a_cname_is_answered),
        cmocka_unit_test(cname_to_nothing_is_nxdomain),
        cmocka_unit_test(cname_to_another_type_is_nodata),
        cmocka_unit_test(cname_out_of_our_zones_ends_there),
        cmocka_unit_test(cname_into_another_zone_of_ours_is_followed),
        cmocka_unit_test(cname_into_a_delegation_refers_and_stays_authoritative),
        cmocka_unit_test(cname_loops_end),
        cmocka_unit_test(delegation_refers_without_authority),
        cmocka_unit_test(glue_is_never_an_answer),
        cmocka_unit_test(ds_at_a_cut_is_ours),
        cmocka_unit_test(ds_of_a_zone_of_ours_comes_from_its_parent),
        cmocka_unit_test(ds_of_a_zone_without_parent_here_is_nodata),
        cmocka_unit_test(deepest_zone_answers),
        cmocka_unit_test(ns_answer_has_addresses),
        cmocka_unit_test(mx_and_srv_answers_have_addresses),
        cmocka_unit_test(glue_is_not_added_to_mx),
        cmocka_unit_test(addresses_of_other_zones_are_not_added),
        cmocka_unit_test(wildcard_answers_for_names_that_do_not_exist),
        cmocka_unit_test(wildcard_without_the_type_is_nodata),
        cmocka_unit_test(wildcard_does_not_answer_for_existing_names),
        cmocka_unit_test(wildcard_gives_addresses_to_additional_data),
        cmocka_unit_test(wildcard_cname_is_followed),
        cmocka_unit_test(dname_redirects_what_is_below),
        cmocka_unit_test(dname_does_not_redirect_its_owner),
        cmocka_unit_test(dname_behind_a_cname_redirects),
        cmocka_unit_test(dname_met_twice_is_answered_once_and_followed_twice),
        cmocka_unit_test(dname_that_leads_to_itself_ends),
        cmocka_unit_test(dname_asked_for_by_an_alias_that_it_made_is_answered_once),
        cmocka_unit_test(dname_that_makes_too_long_a_name_is_yxdomain),
        cmocka_unit_test(unsigned_zone_refers_without_ds),
        cmocka_unit_test(server_in_a_zone_that_is_here_too_has_addresses),
        cmocka_unit_test(wildcard_cname_to_itself_is_given_with_both_owners),
        cmocka_unit_test(wildcard_cname_that_leads_to_the_question_is_given_once),
        cmocka_unit_test(apex_has_no_signatures_of_ds),
        cmocka_unit_test(signatures_of_a_dname_that_led_to_itself_are_given_once),
        cmocka_unit_test(any_is_answered_with_one_set),
        cmocka_unit_test(transfers_are_refused),
        cmocka_unit_test(recursion_is_never_available),
        cmocka_unit_test(class_any_is_answered_without_authority),
        cmocka_unit_test(edns_is_answered_with_edns),
        cmocka_unit_test(dnssec_ok_is_echoed),
        cmocka_unit_test(other_edns_version_is_answered_with_ours),
        cmocka_unit_test(names_are_compressed),
        cmocka_unit_test(names_in_younger_types_are_not_compressed),
        cmocka_unit_test(chain_of_sixteen_is_followed_and_a_longer_one_cut),
        cmocka_unit_test(chain_cut_before_a_wildcard_ends_there_too),
        cmocka_unit_test(each_of_seventy_mail_servers_has_its_address),
        cmocka_unit_test(root_zone_answers),
        cmocka_unit_test(many_zones_are_told_apart),
        cmocka_unit_test(ten_thousand_names_are_found),
        cmocka_unit_test(names_of_255_octets_are_answered),
        cmocka_unit_test(names_of_127_labels_are_answered),
        cmocka_unit_test(every_query_is_counted_once),
        cmocka_unit_test(counters_have_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
