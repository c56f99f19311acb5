/* SPDX-License-Identifier: ISC
 *
 * usertests in the simulator, the program: sim IMAGE [BOOT SETTINGS]. Or `sim --list`: a line for
 * each test, "NAME" or "NAME: why it runs in QEMU only". Exit status: 0 when all passed, 1 when one
 * failed, 2 for misuse.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/usertests/sim.h"
#include "tests/usertests/supervisor.h"

static int list(void)
{
    for (uint64_t i = 0; i < test_count; i++)
        printf("%s%s%s\n", tests[i].name, tests[i].only_in_qemu ? ": " : "",
               tests[i].only_in_qemu ? tests[i].only_in_qemu : "");
    return 0;
}

static void *read_all(const char *path, uint64_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        return NULL;
    *bytes = (uint64_t)ftell(file);
    rewind(file);
    void *data = malloc(*bytes);
    if (data && fread(data, 1, *bytes, file) != *bytes) {
        free(data);
        data = NULL;
    }
    fclose(file);
    return data;
}

int main(int count, char **arguments)
{
    uint64_t bytes = 0;
    if (count == 2 && !strcmp(arguments[1], "--list"))
        return list();
    if (count < 2 || count > 3) {
        fprintf(stderr, "usage: %s IMAGE [BOOT SETTINGS], or --list\n", arguments[0]);
        return 2;
    }
    void *image = read_all(arguments[1], &bytes);
    if (!image) {
        perror(arguments[1]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    return usertests_machine_run(image, bytes, count == 3 ? arguments[2] : "");
}
