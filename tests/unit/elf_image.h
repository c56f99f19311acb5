/* SPDX-License-Identifier: ISC
 *
 * A linked domain made by hand, the smallest that compose takes: for tests that break it.
 */
#ifndef TESTS_UNIT_ELF_IMAGE_H
#define TESTS_UNIT_ELF_IMAGE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TEXT_ADDRESS = 0x402000, RODATA_ADDRESS = 0x403040 };
enum { NONE, TEXT, RODATA, DATA, SYMBOLS, NAMES, SECTIONS };

/* A whole file: text, constants, an empty .data, symbols. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segment[3];
    Elf64_Shdr section[SECTIONS];
    Elf64_Sym symbol[4];
    char names[64];
    uint8_t text[64];
    char rodata[32];
    uint8_t data[16];
};

/* Offsets in image.names. */
static const char names[] = "\0_start\0tally\0drv.c\0.data";
enum { NAME_START = 1, NAME_TALLY = 8, NAME_FILE = 14, NAME_DATA = 20 };

static inline void make_segments(struct image *image)
{
    image->segment[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                     .p_flags = PF_R | PF_X,
                                     .p_offset = offsetof(struct image, text),
                                     .p_vaddr = TEXT_ADDRESS,
                                     .p_filesz = sizeof image->text,
                                     .p_memsz = sizeof image->text};
    image->segment[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                     .p_flags = PF_R,
                                     .p_offset = offsetof(struct image, rodata),
                                     .p_vaddr = RODATA_ADDRESS,
                                     .p_filesz = sizeof image->rodata,
                                     .p_memsz = sizeof image->rodata};
    image->segment[2] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_W};
}

static inline void make_sections(struct image *image)
{
    image->section[TEXT] = (Elf64_Shdr){.sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_size = 64};
    image->section[RODATA] = (Elf64_Shdr){.sh_flags = SHF_ALLOC, .sh_size = 32};
    image->section[DATA] = (Elf64_Shdr){.sh_name = NAME_DATA, .sh_flags = SHF_ALLOC | SHF_WRITE};
    image->section[SYMBOLS] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
                                           .sh_link = NAMES,
                                           .sh_offset = offsetof(struct image, symbol),
                                           .sh_size = sizeof image->symbol};
    image->section[NAMES] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
                                         .sh_offset = offsetof(struct image, names),
                                         .sh_size = sizeof image->names};
    memcpy(image->names, names, sizeof names);
    image->symbol[1] = (Elf64_Sym){
        .st_name = NAME_FILE, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FILE), .st_shndx = SHN_ABS};
    image->symbol[2] = (Elf64_Sym){.st_name = NAME_TALLY,
                                   .st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT),
                                   .st_shndx = DATA,
                                   .st_size = 4};
    image->symbol[3] = (Elf64_Sym){.st_name = NAME_START,
                                   .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                                   .st_shndx = TEXT,
                                   .st_value = TEXT_ADDRESS + 16};
}

static inline struct image make_image(void)
{
    struct image image;
    memset(&image, 0, sizeof image);
    memcpy(image.header.e_ident, ELFMAG, SELFMAG);
    image.header.e_ident[EI_CLASS] = ELFCLASS64;
    image.header.e_ident[EI_DATA] = ELFDATA2LSB;
    image.header.e_type = ET_EXEC;
    image.header.e_machine = EM_X86_64;
    image.header.e_entry = TEXT_ADDRESS + 16;
    image.header.e_phoff = offsetof(struct image, segment);
    image.header.e_phentsize = sizeof(Elf64_Phdr);
    image.header.e_phnum = 3;
    image.header.e_shoff = offsetof(struct image, section);
    image.header.e_shentsize = sizeof(Elf64_Shdr);
    image.header.e_shnum = SECTIONS;
    image.header.e_shstrndx = NAMES;
    make_segments(&image);
    make_sections(&image);
    memset(image.text, 0x90, sizeof image.text);
    memcpy(image.rodata, "first\0second", 13);
    memset(image.rodata + 24, 'x', 8);
    return image;
}

#endif
