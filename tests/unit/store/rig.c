/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See rig.h.
 */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t TICK = 10 * GM_MILLISECOND;

int rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	/* As the daemon does: hiredis writes without MSG_NOSIGNAL. */
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/gm-store-XXXXXX");
	assert_non_null(mkdtemp(rig->directory));
	snprintf(rig->socket, sizeof(rig->socket), "%s/redis.sock", rig->directory);
	assert_int_equal(uv_loop_init(&rig->loop), 0);
	gm_option_defaults(gm_redis_option_table, &rig->options);
	snprintf(rig->options.socket, sizeof(rig->options.socket), "%s", rig->socket);
	rig->now = 1700000000 * GM_SECOND + 123456;
	rig->entities = RIG_ENTITIES;
	rig->keys[0] = gm_entity_node();
	rig->keys[1] = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){0xab, 1});
	rig->keys[2] = gm_entity_interface("tap0");
	rig->keys[3] = gm_entity_disk((const uint8_t[GM_UUID_SIZE]){0xab, 1}, "vda");
	for (size_t i = 0; i < RIG_ENTITIES; i++)
		rig->kept[i] = calloc(RIG_FRAMES, sizeof(struct rig_frame));
	*state = rig;
	return 0;
}

static void remove_file(struct rig *rig, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", rig->directory, name);
	unlink(path);
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	rig_stop(rig);
	if (rig->client)
		redisFree(rig->client);
	rig_kill_server(rig);
	remove_file(rig, "redis.sock");
	remove_file(rig, "password");
	remove_file(rig, "dump.rdb");
	assert_int_equal(uv_loop_close(&rig->loop), 0);
	assert_int_equal(rmdir(rig->directory), 0);
	for (size_t i = 0; i < RIG_ENTITIES; i++)
		free(rig->kept[i]);
	free(rig);
	return 0;
}

/* ---- the server ---- */

bool rig_have_server(void)
{
	return access("/usr/bin/redis-server", X_OK) == 0;
}

static void connect_client(struct rig *rig)
{
	if (rig->client)
		redisFree(rig->client);
	rig->client = NULL;
	for (int i = 0; i < 500 && !rig->client; i++) {
		rig->client = redisConnectUnix(rig->socket);
		if (rig->client && rig->client->err) {
			redisFree(rig->client);
			rig->client = NULL;
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		}
	}
	assert_non_null(rig->client);
	redisSetTimeout(rig->client, (struct timeval){.tv_sec = 5});
}

