/* SPDX-License-Identifier: ISC
 *
 * Prints the reference of system calls and operations as Markdown, from the same table that the
 * kernel is made from. docs/kernel.md contains its output; a test compares the two.
 */
#include <stdio.h>
#include <string.h>

static void call(const char *name, const char *summary, const char *errors, const char *bound)
{
    printf("| `%s` | %s | %s | %s |\n", name, summary, *errors ? errors : "none", bound);
}

static void operation(const char *object, const char *name, const char *right,
                      const char *arguments, const char *summary, const char *errors,
                      const char *bound)
{
    printf("| `%s.%s` | %s | %s | %s | %s | %s |\n", object, name, *arguments ? arguments : "none",
           strcmp(right, "NONE") ? right : "none", summary, *errors ? errors : "none", bound);
}

int main(void)
{
    puts("### Calls\n\n| call | does | errors | bound on steps |\n|---|---|---|---|");
#define CALL(name, summary, errors, bound) call(#name, summary, errors, bound);
#include "motet/calls.def"
    puts("\n### Objects\n\n| object | is |\n|---|---|");
#define OBJECT(name, summary) printf("| %s | %s |\n", #name, summary);
#include "motet/calls.def"
    puts("\n### Operations of `invoke`\n\nAbout the invoked capability every one may also return "
         "EMPTY_SLOT and WRONG_TYPE, and NO_RIGHT, but for page.info, which asks for no right, and "
         "the "
         "operations of untyped and table: their capabilities can't be copied, so that none lacks "
         "CONTROL. A number that is none of these is UNKNOWN_CALL.\n\n| operation | arguments | "
         "right | does | errors | bound on steps |\n|---|---|---|---|---|---|");
#define OPERATION(object, name, right, arguments, summary, errors, bound)                          \
    operation(#object, #name, #right, arguments, summary, errors, bound);
#include "motet/calls.def"
    puts("\n### Errors\n\n| error | means |\n|---|---|");
#define ERROR(name, text) printf("| %s | %s |\n", #name, text);
#include "motet/errors.def"
    return 0;
}
