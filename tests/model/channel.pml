/* SPDX-License-Identifier: ISC
 *
 * Channels and doorbells: ipc/channel.[ch], libos/channels.c and loop.c function by function, on CPUs with
 * store buffers (x86-TSO). docs/model.md says what is modelled, what isn't, and how to run it.
 *
 * Domains with a CPU each: 0 and 1 joined by a channel, or the chain 0 - 1 - 2. An end e of a
 * channel has its peer at e ^ 1. A step goes from one access to shared memory to before the next.
 *
 * -DCHAIN   three domains instead of two
 * -DSTOP    domain 1 is stopped at the end of a round, once, and another life takes over
 * -DCRASH   domain 1 is stopped anywhere, once
 * -DWITHOUT_LABEL   what carries that label in the code is left out: must be refuted
 */
#define SLOTS 2
#ifndef MESSAGES
#define MESSAGES 3
#endif
#define BUFFER 6 /* stores that a CPU has under way; a full buffer blocks */

#ifdef CHAIN
#define DOMAINS 3
#define ENDS 4
#define OWNER(e) (((e) + 1) / 2)
#define MADE memory[2].produced
#else
#define DOMAINS 2
#define ENDS 2
#define OWNER(e) (e)
#define MADE memory[1].produced
#endif
#define ODD(wish) ((wish) & 1)

/* What domain 1 does with a message. */
#define ECHO 1  /* one answer; refused when there is no room for it */
#define TWICE 2 /* two answers, refused unless there is room for both: no look fails outright */
#define HOLD 3  /* none; one is held until batch_end, and the next refused while it is */
#define RELAY 4 /* passed on to domain 2 */
#define ANSWERS (mode == TWICE -> 2 : 1)
byte mode, batch;

/* A ring as the owner's peers see it. An entry holds 1 + its index. */
typedef ring {
    byte produced;
    byte done;
    byte sleeping;
    byte want_room;
    byte current;
    byte entry[SLOTS];
};
ring memory[ENDS];

/* struct channel, and what its owner last wrote into its ring (my_...): nobody else writes there, so
 * that is what a load that sees its own stores gives. */
typedef side {
    byte produced;
    byte put_end;
    byte taken;
    byte done_noted;
    bool news_put;
    bool news_taken;
    bool stalled;
    bool short_of_room;
    byte sleeping_rung;
    byte want_room_rung;
    byte my_produced;
    byte my_done;
    byte my_sleeping;
    byte my_want_room;
};
side own[ENDS];
bool pending[DOMAINS]; /* the word of the port: one bit, since a round looks at all channels */

/* What the properties are about. */
byte sent;                                      /* by domain 0 */
byte handled[ENDS];                             /* messages that the server of this end has had */
byte in_hand;                                   /* the one that domain 1 has now, 0: none */
byte rung_sleeping[ENDS], rung_want_room[ENDS]; /* the last wish of this end that was rung for */
byte life = 1;                                  /* of domain 1 */

mtype = { PRODUCED, DONE, SLEEPING, WANT_ROOM, CURRENT, ENTRY };
chan buffer[DOMAINS] = [BUFFER] of { byte, mtype, byte };

#ifdef WITHOUT_NEW_NUMBER
#define FORGETFUL false
#else
#define FORGETFUL true
#endif

/* Numbers of wishes grow without end, but only whether what is seen is what was rung for matters:
 * they are kept as small as that allows. A store of a wish is kept as what it adds. */
inline wish_seen(value, mine, seen, rung, last)
{
    seen = seen + value;
    if
    :: FORGETFUL ->
        rung = (rung == seen -> 1 : 0);
        last = (last == seen -> 1 : 0);
        mine = mine - (seen & 254);
        seen = seen & 1
    :: else
    fi
}

