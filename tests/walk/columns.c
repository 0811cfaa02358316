/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what the column tables say, for each module its name and one line per column: its identifier below
 * the root, its type, and "read" or "notify"; for GUESTMON-MIB also one line per notification: its
 * identifier and the columns of gmNotify that it always carries. Called by tests/walk/drift, which holds it
 * against the texts of the MIBs.
 */
#include <stdio.h>

#include "north/mib/notify.h"
#include "north/mib/tree.h"

static void print(const struct gm_mib_table *table, const char *access)
{
	static const char *const types[] = {
		[GM_MIB_INTEGER] = "integer",     [GM_MIB_UNSIGNED] = "unsigned",
		[GM_MIB_COUNTER64] = "counter64", [GM_MIB_OCTETS] = "octets",
		[GM_MIB_TIME] = "time",           [GM_MIB_TICKS] = "ticks",
		[GM_MIB_COUNTER32] = "counter32", [GM_MIB_OBJECT] = "object",
	};
	for (size_t i = 0; i < table->column_count; i++) {
		/* The number of a leaf's column is the last of the prefix. */
		for (size_t k = 0; k + table->leaf < table->prefix_length; k++)
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
static void print_notifications(const char *detector, const char *metric)
{
	struct gm_transition transition = {.time = 0};
	snprintf(transition.alarm.detector, GM_DETECTOR_NAME, "%s", detector);
	snprintf(transition.alarm.metric, GM_METRIC_NAME, "%s", metric);
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
	for (size_t m = 0; m < GM_MIB_MODULES; m++) {
		const struct gm_mib_module *module = &gm_mib_modules[m];
		printf("%s\n", module->name);
		for (size_t t = 0; t < module->table_count; t++)
			print(module->tables[t], "read");
	}
	printf("GUESTMON-MIB\n");
	print(&gm_mib_notify_table, "notify");
	print_notifications("leak", "");
	print_notifications("burst", "");
	print_notifications("anomaly", "");
	print_notifications("threshold", "");
	print_notifications("learned", "");
	print_notifications(GM_SELF_DETECTOR, GM_STORM_METRIC);
	return 0;
}
