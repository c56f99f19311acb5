/* SPDX-License-Identifier: ISC
 *
 * In init's place in an image of its own (bench/kernel/rig.h): measures calls, messages through
 * kernel ports, and channels between two domains that are awake. A line per figure,
 *
 *     ipcroot: WHAT BATCH MEDIAN MIN MAX SAMPLES ROUNDS
 *
 * with the clock's ticks of ROUNDS batches; bench/ipc.py reads them.
 */
#include "bench/ipc/root/awake.h"
#include "bench/ipc/root/ports.h"
#include "bench/ipc/root/root.h"

enum { ROUNDS = 64 };

void _start(void);

static void batch_print(const char *what, uint32_t batch)
{
    uint32_t *sample = root()->sample;
    samples_sort(sample);
    print("ipcroot: %s %u %u %u %u %u %u", what, batch, sample[SAMPLES / 2], sample[0],
          sample[SAMPLES - 1], SAMPLES, ROUNDS);
}

static void measure_calls(const char *what, enum call_kind kind)
{
    for (int i = -WARM; i < SAMPLES; i++) {
        uint32_t empty = calls_measure(CALL_NOTHING, ROUNDS);
        uint32_t ticks = calls_measure(kind, ROUNDS);
        if (i >= 0)
            root()->sample[i] = ticks > empty ? ticks - empty : 0;
    }
    batch_print(what, 1);
}

static void measure_ports(const char *what, bool other_space)
{
    for (uint32_t batch = 1; batch <= PORT_BATCH_MAX; batch *= 2) {
        for (int i = 0; i < SAMPLES; i++)
            root()->sample[i] = ports_measure(other_space, batch, ROUNDS);
        batch_print(what, batch);
    }
}

static void measure_awake(const char *what, uint32_t (*batches)(uint32_t, uint32_t))
{
    for (uint32_t batch = 1; batch <= AWAKE_BATCH_MAX; batch *= 2) {
        for (int i = 0; i < SAMPLES; i++)
            root()->sample[i] = batches(batch, ROUNDS);
        batch_print(what, batch);
    }
}

static void measure(void)
{
    measure_calls("call", CALL_DIRECT);
    measure_calls("pointer", CALL_POINTER);
    measure_ports("port_same", false);
    measure_ports("port_other", true);
    measure_awake("awake", awake_measure);
    measure_awake("plain", awake_plain);
    print("ipcroot: done");
    sys_signal(root()->done);
    struct received received = {0};
    for (;;)
        sys_wait(root()->done, 0, 0, &received);
}

__attribute__((force_align_arg_pointer)) void _start(void)
{
    rig_make();
    rig()->faults = port_make();
    root()->done = port_make();
    ports_make();
    awake_make();
    thread_start(thread_make(measure, INIT_SPACE, PRIORITY_LOW));
    struct received received = {0};
    must(sys_wait(root()->done, 0, 0, &received), "wait");
    end();
}
