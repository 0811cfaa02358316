/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one reading of the counters of many taps costs in CPU time: our source, against the files of
 * /sys/class/net (kept open) and /proc/net/dev (kept open), on the same devices in turn, in
 * a network namespace of its own. Prints a table for readings every 10 ms and one for every 1 ms, and what
 * the kernel's part costs when readings follow each other at once: the difference is what the caches have
 * forgotten while the thread slept, which no way of asking gets around. Exits 1 when our reading takes
 * more of a core than `--goal PERCENT` at 10 ms, 77 where no namespace may be made.
 *
 *     tap_bench [--devices 64] [--ticks 300] [--goal PERCENT]
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "netns.h"
#include "source/tap/netlink.h"
#include "source/tap/tap.h"

enum { DEVICES_MAX = 512, TICKS_MAX = 10000, COUNTERS = 8, TEXT_MAX = 128 * 1024 };

static const int64_t cadences[] = {10 * GM_MILLISECOND, GM_MILLISECOND};

enum method { SOURCE_IDLE, SOURCE_BUSY, DUMP, PROC, SYSFS, METHODS };

static const char *const method_names[METHODS] = {
	[SOURCE_IDLE] = "RTM_GETSTATS, idle", [SOURCE_BUSY] = "RTM_GETSTATS, all move",
	[DUMP] = "the kernel's part of it",   [PROC] = "/proc/net/dev",
	[SYSFS] = "/sys/class/net",
};

static const char *const counters[COUNTERS] = {
	"rx_bytes",  "tx_bytes",  "rx_packets", "tx_packets",
	"rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
};

struct bench {
	int devices, ticks;
	double goal; /* percent of a core; 0: none */
	int taps[DEVICES_MAX];
	int files[DEVICES_MAX][COUNTERS];
	int proc, netlink;
	char text[TEXT_MAX];
	uint64_t sum; /* of all counters read, so that the work is not for nothing */
	struct gm_source *source;
	struct gm_source_sink sink;
	uint64_t frames;
	unsigned datagrams; /* of the last dump */
	int64_t cost[METHODS][TICKS_MAX];
};

static int64_t cpu_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * GM_SECOND + time.tv_nsec;
}

static void on_samples(void *user, struct gm_batch *batch)
{
	((struct bench *)user)->frames += batch->frame_count;
	gm_batch_free(batch);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	(void)user;
	(void)source;
	(void)info;
}

static int read_source(struct bench *bench)
{
	struct gm_error err = {.text = ""};
	uint32_t entities = 0;
	int rc = bench->source->ops->poll(bench->source, gm_clock_now(), &bench->sink, &entities,
					  &err);

	if (rc < 0) {
		fprintf(stderr, "tap_bench: %s\n", err.text);
		return rc;
	}
	return (int)entities == bench->devices ? 0 : -ENODEV;
}

static ssize_t read_text(struct bench *bench, int fd)
{
	size_t length = 0;
	ssize_t got;

	while ((got = pread(fd, bench->text + length, TEXT_MAX - 1 - length, (off_t)length)) > 0) {
		length += (size_t)got;
	}
	bench->text[length] = '\0';
	return got < 0 ? -errno : (ssize_t)length;
}

static int read_proc(struct bench *bench)
{
	ssize_t length = read_text(bench, bench->proc);

	if (length < 0) {
		return (int)length;
	}
	for (char *line = strchr(bench->text, ':'); line != NULL; line = strchr(line, ':')) {
		line++;
		for (int i = 0; i < 16; i++) {
			bench->sum += strtoull(line, &line, 10);
		}
	}
	return 0;
}

static int read_sysfs(struct bench *bench)
{
	for (int i = 0; i < bench->devices; i++) {
		for (int c = 0; c < COUNTERS; c++) {
			char text[32];
			ssize_t length = pread(bench->files[i][c], text, sizeof(text) - 1, 0);

			if (length < 0) {
				return -errno;
			}
			text[length] = '\0';
			bench->sum += strtoull(text, NULL, 10);
		}
	}
	return 0;
}

static bool ends_dump(const char *text, size_t length)
{
	struct nlmsghdr header;

	for (size_t at = 0; at + sizeof(header) <= length; at += NLMSG_ALIGN(header.nlmsg_len)) {
		memcpy(&header, text + at, sizeof(header));
		if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_len < sizeof(header)) {
			return true;
		}
	}
	return false;
}

