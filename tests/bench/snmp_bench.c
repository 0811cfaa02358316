/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snmp_bench [TARGETS [SECONDS]]: what a poll of a guest's snmpd costs the poller: the source against
 * net-snmp's session-list API, both asking the same responder for the same twelve names of 500 targets
 * ten times a second, one after the other in one run. The responder is a process of its own with an address
 * of 127.1.0.0/16 for each target. Fails when the source is not at least three times cheaper, or when polls
 * are missing.
 */
#include <arpa/inet.h>
#include <net-snmp/library/large_fd_set.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/snmp/ber.h"
#include "source/snmp/groups.h"
#include "source/snmp/snmp.h"

enum { PORT = 12300, TARGETS_MAX = 2000, RATE = 10, TURN_MS = 10, NAMES = 12, BATCH = 64 };

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec * 1e-6 +
	       (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec * 1e-6;
}

static void sleep_until(int64_t deadline)
{
	struct timespec time = {deadline / GM_SECOND, deadline % GM_SECOND};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* ---- the responder ---- */

static size_t make_answer(const struct gm_snmp_message *request, uint64_t *value, uint8_t *out,
			  size_t size)
{
	struct gm_snmp_writer writer = {out, out + size, false};
	const uint8_t *end = writer.at;

	for (size_t i = request->pdu.count; i-- > 0;) {
		const uint8_t *pair = writer.at;
		struct gm_snmp_slice oid = request->pdu.varbinds[i].oid;

		gm_snmp_put_integer(&writer, i == 0 ? GM_SNMP_TIMETICKS : GM_SNMP_INTEGER,
				    (int64_t)((*value)++ % 1000000000));
		gm_snmp_put_octets(&writer, GM_SNMP_OID, oid.data, oid.length);
		gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, pair);
	}
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, request->pdu.request_id);
	gm_snmp_put_head(&writer, GM_SNMP_RESPONSE, end);
	gm_snmp_put_octets(&writer, GM_SNMP_OCTETS, "public", 6);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, GM_SNMP_V2C);
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	memmove(out, writer.at, (size_t)(end - writer.at));
	return writer.failed ? 0 : (size_t)(end - writer.at);
}

/* One socket for all addresses: each answer leaves from the address that was asked (IP_PKTINFO). */
static void respond(int fd)
{
	static struct gm_snmp_message request;
	uint8_t data[2048], control[128];
	uint64_t value = 1;

	for (;;) {
		struct sockaddr_in from;
		struct iovec part = {data, sizeof(data)};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		ssize_t length = recvmsg(fd, &message, 0);
		uint8_t answer[2048];

		if (length <= 0 || gm_snmp_decode(data, (size_t)length, &request) < 0) {
			continue;
		}
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);

		if (head && head->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(head);

			info->ipi_spec_dst = info->ipi_addr;
			info->ipi_ifindex = 0;
		}
		part = (struct iovec){answer,
				      make_answer(&request, &value, answer, sizeof(answer))};
		(void)sendmsg(fd, &message, 0);
	}
}

static pid_t start_responder(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1, size = 8 << 20;
	pid_t pid;

	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("bind");
		exit(77);
	}
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		respond(fd);
	}
	close(fd);
	return pid;
}

static void address_text(char *text, size_t size, int target)
{
	snprintf(text, size, "127.1.%d.%d", target / 250, target % 250 + 1);
}

/* ---- the source ---- */

struct counts {
	uint64_t polls;
	double cpu;
};

static void on_samples(void *user, struct gm_batch *batch)
{
	struct counts *counts = user;

	for (size_t i = 0; i < batch->frame_count; i++) {
		const struct gm_reading *readings = gm_batch_readings(batch, &batch->frames[i]);

		/* One frame per poll is the memory's. */
		counts->polls +=
			batch->frames[i].count > 0 && readings[0].metric == GM_METRIC_MEMORY_TOTAL;
	}
	gm_batch_free(batch);
}

static void ignore_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	(void)user;
	(void)source;
	(void)info;
}

static void ignore_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
			int64_t time)
{
	(void)user;
	(void)source;
	(void)key;
	(void)time;
}

