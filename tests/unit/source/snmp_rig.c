/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See snmp_rig.h. Used by the tests of source/snmp.
 */
#include "snmp_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

extern char **environ;

static void sleep_for(int64_t duration)
{
	struct timespec time = {duration / GM_SECOND, duration % GM_SECOND};

	nanosleep(&time, NULL);
}

/* ---- what it emits ---- */

struct rig_series *rig_find(struct rig *rig, const struct gm_entity_key *key, unsigned metric)
{
	for (size_t i = 0; i < rig->series_count; i++) {
		if (rig->series[i].metric == metric && gm_entity_equal(&rig->series[i].key, key)) {
			return &rig->series[i];
		}
	}
	return NULL;
}

static struct rig_series *find_or_add(struct rig *rig, const struct gm_entity_key *key,
				      unsigned metric)
{
	struct rig_series *series = rig_find(rig, key, metric);

	if (series == NULL) {
		assert_true(rig->series_count < RIG_SERIES);
		series = &rig->series[rig->series_count++];
		*series = (struct rig_series){.key = *key, .metric = metric};
	}
	return series;
}

static void on_samples(void *user, struct gm_batch *batch)
{
	struct rig *rig = user;

	assert_int_equal(batch->source, GM_SOURCE_SNMP);
	for (size_t i = 0; i < batch->frame_count; i++) {
		const struct gm_frame *frame = &batch->frames[i];
		const struct gm_reading *readings = gm_batch_readings(batch, frame);

		assert_true(frame->measured_at <= frame->read_at);
		for (size_t k = 0; k < frame->count; k++) {
			struct rig_series *series =
				find_or_add(rig, &frame->key, readings[k].metric);
			int64_t gap = frame->measured_at - series->measured_at;

			assert_true(gap > 0); /* a repeated reading is not a sample */
			if (series->count > 0 && gap > series->longest_gap) {
				series->longest_gap = gap;
			}
			series->value = readings[k].value;
			series->measured_at = frame->measured_at;
			series->read_at = frame->read_at;
			series->count++;
		}
	}
	gm_batch_free(batch);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct rig *rig = user;

	assert_int_equal(source, GM_SOURCE_SNMP);
	assert_true(rig->seen_count < RIG_TOLD);
	rig->seen[rig->seen_count++] = *info;
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	struct rig *rig = user;

	assert_int_equal(source, GM_SOURCE_SNMP);
	assert_true(time > 0);
	assert_true(rig->gone_count < RIG_TOLD);
	rig->gone[rig->gone_count++] = *key;
}

/* ---- the source ---- */

void rig_prepare(struct rig *rig)
{
	*rig = (struct rig){.folder = "/tmp/gm-snmp-XXXXXX"};
	assert_non_null(mkdtemp(rig->folder));
	gm_option_defaults(gm_snmp_option_table, &rig->options);
	rig->options.enabled = true;
	snprintf(rig->options.targets, sizeof(rig->options.targets), "%s/targets", rig->folder);
	snprintf(rig->options.credentials, sizeof(rig->options.credentials), "%s/credentials",
		 rig->folder);
	rig->sink = (struct gm_source_sink){
		.samples = on_samples, .seen = on_seen, .gone = on_gone, .user = rig};
}

