/* SPDX-License-Identifier: ISC
 *
 * The world of a simulated machine: its time and chance, what will happen when, its devices, the
 * network behind one, and the clients. All of it is the machine's state, as its memory is: saved
 * and loaded with it, and a function of the options alone.
 */
#ifndef TOOLS_SIM_WORLD_H
#define TOOLS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/sim/options.h"

enum {
    EVENTS_MAX = 8192,  /* those beyond are lost, and counted: the clients' rates bound them */
    FRAMES_MAX = 512,   /* on the way at once; those beyond are congestion */
    FRAME_BYTES = 1536, /* an Ethernet frame of 1500 bytes and its header */
    LINES_KEPT = 64,    /* of the console */
    LINE_BYTES = 200,
};

enum event_kind {
    EVENT_TO_MACHINE, /* frame `argument` arrives at the network card */
    EVENT_TO_CLIENT,  /* frame `argument` arrives at a client */
    EVENT_CLIENT,     /* client `argument` does something */
    EVENT_TAKE,       /* device `argument` looks for requests */
    EVENT_FINISH,     /* device `argument` is done with some of them: it says so */
    EVENT_RECEIVED,   /* the network card, `argument`, has received some frames: it says so */
    EVENT_MISCHIEF,   /* device `argument` lies */
    EVENT_SPURIOUS,   /* an interrupt that nobody asked for */
    EVENT_JUMP,       /* the clock jumps */
    EVENT_REPEAT,     /* device `argument` repeats an interrupt that got lost */
    EVENT_LEGACY,     /* legacy device `argument` does something */
};

struct event {
    uint64_t time; /* ticks; of equal ones the first made comes first */
    uint64_t order;
    uint32_t kind, argument;
};

struct frame {
    uint32_t length;
    bool used;
    uint8_t bytes[FRAME_BYTES];
};

enum phase {
    PHASE_FAULTS,   /* whatever the options say goes wrong */
    PHASE_LIVENESS, /* nothing goes wrong any more: each client must get an answer */
};

/* What a domain that checks a driver says in its log. */
enum verdict {
    VERDICT_NONE, /* nothing since it, or what it checks, began anew */
    VERDICT_CONFORMS,
    VERDICT_TOLD, /* it was told that there is no device, or that it can't do something */
    VERDICT_FAILS,
};

struct world {
    struct options options;
    uint64_t random, user_random;
    uint64_t steps, checks, copies; /* left user code; checked everything; tried on a copy */
    uint64_t entries;               /* kernel entries */
    uint64_t hash;                  /* of all that happened */
    uint64_t order;
    uint64_t jumped; /* ticks that the clock has jumped over */
    enum phase phase;
    bool ended;          /* the machine was reset or nothing will ever happen again */
    bool reported;       /* the console said that something is dead: */
    bool card_broken;    /* the driver has given up the card */
    uint64_t dead;       /* domains, a bit each */
    uint64_t died;       /* likewise: some of them have begun anew */
    uint64_t killed;     /* domains that were killed, a bit each */
    uint32_t kills;      /* so often */
    uint64_t interrupts; /* vectors raised and not delivered, a bit each from IRQ_VECTOR_FIRST */
    uint32_t event_count, free_count;
    struct event events[EVENTS_MAX]; /* a binary heap */
    uint32_t free[FRAMES_MAX];
    struct frame frames[FRAMES_MAX];
    char lines[LINES_KEPT]
              [LINE_BYTES]; /* what the console said last; the newest is being written */
    uint64_t line;
    uint32_t column;
    enum verdict verdict;
    uint64_t verdict_time; /* ticks, without those that were jumped over */
    char verdict_line[LINE_BYTES];
    struct {
        uint64_t lost, duplicated, reordered, corrupted, truncated, congested, events_lost;
        uint64_t interrupts_lost, interrupts_spurious, lies, jumps;
        uint64_t swaps, swaps_failed;
    } count;
    uint32_t swap_capabilities;              /* there were so many after the first */
    uint32_t restarts, restart_capabilities; /* likewise, at the first */
    uint64_t restart_bindings;               /* of interrupts, likewise */
    uint64_t flipped;                        /* domains of which a bit has flipped, a bit each */
    uint64_t renew;            /* of them, those that are to begin anew, since phases change */
    uint32_t flips, flip_wait; /* done so far; runs until the next */
    uint32_t flip_crashes;     /* stops of such domains */
};
extern struct world world;

/* world.c */
void world_start(const struct options *options);
uint64_t random_below(uint64_t limit);
bool chance(uint32_t per_million);
void world_mix(uint64_t value); /* into the hash */
void clock_jump(uint64_t ticks);

/* At `delay` ticks from now. */
void event_add(uint64_t delay, enum event_kind kind, uint32_t argument);
uint64_t event_next_time(void); /* UINT64_MAX: nothing will happen */
void events_run(void);          /* all that are due */

struct frame *frame_new(void); /* NULL: there are too many */
uint32_t frame_number(const struct frame *frame);
void frame_free(struct frame *frame);

/* ports.c: I/O ports, PCI, the console. */
void ports_start(void);
void interrupt_raise(uint32_t vector); /* the machine's; delivered when the processor can */
void console_put(char c);

/* device.c: what is behind PCI and registers. Slots are those of bus 0. */
void devices_start(void);
uint32_t device_config_read(uint32_t slot, uint32_t offset);
void device_config_write(uint32_t slot, uint32_t offset, uint32_t value);
uint32_t device_register_read(uint64_t physical, uint32_t bytes);
void device_register_write(uint64_t physical, uint32_t bytes, uint32_t value);
void device_event(enum event_kind kind, uint32_t device);
uint32_t device_pins(void); /* asserted inputs of the interrupt controller, a bit each */
void devices_honest(void);  /* no more lies; a device that told some asks to be reset */

/* legacy.c: what is behind I/O ports. */
void legacy_start(void);
void legacy_event(uint32_t device);
void legacy_honest(void); /* no more lies */

/* nic.c: the network card. */
enum { NIC_RECEIVE = 0 }; /* the queue */
bool nic_is_there(void);
void nic_receive(const struct frame *frame);
/* False: it has something to tell. Else *posted is how many receive buffers it has. */
bool nic_rests(uint32_t *posted);

/* network.c: one frame from here to there, with all that can happen to it. */
void network_carry(const uint8_t *bytes, uint32_t length, bool to_machine);

/* The Internet checksum (RFC 1071) before it is complemented. */
uint32_t internet_sum(const uint8_t *bytes, uint32_t length, uint32_t start);

/* client.c */
void clients_start(void);
void clients_liveness(void);    /* from now on each must get an answer */
uint32_t clients_waiting(void); /* that haven't, since */
void client_event(uint32_t client);
void client_frame(const struct frame *frame);
struct client_totals {
    uint64_t asked, answered, late, wrong;
};
struct client_totals clients_totals(void);

#endif