/* One store leaves the buffer. */
inline commit(e, field, value)
{
    if
    :: field == PRODUCED ->
        assert(value >= memory[e].produced && value <= own[e].produced);
        assert(value - memory[e ^ 1].done <= SLOTS);
        memory[e].produced = value
    :: field == DONE ->
        assert(value >= memory[e].done && value <= own[e].taken);
        assert(value <= memory[e ^ 1].produced);
        /* What was made of it is there before it is done. */
        assert(e != 1 || mode == HOLD || value * ANSWERS <= MADE);
        memory[e].done = value
    :: field == CURRENT ->
        assert(value <= memory[e ^ 1].produced && value - memory[e].done <= SLOTS);
        memory[e].current = value
    :: field == SLEEPING ->
        wish_seen(value, own[e].my_sleeping, memory[e].sleeping, own[e ^ 1].sleeping_rung,
                  rung_sleeping[e])
    :: field == WANT_ROOM ->
        wish_seen(value, own[e].my_want_room, memory[e].want_room, own[e ^ 1].want_room_rung,
                  rung_want_room[e])
    :: field == ENTRY ->
        /* What lies there was taken. */
        assert(value <= own[e ^ 1].taken + SLOTS);
        memory[e].entry[(value - 1) % SLOTS] = value
    fi
}

proctype store_buffer(byte d)
{
    byte e, value;
    mtype field;
end:
    do
    :: d_step {
           buffer[d] ? e, field, value;
           commit(e, field, value);
           e = 0;
           field = 0;
           value = 0
       }
    od
}

/* Domains run atomically from one YIELD to the next, since the sender of a rendezvous gives way. It
 * stands before each access to what others write. A store into one's own buffer is seen by nobody;
 * but a crash may come between two of them. */
chan others = [0] of { bit };
#define YIELD others ! 0

proctype scheduler()
{
end:
    do
    :: others ? 0
    od
}

/* ring_publish, ring_wish_set, an entry */
#ifdef CRASH
#define STORE(e, field, value) YIELD; buffer[me] ! e, field, value
#else
#define STORE(e, field, value) buffer[me] ! e, field, value
#endif
/* ring_fence, and each entry into the kernel */
#define DRAIN YIELD; empty(buffer[me])

/* --- ipc/channel.c, .h --- */

inline look_for_room(e)
{
    YIELD;
    own[e].put_end = memory[e ^ 1].done + SLOTS;
    own[e].short_of_room = (own[e].put_end == own[e].produced);
    ok = !own[e].short_of_room
}

/* `ok`: it was put. */
inline channel_put(e)
{
#ifdef WITHOUT_DONE_BEFORE_WRITE
    STORE(e, ENTRY, own[e].produced + 1); /* written before the look */
#endif
    ok = true;
    if
    :: own[e].produced == own[e].put_end -> look_for_room(e)
    :: else
    fi;
    if
    :: ok ->
        own[e].produced++;
#ifdef WITHOUT_ENTRY_BEFORE_PRODUCED
        own[e].my_produced = own[e].produced;
        own[e].news_put = true;
        STORE(e, PRODUCED, own[e].produced); /* the entry comes behind it */
#endif
#ifndef WITHOUT_DONE_BEFORE_WRITE
        STORE(e, ENTRY, own[e].produced)
#endif
    :: else
    fi
}

inline channel_take(e)
{
#ifdef WITHOUT_READ_BEFORE_DONE
    own[e].my_done = own[e].taken + 1;
    own[e].news_taken = true;
    STORE(e, DONE, own[e].my_done); /* the copy comes behind it */
#endif
#ifndef WITHOUT_PRODUCED_BEFORE_ENTRY
    YIELD;
    value = memory[e ^ 1].entry[own[e].taken % SLOTS];
#endif
    own[e].taken++;
    assert(value == own[e].taken); /* in order, none twice, and as it was written */
    value = 0;
#if defined(CRASH) && !defined(WITHOUT_CURRENT_BEFORE_RECEIVE)
    STORE(e, CURRENT, own[e].taken)
#endif
}

inline channel_untake(e)
{
    own[e].taken--;
#ifdef CRASH
    STORE(e, CURRENT, own[e].taken);
#endif
    own[e].stalled = true;
    stalled = true
}

inline channel_publish_put(e)
{
    if
    :: own[e].my_produced != own[e].produced ->
        own[e].my_produced = own[e].produced;
        own[e].news_put = true;
        STORE(e, PRODUCED, own[e].produced)
    :: else
    fi
}

