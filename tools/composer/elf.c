/* SPDX-License-Identifier: ISC
 *
 * See elf.h. Structs are copied out of the file before use: offsets in it may be unaligned.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/composer/elf.h"

enum {
    SEGMENTS_MAX = 32,
    SECTIONS_MAX = 4096,
    NAMED_MAX = 8, /* symbols named in one message */
};

static bool copy_out(const struct elf *elf, uint64_t offset, void *out, uint64_t bytes)
{
    if (offset > elf->size || bytes > elf->size - offset)
        return false;
    memcpy(out, elf->file + offset, bytes);
    return true;
}

__attribute__((format(printf, 2, 3))) static bool refuse(char *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, ELF_PROBLEM_BYTES, format, arguments);
    va_end(arguments);
    return false;
}

static bool section(const struct elf *elf, uint32_t index, Elf64_Shdr *out)
{
    return index < elf->header.e_shnum &&
           copy_out(elf, elf->header.e_shoff + (uint64_t)index * sizeof *out, out, sizeof *out);
}

/* A terminated string inside the string section `table`; "?" if there is none. */
static const char *table_string(const struct elf *elf, const Elf64_Shdr *table, uint64_t offset)
{
    if (table->sh_offset > elf->size || table->sh_size > elf->size - table->sh_offset ||
        offset >= table->sh_size)
        return "?";
    const char *text = (const char *)elf->file + table->sh_offset + offset;
    return memchr(text, 0, table->sh_size - offset) ? text : "?";
}

static const char *section_name(const struct elf *elf, const Elf64_Shdr *of)
{
    Elf64_Shdr names;
    return section(elf, elf->header.e_shstrndx, &names) ? table_string(elf, &names, of->sh_name)
                                                        : "?";
}

/* Goes through the symbol table; `at` starts at zero. */
struct symbols {
    uint64_t offset, count, at;
    Elf64_Shdr names;
};

static bool symbols_open(const struct elf *elf, struct symbols *symbols)
{
    for (uint32_t i = 0; i < elf->header.e_shnum; i++) {
        Elf64_Shdr table;
        if (!section(elf, i, &table) || table.sh_type != SHT_SYMTAB)
            continue;
        *symbols =
            (struct symbols){.offset = table.sh_offset, .count = table.sh_size / sizeof(Elf64_Sym)};
        return section(elf, table.sh_link, &symbols->names);
    }
    return false;
}

static bool symbols_next(const struct elf *elf, struct symbols *symbols, Elf64_Sym *symbol,
                         const char **name)
{
    if (symbols->at == symbols->count ||
        !copy_out(elf, symbols->offset + symbols->at * sizeof *symbol, symbol, sizeof *symbol))
        return false;
    symbols->at++;
    *name = table_string(elf, &symbols->names, symbol->st_name);
    return true;
}

/* Appends "counter (4 bytes, netd.c)" for each symbol in the section. */
static void name_contents(const struct elf *elf, uint32_t index, char *out, size_t size)
{
    struct symbols symbols;
    Elf64_Sym symbol;
    const char *name, *file = "";
    size_t used = 0;
    unsigned named = 0;
    out[0] = 0;
    if (!symbols_open(elf, &symbols))
        return;
    while (symbols_next(elf, &symbols, &symbol, &name)) {
        unsigned type = ELF64_ST_TYPE(symbol.st_info);
        if (type == STT_FILE)
            file = name;
        if (symbol.st_shndx != index || type == STT_FILE || type == STT_SECTION || !symbol.st_size)
            continue;
        bool local = ELF64_ST_BIND(symbol.st_info) == STB_LOCAL && file[0];
        if (named++ < NAMED_MAX && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s (%" PRIu64 " bytes%s%s)",
                                     named > 1 ? ", " : "", name, symbol.st_size, local ? ", " : "",
                                     local ? file : "");
    }
    if (named > NAMED_MAX && used < size)
        snprintf(out + used, size - used, " and %u more", named - NAMED_MAX);
}

static bool check_sections(const struct elf *elf, char *problem)
{
    for (uint32_t i = 0; i < elf->header.e_shnum; i++) {
        Elf64_Shdr part;
        char contents[ELF_PROBLEM_BYTES / 2];
        if (!section(elf, i, &part))
            return refuse(problem, "the file's section table is cut off — link it again");
        if (!(part.sh_flags & SHF_WRITE) || !(part.sh_flags & SHF_ALLOC) || !part.sh_size)
            continue;
        name_contents(elf, i, contents, sizeof contents);
        return refuse(problem,
                      "writable static data in %.32s: %s — make it const, or keep it in the "
                      "server's state struct",
                      section_name(elf, &part),
                      contents[0] ? contents
                                  : "no symbol names it (a pointer table? build with "
                                    "-fno-pic)");
    }
    return true;
}

