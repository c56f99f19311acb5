/* SPDX-License-Identifier: ISC
 *
 * What drivers of one device have in common: finding it, what the manifest granted, DMA memory with
 * an owner, interrupts and deadlines as calls, an end that can be told from a beginning.
 * docs/driver.md. Beside it: registers.h (typed registers), virtio_device.h (virtio devices),
 * entropy.h (a class protocol's server side).
 *
 * A driver is a server whose state begins with `struct driver`, and a struct of functions; DRIVER
 * makes its descriptor. A server with several devices of a kind has a struct driver for each one,
 * and writes its descriptor itself: driver_start_device, driver_interrupt.
 *
 *   DRIVER_ABSENT   the machine has no such device, or it was refused
 *   DRIVER_RUNNING  `start` said OK
 *   DRIVER_BROKEN   driver_fail: the device broke its rules, was silenced, and is left alone; or
 *                   driver_again: it was refused this time
 *
 * Absent or broken, the server runs on: it has clients that want an answer. What the manifest
 * doesn't grant is another matter: `start` isn't OK then, the log names what is missing (a BAR, a
 * pool and its rights, a vector), and the domain stops.
 *
 * Invariants:
 *  - `start` resets the device before anything else: a restart is a first start;
 *  - no function but `start` is called unless the driver is running;
 *  - a pin is opened again only after `interrupt` has silenced the device;
 *  - a message (MSI-X, MSI) that comes while `interrupt` runs makes it run once more;
 *  - a piece of DMA memory is the processor's or the device's, and asserts say whose when it is
 *    touched. Between the two stands a barrier.
 */
#ifndef MOTET_LIBOS_DRIVER_H
#define MOTET_LIBOS_DRIVER_H

#include <stddef.h>

#include "libos/assert.h"
#include "libos/domain.h"
#include "libos/server.h"

struct driver;

struct driver_ops {
    const char *what;     /* "an entropy source": for the log, if the machine has none */
    uint16_t vendor;      /* PCI's, or DEVICE_VENDOR_PNP; 0: `start` looks by itself */
    uint16_t id, id_last; /* id_last 0: id alone */
    uint8_t vectors;      /* at least so many by MSI-X; by MSI or a pin, one may be all there is */
    const char *pool;     /* of DMA memory, what the manifest calls it; NULL: none */
    bool pool_each;       /* device n has buffer n of it; else all of it is the one device's */

    /* What its clients need, whether there is a device or not; NULL: nothing. Not OK: the domain
     * stops. */
    enum error (*open)(struct driver *driver);

    /* Resets the device, finds out what it can do, and starts it. ERROR_BAD_STATE by
     * driver_refuse: it can't be used, the server goes on. Anything else: the domain stops. */
    enum error (*start)(struct driver *driver);

    /* Vector n interrupted; a pin is vector 0, and the device must have let it go on return. Where
     * vectors are fewer than the device could use, it is for the causes of the missing ones too.
     * Maybe for nothing: a message of before `start` comes late, a pin may be shared. */
    void (*interrupt)(struct driver *driver, uint32_t vector);

    /* After each round in which anything happened; NULL: nothing to do. */
    void (*work)(struct driver *driver);

    /* The same, in whatever state the driver is: what goes to clients. NULL: nothing to do. */
    void (*round)(struct driver *driver);

    /* The deadline has passed; NULL: none is ever set. */
    void (*late)(struct driver *driver);

    /* No interrupt and no DMA any more. False: the device doesn't obey. */
    bool (*silence)(struct driver *driver);
};

enum driver_state { DRIVER_ABSENT, DRIVER_RUNNING, DRIVER_BROKEN };

/* Counters that each driver has first; its own follow. */
enum { DRIVER_INTERRUPTS, DRIVER_REFUSED, DRIVER_BROKE, DRIVER_COUNTERS };
#define DRIVER_COUNTER_NAMES                                                                       \
    [DRIVER_INTERRUPTS] = "interrupts", [DRIVER_REFUSED] = "devices_refused",                      \
    [DRIVER_BROKE] = "devices_broken"

struct driver {
    const struct driver_ops *ops;
    struct domain *domain;
    const struct device *device; /* NULL: the machine has none */
    const struct pool *pool;     /* of DMA memory */
    uint64_t *counters;
    const char *fault; /* why it was refused or broke */
    uint32_t used;     /* where in the pool driver_dma gives next, in bytes; up to `end` */
    uint32_t end;
    uint8_t number; /* of the device, among the server's */
    uint8_t state;  /* enum driver_state */
    bool silent;    /* broken: it was silenced, what it had is the driver's again */
};

static inline bool driver_runs(const struct driver *driver)
{
    return driver->state == DRIVER_RUNNING;
}

/* The device can't be used: says why and where. Returns ERROR_BAD_STATE, for `start`. */
enum error driver_refuse(struct driver *driver, const char *why);

/* The running device broke its rules: it is silenced, and out of use until a restart. */
void driver_fail(struct driver *driver, const char *why);

/* A client has begun anew: the device is silenced and started, so that nothing of its earlier life
 * is under way; a broken one is only silenced, and left alone once it is. False: it can't be
 * silenced. */