void rig_write(const struct rig *rig, const char *name, mode_t mode, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", rig->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

int rig_start(struct rig *rig)
{
	if (rig->start.boots == 0) {
		rig->start = (struct gm_snmp_start){0x1122334455667788, 7, gm_clock_monotonic()};
	}
	assert_int_equal(gm_snmp_create(&rig->options, &rig->start, &rig->source), 0);
	return rig->source->ops->open(rig->source, &rig->complaint);
}

void rig_run(struct rig *rig, int64_t duration)
{
	int64_t end = gm_clock_monotonic() + duration;

	while (gm_clock_monotonic() < end) {
		rig->complaint.text[0] = '\0';
		assert_int_equal(rig->source->ops->poll(rig->source, gm_clock_now(), &rig->sink,
							&rig->reachable, &rig->complaint),
				 0);
		sleep_for(10 * GM_MILLISECOND);
	}
}

void rig_stop(struct rig *rig)
{
	static const char *const files[] = {"targets",    "credentials",      "oids",
					    "snmpd.conf", "state/snmpd.conf", "state/snmpd.0.conf"};
	char path[64];

	if (rig->source) {
		rig->source->ops->close(rig->source);
		rig->source->ops->destroy(rig->source);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", rig->folder, files[i]);
		unlink(path);
	}
	static const char *const folders[] = {"state/cert_indexes", "state/mib_indexes", "state",
					      "."};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", rig->folder, folders[i]);
		rmdir(path);
	}
	rmdir(rig->folder);
}

void rig_uuid(unsigned number, uint8_t uuid[GM_UUID_SIZE])
{
	memset(uuid, 0, GM_UUID_SIZE);
	uuid[GM_UUID_SIZE - 2] = (uint8_t)(number >> 8);
	uuid[GM_UUID_SIZE - 1] = (uint8_t)number;
}

struct rig_series *rig_guest(struct rig *rig, unsigned number, unsigned metric)
{
	uint8_t uuid[GM_UUID_SIZE];
	struct gm_entity_key key;

	rig_uuid(number, uuid);
	key = gm_entity_guest(uuid);
	return rig_find(rig, &key, metric);
}

void rig_forget(struct rig *rig)
{
	for (size_t i = 0; i < rig->series_count; i++) {
		rig->series[i].count = 0;
		rig->series[i].longest_gap = 0;
	}
}

/* ---- snmpd ---- */

pid_t snmpd_start_beside(const struct rig *rig, int port, const char *configuration)
{
	char text[2048], path[64], state[96], *variables[] = {state, NULL};
	char command[] = "snmpd", foreground[] = "-f", only[] = "-C", file[] = "-c", log[] = "-Lf";
	char nowhere[] = "/dev/null";
	char *arguments[] = {command, foreground, only, file, path, log, nowhere, NULL};
	pid_t pid;

	snprintf(text, sizeof(text), "agentAddress udp:127.0.0.1:%d\n%s\n", port, configuration);
	rig_write(rig, "snmpd.conf", 0600, text);
	snprintf(path, sizeof(path), "%s/snmpd.conf", rig->folder);
	snprintf(state, sizeof(state), "SNMP_PERSISTENT_DIR=%s/state", rig->folder);
	if (posix_spawn(&pid, "/usr/sbin/snmpd", NULL, NULL, arguments, variables) != 0) {
		return -1;
	}
	return pid;
}

pid_t snmpd_start(const struct rig *rig, int port, const char *configuration)
{
	pid_t pid = snmpd_start_beside(rig, port, configuration);

	sleep_for(700 * GM_MILLISECOND);
	return pid;
}

void snmpd_stop(pid_t pid)
{
	int status;

	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, &status, 0);
	}
}

/* ---- responders ---- */

