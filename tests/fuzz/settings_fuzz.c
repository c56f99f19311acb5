/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: boot settings, a command line of any bytes. What is found is found again: each entry
 * that was added can be read by its key, and copying all of them gives the same.
 */
#include "servers/init/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/input.h"

enum { KEY_MAX = 256 };

static void check(const struct settings *settings)
{
    const char *entry = NULL;
    assert(settings->used <= SETTINGS_BYTES);
    while ((entry = settings_next(settings, entry))) {
        char key[KEY_MAX];
        uint32_t length = setting_key_length(entry);
        if (length >= sizeof(key) || entry[length] != '=')
            continue;
        memcpy(key, entry, length);
        key[length] = 0;
        assert(settings_get(settings, key));
    }
}

static void copy(const struct settings *settings)
{
    char text[SETTINGS_BYTES + 1] = {0};
    const char *entry = NULL, *at = text;
    while ((entry = settings_next(settings, entry))) {
        if (!*entry || !setting_append(text, sizeof(text), entry))
            continue;
        assert(!strcmp(at, entry));
        at += strlen(at) + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char patterns[] = "net#.ip\0a\0##\0x#y#\0";
    struct settings settings = {0};
    char *line = malloc(size + 1);
    memcpy(line, data, size);
    line[size] = 0;
    settings_add_words(&settings, line);
    check(&settings);
    copy(&settings);
    setting_matches_any(patterns, line, setting_key_length(line));
    free(line);
    return 0;
}
