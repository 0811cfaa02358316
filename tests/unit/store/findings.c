/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream of findings with a real redis-server: each entry once, whatever happens to the server, the
 * group or us; entries that are not taken, too large or beyond all times.
 */
#include "rig.h"

#include <errno.h>
#include <signal.h>

#include "store/redis/findings.h"

enum { IDS_MAX = 20000 };

struct reader {
	struct rig *rig;
	struct gm_redis_findings *findings;
	struct gm_entry last;
	char value[64]; /* of the last one's first field */
	struct gm_redis_seen {
		uint64_t ms, sequence;
	} ids[IDS_MAX];
	size_t count;
	bool refuse;
	enum gm_findings_condition condition;
	unsigned changes;
	char reason[512];
};

static int take(void *user, const struct gm_entry *entry, struct gm_error *err)
{
	struct reader *reader = user;

	assert_true(reader->count < IDS_MAX);
	reader->ids[reader->count++] = (struct gm_redis_seen){entry->ms, entry->sequence};
	reader->last = *entry;
	snprintf(reader->value, sizeof(reader->value), "%.*s", (int)entry->fields[0].value_length,
		 entry->fields[0].value);
	return reader->refuse ? gm_error_set(err, -EINVAL, "not today") : 0;
}

static void changed(void *user, enum gm_findings_condition condition, const char *reason)
{
	struct reader *reader = user;

	reader->condition = condition;
	reader->changes++;
	snprintf(reader->reason, sizeof(reader->reason), "%s", reason);
}

/* Whose server is the reader's; it writes nothing here but its schema. */
static void open_store(struct rig *rig)
{
	const struct gm_store_host host = {.user = rig};
	struct gm_error err;

	assert_int_equal(gm_redis_create(&rig->options, "n", &rig->loop, &host, &rig->store, &err),
			 0);
	rig->store->ops->start(rig->store);
}

static void open_reader(struct reader *reader, struct rig *rig, uint64_t ms, uint64_t sequence)
{
	const struct gm_findings_host host = {take, changed, reader};

	reader->rig = rig;
	reader->condition = GM_FINDINGS_AWAY;
	if (!rig->store)
		open_store(rig);
	assert_int_equal(
		gm_redis_findings_create(rig->store, &host, ms, sequence, &reader->findings), 0);
	gm_redis_findings_start(reader->findings);
}

static void close_reader(struct reader *reader)
{
	gm_redis_findings_stop(reader->findings);
	rig_run(reader->rig, 20);
	gm_redis_findings_destroy(reader->findings);
	reader->findings = NULL;
}

static struct gm_findings_status status_of(const struct reader *reader)
{
	struct gm_findings_status status;

	gm_redis_findings_status(reader->findings, &status);
	return status;
}

static void wait_count(struct reader *reader, size_t count, int ms)
{
	for (int i = 0; i < ms / 10 && reader->count < count; i++)
		rig_run(reader->rig, 10);
	if (reader->count != count)
		fail_msg("%zu entries, %zu expected: %s", reader->count, count, reader->reason);
}

static void wait_condition(struct reader *reader, enum gm_findings_condition condition, int ms)
{
	for (int i = 0; i < ms / 10 && reader->condition != condition; i++)
		rig_run(reader->rig, 10);
	if (reader->condition != condition)
		fail_msg("condition %d: %s", reader->condition, reader->reason);
}

static void add(struct rig *rig, int count)
{
	static int number;

	for (int i = 0; i < count; i++)
		rig_do(rig, "XADD guestmon:{n}:findings * k v%d", number++);
}

/* A server, and a reader that has read the first `count` entries. */
static void begin(struct reader *reader, int count)
{
	rig_server(reader->rig, NULL);
	open_reader(reader, reader->rig, 0, 0);
	add(reader->rig, count);
	wait_count(reader, (size_t)count, 3000);
}

static void assert_each_once(const struct reader *reader)
{
	for (size_t i = 1; i < reader->count; i++) {
		const struct gm_redis_seen *a = &reader->ids[i - 1], *b = &reader->ids[i];

		if (b->ms < a->ms || (b->ms == a->ms && b->sequence <= a->sequence))
			fail_msg("entry %zu is there twice or out of order", i);
	}
}

static long long pending(struct rig *rig)
{
	redisReply *reply = rig_command(rig, "XPENDING guestmon:{n}:findings guestmond");
	long long count = reply->element[0]->integer;

	freeReplyObject(reply);
	return count;
}

static int setup(void **state)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	void *rig;

	rig_setup(&rig);
	reader->rig = rig;
	*state = reader;
	return 0;
}

static int teardown(void **state)
{
	struct reader *reader = *state;
	void *rig = reader->rig;

	if (reader->findings)
		close_reader(reader);
	rig_teardown(&rig);
	free(reader);
	return 0;
}

