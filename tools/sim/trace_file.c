/* SPDX-License-Identifier: ISC
 *
 * See trace_file.h.
 */
#include "tools/sim/trace_file.h"

#include <stdio.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/machine.h"
#include "libos/trace.h"
#include "tools/sim/composition.h"

static const char *file_path;
static FILE *file;
static struct trace_reader reader;

void trace_file_name(const char *path)
{
    file_path = path;
}

bool trace_file_begin(void)
{
    trace_file_end();
    reader = (struct trace_reader){0};
    if (!file_path)
        return true;
    file = fopen(file_path, "w");
    if (!file) {
        perror(file_path);
        return false;
    }
    fprintf(file, "trace begin %d %x 1\n", TRACE_VERSION, SIM_TICKS_PER_SECOND);
    for (uint32_t d = 0; d < domain_count(); d++)
        fprintf(file, "trace domain %u %s\n", d, domain_at(d)->name);
    return true;
}

void trace_file_step(void)
{
    struct trace_record record;
    char text[TRACE_TEXT_BYTES];
    if (!file || !sim_cpu.trace.header)
        return;
    while (trace_read(&reader, sim_cpu.trace.header, &record)) {
        trace_dump_line(text, &record);
        fprintf(file, "%s\n", text);
    }
}

void trace_file_end(void)
{
    if (!file)
        return;
    if (reader.lost)
        fprintf(stderr, "sim: %lu records were overwritten: give trace_pages more\n",
                (unsigned long)reader.lost);
    fprintf(file, "trace end\n");
    fclose(file);
    file = NULL;
}
