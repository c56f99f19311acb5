/* SPDX-License-Identifier: ISC
 *
 * `motet ps` and `motet top`: the domains of a running image.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "motet/abi.h"
#include "tools/control/command.h"

static const char *state_text(uint8_t state)
{
    switch (state) {
    case THREAD_SUSPENDED:
        return "suspended";
    case THREAD_READY:
        return "ready";
    case THREAD_RUNNING:
        return "running";
    case THREAD_WAITING:
        return "waiting";
    case THREAD_FAULTED:
        return "faulted";
    case THREAD_EXHAUSTED:
        return "no budget";
    case CONTROL_STOPPED:
        return "stopped";
    case CONTROL_RESTARTING:
        return "restarting";
    default:
        return "unknown";
    }
}

void end_text(const struct control_end *end, char text[END_TEXT_BYTES])
{
    const char *cause = end->code == FAULT_PAGE             ? "page fault"
                        : end->code == FAULT_DIVIDE         ? "division by zero"
                        : end->code == FAULT_STUCK          ? "stuck: no wait"
                        : end->code == FAULT_INVALID_OPCODE ? "invalid instruction"
                        : end->code == FAULT_PROTECTION     ? "protection fault"
                                                            : "exception";
    text[0] = 0;
    if (end->kind == CONTROL_END_FAULT)
        snprintf(text, END_TEXT_BYTES, "%s, address 0x%" PRIx64 ", instruction 0x%" PRIx64, cause,
                 end->address, end->instruction);
    else if (end->kind == CONTROL_END_FAILED)
        snprintf(text, END_TEXT_BYTES, "start failed: %s", error_name((enum error)end->code));
    else if (end->kind == CONTROL_END_KILLED)
        snprintf(text, END_TEXT_BYTES, "killed by the host");
    else if (end->kind == CONTROL_END_PAGER)
        snprintf(text, END_TEXT_BYTES, "its pager has stopped");
}

static double seconds(const struct picture *picture, uint64_t ticks)
{
    return picture->kernel.clock_frequency ? (double)ticks / (double)picture->kernel.clock_frequency
                                           : 0;
}

static void head_print(const struct picture *picture)
{
    printf("image %s, build %s, up %.1f s, %" PRIu64 " KiB of memory\n", picture->image.name,
           picture->kernel.build, (double)picture->kernel.uptime / 1e9,
           picture->image.memory_bytes / 1024);
}

/* CPU since boot, or since the picture before. */
static double cpu_percent(const struct picture *now, const struct picture *before, uint32_t d)
{
    double time = (double)now->kernel.uptime / 1e9;
    uint64_t ticks = now->domain[d].told.cpu_ticks;
    if (before) {
        time -= (double)before->kernel.uptime / 1e9;
        ticks -= before->domain[d].told.cpu_ticks;
    }
    return time > 0 ? 100 * seconds(now, ticks) / time : 0;
}

static void line_print(const struct picture *picture, const struct picture *before, uint32_t d)
{
    const struct picture_domain *domain = &picture->domain[d];
    const struct control_domain *told = &domain->told;
    char cause[END_TEXT_BYTES];
    end_text(&domain->end, cause);
    printf("%-15s %-15s %-7s %-10s %4u %8u", told->name, domain->servers,
           domain->version[0] ? domain->version : "-", state_text(told->state), told->priority,
           (told->memory_pages + told->heap_pages) * (IMAGE_PAGE / 1024));
    printf(" %10.1f %6.2f %8u %6u  %s\n", 1000 * seconds(picture, told->cpu_ticks),
           cpu_percent(picture, before, d), told->restarts, domain->queued, cause);
}

static void table_print(const struct picture *picture, const struct picture *before)
{
    head_print(picture);
    printf("%-15s %-15s %-7s %-10s %4s %8s %10s %6s %8s %6s  %s\n", "DOMAIN", "SERVERS", "VERSION",
           "STATE", "PRIO", "MEM/KIB", "CPU/MS", "CPU/%", "RESTARTS", "QUEUED", "LAST END");
    for (uint32_t d = 1; d < picture->domains; d++)
        line_print(picture, before, d);
}

static void domain_json(const struct picture *picture, const struct picture *before, uint32_t d)
{
    const struct picture_domain *domain = &picture->domain[d];
    const struct control_domain *told = &domain->told;
    char cause[END_TEXT_BYTES];
    end_text(&domain->end, cause);
    printf("{\"domain\": ");
    json_text(stdout, told->name);
    printf(", \"servers\": ");
    json_text(stdout, domain->servers);
    printf(", \"version\": ");
    json_text(stdout, picture->kernel.build);
    printf(", \"program_version\": ");
    json_text(stdout, domain->version);
    printf(", \"state\": \"%s\", \"priority\": %u, \"memory_bytes\": %" PRIu64,
           state_text(told->state), told->priority,
           (uint64_t)(told->memory_pages + told->heap_pages) * IMAGE_PAGE);
    printf(", \"cpu_ms\": %.3f, \"cpu_percent\": %.3f", 1000 * seconds(picture, told->cpu_ticks),
           cpu_percent(picture, before, d));
    printf(", \"restarts\": %u, \"queued\": %u, \"last_end\": ", told->restarts, domain->queued);
    json_text(stdout, cause);
    printf("}");
}

static void picture_json(const struct picture *picture, const struct picture *before)
{
    printf("{\"image\": ");
    json_text(stdout, picture->image.name);
    printf(", \"build\": ");
    json_text(stdout, picture->kernel.build);
    printf(", \"uptime_ms\": %.3f, \"memory_bytes\": %" PRIu64 ", \"domains\": [",
           (double)picture->kernel.uptime / 1e6, picture->image.memory_bytes);
    for (uint32_t d = 1; d < picture->domains; d++) {
        printf("%s\n  ", d > 1 ? "," : "");
        domain_json(picture, before, d);
    }
    printf("\n]}\n");
}

static void picture_print(const struct options *options, const struct picture *picture,
                          const struct picture *before)
{
    if (options->json)
        picture_json(picture, before);
    else
        table_print(picture, before);
    fflush(stdout);
}

int command_ps(struct client *client, const struct options *options)
{
    static struct picture picture;
    picture_take(client, &picture, true);
    picture_print(options, &picture, NULL);
    return STATUS_OK;
}

int command_top(struct client *client, const struct options *options)
{
    static struct picture pictures[2];
    const bool screen = isatty(STDOUT_FILENO) && !options->json;
    for (unsigned look = 0; !options->count || look <= options->count; look++) {
        struct picture *now = &pictures[look & 1];
        picture_take(client, now, true);
        client_close(client);
        if (look) {
            if (screen)
                printf("\033[H\033[J");
            picture_print(options, now, &pictures[!(look & 1)]);
        }
        if (!options->count || look < options->count)
            usleep(options->interval * 1000);
    }
    return STATUS_OK;
}