void rig_server(struct rig *rig, const char *const *arguments)
{
	const char *argv[32] = {"redis-server",
				"--port",
				"0",
				"--unixsocket",
				rig->socket,
				"--dir",
				rig->directory,
				"--appendonly",
				"no",
				"--daemonize",
				"no",
				"--save",
				""};
	size_t count = 13;

	for (size_t i = 0; arguments && arguments[i]; i++)
		argv[count++] = arguments[i];
	rig->server = fork();
	if (rig->server == 0) {
		int null = open("/dev/null", O_RDWR);

		/* A test that fails midway must not leave a server behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);

		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv("/usr/bin/redis-server", (char *const *)argv);
		_exit(127);
	}
	connect_client(rig);
}

void rig_kill_server(struct rig *rig)
{
	int status;

	if (rig->server <= 0)
		return;
	kill(rig->server, SIGKILL);
	waitpid(rig->server, &status, 0);
	rig->server = 0;
	unlink(rig->socket);
}

static redisReply *command(struct rig *rig, const char *format, va_list arguments)
{
	redisReply *reply = redisvCommand(rig->client, format, arguments);

	if (!reply)
		fail_msg("%s: %s", format, rig->client->errstr);
	return reply;
}

void rig_write_password(struct rig *rig, const char *text)
{
	int fd;

	snprintf(rig->options.password_file, sizeof(rig->options.password_file), "%s/password",
		 rig->directory);
	fd = open(rig->options.password_file, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* As command(), which has to succeed. */
static redisReply *succeed(struct rig *rig, const char *format, va_list arguments)
{
	redisReply *reply = command(rig, format, arguments);

	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", format, reply->str);
	return reply;
}

redisReply *rig_command(struct rig *rig, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	redisReply *reply = succeed(rig, format, arguments);
	va_end(arguments);
	return reply;
}

void rig_do(struct rig *rig, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	freeReplyObject(succeed(rig, format, arguments));
	va_end(arguments);
}

long long rig_integer(struct rig *rig, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	redisReply *reply = command(rig, format, arguments);
	va_end(arguments);
	if (reply->type != REDIS_REPLY_INTEGER)
		fail_msg("%s: type %d %s", format, reply->type, reply->str ? reply->str : "");
	long long number = reply->integer;
	freeReplyObject(reply);
	return number;
}

/* ---- the host ---- */

static size_t find(struct rig *rig, const struct gm_entity_key *key)
{
	for (size_t i = 0; i < RIG_ENTITIES; i++) {
		if (gm_entity_equal(&rig->keys[i], key))
			return i;
	}
	fail_msg("unknown entity");
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct rig_frame *one = a, *other = b;

	return (one->time > other->time) - (one->time < other->time);
}

static void give(struct rig *rig, size_t entity, const struct rig_frame *kept)
{
	const struct gm_frame frame = {
		.key = rig->keys[entity],
		.measured_at = kept->time,
		.read_at = kept->time,
		.count = RIG_READINGS,
	};

	rig->store->ops->append(rig->store, &frame, kept->readings);
}

static void backfill(void *user, const struct gm_entity_key *key, int64_t since)
{
	struct rig *rig = user;

	if (rig->host_is_empty)
		return;
	size_t entity = find(rig, key), count = rig->kept_count[entity];
	struct rig_frame *sorted = malloc(RIG_FRAMES * sizeof(*sorted));

	memcpy(sorted, rig->kept[entity], count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_time);
	for (size_t i = 0; i < count; i++) {
		if (sorted[i].time > since)
			give(rig, entity, &sorted[i]);
	}
	free(sorted);
}

static void restore(void *user, const struct gm_frame *frame, const struct gm_reading *readings)
{
	struct rig *rig = user;
	size_t entity = find(rig, &frame->key), count = rig->restored_of[entity]++;

	rig->restored++;
	if (frame->measured_at < rig->restored_last[entity])
		rig->restored_wrong = true;
	rig->restored_last[entity] = frame->measured_at;
	if (count < rig->kept_count[entity]) {
		const struct rig_frame *kept = &rig->kept[entity][count];

		if (frame->measured_at != kept->time / GM_MILLISECOND * GM_MILLISECOND ||
		    frame->count != RIG_READINGS ||
		    readings[0].value.counter != kept->readings[0].value.counter ||
		    readings[1].value.gauge != kept->readings[1].value.gauge)
			rig->restored_wrong = true;
	}
}

static void recall(void *user, const struct gm_entity_key *key, const void *bytes, size_t size)
{
	struct rig *rig = user;

	rig->recalls++;
	rig->recalled_key = *key;
	rig->recalled_size = size;
	memcpy(rig->recalled, bytes, size < sizeof(rig->recalled) ? size : sizeof(rig->recalled));
	rig->recalled_late = rig->restored_of[find(rig, key)] > 0;
}

static void changed(void *user, bool connected, const char *reason)
{
	struct rig *rig = user;

	rig->connected = connected;
	rig->changes++;
	snprintf(rig->reason, sizeof(rig->reason), "%s", reason);
}

/* ---- the store ---- */

void rig_create(struct rig *rig)
{
	const struct gm_store_host host = {.backfill = backfill,
					   .restore = restore,
					   .recall = recall,
					   .changed = changed,
					   .user = rig,
					   .window = rig->host_window};
	struct gm_error err;

	if (gm_redis_create(&rig->options, "test node", &rig->loop, &host, &rig->store, &err) < 0)
		fail_msg("create: %s", err.text);
}

void rig_start(struct rig *rig)
{
	if (!rig->store)
		rig_create(rig);
	rig->store->ops->start(rig->store);
}

void rig_stop(struct rig *rig)
{
	if (!rig->store)
		return;
	rig->store->ops->stop(rig->store);
	uint64_t end = uv_hrtime() + 3 * (uint64_t)GM_SECOND;
	while (uv_run(&rig->loop, UV_RUN_ONCE) != 0 && uv_hrtime() < end)
		;
	assert_int_equal(uv_loop_alive(&rig->loop), 0);
	rig->store->ops->destroy(rig->store);
	rig->store = NULL;
	rig->connected = false;
}

void rig_run(struct rig *rig, int ms)
{
	uint64_t end = uv_hrtime() + (uint64_t)ms * GM_MILLISECOND;

	while (uv_hrtime() < end)
		uv_run(&rig->loop, UV_RUN_ONCE);
}

bool rig_wait_connected(struct rig *rig, bool connected, int ms)
{
	uint64_t end = uv_hrtime() + (uint64_t)ms * GM_MILLISECOND;

	while (rig->connected != connected && uv_hrtime() < end)
		uv_run(&rig->loop, UV_RUN_ONCE);
	return rig->connected == connected;
}

struct gm_store_status rig_status(struct rig *rig)
{
	struct gm_store_status status;

	rig->store->ops->status(rig->store, &status);
	return status;
}

void rig_settle(struct rig *rig)
{
	uint64_t written = UINT64_MAX, end = uv_hrtime() + 10 * (uint64_t)GM_SECOND;

	while (uv_hrtime() < end) {
		struct gm_store_status status = rig_status(rig);

		if (status.pending == 0 && status.written == written)
			return;
		written = status.written;
		rig_run(rig, 200);
	}
	fail_msg("does not settle");
}

void rig_frame_at(struct rig *rig, size_t entity, int64_t time)
{
	size_t count = rig->kept_count[entity]++;
	struct rig_frame *kept = &rig->kept[entity][count];

	assert_true(count < RIG_FRAMES);
	*kept = (struct rig_frame){
		.time = time,
		.readings =
			{
				{.metric = GM_METRIC_CPU_TIME, .value.counter = UINT64_MAX - count},
				{.metric = GM_METRIC_MEMORY_USED, .value.gauge = (double)count / 3},
			},
	};
	if (rig->store)
		give(rig, entity, kept);
}

void rig_tick(struct rig *rig)
{
	rig->now += TICK;
	for (size_t i = 0; i < rig->entities; i++)
		rig_frame_at(rig, i, rig->now + (int64_t)i * 1000);
	if (rig->store) {
		rig->store->ops->flush(rig->store, rig->now);
		uv_run(&rig->loop, UV_RUN_NOWAIT);
	}
}

void rig_ticks(struct rig *rig, int count)
{
	for (int i = 0; i < count; i++)
		rig_tick(rig);
}

/* An entry's own time in ms: that of its id, or its field "@". */
static int64_t time_of(const redisReply *entry)
{
	const redisReply *fields = entry->element[1];

	if (strcmp(fields->element[0]->str, "@") == 0)
		return strtoll(fields->element[1]->str, NULL, 10);
	return strtoll(entry->element[0]->str, NULL, 10);
}

static void check_entity(struct rig *rig, size_t entity)
{
	char key[GM_KEY_TEXT];
	size_t count = rig->kept_count[entity];
	bool *seen = calloc(count + 1, sizeof(*seen));
	redisReply *reply = rig_command(rig, "XRANGE guestmon:{%s}:%s - +", "test node",
					gm_entity_text(&rig->keys[entity], key));

	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *fields = reply->element[i]->element[1];
		size_t values = fields->elements - 2 * RIG_READINGS;
		uint64_t counter = strtoull(fields->element[values + 1]->str, NULL, 10);
		size_t number = (size_t)(UINT64_MAX - counter);

		assert_true(number < count);
		if (seen[number])
			fail_msg("%s: frame %zu is there twice", key, number);
		seen[number] = true;
		assert_int_equal(time_of(reply->element[i]),
				 rig->kept[entity][number].time / GM_MILLISECOND);
		assert_true(strtod(fields->element[values + 3]->str, NULL) == (double)number / 3);
	}
	for (size_t i = 0; i < count; i++) {
		if (!seen[i])
			fail_msg("%s: frame %zu of %zu is missing, %zu are there", key, i, count,
				 reply->elements);
	}
	freeReplyObject(reply);
	free(seen);
}

void rig_check_complete(struct rig *rig)
{
	for (size_t i = 0; i < rig->entities; i++)
		check_entity(rig, i);
	assert_int_equal(rig_integer(rig, "SCARD guestmon:{%s}:entities", "test node"),
			 rig->entities);
}

void rig_begin(struct rig *rig, const char *const *arguments)
{
	rig_server(rig, arguments);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 2000));
	rig_ticks(rig, 100);
	rig_settle(rig);
}

void rig_expect_reason(struct rig *rig, const char *word)
{
	struct gm_store_status status = rig_status(rig);

	if (!strstr(rig->reason, word) || !strstr(status.state, word))
		fail_msg("reason: %s; state: %s", rig->reason, status.state);
	assert_false(status.connected);
}
