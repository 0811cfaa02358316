/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source against the packaged snmpd on loopback, in all three versions: what it tells of this
 * machine is what /proc says. Skipped where there is no snmpd.
 */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "snmp_rig.h"

#define GUEST "00000000-0000-0000-0000-000000000001"

static double proc_number(const char *file, const char *key)
{
	FILE *stream = fopen(file, "r");
	char line[256];
	double number = -1;

	assert_non_null(stream);
	while (number < 0 && fgets(line, sizeof(line), stream)) {
		if (strncmp(line, key, strlen(key)) == 0) {
			number = strtod(line + strlen(key), NULL);
		}
	}
	fclose(stream);
	return number;
}

static void near_by(double value, double expected, double part)
{
	if (value < expected * (1 - part) || value > expected * (1 + part)) {
		fail_msg("%f is not within %.0f %% of %f", value, part * 100, expected);
	}
}

static struct rig_series *must_find(struct rig *rig, unsigned metric)
{
	struct rig_series *series = rig_guest(rig, 1, metric);

	if (series == NULL) {
		fail_msg("no %s; %s", gm_metric_get(metric)->name, rig->complaint.text);
	}
	return series;
}

static void check_scalars(struct rig *rig)
{
	double total = proc_number("/proc/meminfo", "MemTotal:") * 1024;
	double available = proc_number("/proc/meminfo", "MemAvailable:") * 1024;

	near_by(must_find(rig, GM_METRIC_MEMORY_TOTAL)->value.gauge, total, 1e-9);
	near_by(must_find(rig, GM_METRIC_MEMORY_AVAILABLE)->value.gauge, available, 0.2);
	near_by(must_find(rig, GM_METRIC_MEMORY_USED)->value.gauge +
			must_find(rig, GM_METRIC_MEMORY_AVAILABLE)->value.gauge,
		total, 1e-9);
	assert_true(must_find(rig, GM_METRIC_SWAP_TOTAL)->value.gauge ==
		    proc_number("/proc/meminfo", "SwapTotal:") * 1024);
	assert_true(must_find(rig, GM_METRIC_SWAP_USED)->value.gauge <=
		    must_find(rig, GM_METRIC_SWAP_TOTAL)->value.gauge);
	assert_true(must_find(rig, GM_METRIC_LOAD_1)->value.gauge >= 0);
	assert_true(must_find(rig, GM_METRIC_SNMP_UP)->value.gauge == 1);
	assert_true(must_find(rig, GM_METRIC_SNMP_LATENCY)->value.gauge > 0);
	assert_int_equal(must_find(rig, GM_METRIC_SNMP_REJECTED)->value.counter, 0);
	assert_int_equal(rig->reachable, 1);
}

/* /proc/stat counts the same hundredths; snmpd's cache may be 15 s old. */
static void check_cpu(struct rig *rig)
{
	FILE *stream = fopen("/proc/stat", "r");
	double user, nice, system, idle;

	assert_non_null(stream);
	assert_int_equal(fscanf(stream, "cpu %lf %lf %lf %lf", &user, &nice, &system, &idle), 4);
	fclose(stream);
	near_by((double)must_find(rig, GM_METRIC_CPU_INSIDE_USER)->value.counter,
		(user + nice) * 1e7, 0.05);
	near_by((double)must_find(rig, GM_METRIC_CPU_INSIDE_IDLE)->value.counter, idle * 1e7, 0.05);
}

static const struct gm_entity_info *seen_of(const struct rig *rig, enum gm_entity_kind kind,
					    const char *name)
{
	for (size_t i = 0; i < rig->seen_count; i++) {
		if (rig->seen[i].key.kind == kind &&
		    (name == NULL || strcmp(rig->seen[i].key.name, name) == 0)) {
			return &rig->seen[i];
		}
	}
	return NULL;
}

/* A process of this test's own that is larger than all others. */
static pid_t start_hog(size_t bytes)
{
	int pipe_ends[2];
	char ready;
	pid_t pid;

	assert_int_equal(pipe(pipe_ends), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(memory, 1, bytes);
		if (write(pipe_ends[1], "r", 1) == 1) {
			pause();
		}
		_exit(0);
	}
	assert_int_equal(read(pipe_ends[0], &ready, 1), 1);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	return pid;
}

