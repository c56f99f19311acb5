/* SPDX-License-Identifier: ISC
 *
 * `motet kill` and `motet restart`.
 */
#include "tools/control/command.h"

static int act(struct client *client, const struct options *options, uint16_t op, const char *done)
{
    uint32_t domain = domain_find(client, options->name);
    enum error error = client_get(client, op, domain, NULL, 0);
    if (error == ERROR_NO_RIGHT)
        fail(STATUS_REFUSED, "%s: refused: it is the controller, which this command talks to",
             options->name);
    if (error == ERROR_BAD_STATE)
        fail(STATUS_REFUSED, "%s: refused: it has stopped already", options->name);
    if (error)
        refused(options->name, error);
    if (options->json)
        printf("{\"domain\": \"%s\", \"done\": \"%s\"}\n", options->name, done);
    else
        printf("%s: %s\n", options->name, done);
    return STATUS_OK;
}

int command_kill(struct client *client, const struct options *options)
{
    return act(client, options, CONTROL_KILL, "killed");
}

int command_restart(struct client *client, const struct options *options)
{
    return act(client, options, CONTROL_RESTART, "restarted");
}
