/* SPDX-License-Identifier: ISC
 *
 * What drivers of one device have in common: see driver.h. Refuses, by name, what the manifest
 * doesn't grant.
 */
#include "libos/driver/driver.h"

#include <string.h>

#include "libos/swap.h"

enum { POOL_DRIVER = POOL_READ | POOL_WRITE | POOL_DMA };

enum error driver_refuse(struct driver *driver, const char *why)
{
    char place[DEVICE_TEXT_BYTES];
    device_text(driver->device, place);
    driver->fault = why;
    driver->counters[DRIVER_REFUSED]++;
    domain_log(driver->domain, "device %s (%04x:%04x) not used: %s", place, driver->device->vendor,
               driver->device->id, why);
    return ERROR_BAD_STATE;
}

void driver_fail(struct driver *driver, const char *why)
{
    char place[DEVICE_TEXT_BYTES];
    if (driver->state != DRIVER_RUNNING)
        return;
    driver->silent = driver->ops->silence(driver);
    device_text(driver->device, place);
    driver->state = DRIVER_BROKEN;
    driver->fault = why;
    driver->counters[DRIVER_BROKE]++;
    driver_deadline(driver, 0);
    domain_log(driver->domain, "device %s broken: %s; %s, out of use until a restart", place, why,
               driver->silent ? "silenced" : "it can't be silenced");
}

const struct device_bar *driver_bar(struct driver *driver, uint32_t n, uint32_t offset,
                                    uint32_t bytes)
{
    const struct device_bar *bar = n < DEVICE_BARS ? &driver->device->bar[n] : NULL;
    if (!bar || !bar->base) {
        domain_log(driver->domain,
                   "BAR %u: there is none, or it holds the MSI-X table, which no driver gets", n);
        return NULL;
    }
    if (bar->size < bytes || offset > bar->size - bytes) {
        domain_log(driver->domain, "BAR %u: it has %lu bytes, the registers need %lu", n,
                   (unsigned long)bar->size, (unsigned long)offset + bytes);
        return NULL;
    }
    return bar;
}

bool driver_vector(struct driver *driver, uint32_t n)
{
    if (n < driver->device->vectors)
        return true;
    domain_log(
        driver->domain,
        "interrupt vector %u: %u granted; the claim (vectors = %u) and the device must have it", n,
        driver->device->vectors, n + 1);
    return false;
}

void driver_deadline(struct driver *driver, uint64_t nanoseconds)
{
    domain_set_deadline(driver->domain,
                        nanoseconds ? domain_time(driver->domain) + nanoseconds : 0);
}

/* How much of the pool is the driver's. */
static uint32_t memory_bytes(const struct driver *driver)
{
    const struct pool *pool = driver->pool;
    return driver->ops->pool_each ? pool->buffer_size : pool->buffers * pool->buffer_size;
}

/* Nothing of the driver's memory is anybody's. */
static void memory_begin(struct driver *driver)
{
    const uint32_t bytes = memory_bytes(driver);
    driver->used = driver->ops->pool_each ? driver->number * bytes : 0;
    driver->end = driver->used + bytes;
}

/* The pool with all three rights; not OK: the log says which are missing. */
static enum error pool_open(struct driver *driver)
{
    const char *name = driver->ops->pool;
    const struct pool *pool = domain_pool_named(driver->domain, name);
    if (!pool) {
        domain_log(driver->domain, "pool \"%s\": the manifest gives it none of that name", name);
        return ERROR_NOT_FOUND;
    }
    if ((pool->rights & POOL_DRIVER) != POOL_DRIVER) {
        domain_log(
            driver->domain, "pool \"%s\": missing rights:%s%s%s; the manifest must say \"rwd\"",
            name, pool->rights & POOL_READ ? "" : " read",
            pool->rights & POOL_WRITE ? "" : " write", pool->rights & POOL_DMA ? "" : " dma");
        return ERROR_NO_RIGHT;
    }
    if (driver->ops->pool_each && driver->number >= pool->buffers) {
        domain_log(driver->domain, "pool \"%s\": it has no buffer left for device %u", name,
                   driver->number);
        return ERROR_NO_MEMORY;
    }
    driver->pool = pool;
    memory_begin(driver);
    return OK;
}

uint32_t driver_dma_left(const struct driver *driver, uint32_t alignment)
{
    uint64_t next = driver->pool->physical + driver->used;
    uint64_t at = ((next + alignment - 1) & ~(uint64_t)(alignment - 1)) - driver->pool->physical;
    return at < driver->end ? driver->end - (uint32_t)at : 0;
}

/* Not cleared before, nor for a device that runs on: until it is silent it follows what an earlier
 * life of the driver has left there, and in a ring of zeros it finds buffers at address 0. */
enum error driver_dma(struct driver *driver, uint32_t bytes, uint32_t alignment, struct dma *dma)
{
    const struct pool *pool = driver->pool;
    SERVER_ASSERT(pool && alignment && !(alignment & (alignment - 1)));
    uint32_t left = driver_dma_left(driver, alignment);
    if (bytes > left) {
        uint32_t all = memory_bytes(driver);
        domain_log(driver->domain, "pool \"%s\": it has %u bytes, %u are needed", driver->ops->pool,
                   all, all - left + bytes);
        return ERROR_NO_MEMORY;
    }
    uint32_t at = driver->end - left;
    *dma = (struct dma){.memory = pool->base + at, .address = pool->physical + at, .bytes = bytes};
    driver->used = at + bytes;
    if (!domain_swaps(driver->domain))
        memset(dma->memory, 0, bytes);
    return OK;
}