static const struct gm_entity_info *find_hog(const struct rig *rig, pid_t pid,
					     struct gm_entity_key *ret_key)
{
	uint8_t uuid[GM_UUID_SIZE];

	rig_uuid(1, uuid);
	*ret_key = gm_entity_process(uuid, (uint32_t)pid, "test_source_snmp_source");
	/* The kernel's name of it has 15 characters; net-snmp tells as many as it finds. */
	if (!seen_of(rig, GM_ENTITY_PROCESS, ret_key->name)) {
		*ret_key = gm_entity_process(uuid, (uint32_t)pid, "test_source_snm");
	}
	return seen_of(rig, GM_ENTITY_PROCESS, ret_key->name);
}

/*
 * Version 1 takes a request for each process of the machine, of which there may be more than a walk has: then
 * there is nothing to be found.
 */
static bool can_find_hog(const char *credential)
{
	enum { WALKED = 400 };
	DIR *folder = opendir("/proc");
	unsigned count = 0;

	assert_non_null(folder);
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
	}
	closedir(folder);
	return strstr(credential, " v1 ") == NULL || count < WALKED;
}

static void check_hog(struct rig *rig, pid_t pid, double bytes)
{
	struct rig_series *series;
	struct gm_entity_key key;
	const struct gm_entity_info *info = find_hog(rig, pid, &key);
	uint8_t uuid[GM_UUID_SIZE];

	rig_uuid(1, uuid);
	for (int i = 0; i < 30 && info == NULL; i++) {
		rig_run(rig, GM_SECOND);
		info = find_hog(rig, pid, &key);
	}
	assert_non_null(info);
	assert_int_equal(info->process.pid, pid);
	assert_memory_equal(info->process.guest, uuid, GM_UUID_SIZE);
	series = rig_find(rig, &key, GM_METRIC_MEMORY_RESIDENT);
	assert_non_null(series);
	near_by(series->value.gauge, bytes, 0.1);
	assert_non_null(rig_find(rig, &key, GM_METRIC_CPU_TIME));
}

static void run_version(const char *credential, const char *configuration, int port)
{
	enum { HOG = 300 << 20 };
	struct rig rig;
	char text[256];

	rig_prepare(&rig);
	pid_t snmpd = snmpd_start(&rig, port, configuration);
	if (snmpd < 0) {
		rig_stop(&rig);
		skip();
	}
	pid_t hog = start_hog(HOG);
	rig.options.disk_interval = rig.options.interface_interval = GM_SECOND;
	rig.options.process_interval = rig.options.storage_interval = GM_SECOND;
	rig.options.cpu_interval = rig.options.load_interval = GM_SECOND;
	rig_write(&rig, "credentials", 0600, credential);
	snprintf(text, sizeof(text), "# a comment\n\n" GUEST " 127.0.0.1:%d mine 100ms\n", port);
	rig_write(&rig, "targets", 0644, text);
	assert_int_equal(rig_start(&rig), 0);
	rig_run(&rig, 6 * GM_SECOND);

	check_scalars(&rig);
	check_cpu(&rig);
	if (can_find_hog(credential)) {
		check_hog(&rig, hog, HOG);
	}
	assert_non_null(seen_of(&rig, GM_ENTITY_DISK, "/"));
	assert_non_null(seen_of(&rig, GM_ENTITY_DISK, NULL));
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	snmpd_stop(snmpd);
	rig_stop(&rig);
}

#define VIEW "includeAllDisks 1%\n"

static void speaks_version_2c(void **state)
{
	(void)state;
	run_version("mine v2c public\n", VIEW "rocommunity public", 12161);
}

static void speaks_version_1(void **state)
{
	(void)state;
	run_version("mine v1 public\n", VIEW "rocommunity public", 12162);
}

static void speaks_version_3(void **state)
{
	static const struct {
		const char *digest;
	} digests[] = {{"SHA"}, {"SHA-256"}, {"SHA-512"}};

	(void)state;
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		char credential[128], configuration[256];

		snprintf(credential, sizeof(credential),
			 "mine v3 monitor %s authentic-1 AES private-12\n", digests[i].digest);
		snprintf(configuration, sizeof(configuration),
			 "includeAllDisks 1%%\ncreateUser monitor %s authentic-1 AES private-12\n"
			 "rouser monitor priv",
			 digests[i].digest);
		run_version(credential, configuration, 12163 + (int)i);
	}
}

