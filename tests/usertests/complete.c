/* SPDX-License-Identifier: ISC
 *
 * Which errors calls.def documents, and which of them no test has met. The words of calls.def are
 * the table: nothing is listed twice.
 */
#include <string.h>

#include "tests/usertests/supervisor.h"

static const struct {
    const char *name, *errors;
} calls[CALL_COUNT] = {
#define CALL(name, summary, errors, bound) {#name, errors},
#include "motet/calls.def"
};

static const struct {
    const char *name, *errors;
    uint8_t object, right;
} operations[OPERATION_COUNT] = {
#define OPERATION(object, name, right, arguments, summary, errors, bound)                          \
    {#object "." #name, errors, OBJECT_##object, RIGHT_##right},
#include "motet/calls.def"
};

static bool is_capital(char c)
{
    return (c >= 'A' && c <= 'Z') || c == '_';
}

/* Whether `word` stands in `text` as a whole word. */
static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; *at;) {
        size_t here = 0;
        while (is_capital(at[here]))
            here++;
        if (here == length && !memcmp(at, word, length))
            return true;
        at += here ? here : 1;
    }
    return false;
}

static uint64_t documented(const char *text)
{
    uint64_t errors = 0;
    for (int error = OK + 1; error < ERROR_COUNT; error++)
        if (has_word(text, error_name((enum error)error)))
            errors |= 1ull << error;
    return errors;
}

static uint64_t call_documented(enum call call)
{
    uint64_t errors = documented(calls[call].errors);
    if (call == CALL_send_wait) /* in words: it has no slots to receive into */
        errors = (documented(calls[CALL_send].errors) | documented(calls[CALL_wait].errors)) &
                 ~(1ull << ERROR_OCCUPIED);
    return errors;
}

/* Capabilities of untyped memory and tables can't be copied, so none of them lacks CONTROL. */
static bool can_lack_right(int operation)
{
    return operations[operation].right != RIGHT_NONE &&
           operations[operation].object != OBJECT_untyped &&
           operations[operation].object != OBJECT_table;
}

/* MORE means that the IOMMU isn't done; QEMU's is at once. */
static bool waits_for_hardware(int operation)
{
    return operation == OPERATION_page_unmap || operation == OPERATION_table_unmap ||
           operation == OPERATION_iommu_assign;
}

static uint64_t operation_documented(int operation)
{
    uint64_t errors = documented(operations[operation].errors);
    if (waits_for_hardware(operation) && !usertests_in_simulator)
        errors &= ~(1ull << ERROR_MORE);
    errors |= 1ull << ERROR_EMPTY_SLOT | 1ull << ERROR_WRONG_TYPE;
    return errors | (can_lack_right(operation) ? 1ull << ERROR_NO_RIGHT : 0);
}

static uint32_t compare(const char *name, uint64_t wanted, uint64_t met,
                        void (*missing)(const char *, const char *))
{
    uint32_t count = 0;
    for (int error = 0; error < ERROR_COUNT; error++) {
        count += wanted >> error & 1;
        if ((wanted & ~met) >> error & 1)
            missing(name, error_name((enum error)error));
    }
    return count;
}

uint32_t errors_missing(const uint64_t met[MET], void (*missing)(const char *, const char *))
{
    uint32_t count = 0;
    for (int i = 0; i < CALL_COUNT; i++)
        count += compare(calls[i].name, call_documented((enum call)i), met[i], missing);
    for (int i = 0; i < OPERATION_COUNT; i++)
        count += compare(operations[i].name, operation_documented(i), met[CALL_COUNT + i], missing);
    return count;
}
