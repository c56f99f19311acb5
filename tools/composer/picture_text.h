/* SPDX-License-Identifier: ISC
 *
 * What is written in a picture (picture.h). Nothing of it is longer than PICTURE_LINE_BYTES.
 */
#ifndef COMPOSE_PICTURE_TEXT_H
#define COMPOSE_PICTURE_TEXT_H

#include "tools/composer/layout.h"
#include "tools/composer/svg.h"

enum { PICTURE_LINES_MAX = 16, PICTURE_LINE_BYTES = 64, PICTURE_WORDS_BYTES = 256 };

/* Lines of text in a box. */
struct picture_lines {
    uint32_t count;
    char text[PICTURE_LINES_MAX][PICTURE_LINE_BYTES];
};

/* Pixels that the longest of them takes. */
int picture_lines_width(const struct picture_lines *lines);

/* Below a domain's name: priority, memory, what else it has. Appends to `lines`. */
void picture_facts(const struct composition *c, uint32_t domain, struct picture_lines *lines);

/* In the box of a claim. */
void picture_device_lines(const struct image_device *device, struct picture_lines *lines);

/* On a connection's arrow: protocol, version, messages each way. */
void picture_connection_text(const struct composition *c, uint32_t connection,
                             char text[PICTURE_LINE_BYTES]);

/* "96 x 2 KiB" */
void picture_pool_size(const struct manifest_pool *pool, char text[PICTURE_LINE_BYTES]);

/* "3 domains, 2 connections, 1 pool" */
void picture_counts(const struct manifest *manifest, char text[PICTURE_LINE_BYTES]);

/* Whether it is the owner's own right. */
bool picture_owns(const struct manifest *manifest, const struct manifest_pool *pool,
                  const struct manifest_right *right);

/* "rwd", from enum pool_rights */
void picture_rights(uint8_t rights, char text[4]);

#endif