static int bind_socket(uint32_t host, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void serve_one(struct responder *responder, int out)
{
	static _Thread_local struct gm_snmp_message request;
	uint8_t data[GM_SNMP_PACKET_MAX + 1], answer[65000];
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	ssize_t length = recvfrom(responder->fd, data, sizeof(data), 0, (struct sockaddr *)&from,
				  &from_size);
	size_t size;

	if (length <= 0) {
		return;
	}
	assert_true(length <= GM_SNMP_PACKET_MAX);
	assert_int_equal(gm_snmp_decode(data, (size_t)length, &request), 0);
	responder->requests++;
	if (request.pdu.count > responder->largest_names) {
		responder->largest_names = (unsigned)request.pdu.count;
	}
	size = responder->respond(responder, &request, answer, sizeof(answer));
	if (responder->delay > 0) {
		sleep_for(responder->delay);
	}
	for (unsigned i = 0; size > 0 && i <= responder->copies && !responder->stop; i++) {
		(void)sendto(out, answer, size, 0, (struct sockaddr *)&from, from_size);
	}
}

static void *serve(void *user)
{
	struct responder *responder = user;
	int out = responder->other_source ? bind_socket(responder->host, responder->other_source)
					  : responder->fd;

	while (!responder->stop) {
		struct pollfd wait = {.fd = responder->fd, .events = POLLIN};

		if (poll(&wait, 1, 20) == 1) {
			serve_one(responder, out);
		}
	}
	if (out != responder->fd) {
		close(out);
	}
	return NULL;
}

void responder_start(struct responder *responder, int port, respond_function *respond)
{
	responder->port = port;
	responder->respond = respond;
	responder->stop = false;
	responder->fd = bind_socket(responder->host, port);
	assert_int_equal(pthread_create(&responder->thread, NULL, serve, responder), 0);
}

void responder_stop(struct responder *responder)
{
	responder->stop = true;
	pthread_join(responder->thread, NULL);
	close(responder->fd);
}

static void put_value(struct gm_snmp_writer *writer, const struct gm_snmp_varbind *varbind)
{
	bool number = varbind->type == GM_SNMP_INTEGER ||
		      (varbind->type >= GM_SNMP_COUNTER32 && varbind->type <= GM_SNMP_COUNTER64 &&
		       varbind->text.data == NULL);

	if (number) {
		gm_snmp_put_integer(writer, varbind->type, (int64_t)varbind->number);
	} else {
		gm_snmp_put_octets(writer, varbind->type, varbind->text.data, varbind->text.length);
	}
}

size_t answer_write(const struct answer *answer, uint8_t *out, size_t size)
{
	struct gm_snmp_writer writer = {out, out + size, false};
	const struct gm_snmp_slice *community = &answer->request->community;
	const uint8_t *end = writer.at;

	for (size_t i = answer->count; i-- > 0;) {
		const uint8_t *pair = writer.at;

		put_value(&writer, &answer->varbinds[i]);
		gm_snmp_put_octets(&writer, GM_SNMP_OID, answer->varbinds[i].oid.data,
				   answer->varbinds[i].oid.length);
		gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, pair);
	}
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, answer->index);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, answer->status);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, answer->id);
	gm_snmp_put_head(&writer, GM_SNMP_RESPONSE, end);
	gm_snmp_put_octets(&writer, GM_SNMP_OCTETS, community->data, community->length);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, answer->request->version);
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	assert_false(writer.failed);
	size_t length = (size_t)(end - writer.at);
	memmove(out, writer.at, length);
	return length;
}

size_t respond_well(struct responder *responder, const struct gm_snmp_message *request,
		    uint8_t *answer, size_t size)
{
	struct gm_snmp_varbind varbinds[GM_SNMP_VARBINDS_MAX];
	struct answer written = {request,  request->pdu.request_id, 0, 0,
				 varbinds, request->pdu.count};

	for (size_t i = 0; i < request->pdu.count; i++) {
		varbinds[i] = (struct gm_snmp_varbind){
			.oid = request->pdu.varbinds[i].oid,
			.type = i == 0 ? GM_SNMP_TIMETICKS : GM_SNMP_INTEGER,
			.number = (uint64_t)responder->value + (i == 0 ? 0 : 1000 - i)};
	}
	responder->value++;
	if (request->pdu.type != GM_SNMP_GET) { /* there are no tables here */
		for (size_t i = 0; i < written.count; i++) {
			varbinds[i] = (struct gm_snmp_varbind){.oid = request->pdu.varbinds[i].oid,
							       .type = GM_SNMP_END_OF_VIEW,
							       .text = {(const uint8_t *)"", 0}};
		}
	}
	return answer_write(&written, answer, size);
}
