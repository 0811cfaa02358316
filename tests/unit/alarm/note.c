/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people say of alarms, and which alarms belong together.
 */
#include <errno.h>

#include "fixture.h"

#define S GM_SECOND

static void test_acknowledge(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_note note = {.author = "anna", .text = "mine", .time = T0 + 5 * S};
	struct gm_error err;

	tell(f, finding(1, true, T0));
	assert_int_equal(gm_alarms_acknowledge(f->alarms, 2, &note, &err), -ENOENT);
	assert_non_null(strstr(err.text, "alarm 2"));
	assert_int_equal(gm_alarms_acknowledge(f->alarms, 1, &note, &err), 0);
	assert_int_equal(f->count, 2);
	assert_int_equal(f->log[1].kind, GM_TRANSITION_CHANGE);
	assert_int_equal(newest(f)->news, GM_NEWS_ACKNOWLEDGED);
	assert_int_equal(newest(f)->acknowledged_at, T0 + 5 * S);
	assert_string_equal(newest(f)->acknowledged_by, "anna");
	assert_int_equal(newest(f)->comments, 1);
	assert_string_equal(newest(f)->comment, "mine");
	assert_int_equal(gm_alarms_acknowledge(f->alarms, 1, &note, &err), -EALREADY);
	assert_int_equal(f->count, 2);

	note = (struct gm_alarm_note){.author = "ben", .time = T0 + 6 * S};
	assert_int_equal(gm_alarms_unacknowledge(f->alarms, 1, &note, &err), 0);
	assert_int_equal(newest(f)->news, GM_NEWS_UNACKNOWLEDGED);
	assert_int_equal(newest(f)->acknowledged_at, 0);
	assert_string_equal(newest(f)->acknowledged_by, "");
	assert_string_equal(newest(f)->comment, "mine"); /* that stays */
	assert_int_equal(gm_alarms_unacknowledge(f->alarms, 1, &note, &err), -EALREADY);

	/* An alarm that is over cannot be taken on. */
	tell(f, finding(1, false, T0 + 7 * S));
	gm_alarms_tick(f->alarms, T0 + 20 * S);
	assert_int_equal(gm_alarms_acknowledge(f->alarms, 1, &note, &err), -ENOENT);
}

static void test_worse_is_nobodys(void **state)
{
	struct fixture *f = *state;
	struct gm_alarm_note note = {.author = "anna", .time = T0 + 1 * S};
	struct gm_finding what = finding(1, true, T0 + 2 * S);

	tell(f, finding(1, true, T0));
	assert_int_equal(gm_alarms_acknowledge(f->alarms, 1, &note, NULL), 0);
	what.report = true;
	tell(f, what);
	assert_true(newest(f)->acknowledged_at != 0); /* of the same severity */
	assert_int_equal(newest(f)->news, GM_NEWS_CONDITION);
	what.severity = GM_SEVERITY_MAJOR;
	tell(f, what);
	assert_int_equal(newest(f)->acknowledged_at, 0);
	assert_int_equal(gm_alarms_acknowledge(f->alarms, 1, &note, NULL), 0);
	what.severity = GM_SEVERITY_MINOR; /* better */
	tell(f, what);
	assert_true(newest(f)->acknowledged_at != 0);
}

static void test_comments(void **state)
{
	struct fixture *f = *state;
	char text[1000];
	struct gm_alarm_note note = {.author = text, .text = text, .time = T0 + 1 * S};
	struct gm_error err;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	tell(f, finding(1, true, T0));
	note.text = text + sizeof(text) - 1 - GM_COMMENT; /* one byte too many: nothing is cut */
	assert_int_equal(gm_alarms_comment(f->alarms, 1, &note, &err), -EINVAL);
	assert_string_equal(err.text, "a comment has at most 255 bytes");
	assert_int_equal(gm_alarms_acknowledge(f->alarms, 1, &note, &err), -EINVAL);
	assert_int_equal(gm_alarms_unacknowledge(f->alarms, 1, &note, &err), -EINVAL);
	assert_int_equal(f->count, 1);
	note.text++;
	assert_int_equal(gm_alarms_comment(f->alarms, 1, &note, &err), 0);
	assert_int_equal(strlen(newest(f)->comment), GM_COMMENT - 1);
	assert_int_equal(strlen(newest(f)->commented_by), GM_AUTHOR - 1);
	assert_int_equal(newest(f)->news, GM_NEWS_COMMENTED);
	note.text = "second";
	note.author = NULL;
	note.time =
		T0 - 50 * S; /* a clock that was set back: an alarm's times do not run backwards */
	assert_int_equal(gm_alarms_comment(f->alarms, 1, &note, &err), 0);
	assert_int_equal(newest(f)->comments, 2);
	assert_string_equal(newest(f)->comment, "second");
	assert_string_equal(newest(f)->commented_by, "");
	assert_true(f->log[f->count - 1].time >= f->log[f->count - 2].time);
	note.text = "";
	assert_int_equal(gm_alarms_comment(f->alarms, 1, &note, &err), -EINVAL);
	assert_int_equal(gm_alarms_comment(f->alarms, 99, &note, &err), -ENOENT);
	assert_int_equal(f->count, 3);
}

