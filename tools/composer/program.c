/* SPDX-License-Identifier: ISC
 *
 * See program.h: runs the linker, then reads what the servers declare, following pointers through
 * the linked file's segments.
 */
#define _GNU_SOURCE 1 /* vasprintf */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libos/server_file.h"
#include "tools/composer/fields.h"
#include "tools/composer/heaps.h"
#include "tools/composer/program.h"

char *text_format(const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        fputs("compose: out of memory\n", stderr);
        exit(2);
    }
    return text;
}

uint8_t *file_load(const char *path, size_t *size, struct place at)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &status) || !S_ISREG(status.st_mode)) {
        report(at, "%s can't be read (%s) — build it first, or correct the path", path,
               file ? "no regular file" : strerror(errno));
        if (file)
            fclose(file);
        return NULL;
    }
    *size = (size_t)status.st_size;
    uint8_t *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size) {
        report(at, "%s can't be read — is the disk all right?", path);
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

/* Runs the command and waits. False when it failed. */
static bool run(char *const *command)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        execvp(command[0], command);
        fprintf(stderr, "compose: %s: %s\n", command[0], strerror(errno));
        _exit(127);
    }
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool have_same_servers(const struct manifest_domain *a, const struct manifest_domain *b)
{
    if (a->server_count != b->server_count)
        return false;
    for (uint32_t i = 0; i < a->server_count; i++) {
        if (strcmp(a->servers[i].text, b->servers[i].text) != 0)
            return false;
    }
    return true;
}

bool domains_run_the_same(const struct manifest_domain *a, const struct manifest_domain *b)
{
    return have_same_servers(a, b) && has_pager(a) == has_pager(b) && a->swap == b->swap &&
           (!a->swap || a->text_room == b->text_room);
}

static bool is_init(const struct manifest_domain *domain)
{
    return domain->server_count == 0;
}

/* The way out for a server that has no object: the objects that there are. */
static const char *suggest_server(char buffer[SUGGESTION_BYTES], const char *wrong,
                                  const char *folder)
{
    enum { LISTED_MAX = 64 };
    const char *names[LISTED_MAX];
    size_t count = 0;
    DIR *directory = opendir(folder);
    struct dirent *entry;
    while (directory && count < LISTED_MAX && (entry = readdir(directory))) {
        size_t length = strlen(entry->d_name);
        if (length > 2 && !strcmp(entry->d_name + length - 2, ".o"))
            names[count++] = text_format("%.*s", (int)length - 2, entry->d_name);
    }
    if (directory)
        closedir(directory);
    return suggest(buffer, wrong, names, count);
}

enum { INIT_PARTS = 8 };

/* Whether a device may have MSI: a virtio device has MSI-X or a pin. */
static bool may_have_msi(const struct manifest_domain *domain)
{
    for (uint32_t n = 0; n < domain->claim_count; n++)
        if (domain->claims[n].pci)
            return true;
    return false;
}

static bool has_isa(const struct manifest_domain *domain)
{
    for (uint32_t n = 0; n < domain->claim_count; n++)
        if (domain->claims[n].isa)
            return true;
    return false;
}

/* init's pieces: the one that every image has, and those that this one needs. */
static uint32_t find_init(const struct manifest *manifest, const struct link_paths *paths,
                          char **objects)
{
    bool heaps = false, devices = false, msi = false, isa = false;
    uint32_t count = 0;
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        heaps |= manifest->domains[d].heap > 0;
        devices |= manifest->domains[d].claim_count > 0;
        msi |= may_have_msi(&manifest->domains[d]);
        isa |= has_isa(&manifest->domains[d]);
    }
    objects[count++] = text_format("%s/init.o", paths->objects);
    if (heaps)
        objects[count++] = text_format("%s/init_heaps.o", paths->objects);
    if (devices)
        objects[count++] = text_format("%s/init_devices.o", paths->objects);
    if (msi)
        objects[count++] = text_format("%s/init_msi.o", paths->objects);
    if (isa)
        objects[count++] = text_format("%s/init_isa.o", paths->objects);
    if (manifest->controller || manifest->restarts)
        objects[count++] = text_format("%s/init_control.o", paths->objects);
    if (manifest->swaps)
        objects[count++] = text_format("%s/init_swap.o", paths->objects);
    if (manifest->symbols)
        objects[count++] = text_format("%s/init_backtrace.o", paths->objects);
    return count;
}

