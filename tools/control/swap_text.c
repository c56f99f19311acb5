/* SPDX-License-Identifier: ISC
 *
 * Why a swap was refused or rolled back, as sentences with a way out. See swap.h.
 */
#include <stdio.h>

#include "tools/control/swap.h"

static const char *abi_text(uint32_t detail)
{
    switch (detail) {
    case SWAP_ABI_START:
        return "start pages of another version";
    case SWAP_ABI_STATE:
        return "another format of state";
    case SWAP_ABI_KERNEL:
        return "another kernel ABI";
    case SWAP_ABI_SERVER:
        return "another server ABI";
    default:
        return "another kernel or libOS";
    }
}

static const char *room_text(uint32_t detail)
{
    switch (detail) {
    case SWAP_PART_TEXT:
        return "its text has no room: a larger text_room";
    case SWAP_PART_CONSTANTS:
        return "its constants have no room: a larger constants_room";
    case SWAP_PART_STATE:
        return "its servers' states have no room: a larger state_room";
    case SWAP_PART_STACK:
        return "its servers want more stack than there is: a larger stack";
    default:
        return "there is too little room for it: larger rooms";
    }
}

static void server_text(uint32_t detail, char text[64])
{
    text[0] = 0;
    if (detail)
        snprintf(text, 64, " (server %u of the domain)", detail);
}

static void refusal_text(const struct control_swap *status, const char *name, char *text,
                         size_t size)
{
    char server[64];
    server_text(status->refusal == SWAP_WRONG_PORTS ? status->detail % 256u : status->detail,
                server);
    switch (status->refusal) {
    case SWAP_NOT_ELF:
        snprintf(text, size,
                 "it is no ELF program for x86-64, or it is cut off — make "
                 "build/programs/IMAGE/%s.elf",
                 name);
        break;
    case SWAP_NO_PROGRAM:
        snprintf(text, size,
                 "it isn't a program of a domain that can be swapped%s — make "
                 "build/programs/IMAGE/%s.elf",
                 server, name);
        break;
    case SWAP_WRONG_ABI:
        snprintf(text, size,
                 "it is for %s — build the program from the same tree as the image, or boot a new "
                 "image",
                 abi_text(status->detail));
        break;
    case SWAP_WRONG_DOMAIN:
        snprintf(text, size,
                 "it is made of other servers than domain %s%s — is it another domain's program?",
                 name, server);
        break;
    case SWAP_WRONG_PORTS:
        snprintf(text, size,
                 "port %u%s isn't the one that is connected: same place, name, protocol, version "
                 "and role — a change of a protocol needs a new image",
                 status->detail / 256u + 1, server);
        break;
    case SWAP_TOO_LARGE:
        snprintf(text, size, "%s in the manifest and a new image help", room_text(status->detail));
        break;
    case SWAP_WRONG_PLACE:
        snprintf(text, size,
                 "it is linked to other addresses — make build/programs/IMAGE/%s.elf with the "
                 "manifest of the image that runs",
                 name);
        break;
    case SWAP_WRITABLE:
        snprintf(text, size,
                 "it has writable static data — keep it in the server's state (docs/libos.md)");
        break;
    case SWAP_WRONG_CHECKSUM:
        snprintf(text, size, "what arrived isn't what was sent — try again");
        break;
    default:
        snprintf(text, size,
                 "the loader came to no verdict — try again; motet log says why it stopped");
    }
}

static const char *phase_failed(uint8_t phase)
{
    return phase == CONTROL_SWAP_RESTING    ? "coming to rest"
           : phase == CONTROL_SWAP_STARTING ? "taking over"
                                            : "its probation";
}

static void rest_text(const struct control_swap *status, const char *name, char *text, size_t size)
{
    if (!status->error)
        snprintf(text, size, "%s stopped before it had handed over its state", name);
    else if (status->error == ERROR_TIMEOUT)
        snprintf(text, size,
                 "%s didn't come to rest within a second: something is under way that can't be "
                 "carried over — try again",
                 name);
    else if (status->error == ERROR_LIMIT)
        snprintf(text, size,
                 "%s's state has no room — a larger state_room in the manifest and a new image "
                 "help",
                 name);
    else if (status->error == ERROR_UNKNOWN_CALL)
        snprintf(text, size,
                 "a server of %s doesn't say what its state is — it needs SERVER_SWAP "
                 "(libos/swap.h)",
                 name);
    else
        snprintf(text, size, "%s couldn't hand over its state: %s", name,
                 error_text((enum error)status->error));
}

/* The old version served all the while. */
static void rehearsal_text(const struct control_swap *status, const char *name, char *text,
                           size_t size)
{
    if (!status->error)
        snprintf(text, size,
                 "the new version failed when it was tried, and nothing of %s was touched — motet "
                 "log %s says more",
                 name, name);
    else if (status->error == ERROR_TIMEOUT)
        snprintf(text, size,
                 "the new version didn't get ready within 5 seconds: it hangs, or the machine is "
                 "too busy; nothing of %s was touched — motet log %s may say more",
                 name, name);
    else
        rest_text(status, name, text, size);
}

static void rolled_back_text(const struct control_swap *status, const char *name, char *text,
                             size_t size)
{
    if (status->at == CONTROL_SWAP_RESTING)
        rest_text(status, name, text, size);
    else if (status->at == CONTROL_SWAP_REHEARSING)
        rehearsal_text(status, name, text, size);
    else if (status->at == CONTROL_SWAP_STARTING && status->error == ERROR_TIMEOUT)
        snprintf(text, size, "the new version didn't take over within a second — motet log %s",
                 name);
    else if (status->at == CONTROL_SWAP_STARTING)
        snprintf(text, size, "the new version failed while %s%s%s — motet log %s says more",
                 phase_failed(status->at), status->error ? ": " : "",
                 status->error ? error_text((enum error)status->error) : "", name);
    else
        snprintf(text, size, "the new version failed in %s — motet log %s says more",
                 phase_failed(status->at), name);
}

void swap_reason(const struct control_swap *status, const char *name, char *text, size_t size)
{
    text[0] = 0;
    if (status->phase == CONTROL_SWAP_ROLLED_BACK)
        rolled_back_text(status, name, text, size);
    else if (status->phase == CONTROL_SWAP_REFUSED && status->refusal)
        refusal_text(status, name, text, size);
    else if (status->phase == CONTROL_SWAP_REFUSED)
        snprintf(text, size, "%s stopped meanwhile — try again", name);
}