/* The same request and no look at the answers: what no reader of them can go below. */
static int read_dump(struct bench *bench)
{
	uint8_t request[GM_NETLINK_REQUEST];
	size_t length = gm_netlink_stats_request(request, 1);
	bool done = false;

	if (send(bench->netlink, request, length, 0) < 0) {
		return -errno;
	}
	for (bench->datagrams = 0; !done; bench->datagrams++) {
		ssize_t got = recv(bench->netlink, bench->text, sizeof(bench->text), 0);

		if (got < 0) {
			return -errno;
		}
		done = ends_dump(bench->text, (size_t)got);
	}
	return 0;
}

static int measure(struct bench *bench, enum method method, int tick)
{
	int (*const readers[METHODS])(struct bench *) = {
		[SOURCE_IDLE] = read_source, [SOURCE_BUSY] = read_source, [DUMP] = read_dump,
		[PROC] = read_proc,          [SYSFS] = read_sysfs,
	};
	int64_t before = cpu_time();
	int rc = readers[method](bench);

	bench->cost[method][tick] = cpu_time() - before;
	return rc;
}

/* A sysfs of the namespace: the system's shows the devices of the namespace it was mounted in. */
static int mount_sysfs(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) < 0) {
		return -errno;
	}
	return 0;
}

static int open_files(struct bench *bench)
{
	bench->proc = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	bench->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	for (int i = 0; i < bench->devices; i++) {
		for (int c = 0; c < COUNTERS; c++) {
			char path[128];

			snprintf(path, sizeof(path), "/sys/class/net/bench%d/statistics/%s", i,
				 counters[c]);
			bench->files[i][c] = open(path, O_RDONLY | O_CLOEXEC);
			if (bench->files[i][c] < 0) {
				return -errno;
			}
		}
	}
	return bench->proc < 0 || bench->netlink < 0 ? -errno : 0;
}

static int prepare(struct bench *bench)
{
	int rc = netns_enter();

	if (rc == 0) {
		rc = mount_sysfs();
	}
	for (int i = 0; i < bench->devices && rc == 0; i++) {
		char name[16];

		snprintf(name, sizeof(name), "bench%d", i);
		bench->taps[i] = netns_tap(name);
		rc = bench->taps[i] < 0 ? bench->taps[i] : 0;
	}
	if (rc < 0) {
		printf("SKIP: no namespace with taps may be made: %s\n", strerror(-rc));
		return rc;
	}
	bench->sink =
		(struct gm_source_sink){.samples = on_samples, .seen = on_seen, .user = bench};
	return open_files(bench);
}

static int start_source(struct bench *bench, int64_t interval)
{
	struct gm_tap_options options;
	struct gm_error err = {.text = ""};
	int rc;

	gm_option_defaults(gm_tap_option_table, &options);
	options.interval = interval;
	rc = gm_tap_create(&options, &bench->source);
	return rc == 0 ? bench->source->ops->open(bench->source, &err) : rc;
}

static void stop_source(struct bench *bench)
{
	bench->source->ops->close(bench->source);
	bench->source->ops->destroy(bench->source);
}

static int run(struct bench *bench, int64_t interval)
{
	int64_t next = gm_clock_monotonic();
	int rc = 0;

	/* One after the other, so that none finds in the cache what another has read, or has lost its own. */
	for (int method = 0; method < METHODS && rc == 0; method++) {
		for (int tick = -10; tick < bench->ticks && rc == 0; tick++) {
			int at = tick < 0 ? 0 : tick; /* the first ones warm up */
			struct timespec until;

			for (int i = 0; method == SOURCE_BUSY && i < bench->devices; i++) {
				netns_write(bench->taps[i], 1, 1000);
			}
			/* Not so soon after a late one that the source would skip it. */
			next += interval;
			if (next < gm_clock_monotonic()) {
				next = gm_clock_monotonic() + interval;
			}
			until = (struct timespec){.tv_sec = next / GM_SECOND,
						  .tv_nsec = next % GM_SECOND};
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
			rc = measure(bench, method, at);
		}
	}
	return rc;
}