/* With its cache off memory is live: a sample each poll. Without, one per refresh. */
static void tunes_caches(void **state)
{
	struct rig rig;
	struct rig_series *used;

	(void)state;
	rig_prepare(&rig);
	pid_t snmpd = snmpd_start(&rig, 12170, "rocommunity public\nrwcommunity secret");
	if (snmpd < 0) {
		rig_stop(&rig);
		skip();
	}
	rig_write(&rig, "credentials", 0600, "mine v2c public write=secret\n");
	rig_write(&rig, "targets", 0644, GUEST " 127.0.0.1:12170 mine 100ms\n");
	rig.options.tune_caches = true;
	assert_int_equal(rig_start(&rig), 0);
	rig_run(&rig, 3 * GM_SECOND);
	used = must_find(&rig, GM_METRIC_MEMORY_USED);
	assert_in_range(used->count, 20, 40);

	/* It forgets that when it is started anew, and is told again. */
	snmpd_stop(snmpd);
	snmpd = snmpd_start(&rig, 12170, "rocommunity public\nrwcommunity secret");
	rig_run(&rig, 3 * GM_SECOND);
	rig_forget(&rig);
	rig_run(&rig, 2 * GM_SECOND);
	assert_in_range(used->count, 12, 25);
	snmpd_stop(snmpd);
	rig_stop(&rig);
}

static void does_not_repeat_cached_values(void **state)
{
	struct rig rig;
	struct rig_series *used;

	(void)state;
	rig_prepare(&rig);
	pid_t snmpd = snmpd_start(&rig, 12171, "rocommunity public");
	if (snmpd < 0) {
		rig_stop(&rig);
		skip();
	}
	rig_write(&rig, "credentials", 0600, "mine v2c public\n");
	rig_write(&rig, "targets", 0644, GUEST " 127.0.0.1:12171 mine 100ms\n");
	assert_int_equal(rig_start(&rig), 0);
	rig_run(&rig, 11 * GM_SECOND);
	used = must_find(&rig, GM_METRIC_MEMORY_USED);
	assert_in_range(used->count, 2, 4); /* a cache of 5 s in 11 s */
	snmpd_stop(snmpd);
	rig_stop(&rig);
}

/* Who is called by a pattern is asked once another source tells who that is. */
static void learns_guests_by_name(void **state)
{
	struct rig rig;
	struct gm_entity_info info;

	(void)state;
	rig_prepare(&rig);
	pid_t snmpd = snmpd_start(&rig, 12172, "rocommunity public");
	if (snmpd < 0) {
		rig_stop(&rig);
		skip();
	}
	rig_write(&rig, "credentials", 0600, "mine v2c public\n");
	rig_write(&rig, "targets", 0644, "web-* 127.0.0.1:12172 mine 100ms\n");
	assert_int_equal(rig_start(&rig), 0);
	rig_run(&rig, 300 * GM_MILLISECOND);
	assert_int_equal(rig.series_count, 0);

	memset(&info, 0, sizeof(info));
	rig_uuid(1, info.key.uuid);
	info.key.kind = GM_ENTITY_GUEST;
	snprintf(info.guest.display_name, sizeof(info.guest.display_name), "web-1");
	rig.source->ops->hear(rig.source, &info, true);
	rig_run(&rig, 2 * GM_SECOND);
	must_find(&rig, GM_METRIC_MEMORY_USED);

	rig.source->ops->hear(rig.source, &info, false);
	rig_run(&rig, 300 * GM_MILLISECOND);
	assert_int_equal(rig.reachable, 0);
	assert_int_equal(rig.gone_count, rig.seen_count);

	/* The list may change while it runs. */
	rig_write(&rig, "targets", 0644, GUEST " 127.0.0.1:12172 mine 100ms\n");
	rig_run(&rig, 2 * GM_SECOND);
	assert_int_equal(rig.reachable, 1);
	rig_write(&rig, "targets", 0644, "nonsense\n");
	rig_run(&rig, 1500 * GM_MILLISECOND);
	assert_int_equal(rig.reachable, 1);
	assert_non_null(strstr(rig.complaint.text, "targets:1: "));
	snmpd_stop(snmpd);
	rig_stop(&rig);
}