static void test_reads_and_acknowledges(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;

	rig_server(rig, NULL);
	add(rig, 3); /* before there was a group */
	open_reader(reader, rig, 0, 0);
	wait_count(reader, 3, 3000);
	add(rig, 1);
	wait_count(reader, 4, 3000);
	assert_int_equal(reader->last.count, 1);
	assert_int_equal(reader->last.fields[0].name_length, 1);
	assert_string_equal(reader->value, "v3");
	rig_do(rig, "XADD guestmon:{n}:findings * a %b b %s", "x\0y", (size_t)3, "");
	wait_count(reader, 5, 3000);
	assert_int_equal(reader->last.fields[0].value_length, 3);
	assert_int_equal(reader->last.fields[1].value_length, 0);
	rig_run(rig, 100);
	assert_int_equal(pending(rig), 0);
	assert_int_equal(status_of(reader).read, 5);
	assert_each_once(reader);
}

static void test_rejected_ones_are_kept(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;
	char large[1000];

	rig_server(rig, NULL);
	reader->refuse = true;
	open_reader(reader, rig, 0, 0);
	memset(large, 'x', sizeof(large));
	rig_do(rig, "XADD guestmon:{n}:findings 5-6 k %b", large, sizeof(large));
	wait_count(reader, 1, 3000);
	rig_run(rig, 100);
	redisReply *reply = rig_command(rig, "XRANGE guestmon:{n}:findings:rejected - +");
	assert_int_equal(reply->elements, 1);
	const redisReply *fields = reply->element[0]->element[1];
	assert_int_equal(fields->elements, 6);
	assert_string_equal(fields->element[0]->str, "id");
	assert_string_equal(fields->element[1]->str, "5-6");
	assert_string_equal(fields->element[2]->str, "reason");
	assert_string_equal(fields->element[3]->str, "not today");
	assert_string_equal(fields->element[4]->str, "k");
	assert_int_equal(fields->element[5]->len, 255);
	freeReplyObject(reply);
	assert_int_equal(pending(rig), 0);
	for (int i = 0; i < 12; i++) {
		add(rig, 200);
		rig_run(rig, 250);
	}
	wait_count(reader, 2401, 5000);
	rig_run(rig, 200);
	assert_in_range(rig_integer(rig, "XLEN guestmon:{n}:findings:rejected"), GM_REJECTED_KEPT,
			GM_REJECTED_KEPT + 200);
}

/* What was delivered to a reader that died before it acknowledged. */
static void deliver(struct rig *rig, int count)
{
	rig_do(rig, "XREADGROUP GROUP guestmond guestmond COUNT %d STREAMS guestmon:{n}:findings >",
	       count);
}

static void test_pending_ones_once(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;

	rig_server(rig, NULL);
	rig_do(rig, "XGROUP CREATE guestmon:{n}:findings guestmond 0 MKSTREAM");
	for (int i = 1; i <= 350; i++)
		rig_do(rig, "XADD guestmon:{n}:findings %d-0 k v", i);
	deliver(rig, 250);
	rig_do(rig, "XDEL guestmon:{n}:findings 201-0");
	assert_int_equal(pending(rig), 250);
	open_reader(reader, rig, 120, 0); /* up to there it was told before it died */
	wait_count(reader, 229, 5000);
	rig_run(rig, 300);
	assert_int_equal(reader->count, 229); /* 121 … 350 without the one that is gone */
	assert_true(reader->ids[0].ms == 121 && reader->ids[228].ms == 350);
	assert_each_once(reader);
	assert_int_equal(status_of(reader).repeated, 120);
	assert_int_equal(pending(rig), 0);
}

static void test_server_killed_and_empty(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;

	begin(reader, 5);
	rig_kill_server(rig);
	wait_condition(reader, GM_FINDINGS_AWAY, 3000);
	rig_server(rig, NULL);
	add(rig, 5); /* it has lost group and stream */
	wait_count(reader, 10, 8000);
	assert_int_equal(reader->condition, GM_FINDINGS_READING);
	assert_each_once(reader);
}

static void test_emptied_under_the_connection(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;

	begin(reader, 5);
	rig_do(rig, "FLUSHALL");
	rig_run(rig, 1500);
	rig_do(rig, "XADD guestmon:{n}:findings 3-0 k old"); /* ids begin anew */
	wait_count(reader, 6, 3000);
	rig_do(rig, "XGROUP DESTROY guestmon:{n}:findings guestmond");
	wait_count(reader, 7, 4000); /* all of the stream again: the group knows nothing */
	assert_int_equal(reader->changes, 1);
}

