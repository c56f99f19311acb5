/* SPDX-License-Identifier: ISC */
/*
 * QEMU TCG plugin: the longest kernel entry, in guest instructions, from the first in the kernel to
 * the last before user code goes on (or the CPU idles). Built and loaded by bench/kernel.py as
 * -plugin entry.so,out=FILE.
 *
 * FILE, mapped shared, holds unsigned 64-bit numbers in host byte order: enum word. An entry begins
 * with a block of kernel code right after a block of user code or after a halt; so booting, which
 * is entered from below USER_FIRST, is none. Each iteration of a repeated string instruction
 * counts. Guests with more than one CPU are refused.
 */
#include "qemu_plugin.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KERNEL_BASE UINT64_C(0xffff800000000000) /* the upper half of the address space */
#define USER_FIRST  UINT64_C(0x400000)           /* servers lie above, boot code below */
#define USER_END    UINT64_C(0x800000000000)
#define FIRMWARE    UINT64_C(0xfff00000) /* up to 4 GiB */

enum word { WORD_LONGEST, WORD_ENTRIES, WORD_LONGEST_LAST, WORD_COUNT };

/* Where the CPU is, as of the last block. */
enum place { PLACE_ELSEWHERE, PLACE_USER, PLACE_IDLE, PLACE_KERNEL };

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static uint64_t *out;
static uint64_t executed; /* in the kernel */
static uint64_t entered;  /* `executed` when the entry under way began */
static uint64_t last;     /* address of the last block of kernel code that had work to do */
static enum place place;

static void entry_end(void)
{
    if (place != PLACE_KERNEL)
        return;
    out[WORD_ENTRIES]++;
    if (executed - entered <= out[WORD_LONGEST])
        return;
    out[WORD_LONGEST] = executed - entered;
    out[WORD_LONGEST_LAST] = last;
}

static void kernel_block(unsigned int cpu, void *address)
{
    (void)cpu;
    if (place == PLACE_USER || place == PLACE_IDLE) {
        entered = executed;
        place = PLACE_KERNEL;
    }
    last = (uint64_t)address;
}

static void idle_block(unsigned int cpu, void *address)
{
    (void)cpu;
    (void)address;
    entry_end();
    if (place != PLACE_ELSEWHERE)
        place = PLACE_IDLE;
}

static void user_block(unsigned int cpu, void *address)
{
    (void)cpu;
    (void)address;
    entry_end();
    place = PLACE_USER;
}

static void other_block(unsigned int cpu, void *address)
{
    (void)cpu;
    (void)address;
    place = PLACE_ELSEWHERE;
}

static bool halts(struct qemu_plugin_tb *block)
{
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        const uint8_t *bytes = qemu_plugin_insn_data(instruction);
        if (qemu_plugin_insn_size(instruction) == 1 && bytes[0] == 0xf4)
            return true;
    }
    return false;
}

static qemu_plugin_vcpu_udata_cb_t callback_for(struct qemu_plugin_tb *block, uint64_t address)
{
    if (address >= KERNEL_BASE)
        return halts(block) ? idle_block : kernel_block;
    bool user = address >= USER_FIRST && address < USER_END && (address >> 20) != FIRMWARE >> 20;
    return user ? user_block : other_block;
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    uint64_t address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0));
    qemu_plugin_register_vcpu_tb_exec_cb(block, callback_for(block, address),
                                         QEMU_PLUGIN_CB_NO_REGS, (void *)address);
    for (size_t i = 0; address >= KERNEL_BASE && i < qemu_plugin_tb_n_insns(block); i++)
        qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_tb_get_insn(block, i),
                                                   QEMU_PLUGIN_INLINE_ADD_U64, &executed, 1);
}

static bool out_map(const char *path)
{
    size_t size = WORD_COUNT * sizeof *out;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, (off_t)size) != 0)
        return false;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    out = memory;
    return memory != MAP_FAILED;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0 ||
        info->system.max_vcpus > 1) {
        fprintf(stderr, "entry.so: only for one CPU of x86_64\n");
        return -1;
    }
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0 || !out_map(argv[0] + 4)) {
        fprintf(stderr, "entry.so: out=FILE is missing or can't be mapped\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    return 0;
}
