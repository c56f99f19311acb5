/* SPDX-License-Identifier: ISC
 *
 *     ipc-native KIND one|two SAMPLES ROUNDS [short]
 *
 * measures one way to send between two processes on one processor or on two. KIND is one of
 * motet_kinds or linux_kinds; without arguments they are listed. Prints "ipc done" last, or "ipc
 * not available" when the kernel hasn't got it. The exit status is 0 in both cases.
 */
#include "bench/ipc/native/native.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

_Noreturn void give_up(const char *what)
{
    fprintf(stderr, "ipc error: %s: %s\n", what, strerror(errno));
    exit(1);
}

void *shared_memory(size_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        give_up("mmap");
    return memory;
}

int child_start(void)
{
    fflush(stdout);
    int child = fork();
    if (child < 0)
        give_up("fork");
    if (child == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return child;
}

static cpu_set_t allowed; /* at the start: of this process's processors */

void cpu_keep(const struct how *how, unsigned number)
{
    cpu_set_t chosen;
    unsigned skip = how->one_cpu ? 0 : number;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || skip--)
            continue;
        CPU_ZERO(&chosen);
        CPU_SET(cpu, &chosen);
        if (sched_setaffinity(0, sizeof(chosen), &chosen))
            give_up("sched_setaffinity");
        return;
    }
    errno = ENODEV;
    give_up("two processors are needed");
}

uint64_t now_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names)
        if (!strcmp(name, *names++))
            return true;
    return false;
}

static int list(void)
{
    for (const char *const *kind = motet_kinds; *kind; kind++)
        printf("motet %s\n", *kind);
    for (const char *const *kind = linux_kinds; *kind; kind++)
        printf("linux %s\n", *kind);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return list();
    bool is_short = argc == 6 && !strcmp(argv[5], "short");
    if (argc < 5 || argc > 6 || (argc == 6 && !is_short)) {
        fprintf(stderr, "usage: ipc-native KIND one|two SAMPLES ROUNDS [short]\n");
        return 2;
    }
    struct how how = {.samples = argv[3],
                      .rounds = argv[4],
                      .is_short = is_short,
                      .one_cpu = !strcmp(argv[2], "one")};
    if (sched_getaffinity(0, sizeof(allowed), &allowed))
        give_up("sched_getaffinity");
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool there = true;
    if (is_one_of(argv[1], motet_kinds)) {
        motet_run(&how, argv[1]);
    } else if (is_one_of(argv[1], linux_kinds)) {
        there = linux_run(&how, argv[1]);
    } else {
        errno = ENOENT;
        give_up(argv[1]);
    }
    puts(there ? "ipc done" : "ipc not available");
    return 0;
}
