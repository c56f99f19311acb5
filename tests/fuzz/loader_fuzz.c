/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a program that is to be swapped in as the loader looks at it, any bytes or changes
 * to a whole one; its checksum is right. It is refused, or what init is told of it lies in the file
 * and the rooms.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "libos/crc.h"
#include "servers/loader/check.h"
#include "tests/fuzz/input.h"
#include "tests/unit/program_image.h"

enum { CHANGES_MAX = 64 };

static void holds(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "doesn't hold: %s\n", what);
    abort();
}

static void change(uint8_t *bytes, size_t size, struct input *input)
{
    for (int i = 0; input->left && i < CHANGES_MAX; i++) {
        const uint8_t how = input_8(input);
        const size_t at = input_16(input) % size, most = how & 4 ? 8 : 1;
        input_bytes(input, bytes + at, size - at < most ? size - at : most);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct program_image image;
    struct swap_program wanted;
    struct swap_verdict verdict;
    const bool any = input_8(&input) & 0x80;
    program_image_make(&image);
    program_image_wanted(&wanted);
    const size_t bytes = any ? input.left : sizeof(image);
    uint8_t *file = malloc(bytes + !bytes); /* of its size, so that the sanitizer sees the end */
    if (any)
        memcpy(file, input.at, bytes);
    else
        memcpy(file, &image, bytes), change(file, bytes, &input);
    loader_check(&wanted, file, (uint32_t)bytes, crc_add(0, file, bytes), &verdict);
    free(file);
    holds(verdict.refusal < SWAP_LOADER_DIED, "a refusal that there is");
    holds(!verdict.version[PROGRAM_NAME_BYTES - 1], "the version ends");
    if (verdict.refusal) {
        holds(!verdict.text_bytes && !verdict.constants_bytes, "nothing of what is refused");
        return 0;
    }
    holds((uint64_t)verdict.text_offset + verdict.text_bytes <= bytes, "text in the file");
    holds((uint64_t)verdict.constants_offset + verdict.constants_bytes <= bytes,
          "constants in the file");
    holds(verdict.text_bytes <= wanted.text_room, "text in its room");
    holds(verdict.constants_bytes <= wanted.constants_room, "constants in their room");
    holds(verdict.entry - wanted.text_address < verdict.text_bytes, "the entry in the text");
    return 0;
}
