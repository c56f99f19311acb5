/* SPDX-License-Identifier: ISC
 *
 * See composition.h. Called by inspect.c and invariants.c.
 */
#include "tools/sim/composition.h"

#include <stddef.h>
#include <string.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/mappings.h"

const void *composition_table(struct image_table where)
{
    return (const char *)sim_image() + where.offset;
}

uint32_t domain_count(void)
{
    return sim_image()->domains.count;
}

const struct image_domain *domain_at(uint32_t d)
{
    return (const struct image_domain *)composition_table(sim_image()->domains) + d;
}

const struct cap *first_cap(void)
{
    return captable_slot(sim_init_table(), INIT_CAPTABLE);
}

uint32_t space_domain(const struct space *space)
{
    for (const struct list *l = space->maps.next; l != &space->maps; l = l->next) {
        uint32_t d = sim_window(CONTAINER_OF(l, struct cap, map.maps)->map.at);
        if (d && d < domain_count())
            return d;
    }
    return 0;
}

const char *space_name(const struct space *space)
{
    uint32_t d = space_domain(space);
    return d ? domain_at(d)->name : "init";
}

const struct thread *domain_thread(uint32_t d)
{
    for (const struct cap *cap = first_cap(); cap; cap = cap->next) {
        const struct thread *thread = cap->object;
        if (cap->type == OBJECT_thread && cap->flags & CAP_FIRST && thread->space &&
            space_domain(thread->space) == d)
            return thread;
    }
    return NULL;
}

static const struct space *domain_space(uint32_t d)
{
    for (const struct cap *cap = first_cap(); cap; cap = cap->next)
        if (cap->type == OBJECT_space && cap->flags & CAP_FIRST && space_domain(cap->object) == d)
            return cap->object;
    return NULL;
}

bool body_receives(uint32_t body)
{
    const struct thread *thread = domain_thread(body);
    const struct cap *cap = thread ? captable_slot(thread->captable, SLOT_OWN_PORT) : NULL;
    return cap && cap->type == OBJECT_port;
}

uint32_t domain_body(uint32_t d)
{
    const uint32_t second = domain_at(d)->body;
    return second && body_receives(second) ? second : d;
}

uint32_t body_domain(uint32_t body)
{
    return domain_at(body)->second ? domain_at(body)->body : body;
}

uint32_t domain_checking(void)
{
    static const char end[] = "_check";
    for (uint32_t d = 1; d < domain_count(); d++) {
        const char *name = domain_at(d)->name;
        const size_t length = strlen(name);
        if (length >= sizeof(end) && !strcmp(name + length - (sizeof(end) - 1), end))
            return d;
    }
    return 0;
}

uint32_t capability_count(void)
{
    uint32_t count = 0;
    for (const struct cap *cap = first_cap(); cap; cap = cap->next)
        count++;
    return count;
}

const void *domain_memory(uint64_t address)
{
    const struct space *space = domain_space(sim_window(address));
    uint64_t physical = space ? sim_translate(space, address) : 0;
    return physical ? phys_to_virt(physical) : NULL;
}

const void *domain_piece(uint64_t address, uint64_t bytes)
{
    const struct space *space = domain_space(sim_window(address));
    uint64_t first = space ? sim_translate(space, address) : 0;
    for (uint64_t offset = PAGE_BYTES - address % PAGE_BYTES; first && offset < bytes;
         offset += PAGE_BYTES)
        if (sim_translate(space, address + offset) != first + offset)
            return NULL;
    return first ? phys_to_virt(first) : NULL;
}

const struct start_page *domain_start_page(uint32_t d)
{
    const struct image_region *region = composition_table(sim_image()->regions);
    const struct image_mapping *mapping = composition_table(sim_image()->mappings);
    return domain_memory(mapping[region[domain_at(d)->start_region].first_mapping].address);
}