static void test_hanging_server(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;

	begin(reader, 1);
	kill(rig->server, SIGSTOP);
	wait_condition(reader, GM_FINDINGS_AWAY, 9000);
	assert_non_null(strstr(reader->reason, "no answer"));
	kill(rig->server, SIGCONT);
	add(rig, 1);
	wait_count(reader, 2, 8000);
	assert_each_once(reader);
}

static void test_over_tcp(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;
	const char *const arguments[] = {"--port", "16461", "--bind", "127.0.0.1", NULL};

	rig->options.socket[0] = '\0';
	rig->options.port = 16461;
	rig_server(rig, arguments);
	open_reader(reader, rig, 0, 0);
	add(rig, 1);
	wait_count(reader, 1, 3000);
	rig_kill_server(rig);
	wait_condition(reader, GM_FINDINGS_AWAY, 8000);
	rig_server(rig, arguments);
	add(rig, 1);
	wait_count(reader, 2, 12000);
	assert_each_once(reader);
}

static void test_back_pressure(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;

	rig_server(rig, NULL);
	for (int i = 0; i < 15000; i++)
		redisAppendCommand(rig->client, "XADD guestmon:{n}:findings * k v");
	for (int i = 0; i < 15000; i++) {
		void *reply;

		assert_int_equal(redisGetReply(rig->client, &reply), REDIS_OK);
		freeReplyObject(reply);
	}
	open_reader(reader, rig, 0, 0);
	wait_condition(reader, GM_FINDINGS_READING, 3000);
	rig_run(rig, 1000);
	/* At most a batch a tick, and what is too much is trimmed away. */
	assert_in_range(reader->count, 5 * GM_FINDINGS_BATCH, 12 * GM_FINDINGS_BATCH);
	assert_in_range(rig_integer(rig, "XLEN guestmon:{n}:findings"), GM_FINDINGS_KEPT,
			GM_FINDINGS_KEPT + 200);
	assert_each_once(reader);
}

static void add_large(struct rig *rig, size_t size)
{
	char *large = malloc(size);

	memset(large, 'x', size);
	rig_do(rig, "XADD guestmon:{n}:findings * k %b", large, size);
	free(large);
}

static void test_too_large(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;

	rig_server(rig, NULL);
	add(rig, 2);
	add_large(rig, 2 * GM_FINDINGS_REPLY_MAX);
	add(rig, 2);
	add_large(rig, 2 * GM_FINDINGS_REPLY_MAX);
	for (int i = 0; i < 3; i++) /* each can be read, all of them at once not */
		add_large(rig, GM_FINDINGS_REPLY_MAX / 2);
	add(rig, 2);
	open_reader(reader, rig, 0, 0);
	wait_count(reader, 9, 20000);
	rig_run(rig, 200);
	assert_int_equal(status_of(reader).oversize, 2);
	assert_int_equal(rig_integer(rig, "XLEN guestmon:{n}:findings:rejected"), 2);
	assert_int_equal(pending(rig), 0);
	assert_each_once(reader);
}

static void test_id_beyond_all_times(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;

	begin(reader, 1);
	rig_do(rig, "XADD guestmon:{n}:findings 18446744073709551615-18446744073709551615 k v");
	rig_run(rig, 500);
	add(rig, 1); /* which no id could follow */
	wait_count(reader, 2, 3000);
}

static void test_refused(void **state)
{
	struct reader *reader = *state;
	struct rig *rig = reader->rig;

	rig_server(rig, NULL);
	rig_do(rig, "SET guestmon:{n}:schema 999");
	open_reader(reader, rig, 0, 0);
	rig_run(rig, 1000); /* where the store may not write, nothing is read */
	assert_int_equal(reader->condition, GM_FINDINGS_AWAY);
	assert_int_equal(rig_integer(rig, "EXISTS guestmon:{n}:findings"), 0);
	rig_do(rig, "DEL guestmon:{n}:schema");
	wait_condition(reader, GM_FINDINGS_READING, 8000);
	rig_do(rig, "DEL guestmon:{n}:findings");
	rig_do(rig, "SET guestmon:{n}:findings x");
	wait_condition(reader, GM_FINDINGS_REFUSED, 5000);
	assert_non_null(strstr(reader->reason, "WRONGTYPE"));
	rig_do(rig, "DEL guestmon:{n}:findings");
	add(rig, 1);
	wait_count(reader, 1, 12000);
	close_reader(reader);
	rig_do(rig, "CONFIG SET requirepass secret");
	open_reader(reader, rig, 0, 0);
	wait_condition(reader, GM_FINDINGS_REFUSED, 3000);
	assert_non_null(strstr(reader->reason, "NOAUTH"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads_and_acknowledges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rejected_ones_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pending_ones_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_killed_and_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_emptied_under_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hanging_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_over_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_back_pressure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_id_beyond_all_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};
	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
