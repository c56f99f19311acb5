/* SPDX-License-Identifier: ISC
 *
 * See symbols.h: reads the symbol table of the running program.
 */
#include "tools/sim/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *program;

static void program_map(void)
{
    struct stat status;
    int file = open("/proc/self/exe", O_RDONLY);
    if (file < 0 || fstat(file, &status))
        return;
    void *at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    program = at == MAP_FAILED ? NULL : at;
}

static const Elf64_Sym *find(uint64_t address, const char **strings)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)program;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(program + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        const Elf64_Sym *symbols = (const Elf64_Sym *)(program + sections[i].sh_offset);
        *strings = program + sections[sections[i].sh_link].sh_offset;
        for (uint64_t n = 0; n < sections[i].sh_size / sizeof(*symbols); n++)
            if (ELF64_ST_TYPE(symbols[n].st_info) == STT_FUNC && address >= symbols[n].st_value &&
                address < symbols[n].st_value + symbols[n].st_size)
                return &symbols[n];
    }
    return NULL;
}

void symbol_name(uint64_t address, char text[SYMBOL_BYTES])
{
    const char *strings = NULL;
    if (!program)
        program_map();
    const Elf64_Sym *symbol = program ? find(address, &strings) : NULL;
    if (symbol)
        snprintf(text, SYMBOL_BYTES, "%s+%#lx", strings + symbol->st_name,
                 (unsigned long)(address - symbol->st_value));
    else
        snprintf(text, SYMBOL_BYTES, "%#lx", (unsigned long)address);
}
