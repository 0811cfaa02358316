/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of control commands and the check of a request against it; see ctl.h. The daemon's
 * handlers (daemon/commands.c) and guestmonctl's own table (cli/) are in the same order by name.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const struct gm_ctl_command gm_ctl_commands[] = {
	{"status", "", "the daemon, its sources, its store, its SNMP session"},
	{"guests", "", "the guests with their newest values"},
	{"alarms", "log", "the active alarms; with log, the newest transitions"},
	{"windows", "guest metric since entity",
	 "the samples of a guest, its interfaces and disks; what the rings lack from Redis"},
	{"check", "", "reads the configuration file again and tells what is wrong"},
	{"snmp", "test", "the path to the SNMP master agent; with test, sends guestmonTest"},
	{"reload", "", "applies the configuration file, whole or not at all"},
	{"outputs", "action output sequence",
	 "where alarms are told, and how far; pause, resume, tell again from a sequence number"},
	{"actions", "output since", "what was done about alarms, and what became of it"},
	{"thresholds", "", "the thresholds of files and those of managers"},
	{"options", "guest detector", "the options that a detector judges a guest by"},
	{"learn", "guest kind label since until author",
	 "marks a range of time of a guest as normal, or as a fault"},
	{"lessons", "guest", "what was marked so far"},
	{"unlearn", "id", "takes a lesson back"},
	{"ack", "id comment author", "takes an alarm on; one that is latched is cleared by it"},
	{"unack", "id comment author", "takes an acknowledgement back"},
	{"comment", "id comment author", "says something of an alarm"},
	{"comments", "id", "what was said of an alarm, or of all"},
	{"maintenance", "action target for in comment author",
	 "for whom no alarm is told for a time"},
	{.name = NULL},
};

static bool listed(const char *list, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
		size_t item = strcspn(at, " ");
		if (item == length && strncmp(at, word, length) == 0)
			return true;
		at += item;
	}
	return false;
}

const struct gm_ctl_command *gm_ctl_check(const struct gm_json *request, struct gm_error *err)
{
	const char *name = gm_json_get_text(request, "command");
	const struct gm_ctl_command *command = gm_ctl_commands;
	while (name && command->name && strcmp(command->name, name) != 0)
		command++;
	if (!name) {
		gm_error_set(err, -EINVAL, "the request has no text member \"command\"");
		return NULL;
	}
	char quoted[96];
	if (!command->name) {
		gm_text_quote(quoted, sizeof(quoted), name);
		gm_error_set(err, -EINVAL, "unknown command %s", quoted);
		return NULL;
	}
	void *iterator = NULL;
	const char *key;
	const struct gm_json *value;
	while (gm_json_next(request, &iterator, &key, &value)) {
		if (strcmp(key, "command") != 0 && !listed(command->arguments, key)) {
			gm_text_quote(quoted, sizeof(quoted), key);
			gm_error_set(err, -EINVAL, "%s takes no argument %s", command->name,
				     quoted);
			return NULL;
		}
	}
	return command;
}
