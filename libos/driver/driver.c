/* SPDX-License-Identifier: ISC
 *
 * What drivers of one device have in common: see driver.h. Refuses, by name, what the manifest
 * doesn't grant.
 */
#include "libos/driver/driver.h"

#include <string.h>

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
                   "BAR %u: the device has no such memory, or it holds the MSI-X table, which no "
                   "driver gets",
                   n);
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
        "interrupt vector %u: %u granted; the manifest's claim says how many (vectors = %u), "
        "and the device must have them",
        n, driver->device->vectors, n + 1);
    return false;
}

void driver_deadline(struct driver *driver, uint64_t nanoseconds)
{
    domain_set_deadline(driver->domain,
                        nanoseconds ? domain_time(driver->domain) + nanoseconds : 0);
}

/* The pool with all three rights; not OK: the log says which are missing. */
static enum error pool_open(struct driver *driver)
{
    const char *name = driver->ops->pool;
    const struct pool *pool = domain_pool_named(driver->domain, name);
    if (!pool) {
        domain_log(driver->domain, "pool \"%s\": the manifest gives this driver none of that name",
                   name);
        return ERROR_NOT_FOUND;
    }
    if ((pool->rights & POOL_DRIVER) != POOL_DRIVER) {
        domain_log(
            driver->domain, "pool \"%s\": missing rights:%s%s%s; the manifest must say \"rwd\"",
            name, pool->rights & POOL_READ ? "" : " read",
            pool->rights & POOL_WRITE ? "" : " write", pool->rights & POOL_DMA ? "" : " dma");
        return ERROR_NO_RIGHT;
    }
    memset(pool->base, 0, (size_t)pool->buffers * pool->buffer_size);
    driver->pool = pool;
    return OK;
}

enum error driver_dma(struct driver *driver, uint32_t bytes, uint32_t alignment, struct dma *dma)
{
    const struct pool *pool = driver->pool;
    SERVER_ASSERT(pool && alignment && !(alignment & (alignment - 1)));
    uint64_t size = (uint64_t)pool->buffers * pool->buffer_size;
    uint64_t first = pool->physical + driver->used;
    uint64_t at = ((first + alignment - 1) & ~(uint64_t)(alignment - 1)) - pool->physical;
    if (bytes > size || at > size - bytes) {
        domain_log(driver->domain, "pool \"%s\": it has %lu bytes, %lu are needed",
                   driver->ops->pool, (unsigned long)size, (unsigned long)(at + bytes));
        return ERROR_NO_MEMORY;
    }
    *dma = (struct dma){.memory = pool->base + at, .address = pool->physical + at, .bytes = bytes};
    driver->used = (uint32_t)(at + bytes);
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
    return !ops->vendor || (device->bus_kind == DEVICE_PCI && device->vendor == ops->vendor &&
                            device->id >= ops->id && device->id <= last);
}

/* The device, if there is one; what the manifest grants, or an error that names what it doesn't. */
static enum error driver_take(struct driver *driver)
{
    const struct driver_ops *ops = driver->ops;
    if (!is_ours(driver))
        return driver_refuse(driver, "it isn't this driver's: see the claim in the manifest");
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
    enum error error = driver->ops->start(driver);
    if (error == OK)
        driver_run(driver);
    return is_refused(driver, error) ? OK : error;
}

enum error driver_start(struct driver *driver, struct domain *domain, const struct driver_ops *ops)
{
    driver->ops = ops;
    driver->domain = domain;
    driver->counters = domain_counters(domain);
    driver->device = domain_device(domain, 0);
    if (!driver->device) {
        driver->fault = "the machine has none";
        domain_log(domain, "no device: the machine has no %s", ops->what);
        return OK;
    }
    enum error error = driver_take(driver);
    return error == OK ? driver_begin(driver) : is_refused(driver, error) ? OK : error;
}

bool driver_again(struct driver *driver)
{
    if (driver->state != DRIVER_ABSENT && !driver->ops->silence(driver))
        return false;
    if (driver->state == DRIVER_RUNNING) {
        driver->state = DRIVER_ABSENT;
        driver->used = 0;
        driver_begin(driver);
    }
    return true;
}

void driver_signal(void *state, uint32_t device, uint32_t bits)
{
    struct driver *driver = state;
    (void)device; /* there is one */
    driver->counters[DRIVER_INTERRUPTS]++;
    for (uint32_t n = 0; n < DEVICE_VECTORS_MAX; n++)
        if ((bits >> n & 1) && driver_runs(driver))
            driver->ops->interrupt(driver, n);
    /* A device that can't be silenced keeps its pin, which stays masked. */
    if (driver_runs(driver))
        domain_acknowledge(driver->domain, driver->device);
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
