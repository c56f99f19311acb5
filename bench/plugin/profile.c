/* SPDX-License-Identifier: ISC */
/*
 * QEMU TCG plugin: what each function executes. Built and loaded by bench/lib_qemu.py as
 * -plugin profile.so,domains=FILE,symbols=FILE,profile=FILE.
 *
 * SYMBOLS has a line "PLACE ADDRESS SIZE" per function, hexadecimal: PLACE is enum place of
 * domains.h. PROFILE, mapped shared, holds unsigned 64-bit numbers in host byte order: how often
 * the address space was switched, the instructions of no known function, and then for each line of
 * SYMBOLS its struct function. Each iteration of a repeated string instruction counts. Counting
 * isn't atomic: guests with more than one CPU are refused.
 */
#include "domains.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FUNCTIONS_MAX = 8192 };

struct function {
    uint64_t instructions;
    uint64_t calls;  /* executions of its first instruction */
    uint64_t stored; /* bytes that it wrote to memory, but for what push and call write */
    uint64_t moved;  /* of them, by string moves */
};

struct profile {
    uint64_t space_switches; /* writes of CR3 */
    uint64_t unknown;
    struct function function[FUNCTIONS_MAX];
};

struct symbol {
    int place;
    uint64_t address, size;
};

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct profile *profile;
static struct symbol symbols[FUNCTIONS_MAX];
static size_t symbol_count;

static bool symbols_read(const char *path)
{
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file == NULL)
        return false;
    struct symbol *symbol = symbols;
    while (symbol < symbols + FUNCTIONS_MAX &&
           fscanf(file, "%x %" SCNx64 " %" SCNx64, (unsigned *)&symbol->place, &symbol->address,
                  &symbol->size) == 3)
        symbol++;
    symbol_count = (size_t)(symbol - symbols);
    bool all = feof(file);
    fclose(file);
    return all;
}

static bool profile_map(const char *path)
{
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
    if (file < 0 || ftruncate(file, sizeof *profile) != 0)
        return false;
    profile = mmap(NULL, sizeof *profile, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return profile != MAP_FAILED;
}

static struct symbol *symbol_at(int place, uint64_t address)
{
    for (size_t i = 0; i < symbol_count; i++)
        if (symbols[i].place == place && address - symbols[i].address < symbols[i].size)
            return &symbols[i];
    return NULL;
}

static void stored(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *function)
{
    (void)cpu;
    (void)address;
    if (qemu_plugin_mem_is_store(info)) /* QEMU 7.2 calls for some loads too */
        ((struct function *)function)->stored += UINT64_C(1) << qemu_plugin_mem_size_shift(info);
}

static void moved(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *function)
{
    stored(cpu, info, address, function);
    if (qemu_plugin_mem_is_store(info))
        ((struct function *)function)->moved += UINT64_C(1) << qemu_plugin_mem_size_shift(info);
}

/* rep movs, of bytes or of words: f3, perhaps 48, a4 or a5 (SDM volume 2, MOVS) */
static bool is_string_move(struct qemu_plugin_insn *instruction)
{
    const uint8_t *bytes = qemu_plugin_insn_data(instruction);
    size_t size = qemu_plugin_insn_size(instruction);
    return size >= 2 && bytes[0] == 0xf3 && (bytes[size - 1] | 1) == 0xa5;
}

/* mov %reg, %cr3: 0f 22, register field 3 (SDM volume 2, MOV to control registers) */
static bool is_space_switch(struct qemu_plugin_insn *instruction)
{
    const uint8_t *bytes = qemu_plugin_insn_data(instruction);
    return qemu_plugin_insn_size(instruction) == 3 && bytes[0] == 0x0f && bytes[1] == 0x22 &&
           (bytes[2] >> 3 & 7) == 3;
}

/* push of a register, 50 to 57, perhaps behind 41; call, e8 or ff (SDM volume 2) */
static bool is_push_or_call(struct qemu_plugin_insn *instruction)
{
    const uint8_t *bytes = qemu_plugin_insn_data(instruction);
    size_t size = qemu_plugin_insn_size(instruction);
    return (size <= 2 && (bytes[size - 1] & 0xf8) == 0x50) || bytes[0] == 0xe8 || bytes[0] == 0xff;
}

static void count(struct qemu_plugin_insn *instruction, uint64_t *counter)
{
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64, counter, 1);
}

static void instruction_translated(struct qemu_plugin_insn *instruction, int place)
{
    uint64_t address = qemu_plugin_insn_vaddr(instruction);
    struct symbol *symbol = symbol_at(place, address);
    if (place == PLACE_KERNEL && is_space_switch(instruction))
        count(instruction, &profile->space_switches);
    if (symbol == NULL) {
        count(instruction, &profile->unknown);
        return;
    }
    struct function *function = &profile->function[symbol - symbols];
    count(instruction, &function->instructions);
    if (address == symbol->address)
        count(instruction, &function->calls);
    if (is_push_or_call(instruction))
        return;
    qemu_plugin_register_vcpu_mem_cb(instruction, is_string_move(instruction) ? moved : stored,
                                     QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W, function);
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(block, 0);
    int place = place_of(qemu_plugin_insn_vaddr(first), qemu_plugin_insn_haddr(first));
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++)
        instruction_translated(qemu_plugin_tb_get_insn(block, i), place);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    if (!info->system_emulation || info->system.max_vcpus > 1 ||
        !profile_map(plugin_argument(argc, argv, "profile")) ||
        !symbols_read(plugin_argument(argc, argv, "symbols")) ||
        !domains_read(plugin_argument(argc, argv, "domains"))) {
        fprintf(stderr, "profile.so: needs one CPU, and domains=, symbols= and profile=\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    return 0;
}