inline channel_publish_taken(e)
{
    if
    :: own[e].my_done != own[e].taken ->
        own[e].my_done = own[e].taken;
        own[e].news_taken = true;
        STORE(e, DONE, own[e].taken)
    :: else
    fi
}

/* `value` is their wish: is it on, and not rung for yet? */
inline wish_is_new(rung, last)
{
    if
#ifdef WITHOUT_RING_ONCE
    :: ODD(value) ->
#else
    :: ODD(value) && value != rung ->
#endif
        rung = value;
        assert(last != value); /* once for each wish */
        last = value;
        ok = true
    :: else
    fi;
    value = 0
}

inline channel_bell(e)
{
    ok = false;
    if
    :: own[e].news_put ->
        YIELD;
        value = memory[e ^ 1].sleeping;
        wish_is_new(own[e].sleeping_rung, rung_sleeping[e ^ 1])
    :: else
    fi;
    if
#ifdef WITHOUT_BOTH_KINDS_OF_NEWS
    :: own[e].news_taken && !own[e].news_put ->
#else
    :: own[e].news_taken ->
#endif
        YIELD;
        value = memory[e ^ 1].want_room;
        wish_is_new(own[e].want_room_rung, rung_want_room[e ^ 1])
    :: else
    fi;
    own[e].news_put = false;
    own[e].news_taken = false
}

inline wish_on(e, wish, field)
{
    wish++;
    assert(wish < 250); /* the model's numbers don't wrap */
    STORE(e, field, 1)
}

inline wish_off(e, wish, field)
{
    if
    :: ODD(wish) ->
#ifdef WITHOUT_NEW_NUMBER
        wish--;
        STORE(e, field, 255) /* takes one away */
#else
        wish++;
        STORE(e, field, 1)
#endif
    :: else
    fi
}

inline channel_sleep(e, any_room)
{
    if
    :: !own[e].stalled -> wish_on(e, own[e].my_sleeping, SLEEPING)
    :: else
    fi;
    if
    :: any_room || own[e].short_of_room -> wish_on(e, own[e].my_want_room, WANT_ROOM)
    :: else
    fi
}

inline channel_awake(e)
{
    wish_off(e, own[e].my_sleeping, SLEEPING);
    wish_off(e, own[e].my_want_room, WANT_ROOM)
}

/* `changed`: something came. */
inline channel_changed(e, any_room)
{
#ifndef WITHOUT_LOOK_FOR_ENTRIES
    if
    :: !own[e].stalled ->
        YIELD;
        changed = changed || (memory[e ^ 1].produced != own[e].taken)
    :: else
    fi;
#endif
#ifdef WITHOUT_NOTE_BEFORE_OFFER
    own[e].done_noted = memory[e ^ 1].done; /* as it is now */
#endif
#ifndef WITHOUT_LOOK_FOR_ANY_ROOM
    if
    :: any_room ->
        YIELD;
        changed = changed || (memory[e ^ 1].done != own[e].done_noted)
    :: else
    fi;
#endif
#ifdef WITHOUT_ROOM_AS_IT_WAS
    own[e].put_end = memory[e ^ 1].done + SLOTS; /* compared with what is there now */
#endif
#ifndef WITHOUT_LOOK_FOR_ROOM
    if
    :: own[e].short_of_room ->
        YIELD;
        changed = changed || (memory[e ^ 1].done != own[e].put_end - SLOTS)
    :: else
    fi
#endif
}

/* Goes on where the ring was left. */
inline channel_init(e)
{
    own[e].produced = memory[e].produced;
    own[e].put_end = memory[e].produced;
#ifdef WITHOUT_START_AT_DONE
    own[e].taken = memory[e].current;
#else
    own[e].taken = memory[e].done;
#endif
    own[e].my_produced = memory[e].produced;
    own[e].my_done = memory[e].done;
    own[e].my_sleeping = memory[e].sleeping;
    own[e].my_want_room = memory[e].want_room;
    own[e].done_noted = 0;
#ifdef WITHOUT_START_WITH_NEWS
    own[e].news_put = false;
#else
    own[e].news_put = (me == 1 && life == 2); /* published before, and not rung for, perhaps */
#endif
    own[e].news_taken = own[e].news_put;
    own[e].stalled = false;
    own[e].short_of_room = false;
    own[e].sleeping_rung = 0;
    own[e].want_room_rung = 0;
    rung_sleeping[e ^ 1] = 0; /* each life may ring for a wish once */
    rung_want_room[e ^ 1] = 0;
#ifdef CRASH
    STORE(e, CURRENT, own[e].taken)
#endif
}

