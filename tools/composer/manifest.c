/* SPDX-License-Identifier: ISC
 *
 * Reads a manifest with libconfig and checks what can be checked without the servers: keys, types,
 * ranges, names that must exist, names that must not exist twice. See manifest.h. Its parts:
 * domains.c, pools.c; connections are here.
 */
#include "tools/composer/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/ring_layout.h"
#include "motet/abi.h"
#include "tools/composer/domains.h"
#include "tools/composer/fields.h"
#include "tools/composer/heaps.h"
#include "tools/composer/names.h"
#include "tools/composer/pools.h"
#include "tools/composer/swaps.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field image_fields[] = {
    {"image", FIELD_TEXT, false, offsetof(struct manifest, image_text), 0, 0},
    {"memory", FIELD_SIZE, false, offsetof(struct manifest, memory), 1 << 20, 1ull << 40},
    {"staging", FIELD_SIZE, false, offsetof(struct manifest, staging), PAGE_BYTES, ROOM_MAX},
    {"symbols", FIELD_BOOL, false, offsetof(struct manifest, symbols), 0, 0},
    {"servers", FIELD_LIST, false, 0, 0, 0},
    {"domains", FIELD_LIST, true, 0, 0, 0},
    {"connections", FIELD_LIST, false, 0, 0, 0},
    {"pools", FIELD_LIST, false, 0, 0, 0},
};

static const struct field connection_fields[] = {
    {"client", FIELD_TEXT, true, offsetof(struct manifest_connection, client.text), 0, 0},
    {"server", FIELD_TEXT, true, offsetof(struct manifest_connection, server.text), 0, 0},
    {"slots", FIELD_POWER, true, offsetof(struct manifest_connection, slots), RING_SLOTS_MIN,
     RING_SLOTS_MAX},
    {"rate", FIELD_NUMBER, false, offsetof(struct manifest_connection, rate), 1, RATE_MAX},
};

/* Splits at dots. False when there are too few or too many parts, or one is too long. */
static bool split_endpoint(struct endpoint *end, uint32_t *count)
{
    const char *rest = end->text;
    for (*count = 0; *count < ENDPOINT_PARTS_MAX; rest++) {
        size_t length = strcspn(rest, ".");
        if (!length || length >= sizeof end->parts[0])
            return false;
        memcpy(end->parts[(*count)++], rest, length);
        rest += length;
        if (!*rest)
            return *count >= 2;
    }
    return false;
}

/* SERVER.PORT or DOMAIN.PORT. */
static void find_short(const struct manifest *manifest, struct place at, struct endpoint *end)
{
    end->domain = find_holder(manifest, at, end->parts[0], &end->server);
    const struct manifest_domain *domain = &manifest->domains[end->domain];
    if (!end->domain || end->server != START_EVERY_SERVER)
        return;
    end->server = 0;
    if (domain->server_count > 1)
        report(at, "domain \"%s\" has %u servers — write which one: %s.SERVER.%s", domain->name,
               domain->server_count, domain->name, end->parts[1]);
}

static void resolve_endpoint(const struct manifest *manifest, struct place at, struct endpoint *end)
{
    uint32_t count;
    if (!split_endpoint(end, &count)) {
        report(at, "\"%s\" names no port — write SERVER.PORT, DOMAIN.PORT or DOMAIN.SERVER.PORT",
               end->text);
        return;
    }
    snprintf(end->port_name, sizeof end->port_name, "%s", end->parts[count - 1]);
    if (count < ENDPOINT_PARTS_MAX) {
        find_short(manifest, at, end);
        return;
    }
    end->domain = find_domain(manifest, at, end->parts[0]);
    const struct manifest_domain *domain = &manifest->domains[end->domain];
    if (end->domain && domain->server_count)
        end->server = find_server(domain, at, end->parts[1]);
}

static void read_connections(struct manifest *manifest, config_setting_t *root)
{
    uint32_t length = list_length(root, "connections", CONNECTIONS_MAX);
    for (uint32_t i = 0; i < length; i++) {
        config_setting_t *setting = list_element(root, "connections", i);
        struct manifest_connection *connection = &manifest->connections[i];
        connection->at = setting_place(setting);
        fields_read(setting, "a connection", connection_fields, COUNT(connection_fields),
                    connection);
        if (connection->client.text)
            resolve_endpoint(manifest, connection->at, &connection->client);
        if (connection->server.text)
            resolve_endpoint(manifest, connection->at, &connection->server);
    }
    manifest->connection_count = length;
}

static bool read_file(config_t *config, const char *path)
{
    bool read = config_read_file(config, path) == CONFIG_TRUE;
    config_setting_set_hook(config_root_setting(config), (void *)path); /* for source_path */
    if (read)
        return true;
    if (config_error_type(config) == CONFIG_ERR_FILE_IO)
        return report((struct place){path, 0}, "can't be read — check the name and its rights");
    const char *file = config_error_file(config);
    return report((struct place){file ? source_path(config, file) : path,
                                 (unsigned)config_error_line(config)},
                  "%s — look here and at the end of the line before; settings are key = value;",
                  config_error_text(config));
}

/* Lowercase letters, digits, _ and -: it is part of file names. */
static bool is_image_name(const char *name, size_t length)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    return length && length < IMAGE_NAME_BYTES && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, allowed) >= length;
}

/* As stated, or else the manifest's file name without what follows a dot. */
static void name_image(struct manifest *manifest, config_setting_t *root, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strcspn(name, ".");
    struct place at = manifest->at;
    if (manifest->image_text) {
        name = manifest->image_text;
        length = strlen(name);
        at = setting_place(config_setting_get_member(root, "image"));
    }
    if (is_image_name(name, length))
        memcpy(manifest->image, name, length);
    else
        report(
            at,
            "image = \"%.*s\" is no name — use a lowercase letter and then letters, digits, _ or "
            "-, at most %d in all%s",
            (int)length, name, IMAGE_NAME_BYTES - 1,
            manifest->image_text ? "" : "; without image = ..., the file's name counts");
}

/* Included files are looked for beside the manifest. */
static void set_include_folder(config_t *config, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return;
    char *folder = strndup(path, (size_t)(slash - path));
    if (folder)
        config_set_include_dir(config, folder);
    free(folder);
}

bool manifest_read(struct manifest *manifest, const char *path)
{
    unsigned before = report_count();
    config_t *config = malloc(sizeof *config);
    if (!config)
        return report((struct place){path, 0}, "no memory — close something");
    config_init(config);
    manifest->text = config;
    set_include_folder(config, path);
    if (!read_file(config, path))
        return false;
    config_setting_t *root = config_root_setting(config);
    manifest->at = (struct place){path, 1};
    config_setting_t *memory = config_setting_get_member(root, "memory");
    config_setting_t *staging = config_setting_get_member(root, "staging");
    if (memory)
        manifest->memory_at = setting_place(memory);
    manifest->staging_at = staging ? setting_place(staging) : manifest->at;
    fields_read(root, "the manifest", image_fields, COUNT(image_fields), manifest);
    name_image(manifest, root, path);
    read_domains(manifest, root);
    heaps_check(manifest);
    swaps_check(manifest);
    read_connections(manifest, root);
    read_pools(manifest, root);
    rates_check(manifest);
    return report_count() == before;
}

void manifest_free(struct manifest *manifest)
{
    if (manifest->text)
        config_destroy(manifest->text);
    free(manifest->text);
    manifest->text = NULL;
}