/* Groups that are due together go together, whatever their intervals. */
static void asks_once_a_tick(void **state)
{
	struct rig rig;
	struct responder responder = {.value = 1000};

	(void)state;
	rig_prepare(&rig);
	responder_start(&responder, 12173, respond_well);
	rig_write(&rig, "credentials", 0600, "mine v2c public\n");
	/* The phases of the second target are no whole steps by themselves. */
	rig_write(&rig, "targets", 0644,
		  "00000000-0000-0000-0000-000000000009 127.0.0.1:12174 mine 1h\n" GUEST
		  " 127.0.0.1:12173 mine 100ms\n");
	rig.options.cpu_interval = 300 * GM_MILLISECOND;
	rig.options.load_interval = 500 * GM_MILLISECOND;
	rig.options.storage_interval = rig.options.process_interval = 0;
	assert_int_equal(rig_start(&rig), 0);
	rig_run(&rig, 3 * GM_SECOND);
	assert_in_range(responder.requests, 24, 32);
	assert_in_range(must_find(&rig, GM_METRIC_CPU_INSIDE_USER)->count, 8, 11);
	assert_in_range(must_find(&rig, GM_METRIC_LOAD_1)->count, 5, 7);
	responder_stop(&responder);
	rig_stop(&rig);
}

static void refuses_bad_files(void **state)
{
	static const struct {
		const char *credentials, *targets, *sentence;
		mode_t mode;
	} cases[] = {
		{"mine v2c geheim\n", "", "chmod 0600", 0644},
		{"mine v4 geheim\n", "", "credentials:1: expected NAME", 0600},
		{"\nmine v3 u SHA-256 short AES geheim123\n", "", "credentials:2: a passphrase",
		 0600},
		{"mine v3 u MD5 geheim123 AES geheim123\n", "", "credentials:1: v3 takes", 0600},
		{"mine v3 u MD5 geheim123\n", "", "credentials:1: v3 takes", 0600},
		{"mine v3 u SHA-256 geheim123 AES\n", "", "credentials:1: v3 takes", 0600},
		{"mine v3 u SHA-256 geheim123 DES geheim123\n", "", "credentials:1: v3 takes",
		 0600},
		{"mine v3 u SHA-256 geheim123\n", "x\n", "targets:1: expected GUEST", 0600},
		{"mine v2c geheim\n", "x\n", "targets:1: expected GUEST", 0600},
		{"mine v2c geheim\n", "x example.org mine\n", "numeric address", 0600},
		{"mine v2c geheim\n", "x 127.0.0.1:99999 mine\n", "numeric address", 0600},
		{"mine v2c geheim\n", "x [::1 mine\n", "numeric address", 0600},
		{"mine v2c geheim\n", "x 127.0.0.1 yours\n", "no credential", 0600},
		{"mine v2c geheim\n", "x 127.0.0.1 mine soon\n", "interval", 0600},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig rig;

		rig_prepare(&rig);
		rig_write(&rig, "credentials", cases[i].mode, cases[i].credentials);
		rig_write(&rig, "targets", 0644, cases[i].targets);
		assert_true(rig_start(&rig) < 0);
		if (strstr(rig.complaint.text, cases[i].sentence) == NULL) {
			fail_msg("case %zu: %s", i, rig.complaint.text);
		}
		assert_null(strstr(rig.complaint.text, "geheim")); /* no secret is told */
		rig.source->ops->destroy(rig.source);
		rig.source = NULL;
		rig_stop(&rig);
	}
}

static void takes_addresses(void **state)
{
	struct rig rig;

	(void)state;
	rig_prepare(&rig);
	rig_write(&rig, "credentials", 0600, "a v1 b\nc v2c d write=e\n");
	rig_write(&rig, "targets", 0644,
		  "x 127.0.0.1 a\ny [::1]:12399 c 2s\nz ::1 c 100ms\nw [::1] c\n"
		  "v 127.0.0.1:12398 c 1m\n");
	assert_int_equal(rig_start(&rig), 0);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_version_2c),
		cmocka_unit_test(speaks_version_1),
		cmocka_unit_test(speaks_version_3),
		cmocka_unit_test(tunes_caches),
		cmocka_unit_test(does_not_repeat_cached_values),
		cmocka_unit_test(learns_guests_by_name),
		cmocka_unit_test(asks_once_a_tick),
		cmocka_unit_test(refuses_bad_files),
		cmocka_unit_test(takes_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
