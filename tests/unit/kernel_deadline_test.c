/* SPDX-License-Identifier: ISC
 *
 * kernel/deadline.c against a sorted list.
 */
#include "tests/unit/kernel_machine.h"

#include <string.h>

#include "kernel/deadline.h"

enum { NODES = 300, OPERATIONS = 100000, LOOK_EVERY = 50 };

static struct deadline nodes[NODES], *root;

/* The same, in order: equal times in order of insertion. */
static struct deadline *sorted[NODES];
static int count;

static uint64_t random_state;

static uint64_t random_number(uint64_t limit)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (random_state >> 33) % limit;
}

static void model_insert(struct deadline *node)
{
    int at = count++;
    for (; at > 0 && sorted[at - 1]->time > node->time; at--)
        sorted[at] = sorted[at - 1];
    sorted[at] = node;
}

static void model_remove(const struct deadline *node)
{
    int at = 0;
    while (sorted[at] != node)
        at++;
    memmove(&sorted[at], &sorted[at + 1], (size_t)(--count - at) * sizeof(sorted[0]));
}

/* Height; checks links, balance and order below `node`; *position counts nodes passed. */
static int look(const struct deadline *node, const struct deadline *parent, int *position)
{
    if (!node)
        return 0;
    assert_ptr_equal(node->parent, parent);
    int low = look(node->child[0], node, position);
    assert_true(*position < count);
    assert_ptr_equal(sorted[(*position)++], node);
    int high = look(node->child[1], node, position);
    assert_int_equal(node->balance, high - low);
    assert_in_range(node->balance + 1, 0, 2);
    return 1 + (low > high ? low : high);
}

static void look_at_all(void)
{
    int position = 0;
    look(root, NULL, &position);
    assert_int_equal(position, count);
}

static void start(uint64_t seed)
{
    memset(nodes, 0, sizeof(nodes));
    root = NULL;
    count = 0;
    random_state = seed;
}

static void toggle(struct deadline *node, uint64_t times)
{
    if (node->time) {
        model_remove(node);
        deadline_remove(&root, node);
        assert_int_equal(node->time, 0);
        return;
    }
    node->time = 1 + random_number(times);
    deadline_insert(&root, node);
    model_insert(node);
}

static void run_model(uint64_t seed, uint64_t times, int operations)
{
    start(seed);
    for (int i = 0; i < operations; i++) {
        toggle(&nodes[random_number(NODES)], times);
        assert_ptr_equal(deadline_first(root), count ? sorted[0] : NULL);
        if (i % LOOK_EVERY == 0)
            look_at_all();
    }
}

static void random_operations_agree_with_a_sorted_list(void **state)
{
    (void)state;
    run_model(1, 1000000, OPERATIONS);
}

static void equal_times_stay_in_order_of_insertion(void **state)
{
    (void)state;
    run_model(2, 5, OPERATIONS / 5);
}

static void small_trees_in_every_order(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        start(seed);
        for (int i = 0; i < 24; i++) {
            toggle(&nodes[random_number(8)], 6);
            look_at_all();
        }
    }
}

static void the_first_is_taken_until_nothing_is_left(void **state)
{
    (void)state;
    start(3);
    for (int i = 0; i < NODES; i++)
        toggle(&nodes[i], 1000);
    for (uint64_t last = 0; root;) {
        struct deadline *first = deadline_first(root);
        assert_true(first->time >= last);
        last = first->time;
        model_remove(first);
        deadline_remove(&root, first);
        look_at_all();
    }
    assert_int_equal(count, 0);
}

static void removing_what_is_not_there_does_nothing(void **state)
{
    (void)state;
    start(4);
    deadline_remove(&root, &nodes[0]);
    assert_null(root);
    toggle(&nodes[1], 10);
    deadline_remove(&root, &nodes[0]);
    assert_ptr_equal(root, &nodes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_a_sorted_list),
        cmocka_unit_test(equal_times_stay_in_order_of_insertion),
        cmocka_unit_test(small_trees_in_every_order),
        cmocka_unit_test(the_first_is_taken_until_nothing_is_left),
        cmocka_unit_test(removing_what_is_not_there_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