static int compare_costs(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Mean, after which the costs are sorted. */
static double mean_of(const struct bench *bench, int64_t *cost)
{
	int64_t sum = 0;

	for (int i = 0; i < bench->ticks; i++) {
		sum += cost[i];
	}
	qsort(cost, (size_t)bench->ticks, sizeof(*cost), compare_costs);
	return (double)sum / bench->ticks;
}

/* Readings without a pause: the least that the kernel takes. */
static int run_hot(struct bench *bench)
{
	int rc = read_dump(bench);

	for (int tick = 0; tick < bench->ticks && rc == 0; tick++) {
		rc = measure(bench, DUMP, tick);
	}
	return rc;
}

static void print_hot(struct bench *bench)
{
	int64_t *cost = bench->cost[DUMP];
	double mean = mean_of(bench, cost);

	printf("the kernel's part without a pause between readings: mean %.1f us, p50 %.1f us, "
	       "%.2f us a tap; %u datagram%s a reading\n",
	       mean / 1e3, (double)cost[bench->ticks / 2] / 1e3, mean / 1e3 / bench->devices,
	       bench->datagrams, bench->datagrams == 1 ? "" : "s");
}

/* True when all is as it should be. */
static bool print_table(struct bench *bench, int64_t interval, double goal)
{
	double means[METHODS];
	double percent;

	printf("%d taps, %d counters each, %d readings at %d ms\n", bench->devices, COUNTERS,
	       bench->ticks, (int)(interval / GM_MILLISECOND));
	printf("%-24s %10s %10s %10s %10s %8s\n", "", "mean us", "p50 us", "p99 us", "% of core",
	       "ratio");
	for (int method = 0; method < METHODS; method++) {
		int64_t *cost = bench->cost[method];

		means[method] = mean_of(bench, cost);
		printf("%-24s %10.1f %10.1f %10.1f %10.3f %8.1f\n", method_names[method],
		       means[method] / 1e3, (double)cost[bench->ticks / 2] / 1e3,
		       (double)cost[bench->ticks * 99 / 100] / 1e3,
		       means[method] * 100 / (double)interval, means[method] / means[SOURCE_IDLE]);
	}
	printf("frames made: %llu\n", (unsigned long long)bench->frames);
	if (means[SOURCE_IDLE] > means[PROC] || means[SOURCE_IDLE] > means[SYSFS]) {
		printf("another way to read them is cheaper\n");
		return false;
	}
	percent = means[SOURCE_BUSY] * 100 / (double)interval;
	if (goal > 0 && percent > goal) {
		printf("more than the goal of %.2f %% of a core\n", goal);
		return false;
	}
	return true;
}

static int parse_arguments(struct bench *bench, int argc, char **argv)
{
	static const struct option known[] = {{"devices", required_argument, NULL, 'd'},
					      {"ticks", required_argument, NULL, 't'},
					      {"goal", required_argument, NULL, 'g'},
					      {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'd':
			bench->devices = (int)strtol(optarg, NULL, 10);
			break;
		case 't':
			bench->ticks = (int)strtol(optarg, NULL, 10);
			break;
		case 'g':
			bench->goal = strtod(optarg, NULL);
			break;
		default:
			return -EINVAL;
		}
	}
	return bench->devices >= 1 && bench->devices <= DEVICES_MAX && bench->ticks >= 1 &&
			       bench->ticks <= TICKS_MAX
		       ? 0
		       : -EINVAL;
}

int main(int argc, char **argv)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	int rc = 2;

	if (bench == NULL) {
		return 2;
	}
	bench->devices = 64;
	bench->ticks = 150;
	if (parse_arguments(bench, argc, argv) < 0) {
		fprintf(stderr,
			"usage: tap_bench [--devices 1-%d] [--ticks 1-%d] [--goal PERCENT]\n",
			DEVICES_MAX, TICKS_MAX);
		goto out;
	}
	if (prepare(bench) < 0) {
		rc = NETNS_SKIP;
		goto out;
	}
	rc = 0;
	for (size_t i = 0; i < sizeof(cadences) / sizeof(cadences[0]); i++) {
		if (start_source(bench, cadences[i]) < 0 || run(bench, cadences[i]) < 0) {
			fprintf(stderr, "tap_bench: a reading failed\n");
			rc = 2;
			goto out;
		}
		rc |= print_table(bench, cadences[i], i == 0 ? bench->goal : 0) ? 0 : 1;
		stop_source(bench);
	}
	if (run_hot(bench) == 0) {
		print_hot(bench);
	}
out:
	free(bench);
	return rc;
}