/* --- the servers --- */

/* `ok`: the message is taken. */
inline receive(e)
{
    ok = true;
    if
    :: me == 1 && mode == ECHO -> channel_put(e)
    :: me == 1 && mode == TWICE ->
        look_for_room(e);
        ok = (own[e].put_end - own[e].produced >= 2);
        if
        :: ok -> channel_put(e); channel_put(e)
        :: else
        fi
    :: me == 1 && mode == HOLD ->
        ok = !held;
        held = true
#ifdef CHAIN
    :: me == 1 && mode == RELAY -> channel_put(2)
#endif
    :: else
    fi
}

inline batch_end()
{
    held = false;
    do
    :: me == 0 && sent < MESSAGES ->
        channel_put(0);
        if
        :: ok -> sent++
        :: else -> break
        fi
    :: else -> break
    od
}

/* --- libos/channels.c, loop.c --- */

/* A message meets its server: after a crash again what was in hand, and none is left out. */
inline deliver(e)
{
#ifdef CRASH
    assert(own[e].taken <= handled[e] + 1);
#else
    assert(own[e].taken == handled[e] + 1);
#endif
    in_hand = (me == 1 -> own[e].taken : in_hand);
    receive(e);
#if defined(CRASH) && defined(WITHOUT_CURRENT_BEFORE_RECEIVE)
    STORE(e, CURRENT, own[e].taken);
#endif
#ifdef CRASH
    YIELD; /* it may die of the message */
#endif
    in_hand = (me == 1 -> 0 : in_hand);
    handled[e] = (ok && handled[e] < own[e].taken -> own[e].taken : handled[e])
}

inline channel_drain(e)
{
#ifndef WITHOUT_WISHES_END
    channel_awake(e);
#endif
    own[e].stalled = false;
    if
    :: own[e].short_of_room ->
        YIELD;
        if
        :: memory[e ^ 1].done != own[e].put_end - SLOTS ->
            own[e].short_of_room = false;
#ifndef WITHOUT_ROOM_IS_NEWS
            happened = true
#endif
        :: else
        fi
    :: else
    fi;
    YIELD;
#ifdef WITHOUT_PRODUCED_BEFORE_ENTRY
    value = memory[e ^ 1].entry[own[e].taken % SLOTS]; /* read before the index */
    YIELD;
#endif
    count = memory[e ^ 1].produced - own[e].taken;
    assert(count <= SLOTS);
    count = (count > batch -> batch : count);
    do
    :: count > 0 ->
        channel_take(e);
        deliver(e);
        if
        :: ok ->
            happened = true;
            count--;
#ifdef WITHOUT_PRODUCED_BEFORE_ENTRY
            value = memory[e ^ 1].entry[own[e].taken % SLOTS]
#endif
        :: else ->
            channel_untake(e);
            count = 0
        fi
    :: else -> break
    od;
    value = 0
}

inline signal(d)
{
    DRAIN;
    pending[d] = true
}

inline ring_owed()
{
    if
    :: owed -> signal(owed - 1); owed = 0
    :: else
    fi
}

inline ring_later(e)
{
    if
    :: ok ->
#ifndef WITHOUT_ONE_BELL_OWED
        ring_owed();
#endif
        owed = 1 + OWNER(e ^ 1)
    :: else
    fi
}

/* `sleep`: it is to sleep; afterwards: nothing came meanwhile. */
inline channels_publish()
{
#ifdef WITHOUT_PUT_BEFORE_TAKEN
    for (e : first .. last) { channel_publish_taken(e) }
    for (e : first .. last) { channel_publish_put(e) }
#else
    for (e : first .. last) { channel_publish_put(e) }
    for (e : first .. last) { channel_publish_taken(e) }
#endif
    changed = sleep; /* is there anything to do? */
    for (e : first .. last) {
        changed = changed || own[e].news_put || own[e].news_taken;
        if
        :: sleep -> channel_sleep(e, stalled)
        :: else
        fi
    }
    if
    :: changed ->
#ifndef WITHOUT_FENCE
        DRAIN;
#endif
        changed = false;
        for (e : first .. last) {
            channel_bell(e);
            ring_later(e);
            if
            :: sleep -> channel_changed(e, stalled)
            :: else
            fi
        }
        sleep = sleep && !changed;
        changed = false
    :: else
    fi
}

