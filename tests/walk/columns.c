/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what the column tables say, one line per column: its identifier below the root, its type, and
 * "read" or "notify"; and one line per notification: its identifier and the columns of gmNotify that it
 * always carries. Called by tests/walk/drift, which holds it against the text of the MIB.
 */
#include <stdio.h>

#include "north/mib/notify.h"
#include "north/mib/tree.h"

static void print(const struct gm_mib_table *table, const char *access)
{
	static const char *const types[] = {
		[GM_MIB_INTEGER] = "integer",     [GM_MIB_UNSIGNED] = "unsigned",
		[GM_MIB_COUNTER64] = "counter64", [GM_MIB_OCTETS] = "octets",
		[GM_MIB_TIME] = "time",
	};
	for (size_t i = 0; i < table->column_count; i++) {
		for (size_t k = 0; k < table->prefix_length; k++)
			printf("%u.", table->prefix[k]);
		printf("%u %s %s %u\n", table->columns[i].number, types[table->columns[i].type],
		       access, table->index_objects);
	}
}

static void print_variable(void *user, const struct gm_mib_oid *oid,
			   const struct gm_mib_value *value)
{
	(void)user;
	(void)value;
	printf(" %u", oid->id[2]);
}

/* An alarm of which nothing is known carries nothing but what it has to. */
static void print_notifications(const char *detector)
{
	struct gm_transition transition = {.time = 0};
	snprintf(transition.alarm.detector, GM_DETECTOR_NAME, "%s", detector);
	for (int kind = GM_TRANSITION_RAISE; kind <= GM_TRANSITION_CLEAR; kind++) {
		transition.kind = (enum gm_transition_kind)kind;
		printf("0.%u carries", gm_mib_notification_of(&transition));
		gm_mib_notify_transition(&transition,
					 &(struct gm_mib_notify_sink){print_variable, NULL});
		printf("\n");
	}
}

int main(void)
{
	const struct gm_mib_module *module = &gm_mib_modules[GM_MIB_GUESTMON];
	for (size_t t = 0; t < module->table_count; t++)
		print(module->tables[t], "read");
	print(&gm_mib_notify_table, "notify");
	print_notifications("leak");
	print_notifications("burst");
	print_notifications("anomaly");
	print_notifications("threshold");
	print_notifications("learned");
	return 0;
}
