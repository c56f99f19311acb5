/* SPDX-License-Identifier: ISC
 *
 * `motet stats`: counters.
 */
#include <inttypes.h>
#include <string.h>

#include "tools/control/command.h"

struct printer {
    const struct options *options;
    const char *domain;
    uint64_t printed;
};

static void counter_print(struct printer *printer, struct control_counter *counter)
{
    counter->name[sizeof(counter->name) - 1] = 0;
    for (char *c = counter->name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    if (!counter->value && !printer->options->all)
        return;
    if (printer->options->json) {
        printf("%s\n  ", printer->printed ? "," : "");
        char name[64];
        snprintf(name, sizeof(name), "%s.%s", printer->domain, counter->name);
        json_text(stdout, name);
        printf(": %" PRIu64, counter->value);
    } else {
        printf("%s.%s %" PRIu64 "\n", printer->domain, counter->name, counter->value);
    }
    printer->printed++;
}

static void domain_print(struct client *client, struct printer *printer, uint32_t d)
{
    uint8_t reply[CONTROL_REPLY_MAX];
    struct control_counters head;
    struct control_counters_request wanted = {.domain = d};
    do {
        size_t bytes;
        enum error error = client_ask(client, CONTROL_COUNTERS, &wanted, sizeof(wanted), reply,
                                      sizeof(reply), &bytes);
        if (error)
            refused("stats", error);
        memcpy(&head, reply, sizeof(head));
        if (bytes < sizeof(head) || head.count > CONTROL_COUNTERS_MAX ||
            bytes < sizeof(head) + head.count * sizeof(struct control_counter))
            fail(STATUS_NO_ANSWER, "the image sent senseless counters");
        for (uint32_t i = 0; i < head.count; i++) {
            struct control_counter counter;
            memcpy(&counter, reply + sizeof(head) + i * sizeof(counter), sizeof(counter));
            counter_print(printer, &counter);
        }
        wanted.first += head.count;
    } while (head.more && head.count);
}

int command_stats(struct client *client, const struct options *options)
{
    static struct picture picture;
    struct printer printer = {.options = options};
    uint32_t only = options->name ? domain_find(client, options->name) : 0;
    picture_take(client, &picture, false);
    if (options->json)
        printf("{");
    for (uint32_t d = 1; d < picture.domains; d++) {
        if (only && d != only)
            continue;
        printer.domain = picture.domain[d].told.name;
        domain_print(client, &printer, d);
    }
    if (options->json)
        printf("\n}\n");
    return STATUS_OK;
}