/* ---- what belongs together ---- */

static const struct gm_alarm_options together = {
	.damping = true, .hold = 3 * GM_SECOND, .correlate = 2 * GM_SECOND};

static struct gm_finding about(unsigned guest, const char *detector, const char *metric,
			       int64_t time)
{
	struct gm_finding made = finding(guest, true, time);

	snprintf(made.detector, sizeof(made.detector), "%s", detector);
	snprintf(made.metric, sizeof(made.metric), "%s", metric);
	if (guest == 0)
		made.key = gm_entity_node();
	return made;
}

static void test_same_at_once(void **state)
{
	struct fixture *f = *state;

	open_engine(f, &together);
	tell(f, about(1, "burst", "net.rx.bytes", T0));
	tell(f, about(2, "burst", "net.tx.bytes", T0 + S));     /* 2: with 1 */
	tell(f, about(3, "burst", "net.rx.bytes", T0 + 2 * S)); /* 3: with 1 */
	tell(f, about(3, "leak", "memory.used", T0 + 2 * S));   /* 4: another detector */
	tell(f,
	     about(4, "burst", "net.rx.bytes", T0 + 3 * S)); /* 5: too late; the first of others */
	tell(f, about(5, "burst", "net.rx.bytes", T0 + 4 * S)); /* 6: with 5 */
	tell(f, about(4, "burst", "net.tx.bytes", T0 + 4 * S)); /* 7: the same guest as 5: anew */
	static const uint32_t expected[] = {0, 1, 1, 0, 0, 5, 0};
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(f->log[i].alarm.correlation, expected[i]);
	assert_int_equal(f->count, 7);
}

static void test_cause_on_the_node(void **state)
{
	struct fixture *f = *state;
	struct gm_finding odd = about(4, "anomaly", "score", T0 + 60 * S);

	open_engine(f, &together);
	tell(f, about(1, "policy", "swap.used", T0 - 10 * S));  /* 1: long before */
	tell(f, about(2, "leak", "memory.used", T0 - S));       /* 2: just before */
	tell(f, about(2, "policy", "disk.read.bytes", T0 - S)); /* 3: something else */
	tell(f, about(0, "leak", "memory.used", T0));           /* 4: the cause */
	assert_int_equal(f->count, 5);
	assert_int_equal(f->log[3].alarm.correlation, 0);
	assert_int_equal(f->log[4].kind, GM_TRANSITION_CHANGE);
	assert_int_equal(f->log[4].alarm.news, GM_NEWS_CORRELATED);
	assert_int_equal(f->log[4].alarm.id, 2);
	assert_int_equal(f->log[4].alarm.correlation, 4);

	tell(f, about(3, "threshold", "memory.resident", T0 + 30 * S)); /* 5: while it lasts */
	assert_int_equal(newest(f)->correlation, 4);
	snprintf(odd.evidence.contributors, sizeof(odd.evidence.contributors),
		 "cpu.time,memory.used");
	tell(f, odd); /* 6: by what contributes */
	assert_int_equal(newest(f)->correlation, 4);
	tell(f, about(5, "threshold", "net.rx.bytes", T0 + 70 * S));
	assert_int_equal(newest(f)->correlation, 0);

	struct gm_finding over = about(0, "leak", "memory.used", T0 + 80 * S);
	over.active = false;
	tell(f, over);
	gm_alarms_tick(f->alarms, T0 + 90 * S);
	tell(f, about(6, "policy", "memory.used", T0 + 100 * S));
	assert_int_equal(newest(f)->correlation, 0); /* it is over */
}

static void test_nothing_belongs_to_what_the_daemon_says_of_itself(void **state)
{
	struct fixture *f = *state;

	open_engine(f, &together);
	tell(f, about(0, "self", "memory.odd", T0));
	tell(f, about(1, "leak", "memory.used", T0));
	assert_int_equal(newest(f)->correlation, 0);
	/* And switched off, nothing belongs to anything. */
	struct gm_alarm_options off = together;
	off.correlate = 0;
	open_engine(f, &off);
	tell(f, about(0, "leak", "memory.used", T0));
	tell(f, about(1, "leak", "memory.used", T0));
	tell(f, about(2, "leak", "memory.used", T0));
	for (size_t i = 0; i < f->count; i++)
		assert_int_equal(f->log[i].alarm.correlation, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_acknowledge),
		TEST(test_worse_is_nobodys),
		TEST(test_comments),
		TEST(test_same_at_once),
		TEST(test_cause_on_the_node),
		TEST(test_nothing_belongs_to_what_the_daemon_says_of_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
