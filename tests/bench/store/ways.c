/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ways.h.
 */
#include "ways.h"

int64_t tick_ms(unsigned tick)
{
	return 1700000000000 + 100 * (int64_t)tick;
}

void make_readings(const struct field *field, unsigned guest, struct gm_reading readings[])
{
	unsigned tick = field->tick;

	for (unsigned i = 0; i < field->series; i++) {
		readings[i].metric = i + GM_METRIC_CPU_TIME;
		if (gm_metric_kind(readings[i].metric) == GM_KIND_COUNTER)
			readings[i].value.counter =
				123456789012u + 1000u * guest + tick * (997u + i) + i;
		else
			readings[i].value.gauge =
				(double)(4294967296 + 4096 * (guest + tick * i % 1000));
	}
}

static uint64_t value_of(const struct gm_reading *reading)
{
	return gm_metric_kind(reading->metric) == GM_KIND_COUNTER ? reading->value.counter
								  : (uint64_t)reading->value.gauge;
}

static void sent(struct field *field, int rc)
{
	assert_int_equal(rc, REDIS_OK);
	field->awaited++;
}

/* The replies of all that was sent; none of them may be an error. */
static void receive(struct field *field)
{
	redisReply *reply;

	for (; field->awaited > 0; field->awaited--) {
		assert_int_equal(redisGetReply(field->rig->client, (void **)&reply), REDIS_OK);
		if (reply->type == REDIS_REPLY_ERROR)
			fail_msg("%s", reply->str);
		freeReplyObject(reply);
	}
}

static void each_sample(struct field *field, void (*write)(struct field *field, unsigned guest,
							   const struct gm_reading *reading))
{
	struct gm_reading readings[SERIES_MAX];

	for (unsigned guest = 0; guest < field->guests; guest++) {
		make_readings(field, guest, readings);
		for (unsigned i = 0; i < field->series; i++)
			write(field, guest, &readings[i]);
	}
	receive(field);
}

static void each_guest(struct field *field, void (*write)(struct field *field, unsigned guest,
							  const struct gm_reading *readings))
{
	struct gm_reading readings[SERIES_MAX];

	for (unsigned guest = 0; guest < field->guests; guest++) {
		make_readings(field, guest, readings);
		write(field, guest, readings);
	}
	receive(field);
}

/* ---- a sorted-set member per value, as collectd's write_redis does it ---- */

/* Key "<prefix><host>/<plugin>-<instance>/<type>", member "<time>:<value>", the time as its score. */
#define COLLECTD "collectd/node-1/virt-instance-%08x/%s"

static void add_member(struct field *field, unsigned guest, const struct gm_reading *reading)
{
	const char *name = gm_metric_get(reading->metric)->name;
	double time = (double)tick_ms(field->tick) / 1e3;

	sent(field,
	     redisAppendCommand(field->rig->client, "ZADD " COLLECTD " %.9f %.9f:%llu", guest, name,
				time, time, (unsigned long long)value_of(reading)));
}

static void trim_members(struct field *field, unsigned guest, const struct gm_reading *reading)
{
	sent(field, redisAppendCommand(field->rig->client, "ZREMRANGEBYSCORE " COLLECTD " -1 (%.9f",
				       guest, gm_metric_get(reading->metric)->name,
				       (double)tick_ms(field->tick - WINDOW + 1) / 1e3));
}

static void pipelined_member(struct field *field, unsigned guest, const struct gm_reading *reading)
{
	add_member(field, guest, reading);
	trim_members(field, guest, reading);
}

static void members(struct field *field)
{
	each_sample(field, pipelined_member);
}

static void single_member(struct field *field, unsigned guest, const struct gm_reading *reading)
{
	add_member(field, guest, reading);
	receive(field);
	trim_members(field, guest, reading);
	receive(field);
	sent(field, redisAppendCommand(field->rig->client, "SADD collectd/values " COLLECTD, guest,
				       gm_metric_get(reading->metric)->name));
	receive(field);
}

static void collectd(struct field *field)
{
	each_sample(field, single_member);
}

/* ---- a command per value of other kinds ---- */

static void list_push(struct field *field, unsigned guest, const struct gm_reading *reading)
{
	const char *name = gm_metric_get(reading->metric)->name;

	sent(field, redisAppendCommand(field->rig->client, "LPUSH guest:%08x:%s %lld:%llu", guest,
				       name, (long long)tick_ms(field->tick),
				       (unsigned long long)value_of(reading)));
	sent(field, redisAppendCommand(field->rig->client, "LTRIM guest:%08x:%s 0 %d", guest, name,
				       WINDOW - 1));
}

static void lists(struct field *field)
{
	each_sample(field, list_push);
}

static void stream_value(struct field *field, unsigned guest, const struct gm_reading *reading)
{
	sent(field,
	     redisAppendCommand(field->rig->client, "XADD guest:%08x:%s MAXLEN ~ %d %lld v %llu",
				guest, gm_metric_get(reading->metric)->name, WINDOW,
				(long long)tick_ms(field->tick),
				(unsigned long long)value_of(reading)));
}

static void stream_values(struct field *field)
{
	each_sample(field, stream_value);
}

