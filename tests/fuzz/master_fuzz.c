/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a master file. zonec refuses it with a message; or the zone that it writes opens,
 * and dnsd answers for its apex with the SOA record.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/dns_zones.h"
#include "tools/zonec/master.h"

#include "tests/fuzz/input.h"

/* Nothing but the input is to be read: a file that it names might be a terminal. */
static bool includes_files(const uint8_t *data, size_t size)
{
    static const char word[] = "$include";
    for (size_t at = 0; at + sizeof word - 1 <= size; at++)
        if (!strncasecmp((const char *)data + at, word, sizeof word - 1))
            return true;
    return false;
}

static void expect_soa(struct zones *zones)
{
    struct reply *reply = ask(zones, "fuzz.", "SOA");
    assert_int_equal(reply->rcode, 0);
    assert_true(reply->tc || reply->answers > 0);
    free(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    char path[32];
    struct zones zones;

    setenv("CMOCKA_TEST_ABORT", "1", 1);
    if (includes_files(data, size))
        return 0;
    if (file < 0)
        file = memfd_create("master", 0);
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, data, size, 0), size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    zones_begin(&zones);
    master_read(&zones.store, "fuzz", path);
    bool clean = zones.report.errors == 0;
    zones_end(&zones);
    assert_true(clean || !zones.good);
    if (zones.good)
        expect_soa(&zones);
    else
        assert_int_not_equal(zones.messages_size, 0);
    zones_free(&zones);
    return 0;
}
