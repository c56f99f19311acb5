/* SPDX-License-Identifier: ISC
 *
 * The device of fake_edu.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_edu.h"

enum {
    ID = 0x00,
    LIVENESS = 0x04,
    FACTORIAL = 0x08,
    STATUS = 0x20,
    RAISED = 0x24,
    ACKNOWLEDGE = 0x64,
    SOURCE = 0x80,
    DESTINATION = 0x88,
    COUNT = 0x90,
    COMMAND = 0x98,
    BAR_BYTES = 1 << 20,
    BUFFER_AT = 0x40000,
    STATUS_INTERRUPT = 0x80,
    COMMAND_START = 1,
    COMMAND_TO_MEMORY = 2,
    COMMAND_INTERRUPT = 4,
    RAISED_FACTORIAL = 1,
    RAISED_DMA = 0x100,
};

static void work(struct fake_edu *fake);

static uint32_t raised_read(struct fake_edu *fake)
{
    const uint32_t raised = fake->raised;
    if (fake->sudden)
        work(fake);
    fake->sudden = false;
    return raised;
}

static uint32_t edu_read(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    struct fake_edu *fake = (struct fake_edu *)model;
    assert(bytes == 4);
    switch (offset) {
    case ID:
        return fake->id;
    case LIVENESS:
        return fake->deaf ? ~fake->liveness : fake->liveness;
    case FACTORIAL:
        return fake->factorial;
    case STATUS:
        return fake->status | fake->computing;
    case RAISED:
        return raised_read(fake);
    case COMMAND:
        return fake->never_stops ? COMMAND_START : fake->command;
    default:
        assert(!"no such register to read");
        return 0;
    }
}

/* Wider than QEMU's, which takes 32 bits of it: the host's memory lies higher. */
static void half(uint64_t *value, uint32_t word, uint32_t at)
{
    *value = at ? (*value & UINT32_MAX) | (uint64_t)word << 32 : word;
}

static void edu_write(struct device_model *model, uint32_t offset, uint32_t bytes, uint32_t value)
{
    struct fake_edu *fake = (struct fake_edu *)model;
    assert(bytes == 4);
    switch (offset) {
    case LIVENESS:
        fake->liveness = ~value;
        break;
    case FACTORIAL:
        assert(!fake->computing);
        fake->factorial = value;
        fake->computing = true;
        break;
    case STATUS:
        fake->status = value & STATUS_INTERRUPT;
        break;
    case ACKNOWLEDGE:
        fake->raised &= ~value;
        break;
    case SOURCE:
    case SOURCE + 4:
        half(&fake->source, value, offset - SOURCE);
        break;
    case DESTINATION:
    case DESTINATION + 4:
        half(&fake->destination, value, offset - DESTINATION);
        break;
    case COUNT:
    case COUNT + 4:
        half(&fake->count, value, offset - COUNT);
        break;
    case COMMAND:
        assert(!(fake->command & COMMAND_START));
        fake->command = value;
        break;
    default:
        assert(!"no such register to write");
    }
}

struct fake_edu *fake_edu_create(struct device *device, uint8_t *memory, uint64_t bytes)
{
    struct fake_edu *fake = calloc(1, sizeof(*fake));
    assert(fake);
    *fake = (struct fake_edu){.model = {.read = edu_read, .write = edu_write},
                              .device = device,
                              .granted = memory,
                              .granted_bytes = bytes,
                              .id = 0x010000ed};
    *device = (struct device){.vendor = 0x1234, .id = 0x11e8, .slot = 4, .vectors = 1, .msi = 1};
    device->bar[0] = (struct device_bar){.base = (volatile uint8_t *)fake, .size = BAR_BYTES};
    return fake;
}

void fake_edu_use_pin(struct fake_edu *fake)
{
    fake->device->msi = 0;
    fake->device->pin = 1;
}

void fake_edu_destroy(struct fake_edu *fake)
{
    free(fake);
}

static uint8_t *memory_at(const struct fake_edu *fake, uint64_t address)
{
    uint64_t first = (uint64_t)(uintptr_t)fake->granted;
    assert(address >= first && fake->count <= fake->granted_bytes &&
           address - first <= fake->granted_bytes - fake->count);
    return fake->granted + (address - first);
}

static uint8_t *buffer_at(struct fake_edu *fake, uint64_t address)
{
    assert(address >= BUFFER_AT && fake->count <= FAKE_EDU_BUFFER &&
           address - BUFFER_AT <= FAKE_EDU_BUFFER - fake->count);
    return fake->buffer + (address - BUFFER_AT);
}

/* Each time sends a message, whether earlier causes were acknowledged or not. */
static void raise_cause(struct fake_edu *fake, uint32_t cause)
{
    fake->raised |= cause;
    fake->message = fake->device->msi;
}

static void copy(struct fake_edu *fake)
{
    if (fake->command & COMMAND_TO_MEMORY)
        memcpy(memory_at(fake, fake->destination), buffer_at(fake, fake->source), fake->count);
    else
        memcpy(buffer_at(fake, fake->destination), memory_at(fake, fake->source), fake->count);
    fake->copies++;
    fake->command &= ~(uint32_t)COMMAND_START;
    if (fake->command & COMMAND_INTERRUPT)
        raise_cause(fake, RAISED_DMA);
}

static void compute(struct fake_edu *fake)
{
    uint32_t n = fake->factorial, result = 1;
    for (; n > 1; n--)
        result *= n;
    fake->factorial = result;
    fake->computing = false;
    if (fake->status & STATUS_INTERRUPT)
        raise_cause(fake, RAISED_FACTORIAL);
}

static void work(struct fake_edu *fake)
{
    if (fake->computing && !fake->mute)
        compute(fake);
    if ((fake->command & COMMAND_START) && !fake->mute)
        copy(fake);
}

bool fake_edu_work(struct fake_edu *fake)
{
    work(fake);
    const bool interrupts = fake->device->pin ? fake->raised != 0 : fake->message;
    fake->message = false;
    return interrupts;
}