/* How the device interrupts, for the log. */
static const char *interrupts(const struct device *device)
{
    if (!device->vectors)
        return "no interrupts";
    return device->pin ? "pin" : device->msi ? "MSI" : "MSI-X";
}

static void driver_run(struct driver *driver)
{
    char place[DEVICE_TEXT_BYTES];
    device_text(driver->device, place);
    driver->state = DRIVER_RUNNING;
    domain_log(driver->domain, "ready: device %s (%04x:%04x), %s", place, driver->device->vendor,
               driver->device->id, interrupts(driver->device));
}

static bool is_ours(const struct driver *driver)
{
    const struct driver_ops *ops = driver->ops;
    const struct device *device = driver->device;
    uint16_t last = ops->id_last ? ops->id_last : ops->id;
    return !ops->vendor || (device->vendor == ops->vendor && /* over MMIO it is 0 */
                            device->id >= ops->id && device->id <= last);
}

/* The device, if there is one; what the manifest grants, or an error that names what it doesn't. */
static enum error driver_take(struct driver *driver)
{
    const struct driver_ops *ops = driver->ops;
    if (!is_ours(driver))
        return driver_refuse(driver, "it isn't this driver's: see its claim");
    const bool one = driver->device->pin || driver->device->msi;
    if (ops->vectors && !driver_vector(driver, one ? 0 : ops->vectors - 1u))
        return ERROR_NOT_FOUND;
    return ops->pool ? pool_open(driver) : OK;
}

static bool is_refused(const struct driver *driver, enum error error)
{
    return error == ERROR_BAD_STATE && driver->fault;
}

static enum error driver_begin(struct driver *driver)
{
    if (domain_swaps(driver->domain))
        return OK; /* driver_load follows */
    enum error error = driver->ops->start(driver);
    if (error == OK)
        driver_run(driver);
    return is_refused(driver, error) ? OK : error;
}

enum error driver_start_device(struct driver *driver, struct domain *domain,
                               const struct driver_ops *ops, uint32_t n)
{
    driver->ops = ops;
    driver->domain = domain;
    driver->number = (uint8_t)n;
    driver->counters = domain_counters(domain);
    driver->device = domain_device(domain, n);
    if (!driver->device) {
        domain_log(domain, "no device: the machine has no %s", ops->what);
        return OK;
    }
    enum error error = driver_take(driver);
    return error == OK ? driver_begin(driver) : is_refused(driver, error) ? OK : error;
}

enum error driver_start(struct driver *driver, struct domain *domain, const struct driver_ops *ops)
{
    driver->domain = domain;
    enum error error = ops->open ? ops->open(driver) : OK;
    return error == OK ? driver_start_device(driver, domain, ops, 0) : error;
}

struct driver_saved driver_save(const struct driver *driver)
{
    return (struct driver_saved){.state = driver->state, .silent = driver->silent};
}

enum error driver_load(struct driver *driver, const struct driver_saved *saved)
{
    if (saved->state > DRIVER_BROKEN || (saved->silent && saved->state != DRIVER_BROKEN) ||
        (saved->state != DRIVER_ABSENT && !driver->device))
        return ERROR_BAD_ARGUMENT;
    driver->state = saved->state;
    driver->silent = saved->silent != 0;
    return OK;
}

bool driver_again(struct driver *driver)
{
    if (driver->state == DRIVER_ABSENT || driver->silent)
        return true;
    if (!driver->ops->silence(driver))
        return false;
    if (driver->state == DRIVER_RUNNING) {
        driver->state = DRIVER_ABSENT;
        if (driver->pool)
            memory_begin(driver);
        driver_begin(driver);
    }
    if (!driver_runs(driver)) { /* it was refused this time, or was broken before */
        driver->state = DRIVER_BROKEN;
        driver->silent = true;
    }
    return true;
}

void driver_interrupt(struct driver *driver, uint32_t bits)
{
    driver->counters[DRIVER_INTERRUPTS]++;
    for (uint32_t n = 0; n < DEVICE_VECTORS_MAX; n++)
        if ((bits >> n & 1) && driver_runs(driver))
            driver->ops->interrupt(driver, n);
    /* A device that can't be silenced keeps its pin, which stays masked. */
    if (driver_runs(driver))
        domain_acknowledge(driver->domain, driver->device);
}

void driver_signal(void *state, uint32_t device, uint32_t bits)
{
    (void)device; /* there is one */
    driver_interrupt(state, bits);
}

void driver_late(void *state)
{
    struct driver *driver = state;
    if (driver_runs(driver) && driver->ops->late)
        driver->ops->late(driver);
}

void driver_batch_end(void *state)
{
    struct driver *driver = state;
    if (driver_runs(driver) && driver->ops->work)
        driver->ops->work(driver);
    if (driver->ops->round)
        driver->ops->round(driver);
}
