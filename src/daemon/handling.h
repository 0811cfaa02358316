/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policy files say of alarms: other options of the alarm engine for some of them, the calendar of
 * maintenance, and which VNF their guests are. A part of the configuration: made with it, not changed afterwards.
 */
#ifndef GM_DAEMON_HANDLING_H
#define GM_DAEMON_HANDLING_H

#include "alarm/engine.h"
#include "analysis/rules.h"
#include "daemon/calendar.h"
#include "north/api/vnf.h"

enum { GM_HANDLING_MAX = 256 };

/* Which alarms: an empty pattern asks for nothing. */
struct gm_alarm_match {
	struct gm_match match;
	char detector[GM_PATTERNS], rule[GM_PATTERNS];
};

struct gm_alarm_rule {
	struct gm_alarm_match whom;
	struct gm_alarm_options options; /* only those of `given` count */
	unsigned given;                  /* bits by place in gm_alarm_option_table */
};

struct gm_maintenance_rule {
	char name[GM_RULE_NAME];
	struct gm_alarm_match whom;
	struct gm_calendar calendar;
};

struct gm_vnf_rule {
	struct gm_match match; /* by what an alarm knows of its guest: name, UUID, project */
	struct gm_vnf vnf;
};

struct gm_handling {
	struct gm_alarm_rule *rules; /* a later one wins */
	size_t rule_count;
	struct gm_maintenance_rule *maintenance;
	size_t maintenance_count;
	struct gm_vnf_rule *vnfs; /* the first that matches holds */
	size_t vnf_count;
};

int gm_handling_create(struct gm_handling **ret_handling); /* empty; 0 or -ENOMEM */
void gm_handling_free(struct gm_handling *handling);

/* Copies. -ENOSPC: GM_HANDLING_MAX are there; -EEXIST: a maintenance of that name is; -ENOMEM. */
int gm_handling_add_rule(struct gm_handling *handling, const struct gm_alarm_rule *rule);
int gm_handling_add_maintenance(struct gm_handling *handling,
				const struct gm_maintenance_rule *rule);

int gm_handling_add_vnf(struct gm_handling *handling, const struct gm_vnf_rule *rule);

/* Whether both say the same of what guests are as VNFs. */
bool gm_handling_same_vnfs(const struct gm_handling *a, const struct gm_handling *b);

/*
 * What the guest of an alarm is. By the alarm alone: the clear of one whose guest is gone is of the same VNF as its
 * raise was. False: not known.
 */
bool gm_handling_identify(const struct gm_handling *handling, const struct gm_alarm *alarm,
			  struct gm_vnf *ret_vnf);

bool gm_alarm_match_holds(const struct gm_alarm_match *match, const struct gm_subject *subject,
			  const struct gm_alarm *alarm);

/* Changes those options that rules say of this alarm. */
void gm_handling_settle(const struct gm_handling *handling, const struct gm_subject *subject,
			const struct gm_alarm *alarm, struct gm_alarm_options *options);

#endif
