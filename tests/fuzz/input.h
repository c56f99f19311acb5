/* SPDX-License-Identifier: ISC
 *
 * A fuzzer's input, taken piece by piece; what isn't there reads as zero.
 */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
    const uint8_t *at;
    size_t left;
};

/* libFuzzer's entry point. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline size_t input_bytes(struct input *input, void *to, size_t size)
{
    size_t there = size < input->left ? size : input->left;
    memset(to, 0, size);
    memcpy(to, input->at, there);
    input->at += there;
    input->left -= there;
    return there;
}

static inline uint8_t input_8(struct input *input)
{
    uint8_t value;
    input_bytes(input, &value, sizeof(value));
    return value;
}

static inline uint16_t input_16(struct input *input)
{
    uint16_t value;
    input_bytes(input, &value, sizeof(value));
    return value;
}

static inline uint64_t input_64(struct input *input)
{
    uint64_t value;
    input_bytes(input, &value, sizeof(value));
    return value;
}

/* Up to `most` bytes of the rest. */
static inline struct input input_part(struct input *input, size_t most)
{
    struct input part = {input->at, input->left < most ? input->left : most};
    input->at += part.left;
    input->left -= part.left;
    return part;
}

#endif
