/* SPDX-License-Identifier: ISC
 *
 * What a simulated run is: everything that isn't the same in each. Drawn from the seed, or said on
 * the command line; printed so that the line repeats the run.
 */
#ifndef TOOLS_SIM_OPTIONS_H
#define TOOLS_SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* OPTION(name, how it is drawn: from, to; its value when nothing goes wrong; what it is) */
#define OPTIONS(OPTION)                                                                            \
    OPTION(pages, 700, 1024, 1024, "pages of memory")                                              \
    OPTION(clients, 1, 8, 4, "how many ask")                                                       \
    OPTION(queries, 200, 2000, 1000, "how many questions in all")                                  \
    OPTION(rate, 200, 20000, 1000, "questions per second")                                         \
    OPTION(burst, 1, 200, 1, "questions asked at once")                                            \
    OPTION(pings, 0, 200000, 0, "questions that are echo requests instead, per million")           \
    OPTION(junk, 0, 200000, 0, "bursts of frames that are for nobody, per million bursts")         \
    OPTION(loss, 0, 200000, 0, "frames lost, per million")                                         \
    OPTION(duplicate, 0, 100000, 0, "frames duplicated, per million")                              \
    OPTION(reorder, 0, 300000, 0, "frames delayed beyond others, per million")                     \
    OPTION(corrupt, 0, 50000, 0, "frames with a wrong byte, per million")                          \
    OPTION(truncate, 0, 20000, 0, "frames cut off, per million")                                   \
    OPTION(delay, 1, 5000, 50, "microseconds that a frame takes at most")                          \
    OPTION(congestion, 20, 2000, 2000, "frames on the way beyond which more are lost")             \
    OPTION(late, 0, 2000, 5, "microseconds that a card takes at most")                             \
    OPTION(card_reorder, 0, 1, 0, "a card finishes requests in any order")                         \
    OPTION(card_event_idx, 0, 1, 1, "it offers VIRTIO_RING_F_EVENT_IDX")                           \
    OPTION(card_merge, 0, 1, 1, "it offers VIRTIO_NET_F_MRG_RXBUF")                                \
    OPTION(card_pin, 0, 1, 0, "it interrupts by its pin")                                          \
    OPTION(card_lies, 0, 2000, 0, "lies of the cards per million requests")                        \
    OPTION(lost_interrupts, 0, 50000, 0, "interrupts lost, per million")                           \
    OPTION(spurious, 0, 100, 0, "interrupts that nobody asked for, per second")                    \
    OPTION(jumps, 0, 3, 0, "times the clock jumps by up to an hour")                               \
    OPTION(preempt, 2, 60, 30, "points in user code between two chances for an interrupt")         \
    OPTION(slots, 3, 7, 7, "channels hold at most two to the power of this messages")              \
    OPTION(stolen, 0, 200000, 0, "points at which the host takes the processor, per million")      \
    OPTION(kill, 0, 0, 0, "message boundary at which the domain that is there dies; 0: none")      \
    OPTION(trace_pages, 0, 0, 0, "of the kernel's trace ring; 0: it isn't traced")                 \
    OPTION(torn, 0, 0, 0,                                                                          \
           "reads of what a hostile domain writes that find it changed, per million")              \
    OPTION(kills, 0, 0, 0, "deaths, the first at boundary `kill`; 0: one")                         \
    OPTION(kill_every, 0, 0, 0, "boundaries between two of them, at most")                         \
    OPTION(swaps, 0, 0, 0, "domains replaced, one after the other")                                \
    OPTION(swap_every, 100, 100, 100, "milliseconds from one to the next")                         \
    OPTION(swap_domain, 0, 0, 0, "only this one, by its number; 0: all in turn")                   \
    OPTION(swap_file, 0, 0, 0, "with a new file, of that number from 1 on")                        \
    OPTION(swap_damage, 0, 0, 0, "one in so many of these has a wrong byte")                       \
    OPTION(swap_probation, 0, 0, 0, "milliseconds of probation; 0: as always")                     \
    OPTION(swap_deaths, 0, 0, 0,                                                                   \
           "steps of a new version that starts in which it dies, per million")                     \
    OPTION(swap_flips, 0, 0, 0, "states of which a bit flips before they are read, per million")   \
    OPTION(flips, 0, 0, 0, "bits of running servers that flip; needs the checked build")           \
    OPTION(flip_every, 1000, 1000, 1000, "runs of such servers between two of them, at most")      \
    OPTION(flip_domains, 0, 0, 0, "whose bits: domains by number, a bit each; 0: netd and dnsd")   \
    OPTION(card_msi, 0, 1, 0, "it interrupts by MSI instead of MSI-X, if not by its pin")          \
    OPTION(without, 0, 0, 0, "devices that the machine hasn't got: a bit for each virtio type")    \
    OPTION(card_packed, 0, 1, 0, "it offers VIRTIO_F_RING_PACKED, if it is no network card")       \
    OPTION(card_short, 0, 1, 0, "a source of entropy fills buffers in part")                       \
    OPTION(clock_year, 1970, 2199, 1999, "the clock with a battery shows its end")                 \
    OPTION(clock_format, 0, 3, 2, "its format: a bit for binary, and one for 24 hours")            \
    OPTION(clock_races, 0, 100000, 0, "looks at it of which its second ends, per million")         \
    OPTION(without_isa, 0, 0, 0, "legacy devices that it hasn't got: 1 the clock, 2 COM2")

struct options {
    uint64_t seed;
#define OPTION(name, from, to, calm, text) uint32_t name;
    OPTIONS(OPTION)
#undef OPTION
};

/* How to run it: doesn't change what happens. */
struct how {
    const char *image;   /* the composition */
    const char *load;    /* a snapshot to start from, NULL: none */
    const char *save;    /* where to save the machine at the end, NULL: nowhere */
    const char *trace;   /* where the kernel's trace goes, NULL: nowhere */
    const char *command; /* this program, as called */
    uint64_t until;      /* stop after so many steps; 0: at the end */
    uint64_t interval;   /* steps between two checks of everything; 1: after each */
    uint64_t runs;       /* seeds from options.seed on */
    uint64_t measure;    /* simulated seconds to run for, instead of a scenario */
    bool copy_first;     /* try risky operations on a copy */
    bool twice, sweep, inspect, verbose, shrink, quiet;
};

/* Reads the command line. Ends the program after --help or misuse. */
void options_read(int count, char **arguments, struct options *options, struct how *how);

/* Draws for a seed what the command line didn't say. */
void options_draw(struct options *options, uint64_t seed);

/* What was said on the command line stands in all runs; a run that is being shrunk adds to it. */
bool option_is_calm(const struct options *options, size_t index);
void option_calm(struct options *options, size_t index);
size_t option_count(void);

/* The arguments that repeat a run with these options. */
void options_text(const struct options *options, char *text, size_t size);

#endif
