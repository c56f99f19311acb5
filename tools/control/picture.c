/* SPDX-License-Identifier: ISC
 *
 * See command.h. Names are the image's word: they are printed as far as they are printable.
 */
#include <string.h>

#include "tools/control/command.h"

static void make_printable(char *text, size_t bytes)
{
    text[bytes - 1] = 0;
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static void servers_name(struct client *client, struct picture_domain *domain, uint32_t d)
{
    size_t used = 0;
    for (uint32_t n = 0; n < domain->told.servers; n++) {
        struct control_server server;
        if (client_get(client, CONTROL_SERVER, d | n << 16, &server, sizeof(server)))
            break;
        make_printable(server.name, sizeof(server.name));
        make_printable(server.version, sizeof(server.version));
        memcpy(domain->version, server.version, sizeof(domain->version));
        if (used + strlen(server.name) + 2 > sizeof(domain->servers))
            break;
        used += (size_t)sprintf(domain->servers + used, "%s%s", n ? "+" : "", server.name);
    }
}

static void queues_add(struct client *client, struct picture *picture)
{
    for (uint32_t c = 0; c < picture->connections; c++) {
        struct control_connection connection;
        if (client_get(client, CONTROL_CONNECTION, c, &connection, sizeof(connection)))
            continue;
        if (connection.server < picture->domains)
            picture->domain[connection.server].queued += connection.to_server;
        if (connection.client < picture->domains)
            picture->domain[connection.client].queued += connection.to_client;
    }
}

static void image_get(struct client *client, struct picture *picture)
{
    uint8_t told[sizeof(picture->image) + sizeof(picture->kernel)];
    enum error error = client_ask(client, CONTROL_IMAGE, NULL, 0, told, sizeof(told), NULL);
    if (error)
        refused(client->path, error);
    memcpy(&picture->image, told, sizeof(picture->image));
    memcpy(&picture->kernel, told + sizeof(picture->image), sizeof(picture->kernel));
    make_printable(picture->image.name, sizeof(picture->image.name));
    make_printable(picture->kernel.build, sizeof(picture->kernel.build));
    picture->domains =
        picture->image.domains < IMAGE_DOMAINS_MAX ? picture->image.domains : IMAGE_DOMAINS_MAX;
    picture->connections = picture->image.connections < 1024 ? picture->image.connections : 1024;
}

void picture_take(struct client *client, struct picture *picture, bool details)
{
    memset(picture, 0, sizeof(*picture));
    image_get(client, picture);
    for (uint32_t d = 1; d < picture->domains; d++) {
        struct picture_domain *domain = &picture->domain[d];
        enum error error =
            client_get(client, CONTROL_DOMAIN, d, &domain->told, sizeof(domain->told));
        if (error)
            refused("domain", error);
        make_printable(domain->told.name, sizeof(domain->told.name));
        if (!details)
            continue;
        servers_name(client, domain, d);
        client_get(client, CONTROL_END, d, &domain->end, sizeof(domain->end));
    }
    if (details)
        queues_add(client, picture);
}

static bool has_server(const struct picture_domain *domain, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = domain->servers; at; at = strchr(at, '+')) {
        at += *at == '+';
        if (!strncmp(at, name, length) && (!at[length] || at[length] == '+'))
            return true;
    }
    return false;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Letters to insert, drop or change to make one of the other. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[CONTROL_NAME_BYTES + 1], columns = (unsigned)strlen(b);
    for (unsigned j = 0; j <= columns; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned corner = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= columns; j++) {
            const unsigned change = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[columns];
}

/* The domain with the nearest name, if one is near: a third of the letters. */
static const char *nearest(const struct picture *picture, const char *name)
{
    unsigned best = (unsigned)(strlen(name) + 2) / 3 + 1;
    const char *found = NULL;
    for (uint32_t d = 1; d < picture->domains; d++) {
        const char *other = picture->domain[d].told.name;
        const unsigned far = distance(name, other);
        if (far < best) {
            best = far;
            found = other;
        }
    }
    return found;
}

uint32_t domain_find(struct client *client, const char *name)
{
    static struct picture picture;
    char known[512] = "";
    picture_take(client, &picture, true);
    for (uint32_t d = 1; d < picture.domains; d++)
        if (!strcmp(picture.domain[d].told.name, name))
            return d;
    for (uint32_t d = 1; d < picture.domains; d++)
        if (has_server(&picture.domain[d], name))
            return d;
    for (uint32_t d = 1; d < picture.domains; d++)
        if (strlen(known) + sizeof(picture.domain[d].told.name) + 2 < sizeof(known)) {
            strcat(known, d > 1 ? ", " : "");
            strcat(known, picture.domain[d].told.name);
        }
    const char *near = nearest(&picture, name);
    if (near)
        fail(STATUS_USAGE,
             "no server or domain \"%s\" in image %s — did you mean \"%s\"? there are: %s", name,
             picture.image.name, near, known);
    fail(STATUS_USAGE, "no server or domain \"%s\" in image %s; there are: %s", name,
         picture.image.name, known);
}

void json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}