/* A ring of 8-byte values in a string; their times are the ticks. */
static void string_value(struct field *field, unsigned guest, const struct gm_reading *reading)
{
	uint64_t value = value_of(reading);

	sent(field, redisAppendCommand(field->rig->client, "SETRANGE guest:%08x:%s %u %b", guest,
				       gm_metric_get(reading->metric)->name,
				       field->tick % WINDOW * 8, &value, sizeof(value)));
}

static void strings(struct field *field)
{
	each_sample(field, string_value);
}

/* ---- a command per guest ---- */

/* Fields "<place in the ring>:<metric>" of one hash. */
static void hash_frame(struct field *field, unsigned guest, const struct gm_reading *readings)
{
	char key[32], names[SERIES_MAX][64], values[SERIES_MAX][24];
	const char *arguments[2 + 2 * SERIES_MAX] = {"HSET", key};

	snprintf(key, sizeof(key), "guest:%08x", guest);
	for (unsigned i = 0; i < field->series; i++) {
		snprintf(names[i], sizeof(names[i]), "%u:%s", field->tick % WINDOW,
			 gm_metric_get(readings[i].metric)->name);
		snprintf(values[i], sizeof(values[i]), "%llu",
			 (unsigned long long)value_of(&readings[i]));
		arguments[2 + 2 * i] = names[i];
		arguments[3 + 2 * i] = values[i];
	}
	sent(field, redisAppendCommandArgv(field->rig->client, (int)(2 + 2 * field->series),
					   arguments, NULL));
}

static void hashes(struct field *field)
{
	each_guest(field, hash_frame);
}

static size_t pack(const struct field *field, const struct gm_reading *readings, uint64_t *values)
{
	for (unsigned i = 0; i < field->series; i++)
		values[i] = value_of(&readings[i]);
	return field->series * sizeof(values[0]);
}

static void packed_entry(struct field *field, unsigned guest, const struct gm_reading *readings)
{
	uint64_t values[SERIES_MAX];
	size_t length = pack(field, readings, values);

	sent(field,
	     redisAppendCommand(field->rig->client, "XADD guest:%08x MAXLEN ~ %d %lld f %b", guest,
				WINDOW, (long long)tick_ms(field->tick), values, length));
}

static void packed_entries(struct field *field)
{
	each_guest(field, packed_entry);
}

static void packed_frame(struct field *field, unsigned guest, const struct gm_reading *readings)
{
	uint64_t values[SERIES_MAX];
	size_t length = pack(field, readings, values);

	sent(field, redisAppendCommand(field->rig->client, "SETRANGE guest:%08x %u %b", guest,
				       field->tick % WINDOW * (unsigned)length, values, length));
}

static void packed_frames(struct field *field)
{
	each_guest(field, packed_frame);
}

/* ---- a command per tick ---- */

static void node_frame(struct field *field)
{
	struct gm_reading readings[SERIES_MAX];
	uint64_t values[SAMPLES_PER_TICK];
	size_t length = 0;

	for (unsigned guest = 0; guest < field->guests; guest++) {
		make_readings(field, guest, readings);
		length += pack(field, readings, values + length / sizeof(values[0]));
	}
	sent(field, redisAppendCommand(field->rig->client, "SETRANGE node %u %b",
				       field->tick % WINDOW * (unsigned)length, values, length));
	receive(field);
}

/* ---- the store's own ---- */

void append_frames(struct field *field)
{
	struct rig *rig = field->rig;
	struct gm_reading readings[SERIES_MAX];

	rig->now = tick_ms(field->tick) * GM_MILLISECOND;
	for (unsigned guest = 0; guest < field->guests; guest++) {
		const struct gm_frame frame = {
			.key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){(uint8_t)guest, 7}),
			.measured_at = rig->now,
			.read_at = rig->now,
			.count = (uint16_t)field->series,
		};

		make_readings(field, guest, readings);
		rig->store->ops->append(rig->store, &frame, readings);
	}
	rig->store->ops->flush(rig->store, rig->now);
}

static void store(struct field *field)
{
	struct rig *rig = field->rig;

	append_frames(field);
	while (rig_status(rig).pending > 0)
		uv_run(&rig->loop, UV_RUN_ONCE);
}

const struct way ways[] = {
	[WAY_COLLECTD] = {"ZADD, ZREMRANGEBYSCORE, SADD, one by one", collectd, members},
	[WAY_MEMBERS] = {"ZADD, ZREMRANGEBYSCORE, pipelined", members},
	[WAY_STORE] = {"XADD of a frame, by the store", store, .by_store = true},
	{"XADD of one value", stream_values},
	{"LPUSH, LTRIM of one value", lists},
	{"SETRANGE of one value", strings},
	{"HSET of a frame", hashes},
	{"XADD of a frame in one packed field", packed_entries},
	{"SETRANGE of a packed frame", packed_frames},
	{"SETRANGE of the whole node", node_frame},
};

const size_t way_count = sizeof(ways) / sizeof(ways[0]);

double info(struct rig *rig, const char *section, const char *name)
{
	redisReply *reply = rig_command(rig, "INFO %s", section);
	const char *at = strstr(reply->str, name);

	assert_non_null(at);
	double value = strtod(at + strlen(name), NULL);
	freeReplyObject(reply);
	return value;
}

double server_cpu(struct rig *rig)
{
	return info(rig, "cpu", "used_cpu_sys:") + info(rig, "cpu", "used_cpu_user:");
}
