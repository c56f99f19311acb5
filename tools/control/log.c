/* SPDX-License-Identifier: ISC
 *
 * `motet log`: what was printed on the console, or what one domain logged.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "tools/control/command.h"

static void lines_print(const struct options *options, const char *text, size_t bytes)
{
    char line[CONTROL_LOG_MAX + 1];
    if (!options->json) {
        fwrite(text, 1, bytes, stdout);
        return;
    }
    while (bytes) {
        const char *end = memchr(text, '\n', bytes);
        size_t length = end ? (size_t)(end - text) : bytes;
        memcpy(line, text, length);
        line[length] = 0;
        printf("{\"line\": ");
        json_text(stdout, line);
        printf("}\n");
        length += end != NULL;
        text += length;
        bytes -= length;
    }
}

/* Prints what is new. `wanted` goes on where the image says. */
static void log_print(struct client *client, const struct options *options,
                      struct control_log_request *wanted)
{
    uint8_t reply[CONTROL_REPLY_MAX];
    struct control_log head;
    do {
        size_t bytes;
        enum error error =
            client_ask(client, CONTROL_LOG, wanted, sizeof(*wanted), reply, sizeof(reply), &bytes);
        if (error)
            refused("log", error);
        if (bytes < sizeof(head))
            fail(STATUS_NO_ANSWER, "the image sent a senseless log");
        memcpy(&head, reply, sizeof(head));
        if (head.bytes > bytes - sizeof(head))
            fail(STATUS_NO_ANSWER, "the image sent a senseless log");
        for (uint32_t i = 0; i < head.bytes; i++) {
            char *c = (char *)reply + sizeof(head) + i;
            if ((*c < ' ' || *c > '~') && *c != '\n')
                *c = '?';
        }
        lines_print(options, (const char *)reply + sizeof(head), head.bytes);
        if (head.lost != wanted->lost && wanted->position)
            fprintf(stderr, "motet: %" PRIu64 " lines were overwritten before they could be read\n",
                    head.lost - wanted->lost);
        wanted->in_line = head.in_line;
        wanted->position = head.position;
        wanted->lines = head.lines;
        wanted->lost = head.lost;
    } while (head.more && head.bytes);
    fflush(stdout);
}

int command_log(struct client *client, const struct options *options)
{
    struct control_log_request wanted = {0};
    if (options->name)
        wanted.domain = domain_find(client, options->name);
    log_print(client, options, &wanted);
    while (options->follow) {
        client_close(client);
        usleep(options->interval * 1000);
        log_print(client, options, &wanted);
    }
    return STATUS_OK;
}
