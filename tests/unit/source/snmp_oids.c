/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's objects: the file, the numbers that agents answer with, and the whole way through the
 * source against the packaged snmpd and a script of its "extend".
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "snmp_rig.h"
#include "source/snmp/oids.h"

static int read_text(const char *text, struct gm_snmp_oids *oids, struct gm_error *err)
{
	struct rig rig = {.folder = "/tmp/gm-oids-XXXXXX"};
	char path[64];
	int rc;

	assert_non_null(mkdtemp(rig.folder));
	rig_write(&rig, "oids", 0644, text);
	snprintf(path, sizeof(path), "%s/oids", rig.folder);
	rc = gm_snmp_oids_read(path, oids, err);
	unlink(path);
	rmdir(rig.folder);
	return rc;
}

static void reads_a_file(void **state)
{
	struct gm_snmp_oids oids;
	struct gm_error err = {.text = ""};

	(void)state;
	assert_int_equal(read_text("# sessions\n\n"
				   ".1.3.6.1.4.1.8072.9999.1.0 operator.gauge.1 gauge\n"
				   "1.3.6.1.2.1.6.5.0 operator.counter.2 counter scale=8\n"
				   "2.999.4294967295 operator.gauge.8 gauge scale=-0.5\n",
				   &oids, &err),
			 0);
	assert_int_equal(oids.count, 3);
	assert_int_equal(oids.list[0].length, 11);
	assert_memory_equal(oids.list[0].name, "\x2b\x06\x01\x04\x01\xbf\x08\xce\x0f\x01\x00", 11);
	assert_int_equal(oids.list[0].metric, GM_METRIC_OPERATOR_GAUGE_1);
	assert_true(oids.list[0].scale == 1);
	assert_int_equal(oids.list[1].metric, GM_METRIC_OPERATOR_COUNTER_2);
	assert_true(oids.list[1].scale == 8);
	/* X.690 section 8.19: 2.999 is 88 37. */
	assert_memory_equal(oids.list[2].name, "\x88\x37\x8f\xff\xff\xff\x7f", 7);
	assert_true(oids.list[2].scale == -0.5);
	assert_int_equal(gm_snmp_oids_read("", &oids, &err), 0);
	assert_int_equal(oids.count, 0);
}

static void refuses_bad_lines(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{"x\n", ":1: expected OID METRIC"},
		{"\n1.3.x operator.gauge.1 gauge\n", ":2: the first word"},
		{"1.3. operator.gauge.1 gauge\n", ":1: the first word"},
		{"1..3.6 operator.gauge.1 gauge\n", ":1: the first word"},
		{"3.1.1 operator.gauge.1 gauge\n", ":1: the first word"},
		{"1.40.1 operator.gauge.1 gauge\n", ":1: the first word"},
		{"1.3 operator.gauge.1 gauge\n", ":1: the first word"},
		{"1.3.4294967296 operator.gauge.1 gauge\n", ":1: the first word"},
		{"1.3.99999999999999999999999 operator.gauge.1 gauge\n", ":1: the first word"},
		{"1.3.6.1.4.1.4294967295.4294967295.4294967295.4294967295.4294967295.4294967295."
		 "4294967295.4294967295.4294967295.4294967295.4294967295.4294967295 "
		 "operator.gauge.1 gauge\n",
		 ":1: the first word"},
		{"sysUpTime.0 operator.gauge.1 gauge\n", ":1: the first word"},
		{"1.3.6.0 operator.gauge.9 gauge\n", ":1: the second word"},
		{"1.3.6.0 net.rx.bytes counter\n", ":1: the second word"},
		{"1.3.6.0 memory.used gauge\n", ":1: memory.used is asked for already"},
		{"1.3.6.0 operator.gauge.1 counter\n", ":1: operator.gauge.1 is a gauge"},
		{"1.3.6.0 operator.counter.1 gauge\n", ":1: operator.counter.1 is a counter"},
		{"1.3.6.0 operator.gauge.1 gauge scale=\n", ":1: scale="},
		{"1.3.6.0 operator.gauge.1 gauge scale=0\n", ":1: scale="},
		{"1.3.6.0 operator.gauge.1 gauge scale=nan\n", ":1: scale="},
		{"1.3.6.0 operator.counter.1 counter scale=1.5\n", ":1: scale="},
		{"1.3.6.0 operator.gauge.1 gauge 10\n", ":1: scale="},
		{"1.3.6.0 operator.gauge.1 gauge\n1.3.7.0 operator.gauge.1 gauge\n",
		 ":2: operator.gauge.1 is in a line above"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gm_snmp_oids oids = {.count = 77};
		struct gm_error err = {.text = ""};

		assert_true(read_text(cases[i].text, &oids, &err) < 0);
		if (strstr(err.text, cases[i].sentence) == NULL) {
			fail_msg("case %zu: %s", i, err.text);
		}
		assert_int_equal(oids.count, 77);
	}
	struct gm_snmp_oids oids;
	struct gm_error err;

	assert_true(gm_snmp_oids_read("/nonexistent/oids", &oids, &err) < 0);
	assert_non_null(strstr(err.text, "/nonexistent/oids: "));
}

