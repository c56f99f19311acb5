/* SPDX-License-Identifier: ISC */
/*
 * QEMU TCG plugin: counts the guest instructions executed in the kernel and in each domain.
 * Built and loaded by bench/lib_qemu.py as -plugin count.so,domains=FILE,counts=FILE.
 *
 * The counters live in the file COUNTS, mapped shared, so whoever started QEMU reads them at any
 * time and QEMU is never disturbed: unsigned 64-bit numbers in host byte order, in the order of
 * enum place and then one per domain in the order in which DOMAINS (domains.h) names them first.
 *
 * Each iteration of a repeated string instruction counts, as it does for QEMU's -icount. Counting
 * isn't atomic: guests with more than one CPU are refused.
 */
#include "domains.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static uint64_t *counters;

static int refuse(const char *what, const char *which)
{
    fprintf(stderr, "count.so: %s: %s\n", what, which);
    return -1;
}

static bool counters_map(const char *path)
{
    size_t size = PLACE_LIMIT * sizeof *counters;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, (off_t)size) != 0)
        return false;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED)
        return false;
    counters = memory;
    return true;
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(block, 0);
    int place = place_of(qemu_plugin_insn_vaddr(first), qemu_plugin_insn_haddr(first));
    /* Per instruction, not per block: blocks end early on faults and on input or output. */
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++)
        qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_tb_get_insn(block, i),
                                                   QEMU_PLUGIN_INLINE_ADD_U64, &counters[place], 1);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    const char *counts = plugin_argument(argc, argv, "counts");
    const char *domains = plugin_argument(argc, argv, "domains");
    if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
        return refuse("can't count for", info->target_name);
    if (info->system.max_vcpus > 1)
        return refuse("can't count for", "more than one CPU");
    if (counts == NULL || !counters_map(counts))
        return refuse("can't map the counters", counts == NULL ? "counts= is missing" : counts);
    if (domains != NULL && !domains_read(domains))
        return refuse("can't read", domains);
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    return 0;
}
