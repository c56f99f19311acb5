/* SPDX-License-Identifier: ISC
 *
 * See isa.h.
 */
#include "tools/composer/isa.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The index and data ports of MC146818A; the ports of a 16550. */
static const struct isa_device devices[] = {
    {"cmos", 0x70, 2, 0x0b00, 8, "clock with a battery"},
    {"com2", 0x2f8, 8, 0x0501, 3, "second serial port"},
};

const struct isa_device *isa_find(struct place at, const char *name)
{
    char buffer[SUGGESTION_BYTES];
    const char *names[COUNT(devices)];
    for (size_t i = 0; i < COUNT(devices); i++) {
        if (!strcmp(devices[i].name, name))
            return &devices[i];
        names[i] = devices[i].name;
    }
    if (!strcmp(name, "com1"))
        report(at, "isa = \"com1\" is the console, which init drives — take \"com2\"");
    else
        report(at, "isa = \"%s\" names no device — %s", name,
               suggest(buffer, name, names, COUNT(names)));
    return NULL;
}

const struct isa_device *isa_at(uint16_t port)
{
    for (size_t i = 0; i < COUNT(devices); i++)
        if (devices[i].port == port)
            return &devices[i];
    return NULL;
}

void isa_check_claim(const struct manifest_claim *claim)
{
    if (claim->vectors > 1)
        report(claim->at, "isa = \"%s\" has one line — write vectors = 1, or 0 for none",
               claim->isa->name);
    if (claim->most != 1 || claim->required || claim->contained)
        report(claim->at,
               "isa = \"%s\" is there once, isn't looked for by init, and reaches no memory — drop "
               "\"most\", \"required\" and \"contained\"",
               claim->isa->name);
}

/* The claim before the n-th of domain `d` on the same device; *by: whose. NULL: there is none. */
static const struct manifest_claim *claimed_before(const struct manifest *manifest, uint32_t d,
                                                   uint32_t n, uint32_t *by)
{
    const struct isa_device *isa = manifest->domains[d].claims[n].isa;
    for (*by = 1; *by <= d; (*by)++) {
        const struct manifest_domain *other = &manifest->domains[*by];
        for (uint32_t i = 0; i < (*by == d ? n : other->claim_count); i++)
            if (other->claims[i].isa == isa)
                return &other->claims[i];
    }
    return NULL;
}

void isa_check(const struct manifest *manifest)
{
    for (uint32_t d = 1; d < manifest->domain_count; d++)
        for (uint32_t n = 0; n < manifest->domains[d].claim_count; n++) {
            const struct manifest_claim *claim = &manifest->domains[d].claims[n];
            uint32_t by;
            if (claim->isa && claimed_before(manifest, d, n, &by))
                report(claim->at,
                       "isa = \"%s\" is claimed by \"%s\" already — a device has one driver: drop "
                       "one of the claims",
                       claim->isa->name, manifest->domains[by].name);
        }
}
