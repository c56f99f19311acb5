/* SPDX-License-Identifier: ISC
 *
 * domain_conn_generation of libos/domain.h, in a file of its own: few servers ask. Only a channel's
 * peer can start again while this side lives on.
 */
#include "ipc/channel.h"
#include "libos/domain.h"

/* A domain without channels needn't link them for this. */
#pragma weak channel_put

uint32_t domain_conn_generation(const struct conn *conn)
{
    if (conn->put != channel_put)
        return 0;
    const struct channel *channel = conn->transport;
    return channel->broken ? CONN_BROKEN : ring_read(&channel->theirs->generation);
}
