/* SPDX-License-Identifier: ISC
 *
 * Replacing a domain's program or one of its files in a running image (docs/swap.md): what `motet
 * swap` and `motet zone` share.
 */
#ifndef TOOLS_CONTROL_SWAP_H
#define TOOLS_CONTROL_SWAP_H

#include "motet/swap.h"
#include "tools/control/command.h"

/* What is swapped in. */
struct upload {
    uint32_t domain;
    char name[CONTROL_NAME_BYTES]; /* the domain's */
    uint16_t what;                 /* CONTROL_SWAP_PROGRAM, or CONTROL_SWAP_FILE + n */
    const char *path;              /* for messages; NULL: nothing new */
    const uint8_t *bytes;
    uint32_t size;
};

/* Reads a regular file into memory that lives as long as the program. Ends the program if that
 * isn't possible, or it is empty, or larger than `most`. */
uint8_t *upload_read(const char *path, uint32_t most, uint32_t *size);

/* Ends the program if that is no ELF program for x86-64. */
void upload_check_elf(const char *path, const uint8_t *bytes, uint32_t size);

/* Begins, sends, lets it go, and waits for how it comes out: until the new version serves, with
 * `wait` until its probation is over, with `commit` ends that. Says what came of it and returns the
 * exit status. `done`: what to say instead of "version ... serves"; NULL: that. */
int upload_swap(struct client *client, const struct options *options, const struct upload *upload,
                const char *done);

/* Why a swap wasn't, and the way out. */
void swap_reason(const struct control_swap *status, const char *name, char *text, size_t size);

#endif