/* Where a server's object is. */
static char *object_of(const struct link_paths *paths, const char *server)
{
    size_t length = strlen(server);
    for (size_t i = 0; i < paths->replaced_count; i++)
        if (!strncmp(paths->replaced[i], server, length) && paths->replaced[i][length] == '=')
            return text_format("%s", paths->replaced[i] + length + 1);
    return text_format("%s/%s.o", paths->objects, server);
}

/* The objects that must be there, in link order; false when one isn't (reported). */
static bool find_objects(const struct manifest *manifest, const struct manifest_domain *domain,
                         const struct link_paths *paths, char **objects, uint32_t *count)
{
    char buffer[SUGGESTION_BYTES];
    bool found = true;
    *count = 0;
    if (is_init(domain))
        *count = find_init(manifest, paths, objects);
    else
        objects[(*count)++] = text_format("%s/start.o", paths->objects);
    for (uint32_t i = 0; i < domain->server_count; i++) {
        char *object = object_of(paths, domain->servers[i].text);
        objects[(*count)++] = object;
        if (access(object, R_OK))
            found = report(domain->servers[i].at, "unknown server \"%s\": there is no %s — %s",
                           domain->servers[i].text, object,
                           suggest_server(buffer, domain->servers[i].text, paths->objects));
    }
    return found;
}

enum { WANTED_MAX = START_TRANSPORTS + 5 };

/* Transports that the connections of all domains need which run domain d's program. */
static void find_transports(const struct manifest *manifest, uint32_t d,
                            bool needed[START_TRANSPORTS])
{
    const struct manifest_domain *domains = manifest->domains;
    for (uint32_t i = 0; i < manifest->connection_count; i++) {
        const struct manifest_connection *connection = &manifest->connections[i];
        if (domains_run_the_same(&domains[connection->client.domain], &domains[d]) ||
            domains_run_the_same(&domains[connection->server.domain], &domains[d]))
            needed[is_direct(connection) ? START_DIRECT : START_CHANNEL] = true;
    }
}

/* Archive members that nothing refers to but weakly; returns how many. */
static uint32_t find_wanted(const struct manifest *manifest, uint32_t d, char **options)
{
    bool transports[START_TRANSPORTS] = {false};
    uint32_t count = 0;
    find_transports(manifest, d, transports);
    if (transports[START_CHANNEL])
        options[count++] = "--undefined=channel_transport";
    if (transports[START_DIRECT])
        options[count++] = "--undefined=direct_transport";
    if (manifest->restarts && d)
        options[count++] = "--undefined=domain_restarts";
    if (has_pager(&manifest->domains[d]))
        options[count++] = "--undefined=pager_start";
    if (manifest->domains[d].swap) {
        options[count++] = "--undefined=domain_swap";
        options[count++] = "--undefined=program_note";
        options[count++] = text_format("--defsym=CONSTANTS_ADDRESS=%#llx",
                                       IMAGE_ADDRESS + manifest->domains[d].text_room);
    }
    return count;
}

static bool run_linker(struct program *program, const struct manifest *manifest, uint32_t d,
                       const struct link_paths *paths)
{
    const struct manifest_domain *domain = &manifest->domains[d];
    char *objects[SERVERS_MAX + 1 + INIT_PARTS];
    uint32_t count, used = 0;
    if (!find_objects(manifest, domain, paths, objects, &count))
        return false;
    char *ld = getenv("LD");
    char *address = text_format("--defsym=IMAGE_ADDRESS=%#llx", IMAGE_ADDRESS);
    char *fixed[] = {ld && ld[0] ? ld : "ld",
                     "-static",
                     "-nostdlib",
                     "--gc-sections",
                     "--build-id=none",
                     "-z",
                     "max-page-size=4096",
                     "-z",
                     "noexecstack",
                     "-T",
                     (char *)paths->script,
                     address,
                     "-o",
                     program->path};
    char *command[sizeof fixed / sizeof fixed[0] + SERVERS_MAX + INIT_PARTS + WANTED_MAX + 4];
    command[used++] = fixed[0];
    used += find_wanted(manifest, d, &command[used]); /* the script asks for some of it */
    for (size_t i = 1; i < sizeof fixed / sizeof fixed[0]; i++)
        command[used++] = fixed[i];
    for (uint32_t i = 0; i < count; i++)
        command[used++] = objects[i];
    command[used++] = (char *)paths->libos;
    command[used] = NULL;
    return run(command) ||
           report(domain->at, "linking domain \"%s\" failed — see %s's message above", domain->name,
                  command[0]);
}

