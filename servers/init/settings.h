/* SPDX-License-Identifier: ISC
 *
 * Boot settings as text: "key=value\0key=value\0...", the last one of a key wins. Plain functions
 * over buffers; where the text comes from is boot_settings.c's business.
 */
#ifndef SERVERS_INIT_SETTINGS_H
#define SERVERS_INIT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

enum { SETTINGS_BYTES = 2048 };

struct settings {
    uint32_t used; /* bytes of text */
    char text[SETTINGS_BYTES];
};

/* Adds one. The pieces need no terminator; a key is up to the first '=', so it has none. False: no
 * room, nothing was added. */
bool settings_add(struct settings *settings, const char *key, uint32_t key_length,
                  const char *value, uint32_t value_length);

/* Adds all "key=value" words of a command line; words without '=' are the loader's own. False if
 * some didn't fit. */
bool settings_add_words(struct settings *settings, const char *line);

/* The value, NULL if the key isn't set. */
const char *settings_get(const struct settings *settings, const char *key);

/* The first entry, and the one after `entry`; NULL behind the last. */
const char *settings_next(const struct settings *settings, const char *entry);

/* How long the key of an entry is. */
uint32_t setting_key_length(const char *entry);

/* The number that a value is, if it is one from 1 to `most` (below 2^60) and nothing else; 0: it
 * isn't. */
uint64_t setting_number(const char *value, uint64_t most);

/* Whether a key matches a pattern in which '#' stands for digits; or one of several patterns, one
 * after the other, ended by an empty one. */
bool setting_matches(const char *pattern, const char *key, uint32_t key_length);
bool setting_matches_any(const char *patterns, const char *key, uint32_t key_length);

/* Appends an entry to a text of `size` bytes that ends with an empty entry. False: no room. */
bool setting_append(char *text, uint32_t size, const char *entry);

#endif
