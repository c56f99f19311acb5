/* SPDX-License-Identifier: ISC
 *
 * Where everything of a picture (picture.h) goes. Invariants: no two domains overlap, servers and
 * devices neither; a box is as wide as its longest text; two lines that an arrow joins are as far
 * apart as its texts need.
 */
#ifndef COMPOSE_PICTURE_PLAN_H
#define COMPOSE_PICTURE_PLAN_H

#include "tools/composer/picture_text.h"

/* Pixels. */
enum {
    PICTURE_MARGIN = 24, /* around all */
    PICTURE_PAD = 10,    /* inside boxes */
    PICTURE_GAP = 24,    /* between boxes */
    PICTURE_LINE = 16,   /* a line of text */
    PICTURE_BASE = 12,   /* from the top of a line to the base line of its letters */
    PICTURE_BOX = 26,    /* a box with a name */
    PICTURE_ROW = 44,    /* a connection, or a pool */
    PICTURE_PILL = 18,
};

enum { ARROWS_MAX = CONNECTIONS_MAX + IMAGE_DOMAINS_MAX };

/* One server of a domain. */
struct picture_end {
    uint32_t domain, server;
};

/* A connection, or a domain that pages for another. */
struct picture_arrow {
    const char *class;
    struct picture_end from, to;
    char label[PICTURE_LINE_BYTES];  /* above it */
    const char *from_text, *to_text; /* below its ends */
    char words[PICTURE_WORDS_BYTES]; /* all of it */
};

struct picture_column {
    uint32_t domain;
    uint32_t group, layer;       /* joined domains have one group; layer 0 asks nobody */
    bool alone;                  /* joined to no other domain, and without pools */
    struct picture_lines facts;  /* below its name */
    uint32_t order[SERVERS_MAX]; /* its servers from left to right */
    struct box box;
    struct box server[SERVERS_MAX];
    int life[SERVERS_MAX]; /* x of the line below each server */
};

struct picture {
    const struct composition *c;
    struct picture_arrow arrows[ARROWS_MAX]; /* one row each */
    uint32_t arrow_count;
    struct picture_column columns[IMAGE_DOMAINS_MAX]; /* from left to right, those alone last */
    uint32_t count, joined;                           /* all, and those that aren't alone */
    uint32_t column_of[IMAGE_DOMAINS_MAX];            /* by domain; not of init */
    struct box device[DEVICES_MAX];
    struct box init;
    int gutter;          /* where the columns begin */
    int rows, pools;     /* y of the first arrow's row, of the first pool's */
    int alone_y, footer; /* y: of the words above those alone, of the legend */
    int width, height;
};

void picture_plan(struct picture *p, const struct composition *composition);

#endif
