/* SPDX-License-Identifier: ISC
 *
 * Where a domain was when it stopped by a fault: the function, and those that called it. Linked
 * only into images with symbols = true. docs/restart.md.
 *
 * There are no frame pointers and no tables to unwind by: what is printed are the words of the
 * stack that stand behind a call in the program's text, from the stack pointer upwards. A word that
 * an earlier call left there looks the same. All that the domain has left is checked: the registers
 * may point anywhere, and its memory may be changing if others can write it.
 */
#include <string.h>

#include "libos/syscall.h"
#include "servers/init/backtrace_words.h"
#include "servers/init/init.h"

enum {
    STACK_BYTES_MAX = 4096, /* looked at */
    WORDS_MAX = 64,         /* of them, that point into the text */
    PRINTED_MAX = 12,
    WORD_BYTES = 8,
};

/* Where the body's text is, for a simulator moves it. */
struct text {
    uint64_t begin, bytes;
    const struct image_symbols *symbols; /* NULL: it isn't the image's program */
};

/* Memory of a body that init can map: `slot` is its own capability of it. */
struct place {
    uint64_t address, bytes;
    uint32_t slot;
};

/* False: the body has nothing there with those rights. */
static bool place_find(const struct init *init, uint32_t body, uint64_t address, uint8_t rights,
                       struct place *place)
{
    uint32_t r;
    const struct image_mapping *mapping = mapping_at(init, body, address, rights, &r);
    if (!mapping || !init->region_slots[r])
        return false;
    const uint64_t pages =
        init->region[r].pages < PAGE_RUN_MAX ? init->region[r].pages : PAGE_RUN_MAX;
    *place = (struct place){mapping->address, pages * PAGE_BYTES, init->region_slots[r]};
    return true;
}

/* For reading, until place_close. False: init has it mapped already, and so has it all. */
static bool place_open(const struct place *place)
{
    return sys_invoke(place->slot, OPERATION_page_map, INIT_SPACE, SCRATCH_WINDOW, RIGHT_READ, 0, 0,
                      NULL) == OK;
}

static void place_close(const struct place *place)
{
    sys_invoke(place->slot, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
}

static struct text text_of(const struct init *init, uint32_t body)
{
    const uint64_t begin = start_address(init, body) + (IMAGE_ADDRESS - START_ADDRESS);
    struct text text = {.begin = begin};
    struct place place;
    if (place_find(init, body, begin, IMAGE_EXECUTE, &place))
        text.bytes = place.bytes;
    if (!init->bodies.entry[body]) {
        text.symbols = (const void *)((const char *)init->image + init->domain[body].symbols);
        text.bytes = text.symbols->text_bytes;
    }
    return text;
}

/* Copies the words between the stack pointer and the end of where it points that lie in the text.
 */
static uint32_t words_copy(const struct place *stack, uint64_t pointer, const struct text *text,
                           uint64_t words[WORDS_MAX])
{
    const uint64_t first = (pointer - stack->address + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
    uint64_t end = stack->bytes;
    uint32_t count = 0;
    if (end - first > STACK_BYTES_MAX)
        end = first + STACK_BYTES_MAX;
    for (uint64_t at = first; at < end && count < WORDS_MAX; at += WORD_BYTES) {
        const uint64_t word = *(const volatile uint64_t *)(SCRATCH_WINDOW + at);
        if (word - text->begin < text->bytes)
            words[count++] = word;
    }
    return count;
}

/* Pieces of a text may be regions of their own. */
static bool text_copy(const struct init *init, uint32_t body, uint64_t from, uint8_t *to,
                      uint64_t bytes)
{
    while (bytes) {
        struct place place;
        if (!place_find(init, body, from, IMAGE_READ | IMAGE_EXECUTE, &place) ||
            !place_open(&place))
            return false;
        const uint64_t inside = from - place.address, left = place.bytes - inside;
        const uint64_t part = left < bytes ? left : bytes;
        memcpy(to, (const uint8_t *)SCRATCH_WINDOW + inside, part);
        place_close(&place);
        from += part;
        to += part;
        bytes -= part;
    }
    return true;
}

static bool is_return_address(const struct init *init, uint32_t body, const struct text *text,
                              uint64_t address)
{
    uint8_t before[CALL_BYTES_MAX] = {0};
    const uint64_t offset = address - text->begin;
    const uint64_t bytes = offset < CALL_BYTES_MAX ? offset : CALL_BYTES_MAX;
    return text_copy(init, body, address - bytes, &before[CALL_BYTES_MAX - bytes], bytes) &&
           is_behind_call(before, offset, text->bytes);
}

/* `back`: how far before the address the instruction is that the function is known by. A call that
 * never returns may be its function's last instruction. */
static void address_print(const char *name, const char *what, const struct text *text,
                          uint64_t address, uint64_t back)
{
    const uint64_t offset = address - text->begin;
    const struct image_symbol *symbol =
        text->symbols && offset < text->bytes ? symbol_find(text->symbols, offset - back) : NULL;
    if (symbol)
        console_print("init: %s:   %s 0x%lx %s+0x%lx", name, what, (unsigned long)address,
                      (const char *)INIT_IMAGE_ADDRESS + symbol->name,
                      (unsigned long)(offset - symbol->offset));
    else
        console_print("init: %s:   %s 0x%lx", name, what, (unsigned long)address);
}

void backtrace_print(const struct init *init, uint32_t body, const struct msg *m)
{
    const uint64_t instruction = m->w[2], pointer = m->w[3];
    const char *name = init->domain[body].name;
    uint64_t words[WORDS_MAX];
    uint32_t count, printed = 0;
    struct place stack;
    if (!init->domain[body].symbols)
        return;
    const struct text text = text_of(init, body);
    if (!text.symbols)
        console_print("init: %s:   (symbols are of the version that was booted)", name);
    address_print(name, "at", &text, instruction, 0);
    if (!place_find(init, body, pointer, IMAGE_READ | IMAGE_WRITE, &stack) || !place_open(&stack)) {
        console_print("init: %s:   its stack pointer 0x%lx is in none of its memory", name,
                      (unsigned long)pointer);
        return;
    }
    count = words_copy(&stack, pointer, &text, words);
    place_close(&stack);
    for (uint32_t i = 0; i < count && printed < PRINTED_MAX; i++) {
        if (!is_return_address(init, body, &text, words[i]))
            continue;
        address_print(name, "from", &text, words[i], 1);
        printed++;
    }
}
