/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a manifest as compose reads it (@include left out). It is refused, each error with
 * the file's name and a way out; or everything in it that names another thing names one that is
 * there, and no table is fuller than it can be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/input.h"
#include "tools/composer/manifest.h"

/* Its scanner forgets a string that never ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    dprintf(STDERR_FILENO, "doesn't hold: %s\n", what);
    abort();
}

static bool is_name(const char *name, size_t room)
{
    return name[0] && strnlen(name, room) < room;
}

static void check_domain(const struct manifest *manifest, uint32_t d)
{
    const struct manifest_domain *domain = &manifest->domains[d];
    uint32_t servers = domain->server_count;
    check(is_name(domain->name, sizeof domain->name), "a domain has a name");
    check(servers > 0 && servers <= SERVERS_MAX, "a domain has servers");
    for (uint32_t other = 0; other < d; other++)
        check(strcmp(manifest->domains[other].name, domain->name), "domains' names differ");
    for (uint32_t s = 0; s < servers; s++)
        check(domain->servers[s].text && *domain->servers[s].text, "a server has a name");
    check(domain->claim_count <= CLAIMS_MAX, "claims fit");
    for (uint32_t i = 0; i < domain->claim_count; i++)
        check(domain->claims[i].server < servers, "a device is for a server");
    check(domain->file_count <= START_FILES_MAX, "files fit");
    for (uint32_t i = 0; i < domain->file_count; i++) {
        const struct manifest_file *file = &domain->files[i];
        check(file->server < servers || file->server == START_EVERY_SERVER, "a file is for one");
        check(is_name(file->name, sizeof file->name) && file->file, "a file has names");
    }
    check(domain->setting_count <= SETTINGS_MAX, "settings fit");
    check(domain->heap_kept <= domain->heap || !domain->heap, "no more is kept than there is");
    check(domain->pager < manifest->domain_count && domain->pager != d, "a pager is another one");
}

static void check_endpoint(const struct manifest *manifest, const struct endpoint *end)
{
    check(end->domain > 0 && end->domain < manifest->domain_count, "an endpoint has a domain");
    check(end->server < manifest->domains[end->domain].server_count, "an endpoint has a server");
    check(is_name(end->port_name, sizeof end->port_name), "an endpoint has a port");
}

static void check_pool(const struct manifest *manifest, const struct manifest_pool *pool)
{
    check(is_name(pool->name, sizeof pool->name), "a pool has a name");
    check(pool->owner > 0 && pool->owner < manifest->domain_count, "a pool has an owner");
    check(pool->buffers > 0 && pool->size > 0, "a pool has buffers");
    check((uint64_t)pool->buffers * pool->size <= POOL_SIZE_MAX, "a pool fits an object");
    check(pool->right_count <= RIGHTS_MAX, "rights fit");
    for (uint32_t i = 0; i < pool->right_count; i++) {
        const struct manifest_right *right = &pool->rights[i];
        check(right->domain > 0 && right->domain < manifest->domain_count, "rights are somebody's");
        check(right->server == START_EVERY_SERVER ||
                  right->server < manifest->domains[right->domain].server_count,
              "rights are a server's");
        check(right->rights != 0, "rights are some");
    }
}

static void check_manifest(const struct manifest *manifest)
{
    check(is_name(manifest->image, sizeof manifest->image), "the image has a name");
    check(manifest->domain_count > 0 && manifest->domain_count <= IMAGE_DOMAINS_MAX, "domains fit");
    check(manifest->controller < manifest->domain_count, "the controller is there");
    for (uint32_t d = 1; d < manifest->domain_count; d++)
        check_domain(manifest, d);
    check(manifest->connection_count <= CONNECTIONS_MAX, "connections fit");
    for (uint32_t i = 0; i < manifest->connection_count; i++) {
        check_endpoint(manifest, &manifest->connections[i].client);
        check_endpoint(manifest, &manifest->connections[i].server);
    }
    check(manifest->pool_count <= POOLS_MAX, "pools fit");
    for (uint32_t i = 0; i < manifest->pool_count; i++)
        check_pool(manifest, &manifest->pools[i]);
}

static unsigned occurrences(const char *text, const char *word)
{
    unsigned count = 0;
    while ((text = strstr(text, word))) {
        text += strlen(word);
        count++;
    }
    return count;
}

/* What was said about a manifest; a string with a zero octet ends it early, but libconfig has none.
 */
static void check_refusal(const char *said, const char *path, unsigned errors)
{
    check(errors > 0, "a refusal has a reason");
    check(occurrences(said, ": error: ") >= errors, "an error is printed");
    check(occurrences(said, " — ") >= errors, "an error says the way out");
    check(occurrences(said, path) >= errors, "an error names the file");
}

static void read_manifest(const char *path)
{
    static struct manifest manifest;
    unsigned before = report_count();
    FILE *plain = stderr;
    char *said = NULL;
    size_t size;

    memset(&manifest, 0, sizeof manifest);
    stderr = open_memstream(&said, &size);
    check(stderr != NULL, "there is memory");
    bool good = manifest_read(&manifest, path);
    fclose(stderr);
    stderr = plain;
    if (good)
        check_manifest(&manifest);
    else
        check_refusal(said, path, report_count() - before);
    free(said);
    manifest_free(&manifest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    char path[32];

    if (memmem(data, size, "@include", 8)) /* nothing but the input is to be read */
        return 0;
    if (file < 0)
        file = memfd_create("manifest", 0);
    check(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size, "it is written");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    read_manifest(path);
    return 0;
}
