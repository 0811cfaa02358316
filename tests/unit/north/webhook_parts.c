/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers from a file and the signature; what Alertmanager was told and what may be repeated to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/webhook/headers.h"
#include "north/webhook/memory.h"

static int read_headers(const char *text, size_t length, mode_t mode,
			struct gm_webhook_headers *headers, struct gm_error *err)
{
	char path[] = "/tmp/gm-headers-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), (ssize_t)length);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	int result = gm_webhook_headers_read(path, headers, err);
	unlink(path);
	return result;
}

static void test_headers(void **state)
{
	(void)state;
	struct gm_webhook_headers headers;
	struct gm_error err;
	const char text[] = "# of the on-call tool\r\nAuthorization: Bearer s3cr3t-token \t \r\n\n"
			    "X-Tenant: a b  \n";

	assert_int_equal(read_headers(text, sizeof(text) - 1, 0600, &headers, &err), 0);
	assert_int_equal(headers.count, 2);
	assert_string_equal(headers.lines[0], "Authorization: Bearer s3cr3t-token");
	assert_string_equal(headers.lines[1], "X-Tenant: a b");
	const char echo[] = "you sent s3cr3t-token", other[] = "Bearer tokens only";
	assert_true(gm_webhook_headers_within(&headers, echo, sizeof(echo) - 1));
	assert_false(gm_webhook_headers_within(&headers, other, sizeof(other) - 1));
	gm_webhook_headers_forget(&headers);
	assert_int_equal(headers.count, 0);
}

static void test_headers_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t length;
		mode_t mode;
		const char *why;
	} cases[] = {
		{"A: b", 4, 0644, "others may read it"},
		{"A: b\nno header", 14, 0600, ":2: not"},
		{"Host: other", 11, 0600, ":1: no name"},
		{"content-length: 3", 17, 0600, ":1: no name"},
		{"A b: c", 6, 0600, ":1: no name"},
		{": c", 3, 0600, ":1: no name"},
		{"A: b\rC: d", 9, 0600, ":1: a control character"},
		{"A: b\0c", 6, 0600, "no text"},
		{"A: \xFF", 4, 0600, "no text"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gm_webhook_headers headers;
		struct gm_error err = {.text = ""};
		assert_true(read_headers(cases[i].text, cases[i].length, cases[i].mode, &headers,
					 &err) < 0);
		assert_non_null(strstr(err.text, cases[i].why));
		assert_int_equal(headers.count, 0);
	}
	static char many[GM_WEBHOOK_HEADERS_BYTES + 100];
	struct gm_webhook_headers headers;
	size_t used = 0;
	for (int i = 0; i <= GM_WEBHOOK_HEADERS; i++)
		used += (size_t)snprintf(many + used, sizeof(many) - used, "H%d: x\n", i);
	assert_int_equal(read_headers(many, used, 0600, &headers, NULL), -EINVAL);
	memset(many, 'a', sizeof(many));
	assert_true(read_headers(many, sizeof(many), 0600, &headers, NULL) < 0);
}

/* RFC 4231, test case 2. */
static void test_signature(void **state)
{
	(void)state;
	char signature[GM_WEBHOOK_SIGNATURE];

	gm_webhook_sign("Jefe", "what do ya want for nothing?", 28, signature);
	assert_string_equal(signature, "sha256=5bdcc146bf60754e6a042426089575c7"
				       "5a003f089d2739839dec58b964ec3843");
}

static const enum gm_severity warning = GM_SEVERITY_WARNING, major = GM_SEVERITY_MAJOR,
			      over = GM_SEVERITY_CLEARED;

static bool repeats(struct gm_webhook_memory *memory, uint32_t id, bool wanted,
		    enum gm_severity *severity)
{
	struct gm_alarm alarm = {.id = id, .severity = GM_SEVERITY_MAJOR};

	return gm_webhook_memory_repeats(memory, &alarm, wanted, 0, severity);
}

static const struct gm_snapshot nothing = {.alarm_count = 0};

