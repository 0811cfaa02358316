/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the journal costs on the disk that holds DIRECTORY (/var/tmp): transitions a second and CPU of
 * each, one transaction each and in batches; whether a thread that samples every 10 ms misses a tick while
 * 10,000 a second are written; and how long a start takes with 100,000 in the journal, over or active.
 * `journal_bench [DIRECTORY [COUNT]]` prints a table.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/state.h"

enum { LARGEST = 1000, MANY = 100000, RATE = 10000, TICKS_PER_S = 10, SECONDS = 5 };

struct clocks {
	double wall, cpu;
};

static double seconds(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct clocks read_clocks(void)
{
	return (struct clocks){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static void die(const char *doing, const struct gm_error *err)
{
	fprintf(stderr, "journal_bench: %s: %s\n", doing, err->text);
	exit(EXIT_FAILURE);
}

/* As a burst is told: text, a guest, evidence; each on a port of its own. */
static struct gm_transition make_raise(uint32_t id)
{
	char device[GM_DEVICE_NAME];

	snprintf(device, sizeof(device), "tap%u", id);
	struct gm_transition made = {
		.kind = GM_TRANSITION_RAISE,
		.time = INT64_C(1700000000) * GM_SECOND + id,
		.alarm =
			{
				.id = id,
				.key = gm_entity_interface(device),
				.detector = "burst",
				.metric = "net.rx.bytes",
				.severity = GM_SEVERITY_WARNING,
				.event_type = GM_EVENT_QUALITY_OF_SERVICE,
				.cause = GM_CAUSE_CONGESTION,
				.guest_index = 1 + id % 1000,
				.guest = {1, 2, 3, 4},
				.guest_name = "web-1",
				.project = "operations",
				.text = "burst to web-1 on tap0: 52 ms at up to 934 Mbit/s, 6.0 MB",
			},
	};

	made.alarm.raised_at = made.alarm.changed_at = made.time;
	for (int i = GM_EVIDENCE_START; i <= GM_EVIDENCE_BURSTS; i++)
		gm_evidence_set(&made.alarm.evidence, i, 1.25e9 + id + i);
	return made;
}

/* Raises `count` alarms from `first` on, `size` in a transaction. */
static void raise_all(struct gm_state *state, uint32_t first, uint32_t count, uint32_t size)
{
	static struct gm_transition batch[LARGEST];
	struct gm_error err;

	for (uint32_t done = 0; done < count; done += size) {
		for (uint32_t i = 0; i < size; i++)
			batch[i] = make_raise(first + done + i);
		if (gm_state_journal_batch(state, batch, size, &err) < 0)
			die("journal", &err);
	}
}

static void measure(struct gm_state *state, uint32_t first, uint32_t count, uint32_t size)
{
	struct clocks begin = read_clocks();

	raise_all(state, first, count, size);
	struct clocks end = read_clocks();
	printf("  %5u in a transaction: %8.0f transitions/s, %6.1f us of CPU each, %7.3f ms a "
	       "transaction\n",
	       size, count / (end.wall - begin.wall), (end.cpu - begin.cpu) / count * 1e6,
	       (end.wall - begin.wall) / (count / size) * 1e3);
}

/* A source's thread: absolute deadlines every 10 ms, as source/runner.c has them. */
struct ticker {
	atomic_bool stop;
	unsigned ticks, missed;
};

static int64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * GM_SECOND + now.tv_nsec;
}

static void sleep_until(int64_t time)
{
	const struct timespec until = {.tv_sec = time / GM_SECOND, .tv_nsec = time % GM_SECOND};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void *tick(void *user)
{
	struct ticker *ticker = user;
	int64_t period = 10 * GM_MILLISECOND, deadline = monotonic();

	while (!ticker->stop) {
		deadline += period;
		sleep_until(deadline);
		int64_t behind = (monotonic() - deadline) / period;
		ticker->ticks++;
		ticker->missed += (unsigned)behind;
		deadline += behind * period;
	}
	return NULL;
}

/* A tenth of RATE every 100 ms for SECONDS, or as long without any; returns the longest write. */
static void write_at_rate(struct gm_state *state, uint32_t first, bool writes)
{
	struct ticker ticker = {.ticks = 0};
	int64_t begin = monotonic(), longest = 0;
	struct clocks before = read_clocks();
	pthread_t thread;

	if (pthread_create(&thread, NULL, tick, &ticker) != 0)
		return;
	for (uint32_t i = 0; i < SECONDS * TICKS_PER_S; i++) {
		int64_t due = begin + i * (GM_SECOND / TICKS_PER_S), now;

		sleep_until(due);
		if (writes)
			raise_all(state, first + i * (RATE / TICKS_PER_S), RATE / TICKS_PER_S,
				  RATE / TICKS_PER_S);
		now = monotonic();
		longest = now - due > longest ? now - due : longest;
	}
	ticker.stop = true;
	pthread_join(thread, NULL);
	printf("  %6d transitions/s for %d s: %u ticks of 10 ms, %u missed; CPU %.0f %% of a core, "
	       "longest write %.0f ms, in all %.2f s\n",
	       writes ? RATE : 0, SECONDS, ticker.ticks, ticker.missed,
	       (read_clocks().cpu - before.cpu) / SECONDS * 100, (double)longest / 1e6,
	       (double)(monotonic() - begin) / 1e9);
}

static void count_one(void *user, const struct gm_alarm *alarm)
{
	(void)alarm;
	++*(size_t *)user;
}

static struct gm_state *open_state(const char *directory)
{
	struct gm_state *state;
	struct gm_error err;

	if (gm_state_open(directory, &state, &err) < 0)
		die("open", &err);
	return state;
}

static void measure_start(const char *directory)
{
	struct clocks begin = read_clocks();
	struct gm_state *state = open_state(directory);
	struct clocks opened = read_clocks();
	size_t active = 0;

	if (gm_state_active(state, count_one, &active) != 0)
		fprintf(stderr, "journal_bench: records were skipped\n");
	struct clocks end = read_clocks();
	printf("  start with %zu active of %llu journalled: opened and checked after %.2f s (%.2f "
	       "s "
	       "of CPU), read after %.2f s (%.2f s)\n",
	       active, (unsigned long long)gm_state_last_sequence(state), opened.wall - begin.wall,
	       opened.cpu - begin.cpu, end.wall - begin.wall, end.cpu - begin.cpu);
	gm_state_close(state);
}

static void remove_all(const char *directory)
{
	static const char *const names[] = {"state.db", "state.db-wal", "state.db-shm", "lock"};
	char path[512];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

/* `count` in a journal of their own: active, or over again. */
static void start_with(const char *parent, uint32_t count, bool active)
{
	static struct gm_transition batch[LARGEST];
	char directory[256];
	struct gm_error err;
	uint64_t position;
	bool paused;

	snprintf(directory, sizeof(directory), "%s/gm-journal-XXXXXX", parent);
	if (!mkdtemp(directory))
		return;
	struct gm_state *state = open_state(directory);
	/* An output that is behind keeps all of them in the journal. */
	gm_state_output_position(state, "behind", &position, &paused);
	for (uint32_t done = 0; done < count; done += LARGEST) {
		for (uint32_t i = 0; i < LARGEST; i++) {
			batch[i] = make_raise(active ? done + i + 1 : done / 2 + i / 2 + 1);
			if (!active && i % 2)
				batch[i].kind = GM_TRANSITION_CLEAR;
		}
		if (gm_state_journal_batch(state, batch, LARGEST, &err) < 0)
			die("journal", &err);
	}
	gm_state_close(state);
	measure_start(directory);
	remove_all(directory);
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = {1, 10, 100, LARGEST};
	const char *parent = argc > 1 ? argv[1] : "/var/tmp";
	uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : MANY, first = 1;
	char directory[256];

	snprintf(directory, sizeof(directory), "%s/gm-journal-XXXXXX", parent);
	if (!mkdtemp(directory)) {
		perror(directory);
		return EXIT_FAILURE;
	}
	struct gm_state *state = open_state(directory);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t part = sizes[i] == 1 ? 1000 : 10000;

		measure(state, first, part, sizes[i]);
		first += part;
	}
	write_at_rate(state, first, false);
	write_at_rate(state, first, true);
	gm_state_close(state);
	remove_all(directory);
	start_with(parent, count, false);
	start_with(parent, count, true);
	return EXIT_SUCCESS;
}
