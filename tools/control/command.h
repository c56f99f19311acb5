/* SPDX-License-Identifier: ISC
 *
 * The commands of `motet` that talk to a running image, and what they share: the picture of the
 * image that ps and top print, and JSON.
 */
#ifndef TOOLS_CONTROL_COMMAND_H
#define TOOLS_CONTROL_COMMAND_H

#include <stdio.h>

#include "motet/image.h"
#include "tools/control/client.h"

struct options {
    bool json;
    bool follow;                       /* log */
    bool all;                          /* stats: zeros too */
    unsigned interval;                 /* milliseconds between two looks: top, log -f */
    unsigned count;                    /* looks of top, 0: until it is stopped */
    bool wait, commit, cancel, status; /* swap, zone */
    const char *zones, *domain;        /* zone: where they are; whose they are */
    const char *name;                  /* the domain or server, NULL: all */
    char *const *words;                /* all that are no options, `name` first */
    unsigned word_count;
};

/* All of an image at one time, as far as the channel tells. */
struct picture {
    struct control_image image;
    struct control_kernel kernel;
    uint32_t domains, connections; /* of the arrays below, within their bounds */
    struct picture_domain {
        struct control_domain told;
        struct control_end end;
        char servers[128]; /* their names, joined by + */
        char version[16];  /* of its program; empty: it says none */
        uint32_t queued;   /* messages that wait for it */
    } domain[IMAGE_DOMAINS_MAX];
};

/* Asks for it; the details are left out where false: names, ends and queues are more requests. */
void picture_take(struct client *client, struct picture *picture, bool details);

/* The number of the domain with that name, or of the one that has the server of that name. Ends the
 * program if there is none. */
uint32_t domain_find(struct client *client, const char *name);

/* Why a domain ended; empty: it hasn't. */
enum { END_TEXT_BYTES = 96 };
void end_text(const struct control_end *end, char text[END_TEXT_BYTES]);

/* Text in JSON's quotes. */
void json_text(FILE *out, const char *text);

/* The commands. Each returns the program's exit status. */
int command_ps(struct client *client, const struct options *options);
int command_top(struct client *client, const struct options *options);
int command_log(struct client *client, const struct options *options);
int command_stats(struct client *client, const struct options *options);
int command_kill(struct client *client, const struct options *options);
int command_restart(struct client *client, const struct options *options);
int command_swap(struct client *client, const struct options *options);
int command_zone(struct client *client, const struct options *options);

#endif
