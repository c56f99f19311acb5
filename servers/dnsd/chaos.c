/* SPDX-License-Identifier: ISC
 *
 * Class CH: who this server is (RFC 4892), as far as the manifest's settings say so. All else in
 * that class is refused.
 */
#include "servers/dnsd/answer_state.h"

/* Whether the question asks for this name, given in lower case with its length octets. */
static bool is_asked(const struct query *query, const char *name, size_t length)
{
    return query->name.length == length && memcmp(query->name.folded, name, length) == 0;
}

/* The text that the question asks for; NULL when there is none. */
static const char *chaos_text(const struct answer *answer)
{
    static const char version_bind[] = "\7version\4bind", version_server[] = "\7version\6server";
    static const char id_server[] = "\2id\6server", hostname_bind[] = "\10hostname\4bind";
    const struct query *query = answer->query;

    if (is_asked(query, version_bind, sizeof version_bind) ||
        is_asked(query, version_server, sizeof version_server))
        return answer->config->version;
    if (is_asked(query, id_server, sizeof id_server) ||
        is_asked(query, hostname_bind, sizeof hostname_bind))
        return answer->config->identity;
    return NULL;
}

enum dns_rcode chaos_resolve(struct answer *answer)
{
    const char *text = chaos_text(answer);
    size_t length = answer_text_length(text);
    uint8_t record[2 + 1 + ANSWER_TEXT_MAX];
    struct zone_rrset rrset = {.type = DNS_TYPE_TXT, .records = record, .end = record + 3 + length};
    struct message_rrset made = {.rrset = &rrset};

    if (text == NULL ||
        (answer->query->type != DNS_TYPE_TXT && answer->query->type != DNS_TYPE_ANY))
        return DNS_REFUSED;
    store_be16(record, (unsigned)length + 1);
    record[2] = (uint8_t)length;
    memcpy(record + 3, text, length);
    answer->message.class = DNS_CLASS_CH;
    if (message_put_rrset(&answer->message, MESSAGE_ANSWER, &answer->query->name, 0, &made) !=
        MESSAGE_DONE)
        answer->truncated = true;
    return DNS_NOERROR;
}
