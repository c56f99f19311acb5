/* SPDX-License-Identifier: ISC
 *
 * See fields.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libos/start.h"
#include "tools/composer/fields.h"

enum { FIELDS_MAX = 32 };

const char *source_path(const config_t *config, const char *file)
{
    const char *manifest = config_setting_get_hook(config_root_setting(config));
    const char *folder = config_get_include_dir(config);
    size_t room = strlen(file) + (folder ? strlen(folder) : 0) + 2;
    char *path = NULL;
    if (folder && strcmp(file, manifest) != 0)
        path = malloc(room);
    if (!path)
        return file;
    snprintf(path, room, "%s/%s", folder, file);
    return path;
}

struct place setting_place(const config_setting_t *setting)
{
    /* The whole file's group has no line. */
    unsigned line = config_setting_source_line(setting);
    const char *file = config_setting_source_file(setting);
    return (struct place){file ? source_path(setting->config, file) : "manifest", line ? line : 1};
}

bool is_identifier(const char *text, size_t max)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return text[0] >= 'a' && text[0] <= 'z' && !text[length] && length <= max;
}

static void read_name(const config_setting_t *setting, char *out)
{
    const char *text = config_setting_get_string(setting);
    if (!text || !is_identifier(text, START_NAME_BYTES - 1)) {
        report(setting_place(setting),
               "%s = \"%s\" is no name — use a lowercase letter and then letters, digits or _, at "
               "most %d in all",
               config_setting_name(setting), text ? text : "", START_NAME_BYTES - 1);
        return;
    }
    memset(out, 0, START_NAME_BYTES);
    memcpy(out, text, strlen(text));
}

static void read_text(const config_setting_t *setting, const char **out)
{
    const char *text = config_setting_get_string(setting);
    if (text && text[0])
        *out = text;
    else
        report(setting_place(setting), "%s is no text — write %s = \"...\"",
               config_setting_name(setting), config_setting_name(setting));
}

static bool is_whole_number(const config_setting_t *setting)
{
    int type = config_setting_type(setting);
    return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

static void read_number(const config_setting_t *setting, const struct field *field, uint32_t *out)
{
    int64_t value = is_whole_number(setting) ? config_setting_get_int64(setting) : -1;
    bool power = value > 0 && (value & (value - 1)) == 0;
    if (value >= 0 && (uint64_t)value >= field->min && (uint64_t)value <= field->max &&
        (power || field->kind != FIELD_POWER)) {
        *out = (uint32_t)value;
        return;
    }
    report(setting_place(setting),
           "%s has no value that it can have — give a %s from %" PRIu64 " to %" PRIu64, field->key,
           field->kind == FIELD_POWER ? "power of two" : "whole number", field->min, field->max);
}

/* -1: no size. */
static int64_t parse_size(const char *text)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return -1;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (shift)
        end++;
    return *end || value > (INT64_MAX >> 30) ? -1 : (int64_t)(value << shift);
}

static void read_size(const config_setting_t *setting, const struct field *field, uint64_t *out)
{
    int64_t value = -1;
    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        value = parse_size(config_setting_get_string(setting));
    else if (is_whole_number(setting))
        value = config_setting_get_int64(setting);
    if (value >= 0 && (uint64_t)value >= field->min && (uint64_t)value <= field->max) {
        *out = (uint64_t)value;
        return;
    }
    report(setting_place(setting),
           "%s is no size that it can have — give bytes from %" PRIu64 " to %" PRIu64
           ", as a number or like \"64K\" or \"4M\"",
           field->key, field->min, field->max);
}

static void read_bool(const config_setting_t *setting, bool *out)
{
    if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
        *out = config_setting_get_bool(setting);
    else
        report(setting_place(setting), "%s is neither true nor false — write %s = true",
               config_setting_name(setting), config_setting_name(setting));
}

static void read_field(const config_setting_t *setting, const struct field *field, char *out)
{
    void *value = out + field->offset;
    switch (field->kind) {
    case FIELD_NAME:
        read_name(setting, value);
        break;
    case FIELD_TEXT:
        read_text(setting, value);
        break;
    case FIELD_NUMBER:
    case FIELD_POWER:
        read_number(setting, field, value);
        break;
    case FIELD_SIZE:
        read_size(setting, field, value);
        break;
    case FIELD_BOOL:
        read_bool(setting, value);
        break;
    case FIELD_LIST:
        if (!config_setting_is_list(setting) && !config_setting_is_array(setting))
            report(setting_place(setting), "%s is no list — put it in ( ) or, for texts, in [ ]",
                   field->key);
        break;
    }
}

static void check_keys(config_setting_t *group, const char *what, const struct field *fields,
                       size_t field_count)
{
    const char *known[FIELDS_MAX];
    for (size_t i = 0; i < field_count; i++)
        known[i] = fields[i].key;
    for (int i = 0; i < config_setting_length(group); i++) {
        config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const char *key = config_setting_name(setting);
        size_t k = 0;
        while (k < field_count && strcmp(known[k], key) != 0)
            k++;
        char buffer[SUGGESTION_BYTES];
        if (k == field_count)
            report(setting_place(setting), "unknown key \"%s\" in %s — %s", key, what,
                   suggest(buffer, key, known, field_count));
    }
}

void fields_read(config_setting_t *group, const char *what, const struct field *fields,
                 size_t field_count, void *out)
{
    if (!config_setting_is_group(group)) {
        report(setting_place(group), "%s is no group — put its keys in { }", what);
        return;
    }
    check_keys(group, what, fields, field_count);
    for (size_t i = 0; i < field_count; i++) {
        config_setting_t *setting = config_setting_get_member(group, fields[i].key);
        if (setting)
            read_field(setting, &fields[i], out);
        else if (fields[i].required)
            report(setting_place(group), "%s has no \"%s\" — add %s = ...;", what, fields[i].key,
                   fields[i].key);
    }
}

uint32_t list_length(config_setting_t *group, const char *key, uint32_t max)
{
    config_setting_t *list =
        config_setting_is_group(group) ? config_setting_get_member(group, key) : NULL;
    if (!list || (!config_setting_is_list(list) && !config_setting_is_array(list)))
        return 0;
    uint32_t length = (uint32_t)config_setting_length(list);
    if (length <= max)
        return length;
    report(setting_place(list), "%s has %u elements — there can be %u at most", key, length, max);
    return 0;
}