bool driver_again(struct driver *driver);

/* BAR `n`, if it has `bytes` at `offset`; else NULL, and the log says what there is. */
const struct device_bar *driver_bar(struct driver *driver, uint32_t n, uint32_t offset,
                                    uint32_t bytes);

/* Whether vector `n` was granted; if not, that is said. */
bool driver_vector(struct driver *driver, uint32_t n);

/* Looks until `condition` is true, for so long at most, and so many times where time stands still.
 * The value is what it was last; that was after the time had passed, if it is false: whoever was
 * kept from running meanwhile doesn't take that for the device's fault. Only where the device has
 * promised to be quick: meanwhile nobody else of the domain runs. */
#define DRIVER_WAIT(driver, nanoseconds, condition)                                                \
    ({                                                                                             \
        const uint64_t wait_end_ = domain_time((driver)->domain) + (nanoseconds);                  \
        uint32_t looks_ = 0;                                                                       \
        bool wait_met_, wait_over_;                                                                \
        do {                                                                                       \
            wait_over_ =                                                                           \
                ++looks_ == DRIVER_LOOKS_MAX || domain_time((driver)->domain) >= wait_end_;        \
            wait_met_ = (condition);                                                               \
        } while (!wait_met_ && !wait_over_);                                                       \
        wait_met_;                                                                                 \
    })
enum { DRIVER_LOOKS_MAX = 1000000 };

/* Calls `late` in `nanoseconds`, and not at a time set before; 0: not at all. */
void driver_deadline(struct driver *driver, uint64_t nanoseconds);

/* A piece of DMA memory, zeroed and the processor's at first. */
struct dma {
    uint8_t *memory;  /* by dma_memory */
    uint64_t address; /* the device's; by dma_give */
    uint32_t bytes;
    bool lent; /* the device has it */
};

/* The next piece of the driver's pool, at a multiple of `alignment` (a power of two). Only in
 * `start`, when the device is silent. Not OK: the pool is too small, which was said. */
enum error driver_dma(struct driver *driver, uint32_t bytes, uint32_t alignment, struct dma *dma);

/* Bytes that driver_dma still has, from the next multiple of `alignment` on. */
uint32_t driver_dma_left(const struct driver *driver, uint32_t alignment);

/* What the processor may read and write: not while the device has it. */
static inline void *dma_memory(const struct dma *dma)
{
    SERVER_ASSERT(!dma->lent);
    return dma->memory;
}

/* To the device; the address that it is told. What was written is there before it is told. */
static inline uint64_t dma_give(struct dma *dma)
{
    SERVER_ASSERT(!dma->lent);
    dma->lent = true;
    __atomic_thread_fence(__ATOMIC_RELEASE); /* all writes before the register's, or the ring's */
    return dma->address;
}

/* From the device, which has said that it is done. False: it hadn't got it. */
static inline bool dma_take(struct dma *dma)
{
    if (!dma->lent)
        return false;
    dma->lent = false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* what it said was read before its data is */
    return true;
}

/* A device that was silenced has nothing any more. */
static inline void dma_recover(struct dma *dma)
{
    dma->lent = false;
}

/* Starts the server's n-th device. OK: it runs, or there is none that can be used; else the domain
 * can't go on without what the manifest doesn't grant. */
enum error driver_start_device(struct driver *driver, struct domain *domain,
                               const struct driver_ops *ops, uint32_t n);

/* The device has interrupted: bits are its vectors. */
void driver_interrupt(struct driver *driver, uint32_t bits);

/* What is to be known of a driver that is swapped (libos/swap.h); its device runs on. In the new
 * life `start` isn't called: the driver has its device and its pool, as they are, and its state
 * from driver_load. */
struct driver_saved {
    uint8_t state; /* enum driver_state */
    uint8_t silent;
};
struct driver_saved driver_save(const struct driver *driver);

/* ERROR_BAD_ARGUMENT: no driver of this device can have been like that. */
enum error driver_load(struct driver *driver, const struct driver_saved *saved);

/* Entry points, for DRIVER. */
enum error driver_start(struct driver *driver, struct domain *domain, const struct driver_ops *ops);
void driver_signal(void *state, uint32_t device, uint32_t bits);
void driver_late(void *state);
void driver_batch_end(void *state);

/* The descriptor of the server `name`, whose state is `type`. What follows goes into it. */
#define DRIVER(name_, type, ops_, counter_names, ...)                                              \
    _Static_assert(offsetof(type, driver) == 0, "the state begins with struct driver");            \
    static enum error name_##_start_(void *state, struct domain *domain)                           \
    {                                                                                              \
        return driver_start(state, domain, &(ops_));                                               \
    }                                                                                              \
    SERVER(name_, type, counter_names, .stack_bytes = DRIVER_STACK_BYTES, .start = name_##_start_, \
           .signal = driver_signal, .deadline = driver_late, .batch_end = driver_batch_end,        \
           __VA_ARGS__)

enum { DRIVER_STACK_BYTES = 2048 };

#endif
