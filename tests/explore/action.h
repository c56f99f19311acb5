/* SPDX-License-Identifier: ISC
 *
 * Everything that can happen to a machine in one step: a system call of the running thread, an
 * exception of it, an interrupt, time. Arguments are taken from classes: every slot with a
 * capability of the right type, one of a wrong type, an empty slot, one outside the table; for
 * numbers a few within their range and some outside. Tried is every combination of arguments that
 * are right, and each wrong one beside right ones.
 */
#ifndef EXPLORE_ACTION_H
#define EXPLORE_ACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "motet/abi.h"

enum action_kind {
    ACTION_send, /* in the order of enum call */
    ACTION_signal,
    ACTION_wait,
    ACTION_send_wait,
    ACTION_yield,
    ACTION_invoke,
    ACTION_unknown_call,
    ACTION_fault,
    ACTION_interrupt,
    ACTION_pin,
    ACTION_time,
    ACTION_iommu, /* an invalidation under way is over */
    ACTION_KINDS
};

enum { ACTION_ARGUMENTS = 6, ACTIONS_MAX = 8192 };

/* 8 bytes, so that millions of them can be kept. Arguments are slots, or indices into the table of
 * their class. */
struct action {
    uint8_t kind;
    uint8_t operation; /* ACTION_invoke */
    uint8_t argument[ACTION_ARGUMENTS];
};

/* Which actions a configuration uses. */
struct action_set {
    uint32_t kinds;      /* bits: enum action_kind */
    uint64_t operations; /* bits: enum operation */
};

/* All that are enabled in the machine's state; returns how many. */
int action_list(const struct action_set *set, struct action *actions);

/* Performs it, with check_step around system calls. The result of a system call, else OK. */
enum error action_perform(const struct action *action);

/* An error may go along with changes: work is left, or a message was sent or a bell rung first. */
bool action_may_change(const struct action *action, enum error error);

/* One line, without its end: who does what. */
void action_describe(const struct action *action, char *text, int bytes);

#endif