static bool is_pattern(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.#");
    return !text[length] && length && text[0] >= 'a' && text[0] <= 'z' && text[length - 1] != '.' &&
           !strstr(text, "..");
}

static bool read_ports(const struct elf *elf, const struct server_record *record,
                       struct program_server *server)
{
    for (uint32_t i = 0; i < record->port_count; i++) {
        struct port_record port;
        if (!elf_read(elf, record->ports + i * sizeof port, &port, sizeof port) || port.role > 1)
            return false;
        server->ports[i] =
            (struct program_port){elf_string(elf, port.name, START_NAME_BYTES - 1),
                                  elf_string(elf, port.protocol, 63), port.version, port.role};
        if (!server->ports[i].name || !server->ports[i].protocol ||
            !is_identifier(server->ports[i].name, START_NAME_BYTES - 1))
            return false;
        for (uint32_t j = 0; j < i; j++) {
            if (!strcmp(server->ports[i].name, server->ports[j].name))
                return false;
        }
    }
    server->port_count = (uint32_t)record->port_count;
    return true;
}

static const char *pointed_string(const struct elf *elf, uint64_t table, uint32_t index, size_t max)
{
    uint64_t address;
    return elf_read(elf, table + index * 8, &address, 8) ? elf_string(elf, address, max) : NULL;
}

static bool read_settings(const struct elf *elf, const struct server_record *record,
                          struct program_server *server)
{
    for (uint32_t i = 0; i < record->setting_count; i++) {
        server->settings[i] = pointed_string(elf, record->settings, i, PATTERN_BYTES_MAX);
        if (!server->settings[i] || !is_pattern(server->settings[i]))
            return false;
    }
    server->setting_count = (uint32_t)record->setting_count;
    return true;
}

static bool read_counters(const struct elf *elf, const struct server_record *record,
                          struct program_server *server)
{
    for (uint32_t i = 0; i < record->counter_count; i++) {
        const char *name = pointed_string(elf, record->counters, i, COUNTER_NAME_BYTES - 1);
        if (!name || !name[0])
            return false;
    }
    server->counter_count = (uint32_t)record->counter_count;
    return true;
}

static bool entries_are_text(const struct elf *elf, const struct server_record *record)
{
    const uint64_t entries[] = {record->signal,    record->receive, record->deadline,
                                record->batch_end, record->message, record->reclaim};
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (entries[i] && !elf_is_text(elf, entries[i]))
            return false;
    }
    return elf_is_text(elf, record->start) && (record->receive || !record->port_count);
}

/* NULL, or what is wrong with the descriptor and the way out. */
static const char *read_record(const struct elf *elf, const struct server_record *record,
                               struct program_server *server)
{
    if (record->magic != SERVER_MAGIC)
        return "its descriptor has no SERVER_MAGIC — set .magic = SERVER_MAGIC";
    if (record->abi != SERVER_ABI)
        return "it was built for another server ABI — build everything anew, with this tree's "
               "libos/server.h";
    *server = (struct program_server){.name = elf_string(elf, record->name, IMAGE_NAME_BYTES - 1),
                                      .state_size = record->state_size,
                                      .stack_bytes = record->stack_bytes};
    if (record->version)
        server->version = elf_string(elf, record->version, VERSION_MAX);
    if (record->version && !server->version)
        return "its version is longer than 15 characters — correct .version";
    if (!server->name)
        return "its name is missing or longer than 15 characters — correct .name";
    if (record->state_size > STATE_MAX)
        return "its state is larger than 64 MiB — correct .state_size";
    if (record->stack_bytes > STACK_MAX)
        return "its stack is larger than 1 MiB — correct .stack_bytes";
    if (record->port_count > PORTS_MAX || !read_ports(elf, record, server))
        return "its ports are not at most 16 with different names of at most 15 letters, a "
               "protocol and a role — correct .ports";
    if (record->setting_count > PATTERNS_MAX || !read_settings(elf, record, server))
        return "its settings are not at most 32 names like \"net#.ip\" — correct .settings";
    if (record->counter_count > DOMAIN_COUNTERS_MAX || !read_counters(elf, record, server))
        return "its counters are too many, or not names of at most 23 characters — correct "
               ".counters";
    if (!entries_are_text(elf, record))
        return "start is missing, or receive with ports, or an entry point is no function — "
               "correct the descriptor";
    return NULL;
}

