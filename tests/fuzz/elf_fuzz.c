/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a linked domain as compose reads it, any bytes or changes to a whole one. It is
 * refused with a reason and a way out; or what is found in it lies in the file, whatever is asked
 * for.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/input.h"
#include "tests/unit/elf_image.h"
#include "tools/composer/elf.h"

enum { CHANGES_MAX = 64, ASKED_MAX = 32, TEXT_MAX = 40 };

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "doesn't hold: %s\n", what);
    abort();
}

static void change(uint8_t *bytes, size_t size, struct input *input)
{
    for (int i = 0; input->left && i < CHANGES_MAX && input_8(input) & 1; i++)
        input_bytes(input, bytes + input_16(input) % size, 1);
}

static void ask(const struct elf *elf, struct input *input)
{
    for (int i = 0; input->left && i < ASKED_MAX; i++) {
        uint8_t out[256];
        uint64_t address = input_64(input), length = input_8(input);
        if (address & 1) /* near what is there */
            address = elf->rodata.address + (address >> 1) % (2 * sizeof(struct image));
        if (elf_read(elf, address, out, length) && length)
            check(elf_is_text(elf, address) || address - elf->rodata.address < elf->rodata.bytes,
                  "bytes are read from a segment");
        const char *text = elf_string(elf, address, TEXT_MAX);
        if (text) {
            const uint8_t *at = (const uint8_t *)text;
            check(at >= elf->file && at < elf->file + elf->size, "a string lies in the file");
            check(strnlen(text, TEXT_MAX + 1) <= TEXT_MAX, "a string ends in time");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct image image = make_image();
    char problem[ELF_PROBLEM_BYTES] = "";
    struct elf elf;
    uint64_t value;
    bool any = input_8(&input) & 0x80;
    struct input questions = input_part(&input, 64);
    size_t bytes = any ? input.left : sizeof image;
    uint8_t *file = malloc(bytes + !bytes); /* of its size, so that the sanitizer sees the end */

    if (any)
        memcpy(file, input.at, bytes);
    else
        memcpy(file, &image, bytes), change(file, bytes, &input);
    if (elf_open(&elf, file, bytes, problem)) {
        elf_symbol(&elf, "_start", &value);
        elf_symbol(&elf, "", &value);
        ask(&elf, &questions);
    } else {
        check(strstr(problem, " — ") != NULL, "a refusal says the way out");
        check(strnlen(problem, sizeof problem) < sizeof problem, "a refusal ends");
    }
    free(file);
    return 0;
}
