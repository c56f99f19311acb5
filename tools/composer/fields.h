/* SPDX-License-Identifier: ISC
 *
 * Reading one group of a manifest into a struct by a table: the table is the list of keys that the
 * group knows, so an unknown key, a missing one, a wrong type and a value out of range are found in
 * one place.
 */
#ifndef COMPOSE_FIELDS_H
#define COMPOSE_FIELDS_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/composer/report.h"

enum field_kind {
    FIELD_NAME,   /* char[16]: a lowercase identifier */
    FIELD_TEXT,   /* const char * */
    FIELD_NUMBER, /* uint32_t from min to max */
    FIELD_POWER,  /* uint32_t, a power of two from min to max */
    FIELD_SIZE,   /* uint64_t from min to max bytes: a number, or "64K", "4M" */
    FIELD_BOOL,   /* bool */
    FIELD_LIST,   /* left to the caller; checked to be a list or array */
};

struct field {
    const char *key;
    enum field_kind kind;
    bool required;
    size_t offset; /* in the struct */
    uint64_t min, max;
};

/* The path of the manifest, or of a file that it includes, as libconfig calls it. The root
 * setting's hook is the manifest's path. */
const char *source_path(const config_t *config, const char *file);

struct place setting_place(const config_setting_t *setting);

/* Fills `out`; absent optional fields keep what `out` had. `what` names the group in messages. */
void fields_read(config_setting_t *group, const char *what, const struct field *fields,
                 size_t field_count, void *out);

/* The elements of the list `key`, at most `max`; 0 when it is absent or has too many (reported). */
uint32_t list_length(config_setting_t *group, const char *key, uint32_t max);

/* A lowercase identifier of 1 to `max` characters, beginning with a letter. */
bool is_identifier(const char *text, size_t max);

#endif
