/* SPDX-License-Identifier: ISC
 *
 * See names.h.
 */
#include "tools/composer/names.h"

#include <string.h>

#include "tools/composer/fields.h"

config_setting_t *list_element(config_setting_t *group, const char *key, uint32_t index)
{
    return config_setting_get_elem(config_setting_get_member(group, key), index);
}

uint32_t read_texts(config_setting_t *group, const char *key, struct manifest_text *out,
                    uint32_t max)
{
    uint32_t length = list_length(group, key, max), count = 0;
    for (uint32_t i = 0; i < length; i++) {
        config_setting_t *setting = list_element(group, key, i);
        const char *text = config_setting_get_string(setting);
        if (text && text[0])
            out[count++] = (struct manifest_text){setting_place(setting), text};
        else
            report(setting_place(setting), "%s has an element that is no text — put it in \"\"",
                   key);
    }
    return count;
}

/* Names for a suggestion; returns how many. */
static uint32_t domain_names(const struct manifest *manifest, const char **names)
{
    for (uint32_t i = 1; i < manifest->domain_count; i++)
        names[i - 1] = manifest->domains[i].name;
    return manifest->domain_count - 1;
}

static uint32_t domain_index(const struct manifest *manifest, const char *name)
{
    uint32_t i = manifest->domain_count - 1;
    while (i && strcmp(manifest->domains[i].name, name) != 0)
        i--;
    return i;
}

uint32_t find_domain(const struct manifest *manifest, struct place at, const char *name)
{
    const char *names[IMAGE_DOMAINS_MAX];
    char buffer[SUGGESTION_BYTES];
    uint32_t found = domain_index(manifest, name);
    if (!found)
        report(at, "unknown domain \"%s\" — %s", name,
               suggest(buffer, name, names, domain_names(manifest, names)));
    return found;
}

/* Index in the domain, or SERVERS_MAX. */
static uint32_t server_index(const struct manifest_domain *domain, const char *name)
{
    for (uint32_t i = 0; i < domain->server_count; i++) {
        if (!strcmp(domain->servers[i].text, name))
            return i;
    }
    return SERVERS_MAX;
}

uint32_t find_server(const struct manifest_domain *domain, struct place at, const char *name)
{
    const char *names[SERVERS_MAX];
    uint32_t found = server_index(domain, name);
    for (uint32_t i = 0; i < domain->server_count; i++)
        names[i] = domain->servers[i].text;
    char buffer[SUGGESTION_BYTES];
    if (found == SERVERS_MAX)
        report(at, "domain \"%s\" has no server \"%s\" — %s", domain->name, name,
               suggest(buffer, name, names, domain->server_count));
    return found;
}

uint32_t find_server_anywhere(const struct manifest *manifest, const char *name, uint32_t *server)
{
    uint32_t found = 0;
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        uint32_t index = server_index(&manifest->domains[d], name);
        if (index == SERVERS_MAX)
            continue;
        if (found)
            return 0;
        found = d;
        *server = index;
    }
    return found;
}

uint32_t find_holder(const struct manifest *manifest, struct place at, const char *name,
                     uint32_t *server)
{
    const char *names[IMAGE_DOMAINS_MAX * (1 + SERVERS_MAX)];
    uint32_t found = find_server_anywhere(manifest, name, server);
    if (found)
        return found;
    *server = START_EVERY_SERVER;
    found = domain_index(manifest, name);
    if (found)
        return found;
    uint32_t count = domain_names(manifest, names);
    for (uint32_t d = 1; d < manifest->domain_count; d++)
        for (uint32_t i = 0; i < manifest->domains[d].server_count; i++)
            names[count++] = manifest->domains[d].servers[i].text;
    char buffer[SUGGESTION_BYTES];
    report(at, "unknown server or domain \"%s\" — %s", name, suggest(buffer, name, names, count));
    return 0;
}