/* The kernel rings first, then takes what is pending or waits for it. */
inline wait()
{
#ifndef WITHOUT_BELL_IN_WAIT
    ring_owed();
#endif
    owed = 0;
    DRAIN;
end_wait:
    pending[me];
    pending[me] = false
}

inline loop_round()
{
    retry = stalled;
    stalled = false;
#ifndef WITHOUT_NOTE_BEFORE_OFFER
    if
    :: retry ->
        for (e : first .. last) {
            YIELD;
            own[e].done_noted = memory[e ^ 1].done
        }
    :: else
    fi;
#endif
    for (e : first .. last) { channel_drain(e) }
    if
    :: happened -> batch_end()
    :: else
    fi;
#ifdef WITHOUT_OFFER_AGAIN
    sleep = true;
#else
    sleep = (!stalled || (retry && !happened));
#endif
    happened = false;
    retry = false;
    channels_publish();
    if
    :: sleep -> wait()
    :: else
    fi;
    sleep = false;
    ok = false;
#ifndef WITHOUT_BELL_IF_AWAKE
    ring_owed();
#endif
    owed = 0;
    e = 0;
    /* After many rounds without one, a wait that doesn't block. */
    if
    :: pending[me] -> DRAIN; pending[me] = false
    :: true
    fi
}

/* The next life has another port, or the same. */
inline succeed()
{
    life = 2;
    if
    :: pending[1] = false
    :: true
    fi;
    run domain(1, first, last)
}

#ifdef CRASH
bool dying;

active proctype reaper()
{
    dying = true
}

/* The fault is an entry into the kernel. What a supervisor finds in the ring then is what the domain
 * had in hand, if it had anything; and the next life begins. */
inline died()
{
    atomic {
        empty(buffer[1]);
        assert(!in_hand || memory[1].current == in_hand);
        in_hand = 0;
        dying = false;
        succeed()
    }
}
#endif

proctype domain(byte me; byte first; byte last)
{
    byte e, count, value, owed;
    bool ok, held, happened, retry, stalled, changed, sleep;

#ifdef CRASH
    {
#endif
    atomic {
        for (e : first .. last) { channel_init(e) }
        happened = true; /* batch_end follows start */
        do
        :: loop_round()
#ifdef STOP
        :: me == 1 && life == 1 -> DRAIN; succeed(); break
#endif
        od
    }
#ifdef CRASH
    } unless {
        me == 1 && dying && life == 1 -> died()
    }
#endif
}

init
{
    atomic {
        if
#ifdef CHAIN
        :: mode = RELAY
#else
        :: MODES & 1 -> mode = ECHO
        :: MODES & 2 -> mode = TWICE
        :: MODES & 4 -> mode = HOLD
#endif
        fi;
        batch = BATCH;
        run scheduler();
        run store_buffer(0);
        run store_buffer(1);
        run domain(0, 0, 0);
#ifdef CHAIN
        run store_buffer(2);
        run domain(1, 1, 2);
        run domain(2, 3, 3)
#else
        run domain(1, 1, 1)
#endif
    }
    /* Nobody can go on: then nothing is left to do. */
end:
    timeout;
    assert(sent == MESSAGES);
    assert(handled[1] == MESSAGES);
#ifdef CHAIN
    assert(handled[3] == MESSAGES)
#else
#ifdef CRASH
    /* At least once; what was in hand may be there again. */
    assert(mode == HOLD || handled[0] >= MESSAGES * ANSWERS);
    assert(mode == HOLD || handled[0] <= (MESSAGES + batch) * ANSWERS)
#else
    assert(mode == HOLD || handled[0] == MESSAGES * ANSWERS)
#endif
#endif
}