static bool check_header(struct elf *elf, char *problem)
{
    static const uint8_t ident[] = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB};
    Elf64_Ehdr *header = &elf->header;
    if (!copy_out(elf, 0, header, sizeof *header) ||
        memcmp(header->e_ident, ident, sizeof ident) != 0)
        return refuse(problem, "the linked file is no ELF64 file — check $LD");
    if (header->e_machine != EM_X86_64)
        return refuse(problem,
                      "the linked file is for machine %u, not x86-64 (%u) — check the "
                      "compiler and $LD",
                      header->e_machine, EM_X86_64);
    if (header->e_type != ET_EXEC || header->e_phentsize != sizeof(Elf64_Phdr))
        return refuse(problem, "the linked file is no static executable — link it without -pie "
                               "and -shared");
    if (header->e_phnum > SEGMENTS_MAX || header->e_shnum > SECTIONS_MAX ||
        (header->e_shnum && header->e_shentsize != sizeof(Elf64_Shdr)))
        return refuse(problem,
                      "the linked file has %u segments and %u sections — link it with "
                      "libos/domain.ld",
                      header->e_phnum, header->e_shnum);
    return true;
}

static bool add_segment(struct elf *elf, const Elf64_Phdr *part, char *problem)
{
    static const char *const relink = "link it with libos/domain.ld";
    if ((part->p_flags & PF_W) && (part->p_flags & PF_X))
        return refuse(problem, "a segment is both writable and executable — %s", relink);
    if (part->p_flags & PF_W)
        return refuse(problem, "a segment is writable — %s", relink);
    if (part->p_filesz != part->p_memsz || part->p_offset > elf->size ||
        part->p_filesz > elf->size - part->p_offset ||
        part->p_vaddr + part->p_memsz < part->p_vaddr)
        return refuse(problem, "a segment isn't wholly in the file — link it again");
    struct elf_segment *segment = part->p_flags & PF_X ? &elf->text : &elf->rodata;
    if (segment->bytes)
        return refuse(problem, "there are two %s segments — %s",
                      part->p_flags & PF_X ? "text" : "constant", relink);
    *segment = (struct elf_segment){part->p_vaddr, part->p_memsz, part->p_offset};
    return true;
}

static bool find_segments(struct elf *elf, char *problem)
{
    for (uint32_t i = 0; i < elf->header.e_phnum; i++) {
        Elf64_Phdr part;
        if (!copy_out(elf, elf->header.e_phoff + (uint64_t)i * sizeof part, &part, sizeof part))
            return refuse(problem, "the file's segment table is cut off — link it again");
        if (part.p_type == PT_INTERP || part.p_type == PT_DYNAMIC || part.p_type == PT_TLS)
            return refuse(problem, "the linked file wants a dynamic linker or thread-local "
                                   "storage — link statically, without __thread");
        if (part.p_type == PT_LOAD && part.p_memsz && !add_segment(elf, &part, problem))
            return false;
    }
    if (!elf->text.bytes)
        return refuse(problem,
                      "there is no text — does start.o, or init.o for init, define _start?");
    if (!elf_is_text(elf, elf->header.e_entry))
        return refuse(
            problem,
            "the entry isn't in the text — does start.o, or init.o for init, define _start?");
    return true;
}

bool elf_open(struct elf *elf, const uint8_t *file, size_t size, char problem[ELF_PROBLEM_BYTES])
{
    *elf = (struct elf){.file = file, .size = size};
    return check_header(elf, problem) && check_sections(elf, problem) &&
           find_segments(elf, problem);
}

/* The file's bytes from `address` to its segment's end; NULL outside. */
static const uint8_t *locate(const struct elf *elf, uint64_t address, uint64_t *left)
{
    const struct elf_segment *segments[] = {&elf->text, &elf->rodata};
    for (size_t i = 0; i < 2; i++) {
        const struct elf_segment *segment = segments[i];
        if (address >= segment->address && address - segment->address < segment->bytes) {
            uint64_t into = address - segment->address;
            *left = segment->bytes - into;
            return elf->file + segment->offset + into;
        }
    }
    return NULL;
}

bool elf_read(const struct elf *elf, uint64_t address, void *out, uint64_t bytes)
{
    uint64_t left;
    const uint8_t *start = locate(elf, address, &left);
    if (!start || bytes > left)
        return false;
    memcpy(out, start, bytes);
    return true;
}

const char *elf_string(const struct elf *elf, uint64_t address, size_t max)
{
    uint64_t left;
    const uint8_t *start = locate(elf, address, &left);
    if (!start || !memchr(start, 0, left < max + 1 ? left : max + 1))
        return NULL;
    return (const char *)start;
}

bool elf_symbol(const struct elf *elf, const char *name, uint64_t *value)
{
    struct symbols symbols;
    Elf64_Sym symbol;
    const char *found;
    if (!symbols_open(elf, &symbols))
        return false;
    while (symbols_next(elf, &symbols, &symbol, &found)) {
        if (symbol.st_shndx != SHN_UNDEF && !strcmp(found, name)) {
            *value = symbol.st_value;
            return true;
        }
    }
    return false;
}

uint32_t elf_functions(const struct elf *elf, struct elf_function *out, uint32_t most)
{
    struct symbols symbols;
    Elf64_Sym symbol;
    const char *name;
    uint32_t count = 0;
    if (!symbols_open(elf, &symbols))
        return 0;
    while (symbols_next(elf, &symbols, &symbol, &name)) {
        uint64_t offset = symbol.st_value - elf->text.address;
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF ||
            !elf_is_text(elf, symbol.st_value) || offset > UINT32_MAX || !name[0] || name[0] == '?')
            continue;
        if (count < most)
            out[count] = (struct elf_function){(uint32_t)offset, name};
        count++;
    }
    return count;
}

bool elf_is_text(const struct elf *elf, uint64_t address)
{
    return address >= elf->text.address && address - elf->text.address < elf->text.bytes;
}
