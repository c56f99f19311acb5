/* SPDX-License-Identifier: ISC
 *
 * See standalone.h. An ELF64 file without sections: headers, then the two segments.
 */
#include "tools/composer/standalone.h"

#include <stdlib.h>
#include <string.h>

#include "tools/composer/write.h"

enum { SEGMENT_ALIGN = 16, SEGMENTS = 2 };

struct head {
    Elf64_Ehdr file;
    Elf64_Phdr segment[SEGMENTS];
};

static uint64_t aligned(uint64_t offset)
{
    return (offset + SEGMENT_ALIGN - 1) / SEGMENT_ALIGN * SEGMENT_ALIGN;
}

static uint64_t constants_offset(const struct program *program)
{
    return aligned(aligned(sizeof(struct head)) + program->elf.text.bytes);
}

uint64_t standalone_bytes(const struct program *program)
{
    return constants_offset(program) + program->elf.rodata.bytes;
}

static void put_segment(uint8_t *file, Elf64_Phdr *out, const struct elf *elf,
                        const struct elf_segment *segment, uint64_t offset, uint32_t flags)
{
    *out = (Elf64_Phdr){.p_type = PT_LOAD,
                        .p_flags = flags,
                        .p_offset = offset,
                        .p_vaddr = segment->address,
                        .p_paddr = segment->address,
                        .p_filesz = segment->bytes,
                        .p_memsz = segment->bytes,
                        .p_align = SEGMENT_ALIGN};
    memcpy(file + offset, elf->file + segment->offset, segment->bytes);
}

bool standalone_write(const struct program *program, const char *path)
{
    const struct elf *elf = &program->elf;
    uint64_t bytes = standalone_bytes(program);
    uint8_t *file = calloc(1, bytes);
    if (!file)
        return report((struct place){path, 0}, "no memory to make it — close something");
    struct head head = {.file = elf->header};
    head.file.e_phoff = offsetof(struct head, segment);
    head.file.e_ehsize = sizeof head.file;
    head.file.e_phentsize = sizeof head.segment[0];
    head.file.e_phnum = SEGMENTS;
    head.file.e_shoff = 0;
    head.file.e_shentsize = head.file.e_shnum = head.file.e_shstrndx = 0;
    put_segment(file, &head.segment[0], elf, &elf->text, aligned(sizeof head), PF_R | PF_X);
    put_segment(file, &head.segment[1], elf, &elf->rodata, constants_offset(program), PF_R);
    memcpy(file, &head, sizeof head);
    bool written = file_write(path, file, bytes);
    free(file);
    return written;
}