static void test_memory_lasts_as_long_as_the_alarm(void **state)
{
	(void)state;
	struct gm_webhook_memory *memory;
	struct gm_alarm active[] = {{.id = 1}, {.id = 3}, {.id = 4}};
	const struct gm_snapshot snapshot = {.alarm_count = 3, .alarms = active};

	assert_int_equal(gm_webhook_memory_create(&memory), 0);
	for (uint32_t id = 1; id <= 4; id++) {
		gm_webhook_memory_begin(memory, id, 0);
		gm_webhook_memory_end(memory, id, id < 4 ? &warning : &over, 0);
	}
	for (int64_t hour = 1; hour < 4; hour++)
		gm_webhook_memory_tidy(memory, &snapshot, hour * 3600 * GM_SECOND);
	assert_int_equal(gm_webhook_memory_told(memory, 1), GM_SEVERITY_WARNING);
	assert_int_equal(gm_webhook_memory_told(memory, 2), GM_SEVERITY_CLEARED);
	assert_int_equal(gm_webhook_memory_told(memory, 3), GM_SEVERITY_WARNING);
	assert_int_equal(gm_webhook_memory_told(memory, 4), GM_SEVERITY_CLEARED);
	gm_webhook_memory_tidy(memory, &nothing, 3 * 3600 * GM_SECOND + 299 * GM_SECOND);
	assert_int_equal(gm_webhook_memory_told(memory, 1), GM_SEVERITY_WARNING);
	gm_webhook_memory_tidy(memory, &nothing, 3 * 3600 * GM_SECOND + 300 * GM_SECOND);
	assert_int_equal(gm_webhook_memory_told(memory, 1), GM_SEVERITY_CLEARED);
	gm_webhook_memory_free(memory);
}

static void test_memory_of_an_alarms_life(void **state)
{
	(void)state;
	struct gm_webhook_memory *memory;
	enum gm_severity severity;

	assert_int_equal(gm_webhook_memory_create(&memory), 0);
	assert_int_equal(gm_webhook_memory_told(memory, 1), GM_SEVERITY_CLEARED);
	assert_int_equal(gm_webhook_memory_begin(memory, 1, 0), 0);
	assert_false(repeats(memory, 1, true, &severity)); /* on its way */
	gm_webhook_memory_end(memory, 1, &warning, 0);
	assert_int_equal(gm_webhook_memory_told(memory, 1), GM_SEVERITY_WARNING);
	assert_true(repeats(memory, 1, false, &severity));
	assert_int_equal(severity, GM_SEVERITY_WARNING); /* the change has not arrived yet */

	gm_webhook_memory_begin(memory, 1, 0);
	gm_webhook_memory_end(memory, 1, NULL, 0); /* failed */
	assert_int_equal(gm_webhook_memory_told(memory, 1), GM_SEVERITY_WARNING);
	gm_webhook_memory_begin(memory, 1, 0);
	gm_webhook_memory_end(memory, 1, &major, 0);
	assert_true(repeats(memory, 1, false, &severity));
	assert_int_equal(severity, GM_SEVERITY_MAJOR);

	gm_webhook_memory_begin(memory, 1, 0);
	gm_webhook_memory_end(memory, 1, &over, 0);
	assert_false(repeats(memory, 1, true, &severity)); /* a snapshot may still have it */
	assert_int_equal(gm_webhook_memory_told(memory, 1), GM_SEVERITY_CLEARED);
	gm_webhook_memory_free(memory);
}

static void test_memory_after_a_restart(void **state)
{
	(void)state;
	struct gm_webhook_memory *memory;
	enum gm_severity severity;

	assert_int_equal(gm_webhook_memory_create(&memory), 0);
	assert_false(repeats(memory, 7, false, &severity)); /* never told: not the output's */
	assert_true(repeats(memory, 8, true, &severity));
	assert_int_equal(severity, GM_SEVERITY_MAJOR);
	assert_int_equal(gm_webhook_memory_told(memory, 8), GM_SEVERITY_MAJOR);

	gm_webhook_memory_repeat_begin(memory, 8);
	gm_webhook_memory_repeat_begin(memory, 7);
	assert_true(gm_webhook_memory_is_repeating(memory, 8));
	assert_false(gm_webhook_memory_is_repeating(memory, 7));
	gm_webhook_memory_tidy(memory, &nothing, 3600 * GM_SECOND);
	gm_webhook_memory_repeat_end(memory);
	assert_false(gm_webhook_memory_is_repeating(memory, 8));
	assert_int_equal(gm_webhook_memory_told(memory, 8), GM_SEVERITY_MAJOR);
	gm_webhook_memory_tidy(memory, &nothing, 3600 * GM_SECOND);
	assert_int_equal(gm_webhook_memory_told(memory, 8), GM_SEVERITY_CLEARED);
	gm_webhook_memory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_headers_are_refused),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_memory_lasts_as_long_as_the_alarm),
		cmocka_unit_test(test_memory_of_an_alarms_life),
		cmocka_unit_test(test_memory_after_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