static void takes_numbers_of_any_type(void **state)
{
	static const struct {
		const char *text;
		bool good;
		double gauge;
	} texts[] = {{"12", true, 12},    {" -1.5e3\n", true, -1500},
		     {"", false, 0},      {"12 13", false, 0},
		     {"nan", false, 0},   {"inf", false, 0},
		     {"0x10", false, 0},  {"12; x", false, 0},
		     {"1e999", false, 0}, {"-", false, 0},
		     {"   ", false, 0},   {"1234567890123456789012345678901234567890", false, 0}};
	struct gm_snmp_oid gauge = {.metric = GM_METRIC_OPERATOR_GAUGE_1, .scale = 2};
	struct gm_snmp_oid counter = {.metric = GM_METRIC_OPERATOR_COUNTER_1, .scale = 1};
	struct gm_snmp_varbind varbind;
	double number;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		varbind = (struct gm_snmp_varbind){
			.type = GM_SNMP_OCTETS,
			.text = {(const uint8_t *)texts[i].text, strlen(texts[i].text)}};
		if (gm_snmp_oid_number(&gauge, &varbind, &number) != texts[i].good ||
		    (texts[i].good && number != 2 * texts[i].gauge)) {
			fail_msg("\"%s\"", texts[i].text);
		}
	}
	varbind = (struct gm_snmp_varbind){.type = GM_SNMP_INTEGER, .number = (uint64_t)-5};
	assert_true(gm_snmp_oid_number(&gauge, &varbind, &number) && number == -10);
	assert_false(gm_snmp_oid_number(&counter, &varbind, &number));
	varbind = (struct gm_snmp_varbind){.type = GM_SNMP_COUNTER64, .number = UINT64_MAX};
	assert_true(gm_snmp_oid_number(&counter, &varbind, &number));
	assert_true(varbind.number == UINT64_MAX);
	varbind = (struct gm_snmp_varbind){.type = GM_SNMP_OCTETS,
					   .text = {(const uint8_t *)"700", 3}};
	assert_true(gm_snmp_oid_number(&counter, &varbind, &number));
	assert_int_equal(varbind.type, GM_SNMP_COUNTER64);
	assert_int_equal(varbind.number, 700);
	varbind = (struct gm_snmp_varbind){.type = GM_SNMP_OCTETS,
					   .text = {(const uint8_t *)"1e30", 4}};
	assert_false(gm_snmp_oid_number(&counter, &varbind, &number));
	varbind = (struct gm_snmp_varbind){.type = GM_SNMP_OID};
	assert_false(gm_snmp_oid_number(&gauge, &varbind, &number));
}

/* sysUpTime under another name, what a script says, and one that is not there. */
static void asks_a_real_agent(void **state)
{
	struct rig rig;
	struct rig_series *uptime, *said;

	(void)state;
	rig_prepare(&rig);
	pid_t snmpd =
		snmpd_start(&rig, 12397, "rocommunity public\nextend sessions /bin/echo 42.5");
	if (snmpd < 0) {
		rig_stop(&rig);
		skip();
	}
	rig_write(&rig, "credentials", 0600, "mine v2c public\n");
	rig_write(&rig, "targets", 0644,
		  "00000000-0000-0000-0000-000000000001 127.0.0.1:12397 mine 100ms\n");
	/* nsExtendOutput1Line."sessions" */
	rig_write(&rig, "oids", 0644,
		  "1.3.6.1.2.1.1.3.0 operator.counter.1 counter scale=10000000\n"
		  "1.3.6.1.4.1.8072.1.3.2.3.1.1.8.115.101.115.115.105.111.110.115 "
		  "operator.gauge.3 gauge scale=10\n"
		  "1.3.6.1.4.1.8072.9999.9999.1.0 operator.gauge.4 gauge\n");
	snprintf(rig.options.oids, sizeof(rig.options.oids), "%s/oids", rig.folder);
	rig.options.oid_interval = 200 * GM_MILLISECOND;
	assert_int_equal(rig_start(&rig), 0);
	rig_run(&rig, 2500 * GM_MILLISECOND);
	uptime = rig_guest(&rig, 1, GM_METRIC_OPERATOR_COUNTER_1);
	said = rig_guest(&rig, 1, GM_METRIC_OPERATOR_GAUGE_3);
	assert_non_null(uptime);
	assert_non_null(said);
	/* Nanoseconds since its start; hundredths are too fine for the 200 ms. */
	assert_in_range(uptime->value.counter, 1500 * GM_MILLISECOND, 60 * GM_SECOND);
	assert_in_range(uptime->count, 6, 13);
	assert_true(said->value.gauge == 425);
	assert_null(rig_guest(&rig, 1, GM_METRIC_OPERATOR_GAUGE_4));
	assert_non_null(rig_guest(&rig, 1, GM_METRIC_MEMORY_TOTAL));

	/* Another file, while it runs. */
	rig_write(&rig, "oids", 0644, "1.3.6.1.2.1.1.3.0 operator.gauge.2 gauge\n");
	rig_run(&rig, 1500 * GM_MILLISECOND);
	assert_non_null(rig_guest(&rig, 1, GM_METRIC_OPERATOR_GAUGE_2));
	rig_write(&rig, "oids", 0644, "1.3.6.1.2.1.1.3.0 operator.gauge.2\n");
	rig_run(&rig, 1300 * GM_MILLISECOND);
	assert_non_null(strstr(rig.complaint.text, "oids:1: expected"));
	assert_int_equal(rig.reachable, 1);
	snmpd_stop(snmpd);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(refuses_bad_lines),
		cmocka_unit_test(takes_numbers_of_any_type),
		cmocka_unit_test(asks_a_real_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
