/* SPDX-License-Identifier: ISC
 *
 * An AVL tree with parent links, without recursion. See deadline.h.
 */
#include "kernel/deadline.h"

#include <stddef.h>

#include "kernel/panic.h"

static int side_of(const struct deadline *node)
{
    return node->parent->child[1] == node;
}

/* `with` (may be NULL) takes the place of `node` under node's parent. */
static void replace(struct deadline **root, struct deadline *node, struct deadline *with)
{
    if (!node->parent)
        *root = with;
    else
        node->parent->child[side_of(node)] = with;
    if (with)
        with->parent = node->parent;
}

/* Lifts node's child on the other side than `side` above node; returns it. */
static struct deadline *rotate(struct deadline **root, struct deadline *node, int side)
{
    struct deadline *up = node->child[!side];
    replace(root, node, up);
    node->child[!side] = up->child[side];
    if (up->child[side])
        up->child[side]->parent = node;
    up->child[side] = node;
    node->parent = up;
    return up;
}

/* `node` is two levels deeper on `heavy`: restores the balance; returns the new top. */
static struct deadline *rebalance(struct deadline **root, struct deadline *node, int heavy)
{
    int sign = heavy ? 1 : -1;
    struct deadline *child = node->child[heavy];
    if (child->balance != -sign) {
        struct deadline *top = rotate(root, node, !heavy);
        bool even = child->balance == 0;
        node->balance = even ? sign : 0;
        top->balance = even ? -sign : 0;
        return top;
    }
    int inner = child->child[!heavy]->balance;
    rotate(root, child, heavy);
    struct deadline *top = rotate(root, node, !heavy);
    node->balance = inner == sign ? -sign : 0;
    child->balance = inner == -sign ? sign : 0;
    top->balance = 0;
    return top;
}

void deadline_insert(struct deadline **root, struct deadline *node)
{
    struct deadline *parent = NULL;
    int side = 0;
    for (struct deadline *at = *root; at; at = at->child[side]) {
        parent = at;
        side = node->time >= at->time;
    }
    node->parent = parent;
    node->child[0] = node->child[1] = NULL;
    node->balance = 0;
    if (!parent) {
        *root = node;
        return;
    }
    parent->child[side] = node;
    for (struct deadline *at = parent; at; at = at->parent) {
        at->balance += side ? 1 : -1;
        if (at->balance == 0)
            return;
        if (at->balance == 2 || at->balance == -2) {
            rebalance(root, at, at->balance > 0);
            return;
        }
        if (at->parent)
            side = side_of(at);
    }
}

/* The subtree on `side` of `at` became one level less deep. */
static void shrunk(struct deadline **root, struct deadline *at, int side)
{
    while (at) {
        at->balance += side ? -1 : 1;
        if (at->balance == 1 || at->balance == -1)
            return;
        if (at->balance != 0) {
            at = rebalance(root, at, at->balance > 0);
            if (at->balance != 0)
                return;
        }
        if (at->parent)
            side = side_of(at);
        at = at->parent;
    }
}

void deadline_remove(struct deadline **root, struct deadline *node)
{
    if (node->time == 0)
        return;
    node->time = 0;
    if (!node->child[0] || !node->child[1]) {
        struct deadline *parent = node->parent;
        int side = parent ? side_of(node) : 0;
        replace(root, node, node->child[0] ? node->child[0] : node->child[1]);
        shrunk(root, parent, side);
        return;
    }
    struct deadline *next = deadline_first(node->child[1]);
    struct deadline *from = next->parent == node ? next : next->parent;
    int side = next->parent == node;
    if (next->parent != node) {
        replace(root, next, next->child[1]);
        next->child[1] = node->child[1];
        next->child[1]->parent = next;
    }
    replace(root, node, next);
    next->child[0] = node->child[0];
    next->child[0]->parent = next;
    next->balance = node->balance;
    shrunk(root, from, side);
}

struct deadline *deadline_first(struct deadline *root)
{
    if (root)
        while (root->child[0])
            root = root->child[0];
    return root;
}

/* The node that follows in order of time, by the parent links; NULL behind the last. */
static const struct deadline *next_in_order(const struct deadline *node)
{
    if (node->child[1]) {
        node = node->child[1];
        while (node->child[0])
            node = node->child[0];
        return node;
    }
    while (node->parent && side_of(node))
        node = node->parent;
    return node->parent;
}

void deadline_check(const struct deadline *root)
{
    uint64_t before = 0;
    ASSERT(!root || !root->parent);
    for (const struct deadline *node = deadline_first((struct deadline *)root); node;
         node = next_in_order(node)) {
        ASSERT(node->time && node->time >= before);
        ASSERT(node->balance >= -1 && node->balance <= 1);
        for (int side = 0; side < 2; side++)
            ASSERT(!node->child[side] || node->child[side]->parent == node);
        before = node->time;
    }
}
