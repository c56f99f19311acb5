/* SPDX-License-Identifier: ISC
 *
 * Log pages: see log.h. log_write is called by domain_log; log_read by init, which trusts nothing
 * in the page.
 */
#include <string.h>

#include "libos/log.h"

static void copy_in(struct log_page *page, uint64_t position, const char *text, size_t length)
{
    size_t offset = position % LOG_BYTES;
    size_t first = length < LOG_BYTES - offset ? length : LOG_BYTES - offset;
    memcpy(page->text + offset, text, first);
    memcpy(page->text, text + first, length - first);
}

void log_write(struct log_page *page, const char *text, size_t length)
{
    if (length > LOG_LINE_BYTES - 1)
        length = LOG_LINE_BYTES - 1;
    uint64_t position = page->written;
    uint64_t end = position + length + 1;
    __atomic_store_n(&page->claimed, end, __ATOMIC_RELAXED);
    /* `claimed` is written before the text, so that a reader of overwritten text sees it. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    copy_in(page, position, text, length);
    copy_in(page, end - 1, "\n", 1);
    /* The text is written before `written`, and that before `lines`: the count of lost lines may be
     * late but is never too high. */
    __atomic_store_n(&page->written, end, __ATOMIC_RELEASE);
    __atomic_store_n(&page->lines, page->lines + 1, __ATOMIC_RELEASE);
}

/* Copies `length` bytes from the reader's position on. */
static void copy_out(const struct log_reader *reader, const struct log_page *page, char *out,
                     size_t length)
{
    size_t offset = reader->position % LOG_BYTES;
    size_t first = length < LOG_BYTES - offset ? length : LOG_BYTES - offset;
    memcpy(out, page->text + offset, first);
    memcpy(out + first, page->text, length - first);
}

enum piece { PIECE_NONE, PIECE_OVERTAKEN, PIECE_READ };

/* Copies the next piece of text, at most `size` bytes, and sees whether it was there to be read. */
static enum piece piece_read(struct log_reader *reader, const struct log_page *page, char *out,
                             size_t size, size_t *length)
{
    uint64_t written = __atomic_load_n(&page->written, __ATOMIC_ACQUIRE);
    uint64_t there = written - reader->position;
    *length = there < size ? (size_t)there : size;
    copy_out(reader, page, out, *length);
    /* The text is read before `claimed`: text that was overwritten meanwhile is found out. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    uint64_t claimed = __atomic_load_n(&page->claimed, __ATOMIC_RELAXED);
    if (claimed - reader->position > LOG_BYTES) {
        /* Overtaken, or a page begun anew: go on with the oldest text that is there. */
        reader->position = claimed > LOG_BYTES ? claimed - LOG_BYTES : 0;
        reader->in_line = reader->position > 0;
        return PIECE_OVERTAKEN;
    }
    /* No honest page has text that wasn't claimed. Refusing it ends the reading of any page that
     * stands still. */
    if (!there || written > claimed || written < reader->position)
        return PIECE_NONE;
    return PIECE_READ;
}

/* Ends the text at its newline, or where `length` (at least 1) or `size` end it: there must be room
 * for the terminator, but none for a newline in its place. Returns the bytes used, with the
 * newline.
 */
static size_t line_end(char *text, size_t length, size_t size, bool *complete)
{
    size_t used = 0, most = length < size ? length : size - 1;
    while (used < most && text[used] != '\n') {
        if (text[used] < ' ' || text[used] > '~')
            text[used] = '.';
        used++;
    }
    *complete = used < length && text[used] == '\n';
    text[used] = 0;
    return used + *complete;
}

bool log_read(struct log_reader *reader, const struct log_page *page, char *line, size_t size)
{
    /* Most lines take one try. Each byte of a skipped line may take one when `size` is 2; the bound
     * matters only for pages that change all the time. */
    for (int tries = 0; tries < LOG_LINE_BYTES + 2; tries++) {
        uint64_t lines = __atomic_load_n(&page->lines, __ATOMIC_ACQUIRE);
        size_t length;
        enum piece piece = piece_read(reader, page, line, size, &length);
        if (piece == PIECE_OVERTAKEN)
            continue;
        if (piece == PIECE_NONE) {
            if (lines > reader->lines)
                reader->lost = lines - reader->lines;
            return false;
        }
        bool complete, skip = reader->in_line;
        reader->position += line_end(line, length, size, &complete);
        reader->in_line = skip && !complete;
        reader->lines += complete && !skip;
        if (!skip)
            return true;
    }
    return false;
}
