/* SPDX-License-Identifier: ISC
 *
 * Reading a linked domain: an ELF64 file for x86-64 with one text and at most one constant segment.
 * Everything in the file is checked before use, however broken it is; nothing is written to it.
 * Refused: what isn't such a file, writable data, segments both writable and executable.
 */
#ifndef COMPOSE_ELF_H
#define COMPOSE_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_segment {
    uint64_t address;
    uint64_t bytes;
    uint64_t offset; /* in the file */
};

struct elf {
    const uint8_t *file;
    size_t size;
    Elf64_Ehdr header;
    struct elf_segment text;
    struct elf_segment rodata; /* bytes 0: none */
};

enum { ELF_PROBLEM_BYTES = 1024 };

/* Checks `file` (which must outlive *elf) and finds its segments. False: `problem` says what is
 * wrong and the way out. */
bool elf_open(struct elf *elf, const uint8_t *file, size_t size, char problem[ELF_PROBLEM_BYTES]);

/* Copies `bytes` that the program would see at `address`; false outside its segments. */
bool elf_read(const struct elf *elf, uint64_t address, void *out, uint64_t bytes);

/* The terminated string that the program would see at `address`; NULL if there is none of at most
 * `max` characters. It lies in the file. */
const char *elf_string(const struct elf *elf, uint64_t address, size_t max);

/* True and *value for a symbol of that name. */
bool elf_symbol(const struct elf *elf, const char *name, uint64_t *value);

struct elf_function {
    uint32_t offset; /* from the text's address */
    const char *name;
};

/* The functions in the text that have a name, in the file's order: the first `most` into `out`.
 * Returns how many there are. */
uint32_t elf_functions(const struct elf *elf, struct elf_function *out, uint32_t most);

/* Whether `address` lies in the text. */
bool elf_is_text(const struct elf *elf, uint64_t address);

#endif
