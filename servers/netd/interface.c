/* SPDX-License-Identifier: ISC
 *
 * Reading the interfaces' boot settings. Refuses whatever isn't written exactly as documented.
 */
#include <stddef.h>

#include "servers/netd/interface.h"

/* Reads a decimal number from 0 to `max` without leading zeros (some read those as octal). */
COLD static const char *number_parse(const char *text, uint32_t max, uint32_t *number)
{
    const char *start = text;
    uint32_t value = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        value = value * 10 + (uint32_t)(*text - '0');
        if (value > max || (text > start && *start == '0'))
            return NULL;
    }
    *number = value;
    return text > start ? text : NULL;
}

COLD const char *address_parse(const char *text, uint32_t *address)
{
    uint32_t result = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t byte;
        if (i && *text++ != '.')
            return NULL;
        text = number_parse(text, 255, &byte);
        if (!text)
            return NULL;
        result = result << 8 | byte;
    }
    *address = result;
    return text;
}

COLD bool interface_set_address(struct interface *interface, const char *text)
{
    uint32_t address, length;
    text = address_parse(text, &address);
    if (!text || *text++ != '/')
        return false;
    text = number_parse(text, 32, &length);
    if (!text || *text || !length || !address_is_host(address))
        return false;
    uint32_t host_bits = length == 32 ? 0 : 0xffffffffu >> length;
    uint32_t host = address & host_bits;
    if (host_bits > 1 && (host == 0 || host == host_bits))
        return false; /* the network's own, or its broadcast address */
    interface->address = address;
    interface->mask = ~host_bits;
    return true;
}

COLD bool interface_set_gateway(struct interface *interface, const char *text)
{
    uint32_t gateway;
    text = address_parse(text, &gateway);
    if (!text || *text || !interface_on_link(interface, gateway) ||
        !interface_is_peer(interface, gateway))
        return false;
    interface->gateway = gateway;
    return true;
}

COLD void interface_set_quota(struct interface *interface, uint32_t buffers)
{
    uint32_t batch = buffers / 4;
    if (batch > RECEIVE_BATCH)
        batch = RECEIVE_BATCH;
    interface->rx_quota = (uint16_t)buffers;
    interface->rx_low = (uint16_t)(batch ? buffers - batch + 1 : buffers);
}
