/* SPDX-License-Identifier: ISC
 *
 * The text of boot settings. See settings.h.
 */
#include "servers/init/settings.h"

#include <string.h>

static uint32_t length_of(const char *text)
{
    return (uint32_t)strlen(text);
}

bool settings_add(struct settings *settings, const char *key, uint32_t key_length,
                  const char *value, uint32_t value_length)
{
    if (key_length >= SETTINGS_BYTES || value_length >= SETTINGS_BYTES)
        return false;
    uint32_t bytes = key_length + 1 + value_length + 1;
    if (bytes > SETTINGS_BYTES - settings->used)
        return false;
    char *out = &settings->text[settings->used];
    memcpy(out, key, key_length);
    out[key_length] = '=';
    memcpy(out + key_length + 1, value, value_length);
    out[bytes - 1] = '\0';
    settings->used += bytes;
    return true;
}

bool settings_add_words(struct settings *settings, const char *line)
{
    bool all = true;
    while (*line) {
        uint32_t length = 0, equals = 0;
        for (; line[length] && line[length] != ' '; length++)
            if (line[length] == '=' && !equals)
                equals = length;
        if (equals)
            all &= settings_add(settings, line, equals, line + equals + 1, length - equals - 1);
        line += length;
        while (*line == ' ')
            line++;
    }
    return all;
}

const char *settings_next(const struct settings *settings, const char *entry)
{
    const char *next = entry ? entry + strlen(entry) + 1 : settings->text;
    return next < settings->text + settings->used ? next : NULL;
}

const char *settings_get(const struct settings *settings, const char *key)
{
    const char *found = NULL, *entry = NULL;
    uint32_t length = length_of(key);
    while ((entry = settings_next(settings, entry)))
        if (setting_key_length(entry) == length && memcmp(entry, key, length) == 0)
            found = entry + length + 1; /* the last one wins */
    return found;
}

uint32_t setting_key_length(const char *entry)
{
    uint32_t length = 0;
    while (entry[length] && entry[length] != '=')
        length++;
    return length;
}

uint64_t setting_number(const char *value, uint64_t most)
{
    uint64_t number = 0;
    for (; *value >= '0' && *value <= '9' && number <= most / 10; value++)
        number = number * 10 + (uint64_t)(*value - '0');
    return *value || number > most ? 0 : number;
}

bool setting_matches(const char *pattern, const char *key, uint32_t key_length)
{
    const char *end = key + key_length;
    for (; *pattern; pattern++) {
        if (*pattern != '#') {
            if (key == end || *key++ != *pattern)
                return false;
            continue;
        }
        const char *digits = key;
        while (key < end && *key >= '0' && *key <= '9')
            key++;
        if (key == digits)
            return false;
    }
    return key == end;
}

bool setting_matches_any(const char *patterns, const char *key, uint32_t key_length)
{
    for (; *patterns; patterns += strlen(patterns) + 1)
        if (setting_matches(patterns, key, key_length))
            return true;
    return false;
}

bool setting_append(char *text, uint32_t size, const char *entry)
{
    uint32_t used = 0, bytes = length_of(entry) + 1;
    while (used < size && text[used])
        used += length_of(&text[used]) + 1;
    if (used >= size || bytes >= size - used) /* and one for the empty entry behind it */
        return false;
    memcpy(&text[used], entry, bytes);
    text[used + bytes] = '\0';
    return true;
}
