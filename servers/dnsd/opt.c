/* SPDX-License-Identifier: ISC
 *
 * The OPT record of an answer (RFC 6891) with its options: NSID and the cookie.
 */
#include "servers/dnsd/answer_state.h"

enum { NANOSECONDS = 1000000000 };

size_t answer_text_length(const char *text)
{
    size_t length = 0;

    while (text != NULL && length < ANSWER_TEXT_MAX && text[length] != '\0')
        length++;
    return length;
}

static size_t nsid_length(const struct answer *answer)
{
    return answer->query->nsid ? answer_text_length(answer->config->nsid) : 0;
}

/* Judges the client's cookie and prepares ours. One that is wrong or too old counts as none (RFC
 * 7873 5.2.3, 5.2.4); one that is good stays until it gets old. */
static void cookie_take(struct answer *answer)
{
    const struct answer_client *client = answer->client;
    const struct query *query = answer->query;
    const uint8_t *secret = answer->config->cookie_secret;
    uint32_t now = (uint32_t)(client->time(client->context) / NANOSECONDS);
    enum cookie_verdict verdict =
        cookie_check(secret, client->address, now, query->cookie, query->cookie_length);

    if (query->cookie_length == COOKIE_CLIENT_SIZE)
        answer->counters->count[ANSWER_COUNT_cookie_new]++;
    else if (verdict == COOKIE_BAD)
        answer->counters->count[ANSWER_COUNT_cookie_bad]++;
    else
        answer->counters->count[ANSWER_COUNT_cookie_good]++;
    if (verdict == COOKIE_GOOD)
        memcpy(answer->cookie, query->cookie, COOKIE_SIZE);
    else
        cookie_make(secret, client->address, now, query->cookie, answer->cookie);
    answer->cookie_good = verdict != COOKIE_BAD;
    answer->cookie_sent = true;
}

size_t opt_begin(struct answer *answer)
{
    size_t size = DNS_OPT_SIZE;

    if (!answer->query->nsid && answer->query->cookie_length == 0)
        return size;
    size_t nsid = nsid_length(answer);
    if (answer->query->cookie_length > 0 && answer->config->cookies && answer->client != NULL)
        cookie_take(answer);
    if (answer->cookie_sent)
        size += DNS_OPTION_HEAD + COOKIE_SIZE;
    return nsid > 0 ? size + DNS_OPTION_HEAD + nsid : size;
}

static uint8_t *option_put(uint8_t *out, unsigned code, const void *data, size_t length)
{
    out = store_be16(out, code);
    out = store_be16(out, (unsigned)length);
    memcpy(out, data, length);
    return out + length;
}

void opt_put(struct answer *answer, unsigned udp_size, enum dns_rcode rcode)
{
    struct message *message = &answer->message;
    uint8_t *out = message->bytes + message->length;
    size_t nsid = nsid_length(answer);

    *out++ = 0;
    out = store_be16(out, DNS_TYPE_OPT);
    out = store_be16(out, udp_size);
    *out++ = (uint8_t)(rcode >> 4);
    *out++ = 0;
    *out++ = answer->query->dnssec_ok ? DNS_EDNS_DO : 0;
    *out++ = 0;
    uint8_t *options = out + 2;
    uint8_t *end = options;
    if (nsid > 0)
        end = option_put(end, DNS_OPTION_NSID, answer->config->nsid, nsid);
    if (answer->cookie_sent)
        end = option_put(end, DNS_OPTION_COOKIE, answer->cookie, COOKIE_SIZE);
    /* No room was kept for this: it goes with answers that hold nothing else. */
    if (answer->extended_error != DNS_ERROR_NONE) {
        uint8_t code[DNS_ERROR_SIZE];
        store_be16(code, answer->extended_error);
        end = option_put(end, DNS_OPTION_ERROR, code, sizeof code);
    }
    store_be16(out, (unsigned)(end - options));
    message->length = (size_t)(end - message->bytes);
    message->counts[MESSAGE_ADDITIONAL]++;
}
