/* SPDX-License-Identifier: ISC
 *
 * See at_name.h: the entry is parsed once more with another label in the place of such an @, and
 * the names that have it get their @ back.
 */
#include "tools/zonec/at_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/zonec/memory.h"

/* How many characters of a word's first label are an @ of its own, not the word for the origin; 0:
 * it is another label. */
static size_t at_label(const char *word)
{
    static const char *const written[] = {"\\@", "\\064", "@"};

    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        size_t length = strlen(written[i]);
        if (strncmp(word, written[i], length) != 0)
            continue;
        char behind = word[length];
        if (behind == '.' || (word[0] == '\\' && (behind == ' ' || behind == '\t' || !behind)))
            return length;
    }
    return 0;
}

#define STAND_IN "\\064\\000\\064" /* a label in place of an @ alone */

/* TEXT with the stand-in for each word's label that is an @; NULL: there is none. The caller frees
 * it. */
static char *at_replace(const char *text)
{
    char *copy = NULL, *to = NULL;

    for (const char *from = text; *from;) {
        size_t length = from > text && (from[-1] == ' ' || from[-1] == '\t') ? at_label(from) : 0;
        if (length > 0 && copy == NULL) {
            copy = memory_resize(NULL, strlen(text) + 1, sizeof STAND_IN);
            memcpy(copy, text, (size_t)(from - text));
            to = copy + (from - text);
        }
        if (length > 0)
            to += sprintf(to, "%s", STAND_IN);
        else if (copy != NULL)
            *to++ = *from;
        from += length > 0 ? length : 1;
    }
    if (copy != NULL)
        *to = '\0';
    return copy;
}

ldns_status at_names_restore(ldns_rr *record, const char *entry, const ldns_rdf *origin)
{
    static const uint8_t stand_in[] = {3, '@', 0, '@'};
    uint8_t name[LDNS_MAX_DOMAINLEN + 1] = {1, '@'};
    char *text = at_replace(entry);
    ldns_rdf *owner = NULL; /* of no interest */
    ldns_rr *other = NULL;

    if (text == NULL)
        return LDNS_STATUS_OK;
    ldns_status status = ldns_rr_new_frm_str(&other, text, 0, origin, &owner);
    for (size_t i = 0; status == LDNS_STATUS_OK && i < ldns_rr_rd_count(record); i++) {
        const ldns_rdf *field = ldns_rr_rdf(other, i);
        size_t rest = ldns_rdf_size(field) - sizeof stand_in;
        if (ldns_rdf_get_type(field) != LDNS_RDF_TYPE_DNAME ||
            ldns_rdf_size(field) <= sizeof stand_in ||
            memcmp(ldns_rdf_data(field), stand_in, sizeof stand_in) != 0)
            continue;
        memcpy(name + 2, ldns_rdf_data(field) + sizeof stand_in, rest);
        ldns_rdf_deep_free(
            ldns_rr_set_rdf(record, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, rest + 2, name), i));
    }
    ldns_rr_free(other);
    ldns_rdf_deep_free(owner);
    free(text);
    return status;
}
