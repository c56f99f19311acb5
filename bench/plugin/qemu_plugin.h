/* SPDX-License-Identifier: ISC */
/*
 * The part of QEMU's plugin interface, version 1, that the plugins here use: declared here
 * because Debian's QEMU packages ship no header. QEMU resolves these names when it loads the
 * plugin, and refuses a plugin whose qemu_plugin_version it doesn't support.
 */
#ifndef BENCH_PLUGIN_QEMU_PLUGIN_H
#define BENCH_PLUGIN_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_VERSION 1
#define QEMU_PLUGIN_EXPORT  __attribute__((visibility("default")))

/* Names this plugin to QEMU. */
typedef uint64_t qemu_plugin_id_t;

/* What the guest is. Valid only during qemu_plugin_install. */
typedef struct {
    const char *target_name;
    struct {
        int min;
        int cur;
    } version;
    bool system_emulation;
    struct { /* means something only under system emulation */
        int smp_vcpus;
        int max_vcpus;
    } system;
} qemu_info_t;

/* A block of guest instructions under translation, and one of them. */
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *block);

/* Provided by the plugin. ARGV holds "key=value" strings; anything but 0 ends QEMU. */
extern QEMU_PLUGIN_EXPORT int qemu_plugin_version;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv);

/* Provided by QEMU. CALLBACK runs on each translation; the block is valid only meanwhile. */
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           qemu_plugin_vcpu_tb_trans_cb_t callback);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);

/* The instruction's guest virtual address, and where QEMU has it in memory (NULL: not in RAM). */
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *instruction);

/* Adds VALUE to *COUNTER before each execution of the instruction. Not atomic. */
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction,
                                                enum qemu_plugin_op operation, void *counter,
                                                uint64_t value);

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

/* Calls CALLBACK with DATA before each execution of the block. */
typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned int cpu, void *data);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block,
                                          qemu_plugin_vcpu_udata_cb_t callback,
                                          enum qemu_plugin_cb_flags flags, void *data);

enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_W = 2 };

/* One access to memory: of 1 << qemu_plugin_mem_size_shift bytes. */
typedef uint32_t qemu_plugin_meminfo_t;
unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);

/* Calls CALLBACK with DATA after each access of the instruction, of the kind RW. */
typedef void (*qemu_plugin_vcpu_mem_cb_t)(unsigned int cpu, qemu_plugin_meminfo_t info,
                                          uint64_t address, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
                                      qemu_plugin_vcpu_mem_cb_t callback,
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
                                      void *data);

/* The instruction's bytes, valid during translation, and how many. */
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);

#endif