static void write_list(const char *path, mode_t mode, int targets)
{
	FILE *file = fopen(path, "w");
	char address[32];

	fchmod(fileno(file), mode);
	if (targets == 0) {
		fprintf(file, "mine v2c public\n");
	}
	for (int i = 0; i < targets; i++) {
		address_text(address, sizeof(address), i);
		fprintf(file, "00000000-0000-0000-0000-%012x %s:%d mine 100ms\n", i + 1, address,
			PORT);
	}
	fclose(file);
}

static void run_source(int targets, int seconds, struct counts *counts)
{
	struct gm_snmp_options options;
	struct gm_source_sink sink = {
		.samples = on_samples, .seen = ignore_seen, .gone = ignore_gone, .user = counts};
	struct gm_snmp_start identity = {.engine = 1, .boots = 1};
	struct gm_source *source;
	struct gm_error err = {.text = ""};
	uint32_t reachable;
	char folder[] = "/tmp/gm-snmp-bench-XXXXXX";

	gm_option_defaults(gm_snmp_option_table, &options);
	if (mkdtemp(folder) == NULL) {
		exit(1);
	}
	snprintf(options.targets, sizeof(options.targets), "%s/targets", folder);
	snprintf(options.credentials, sizeof(options.credentials), "%s/credentials", folder);
	write_list(options.targets, 0644, targets);
	write_list(options.credentials, 0600, 0);
	options.load_interval = 100 * GM_MILLISECOND;
	options.cpu_interval = options.storage_interval = options.process_interval = 0;
	if (gm_snmp_create(&options, &identity, &source) < 0 ||
	    source->ops->open(source, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	int64_t start = gm_clock_monotonic(), next = start;
	double before = cpu_seconds();

	while (next < start + seconds * GM_SECOND) {
		source->ops->poll(source, gm_clock_now(), &sink, &reachable, &err);
		next += TURN_MS * GM_MILLISECOND;
		sleep_until(next);
	}
	counts->cpu = cpu_seconds() - before;
	source->ops->close(source);
	source->ops->destroy(source);
	unlink(options.targets);
	unlink(options.credentials);
	rmdir(folder);
}

/* ---- net-snmp ---- */

struct peer {
	netsnmp_session *session;
	struct counts *counts;
	bool waiting;
	double values[NAMES];
};

static const oid names[NAMES][12] = {
	{1, 3, 6, 1, 2, 1, 1, 3, 0},           {1, 3, 6, 1, 4, 1, 2021, 4, 5, 0},
	{1, 3, 6, 1, 4, 1, 2021, 4, 6, 0},     {1, 3, 6, 1, 4, 1, 2021, 4, 13, 0},
	{1, 3, 6, 1, 4, 1, 2021, 4, 14, 0},    {1, 3, 6, 1, 4, 1, 2021, 4, 15, 0},
	{1, 3, 6, 1, 4, 1, 2021, 4, 27, 0},    {1, 3, 6, 1, 4, 1, 2021, 4, 3, 0},
	{1, 3, 6, 1, 4, 1, 2021, 4, 4, 0},     {1, 3, 6, 1, 4, 1, 2021, 10, 1, 5, 1},
	{1, 3, 6, 1, 4, 1, 2021, 10, 1, 5, 2}, {1, 3, 6, 1, 4, 1, 2021, 10, 1, 5, 3},
};
static const size_t lengths[NAMES] = {9, 10, 10, 10, 10, 10, 10, 10, 10, 11, 11, 11};

static int on_answer(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *user)
{
	struct peer *peer = user;
	size_t i = 0;

	(void)session;
	(void)id;
	peer->waiting = false;
	if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE) {
		for (netsnmp_variable_list *value = pdu->variables; value && i < NAMES;
		     value = value->next_variable) {
			peer->values[i++] = (double)*value->val.integer;
		}
		peer->counts->polls += i == NAMES;
	}
	return 1;
}

static void ask(struct peer *peer)
{
	netsnmp_pdu *pdu;

	if (peer->waiting) {
		return;
	}
	pdu = snmp_pdu_create(SNMP_MSG_GET);
	for (int i = 0; i < NAMES; i++) {
		snmp_add_null_var(pdu, names[i], lengths[i]);
	}
	peer->waiting = snmp_send(peer->session, pdu) != 0;
	if (!peer->waiting) {
		snmp_free_pdu(pdu);
	}
}

/* Until `deadline`, the library's own way to wait: select() over its list of sessions. */
static void serve_until(int64_t deadline, netsnmp_large_fd_set *set)
{
	int64_t left;

	while ((left = deadline - gm_clock_monotonic()) > 0) {
		struct timeval timeout = {0, left / 1000};
		int count = 0, block = 0, ready;

		NETSNMP_LARGE_FD_ZERO(set);
		snmp_select_info2(&count, set, &timeout, &block);
		timeout = (struct timeval){0, left / 1000};
		ready = netsnmp_large_fd_set_select(count, set, NULL, NULL, &timeout);
		if (ready > 0) {
			snmp_read2(set);
		} else {
			snmp_timeout();
		}
	}
}

static void run_sessions(int targets, int seconds, struct counts *counts)
{
	static struct peer peers[TARGETS_MAX];
	netsnmp_large_fd_set set;
	u_char community[] = "public";

	setenv("MIBS", "", 1);
	init_snmp("snmp_bench");
	netsnmp_large_fd_set_init(&set, FD_SETSIZE);
	for (int i = 0; i < targets; i++) {
		netsnmp_session session;
		char address[48];

		snmp_sess_init(&session);
		address_text(address, sizeof(address), i);
		snprintf(address + strlen(address), sizeof(address) - strlen(address), ":%d", PORT);
		session.peername = address;
		session.version = SNMP_VERSION_2c;
		session.community = community;
		session.community_len = sizeof(community) - 1;
		session.retries = 0;
		session.timeout = 1000000;
		session.callback = on_answer;
		session.callback_magic = &peers[i];
		peers[i].counts = counts;
		peers[i].session = snmp_open(&session);
		if (peers[i].session == NULL) {
			snmp_perror("snmp_open");
			exit(1);
		}
	}
	int64_t start = gm_clock_monotonic(), next = start;
	double before = cpu_seconds();

	for (int turn = 0; next < start + seconds * GM_SECOND; turn++) {
		int turns = 1000 / RATE / TURN_MS;

		for (int i = turn % turns; i < targets; i += turns) {
			ask(&peers[i]);
		}
		next += TURN_MS * GM_MILLISECOND;
		serve_until(next, &set);
	}
	counts->cpu = cpu_seconds() - before;
	snmp_close_sessions();
	netsnmp_large_fd_set_cleanup(&set);
}

static double report(const char *name, const struct counts *counts, int targets, int seconds)
{
	double each = counts->polls ? counts->cpu / (double)counts->polls * 1e6 : 0;

	printf("%-24s %8llu polls of %d  %6.1f %% of a core  %6.2f us a poll\n", name,
	       (unsigned long long)counts->polls, targets * seconds * RATE,
	       counts->cpu / seconds * 100, each);
	return each;
}

int main(int argc, char **argv)
{
	int targets = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 500;
	int seconds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
	struct counts ours = {0}, theirs = {0};
	struct rlimit files = {4096, 4096};

	if (targets < 1 || targets > TARGETS_MAX || seconds < 1) {
		fprintf(stderr, "usage: snmp_bench [TARGETS [SECONDS]]\n");
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	pid_t responder = start_responder();

	run_source(targets, seconds, &ours);
	run_sessions(targets, seconds, &theirs);
	kill(responder, SIGKILL);
	waitpid(responder, NULL, 0);

	double mine = report("source/snmp", &ours, targets, seconds);
	double its = report("net-snmp, session list", &theirs, targets, seconds);
	double ratio = mine > 0 ? its / mine : 0;
	bool complete = (double)ours.polls > 0.95 * targets * (seconds - 1) * RATE;

	printf("ratio %.1f (at least 3 is wanted)\n", ratio);
	return ratio >= 3 && complete ? 0 : 1;
}
