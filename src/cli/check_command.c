/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of `guestmonctl check`; see check_command.h. The daemon tells how far it comes (its
 * configuration, the master agent's socket, the session and what is registered in it, a test notification);
 * what a manager is shown is asked of the master agent from here, with the credentials of a manager.
 */
#include "cli/check_command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/snmpget.h"
#include "ctl/ctl.h"
#include "gm_version.h"

enum { SENTENCE = 512 };
static const int64_t PATIENCE = 10 * GM_SECOND; /* for the test notification */

enum state { FINE, WRONG, NOT_TRIED };

struct check {
	const char *socket, *credentials, *agent;
	bool json, notify;
	struct gm_json *steps;
	bool wrong;
};

/* Tells a step as it comes, or keeps it for the JSON at the end. `mend` may be NULL. */
static void __attribute__((format(printf, 5, 6)))
step(struct check *check, enum state state, const char *name, const char *mend, const char *format,
     ...)
{
	static const char *const words[] = {"ok", "WRONG", "-"}, *const states[] = {"ok", "wrong",
										    "not tried"};
	char text[SENTENCE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	check->wrong |= state == WRONG;
	if (!check->json) {
		printf("%-6s %-14s %s\n", words[state], name, text);
		if (mend)
			printf("%-6s %-14s → %s\n", "", "", mend);
		return;
	}
	struct gm_json *object = gm_json_object();
	gm_json_set_text(object, "step", name);
	gm_json_set_text(object, "state", states[state]);
	gm_json_set_text(object, "text", text);
	if (mend)
		gm_json_set_text(object, "mend", mend);
	gm_json_append(check->steps, object);
}

static struct gm_json *ask(const struct check *check, const char *command, bool test,
			   struct gm_error *err)
{
	struct gm_json *request = gm_json_object(), *reply = NULL;
	gm_json_set_text(request, "command", command);
	if (test)
		gm_json_set_bool(request, "test", true);
	int result = gm_ctl_call(check->socket, request, GM_COMMAND_TIMEOUT, &reply, err);
	gm_json_free(request);
	return result < 0 ? NULL : reply;
}

/* The daemon, and its file; NULL when there is nothing more to ask. */
static struct gm_json *check_daemon(struct check *check)
{
	struct gm_error err;
	struct gm_json *reply = ask(check, "snmp", false, &err);
	if (!reply) {
		step(check, WRONG, "daemon", "systemctl status guestmon; journalctl -u guestmon",
		     "%s", err.text);
		return NULL;
	}
	step(check, FINE, "daemon", NULL, "answers at %s", check->socket);
	struct gm_json *checked = ask(check, "check", false, &err);
	if (checked)
		step(check, FINE, "configuration", NULL, "the file would be accepted as it is now");
	else
		step(check, WRONG, "configuration",
		     "what runs is the configuration before; mend the file, then guestmonctl "
		     "reload",
		     "%s", err.text);
	gm_json_free(checked);
	return reply;
}

/* From the daemon to the master agent; whether that stands. */
static bool check_session(struct check *check, const struct gm_json *snmp)
{
	const char *socket = gm_json_get_text(snmp, "socket"), *error;
	if (!gm_json_get_bool(snmp, "enabled")) {
		step(check, NOT_TRIED, "socket", NULL,
		     "SNMP is off: snmp.enabled in the configuration");
		return false;
	}
	error = gm_json_get_text(snmp, "socket_error");
	if (!gm_json_get_bool(snmp, "reachable")) {
		step(check, WRONG, "socket", NULL, "%s", error ? error : socket);
		return false;
	}
	step(check, FINE, "socket", NULL, "the master agent's socket is %s", socket);
	error = gm_json_get_text(snmp, "error");
	if (!gm_json_get_bool(snmp, "connected")) {
		step(check, WRONG, "registration",
		     "snmpd takes the connection, not the session: is it stopped or busy? Its log "
		     "tells (journalctl -u snmpd)",
		     "%s", error && error[0] ? error : "the master agent opens no session");
		return false;
	}
	if (error && error[0] != '\0') {
		step(check, WRONG, "registration",
		     "if another subagent has the subtree: is a second guestmond running? "
		     "Otherwise "
		     "restart snmpd",
		     "%s", error);
		return false;
	}
	step(check, FINE, "registration", NULL, "the master agent has our subtrees");
	return true;
}

/* What may help with what snmpget says. */
static const char *mend_query(const char *said)
{
	static const struct {
		const char *part, *mend;
	} table[] = {
		{"Timeout",
		 "does snmpd listen there (agentAddress in its configuration)? It does not "
		 "answer a community that it does not know either: rocommunity, or com2sec"},
		{"Unknown user name", "snmpd does not know the user: createUser in its persistent "
				      "configuration (net-snmp-create-v3-user), and rouser"},
		{"Authentication failure", "the password or the protocol differs from "
					   "createUser's, or snmpd has no rouser line "
					   "for the user"},
		{"Unsupported security level",
		 "the user needs authPriv or authNoPriv, or its keys are "
		 "not of that kind: defSecurityLevel, and rouser"},
		{"authorizationError", "the user may not read: rouser, or the group's access line"},
		{"No securityName", "defSecurityName is missing in the file"},
		{NULL, NULL},
	};
	for (size_t i = 0; table[i].mend; i++)
		if (strstr(said, table[i].part))
			return table[i].mend;
	return "the credentials are an snmp.conf(5): defVersion, and defCommunity or "
	       "defSecurityName "
	       "and the like";
}

/* The values are ours: the same daemon, the same start. */
static void judge_answer(struct check *check, const struct gm_json *snmp, char *text)
{
	char *rest = NULL, quoted[SENTENCE / 2];
	const char *node = strtok_r(text, "\n", &rest), *boots = strtok_r(NULL, "\n", &rest);
	/* snmpget's own quotes are enough. */
	gm_text_copy(quoted, sizeof(quoted), node);
	if (!node || !boots || strncmp(boots, "No Such Object", 14) == 0)
		step(check, WRONG, "view",
		     "what these credentials are shown leaves it out: a line \"view NAME included "
		     "." GM_OID_ROOT_TEXT
		     "\" with the NAME that rocommunity -V, rouser -V or access has",
		     "%s answers, but does not show ." GM_OID_ROOT_TEXT, check->agent);
	else if (strncmp(boots, "No Such", 7) == 0)
		step(check, WRONG, "view", "try again in a second",
		     "%s shows the subtree, with nothing in it yet", check->agent);
	else if (strtoll(boots, NULL, 10) != gm_json_get_integer(snmp, "boots", 0))
		step(check, WRONG, "view", "is that this node's snmpd?",
		     "%s shows another guestmond: node %s, started %s times", check->agent, quoted,
		     boots);
	else
		step(check, FINE, "view", NULL, "%s shows us with these credentials: node %s",
		     check->agent, quoted);
}

static void check_view(struct check *check, const struct gm_json *snmp)
{
	static const char *const names[] = {"." GM_OID_ROOT_TEXT ".1.1.1.0",
					    "." GM_OID_ROOT_TEXT ".1.1.4.0", NULL};
	if (!check->credentials) {
		step(check, NOT_TRIED, "view", NULL,
		     "whether managers see us: --credentials FILE with a manager's snmp.conf");
		return;
	}
	struct gm_error err;
	struct gm_buffer output = GM_BUFFER_INIT(65536);
	int result = gm_snmpget(check->credentials, check->agent, names, &output, &err);
	gm_buffer_append(&output, "", 1);
	if (result < 0)
		step(check, WRONG, "view", result == -EREMOTEIO ? mend_query(err.text) : NULL, "%s",
		     err.text);
	else
		judge_answer(check, snmp, output.data);
	gm_buffer_free(&output);
}

static const struct gm_json *find_output(const struct gm_json *reply)
{
	const struct gm_json *outputs = gm_json_get(reply, "outputs");
	for (size_t i = 0; i < gm_json_size(outputs); i++) {
		const char *name = gm_json_get_text(gm_json_at(outputs, i), "name");
		if (name && strcmp(name, "snmp") == 0)
			return gm_json_at(outputs, i);
	}
	return NULL;
}

static bool is_state(const struct gm_json *output, const char *name)
{
	const char *state = gm_json_get_text(output, "state");
	return state && strcmp(state, name) == 0;
}

/* Rows are those of a moment ago: one that does not work is looked at again. */
static struct gm_json *ask_outputs(const struct check *check, struct gm_error *err)
{
	int64_t end = gm_clock_monotonic() + GM_SECOND;
	struct gm_json *reply = ask(check, "outputs", false, err);
	while (reply && !is_state(find_output(reply), "working") && gm_clock_monotonic() < end) {
		nanosleep(&(struct timespec){.tv_nsec = 100 * GM_MILLISECOND}, NULL);
		gm_json_free(reply);
		reply = ask(check, "outputs", false, err);
	}
	return reply;
}

/* Whether alarms take that way: a test does it even while the output is paused. */
static void check_output(struct check *check)
{
	struct gm_error err;
	struct gm_json *reply = ask_outputs(check, &err);
	const struct gm_json *output = find_output(reply);
	const char *state = gm_json_get_text(output, "state"),
		   *error = gm_json_get_text(output, "error");
	if (!reply)
		step(check, WRONG, "output", NULL, "%s", err.text);
	else if (is_state(output, "working"))
		step(check, FINE, "output", NULL, "alarms are given to the master agent");
	else if (is_state(output, "paused"))
		step(check, WRONG, "output", "guestmonctl outputs resume snmp",
		     "output snmp is paused: %.0f transitions of alarms wait",
		     gm_json_get_number(output, "backlog", 0));
	else
		step(check, WRONG, "output", "guestmonctl outputs tells what it waits for",
		     "output snmp is %s%s%s", state ? state : "not there", error ? ": " : "",
		     error ? error : "");
	gm_json_free(reply);
}

static void check_notification(struct check *check, const struct gm_json *snmp)
{
	if (!check->notify) {
		step(check, NOT_TRIED, "notification", NULL, "as told");
		return;
	}
	struct gm_error err;
	int64_t before = gm_json_get_integer(snmp, "tests", 0),
		end = gm_clock_monotonic() + PATIENCE;
	bool first = true, taken = false;
	while (!taken && gm_clock_monotonic() < end) {
		struct gm_json *now = ask(check, "snmp", first, &err);
		taken = now && gm_json_get_integer(now, "tests", 0) > before;
		gm_json_free(now);
		first = false;
		nanosleep(&(struct timespec){.tv_nsec = 100 * GM_MILLISECOND}, NULL);
	}
	if (taken)
		step(check, FINE, "notification",
		     "it should be with the receivers now; where it is not: trap2sink, informsink "
		     "or "
		     "trapsess in snmpd's configuration, and snmptrapd's authCommunity",
		     "the master agent has taken guestmonTest");
	else
		step(check, WRONG, "notification",
		     "does snmpd hang? guestmonctl status tells what waits",
		     "the master agent has not taken guestmonTest within %d s",
		     (int)(PATIENCE / GM_SECOND));
}

static int finish(struct check *check)
{
	if (check->json) {
		struct gm_json *reply = gm_json_object();
		struct gm_buffer text = GM_BUFFER_INIT(1 << 20);
		gm_json_set_bool(reply, "ok", !check->wrong);
		gm_json_set(reply, "steps", check->steps);
		if (gm_json_write(reply, 2, &text) == 0)
			puts(text.data);
		gm_buffer_free(&text);
		gm_json_free(reply);
	}
	return check->wrong || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int parse(int argc, char **argv, struct check *check)
{
	static const struct option options[] = {
		{"credentials", required_argument, NULL, 'c'},
		{"agent", required_argument, NULL, 'a'},
		{"no-notification", no_argument, NULL, 'n'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	int letter;
	optind = 0; /* GNU: begins anew */
	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (letter == 'c')
			check->credentials = optarg;
		else if (letter == 'a')
			check->agent = optarg;
		else if (letter == 'n')
			check->notify = false;
		else if (letter == 'j')
			check->json = true;
		else
			return -EINVAL;
	}
	return optind == argc && check->agent[0] != '-' ? 0 : -EINVAL;
}

int gm_cli_check(const char *socket, bool json, int argc, char **argv)
{
	struct check check = {
		.socket = socket, .agent = "127.0.0.1:161", .json = json, .notify = true};
	if (parse(argc, argv, &check) < 0) {
		fputs("usage: guestmonctl check [--credentials FILE] [--agent HOST:PORT] "
		      "[--no-notification] [--json]\n",
		      stderr);
		return GM_EXIT_USAGE;
	}
	if (check.json)
		check.steps = gm_json_array();
	struct gm_json *snmp = check_daemon(&check);
	if (snmp && check_session(&check, snmp)) {
		check_output(&check);
		check_view(&check, snmp);
		check_notification(&check, snmp);
	}
	gm_json_free(snmp);
	return finish(&check);
}
