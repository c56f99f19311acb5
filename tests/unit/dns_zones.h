/* SPDX-License-Identifier: ISC
 *
 * Zones and queries that lead through every part of dnsd: for tests that break one of the two.
 */
#ifndef MOTET_TESTS_DNS_ZONES_H
#define MOTET_TESTS_DNS_ZONES_H

#include "tests/unit/dns_helper.h"

static const char every_kind_org[] = "@ 300 SOA ns1 admin 7 3600 600 86400 60\n"
                                     "@ 300 NS ns1\n"
                                     "@ 300 NS ns.elsewhere.test.\n"
                                     "@ 300 MX 10 mail\n"
                                     "ns1 300 A 192.0.2.53\n"
                                     "ns1 300 AAAA 2001:db8::53\n"
                                     "mail 300 A 192.0.2.25\n"
                                     "text 300 TXT words\n"
                                     "_sip._udp 300 SRV 1 2 5060 mail\n"
                                     "strange 300 TYPE65280 00ff0d0a\n"
                                     "chain 300 CNAME alias\n"
                                     "alias 300 CNAME mail\n"
                                     "to-sub 300 CNAME host.sub\n"
                                     "loop1 300 CNAME loop2\n"
                                     "loop2 300 CNAME loop1\n"
                                     "a.deep.name 300 A 192.0.2.3\n"
                                     "*.wild 300 A 192.0.2.77\n"
                                     "*.wild 300 MX 5 mx.wild\n"
                                     "sub 300 NS ns.sub\n"
                                     "sub 300 NS ns1\n"
                                     "sub 300 DS 0102030405\n"
                                     "ns.sub 300 A 198.51.100.53\n"
                                     "moved 300 DNAME target\n"
                                     "a.target 300 A 192.0.2.50\n";

static const char every_kind_child[] = "@ 300 SOA ns admin 7 3600 600 86400 60\n"
                                       "@ 300 NS ns\n"
                                       "@ 300 NS ns1.example.org.\n"
                                       "ns 300 A 203.0.113.1\n";

/* Signed with NSEC, and with NSEC3 (opt-out: the delegation has none). */
static const char every_kind_nsec[] = "@ 300 SOA ns admin 7 3600 600 86400 60\n"
                                      "@ 300 RRSIG 0006\n"
                                      "@ 300 NS ns\n"
                                      "@ 300 NSEC aa\n"
                                      "@ 300 RRSIG 002f\n"
                                      "ns 300 A 203.0.113.1\n"
                                      "ns 300 NSEC aa\n"
                                      "*.w 300 A 203.0.113.2\n"
                                      "*.w 300 NSEC aa\n"
                                      "cut 300 NS ns\n"
                                      "cut 300 NSEC aa\n";

static const char every_kind_nsec3[] = "@ 300 SOA ns admin 7 3600 600 86400 60\n"
                                       "@ 300 NS ns\n"
                                       "@ 300 NSEC3PARAM 0100000102abcd\n"
                                       "ns 300 A 203.0.113.1\n"
                                       "*.w 300 A 203.0.113.2\n"
                                       "cut 300 NS ns\n"
                                       /* of @, w, ns, *.w */
                                       "qrisatn8ttbppv67lf0f5rkflevmiiuq 300 NSEC3 0101000102abcd\n"
                                       "c2v54elo0a8fo46sp9s7oc702ih7ucsu 300 NSEC3 0101000102abcd\n"
                                       "v3lrkk4fofvksisuked41i1vdpfpvr4n 300 NSEC3 0101000102abcd\n"
                                       "86hhdcalid2sm7tr03r5k0te9vi86l36 300 NSEC3 0101000102abcd\n"
                                       "qrisatn8ttbppv67lf0f5rkflevmiiuq 300 RRSIG 0032\n";

static const struct {
    const char *name, *type;
} every_kind_queries[] = {{"mail.example.org.", "A"},
                          {"example.org.", "NS"},
                          {"example.org.", "MX"},
                          {"example.org.", "SOA"},
                          {"example.org.", "ANY"},
                          {"example.org.", "DS"},
                          {"example.org.", "IXFR"},
                          {"text.example.org.", "TXT"},
                          {"_sip._udp.example.org.", "SRV"},
                          {"strange.example.org.", "TYPE65280"},
                          {"chain.example.org.", "A"},
                          {"to-sub.example.org.", "A"},
                          {"loop1.example.org.", "A"},
                          {"deep.name.example.org.", "A"},
                          {"nothing.example.org.", "A"},
                          {"x.y.wild.example.org.", "MX"},
                          {"x.wild.example.org.", "TXT"},
                          {"sub.example.org.", "DS"},
                          {"x.sub.example.org.", "A"},
                          {"a.moved.example.org.", "A"},
                          {"x.y.z.moved.example.org.", "A"},
                          {"child.example.org.", "DS"},
                          {"child.example.org.", "NS"},
                          {"ns.child.example.org.", "A"},
                          {"x.child.example.org.", "A"},
                          {"elsewhere.test.", "A"},
                          {"nsec.test.", "SOA"},
                          {"no.nsec.test.", "A"},
                          {"ns.nsec.test.", "MX"},
                          {"x.w.nsec.test.", "A"},
                          {"x.w.nsec.test.", "MX"},
                          {"x.cut.nsec.test.", "A"},
                          {"no.nsec3.test.", "A"},
                          {"ns.nsec3.test.", "MX"},
                          {"x.w.nsec3.test.", "A"},
                          {"x.w.nsec3.test.", "MX"},
                          {"x.cut.nsec3.test.", "A"},
                          {".", "NS"}};

enum { EVERY_KIND_QUERIES = sizeof every_kind_queries / sizeof *every_kind_queries };

static inline void zones_make_every_kind(struct zones *zones)
{
    zones_begin(zones);
    zones_add(zones, "example.org", every_kind_org);
    zones_add(zones, "child.example.org", every_kind_child);
    zones_add(zones, "nsec.test", every_kind_nsec);
    zones_add(zones, "nsec3.test", every_kind_nsec3);
    zones_end(zones);
    assert_true(zones->good);
}

/* A generator whose numbers are the same everywhere: xorshift64*. */
static inline uint32_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * 0x2545f4914f6cdd1d >> 32);
}

static inline uint32_t random_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((uint64_t)random_next(state) * bound >> 32);
}

#endif