static bool read_server(struct program *program, uint64_t table,
                        const struct manifest_domain *domain, const struct link_paths *paths)
{
    const struct manifest_text *expected = &domain->servers[program->server_count];
    struct program_server *server = &program->servers[program->server_count];
    struct server_record record;
    uint64_t address;
    if (!elf_read(&program->elf, table + program->server_count * 8, &address, 8) ||
        !elf_read(&program->elf, address, &record, sizeof record))
        return report(expected->at,
                      "server \"%s\": the pointer in .motet.servers leads nowhere — let it point "
                      "to the descriptor",
                      expected->text);
    const char *problem = read_record(&program->elf, &record, server);
    if (problem)
        return report(expected->at, "server \"%s\": %s", expected->text, problem);
    if (strcmp(server->name, expected->text) != 0)
        return report(expected->at,
                      "%s holds the server \"%s\", \"%s\" is wanted — object file and "
                      "descriptor must have one name",
                      object_of(paths, expected->text), server->name, expected->text);
    program->server_count++;
    return true;
}

static bool read_servers(struct program *program, const struct manifest_domain *domain,
                         const struct link_paths *paths)
{
    uint64_t first, end;
    if (!elf_symbol(&program->elf, "__servers_start", &first) ||
        !elf_symbol(&program->elf, "__servers_end", &end) || end < first)
        return report(domain->at,
                      "domain \"%s\" was linked without a list of servers — link with "
                      "libos/domain.ld",
                      domain->name);
    if ((end - first) / 8 != domain->server_count)
        return report(domain->at,
                      "domain \"%s\" names %u servers, but its objects hold %" PRIu64
                      " descriptors — each object puts one pointer into .motet.servers",
                      domain->name, domain->server_count, (end - first) / 8);
    for (uint32_t i = 0; i < domain->server_count; i++) {
        if (!read_server(program, first, domain, paths))
            return false;
    }
    return true;
}

/* Two programs of the same servers, linked to different addresses, are two files. */
static void name_program(struct program *program, const struct manifest *manifest,
                         const struct manifest_domain *domain)
{
    size_t used = 0;
    bool is_first = true;
    for (const struct manifest_domain *other = &manifest->domains[1]; other < domain; other++)
        is_first &= !have_same_servers(other, domain);
    if (is_init(domain))
        strcpy(program->name, "init");
    for (uint32_t i = 0; i < domain->server_count; i++)
        used += (size_t)snprintf(program->name + used, sizeof program->name - used, "%s%s",
                                 i ? "+" : "", domain->servers[i].text);
    if (has_pager(domain))
        snprintf(program->name + used, sizeof program->name - used, "+pager");
    else if (domain->swap && !is_first)
        snprintf(program->name + used, sizeof program->name - used, "+%s", domain->name);
}

bool program_link(struct program *program, const struct manifest *manifest, uint32_t d,
                  const struct link_paths *paths)
{
    const struct manifest_domain *domain = &manifest->domains[d];
    char problem[ELF_PROBLEM_BYTES];
    uint64_t start;
    size_t size;
    name_program(program, manifest, domain);
    program->path = text_format("%s/%s.elf", paths->work, program->name);
    if (!run_linker(program, manifest, d, paths))
        return false;
    uint8_t *file = file_load(program->path, &size, domain->at);
    if (!file)
        return false;
    if (!elf_open(&program->elf, file, size, problem))
        return report(domain->at, "domain \"%s\" (%s): %s", domain->name, program->path, problem);
    if (!elf_symbol(&program->elf, "_start", &start) || start != program->elf.header.e_entry)
        return report(domain->at, "domain \"%s\": nothing defines _start — %s must", domain->name,
                      is_init(domain) ? "init.o" : "start.o");
    if (program->elf.text.address != IMAGE_ADDRESS ||
        (program->elf.rodata.bytes &&
         program->elf.rodata.address / IMAGE_PAGE <=
             (program->elf.text.address + program->elf.text.bytes - 1) / IMAGE_PAGE))
        return report(domain->at,
                      "domain \"%s\": text and constants aren't where IMAGE_ADDRESS and "
                      "libos/domain.ld put them — check $LD and the script",
                      domain->name);
    if (has_pager(domain) && !elf_symbol(&program->elf, "pager_start", &program->pager_entry))
        return report(domain->at, "domain \"%s\": nothing defines pager_start — %s must",
                      domain->name, paths->libos);
    return is_init(domain) || read_servers(program, domain, paths);
}
