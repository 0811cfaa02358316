/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of outputs; see outputs.h. Called by pipeline.c. Drivers and outboxes do not know each other:
 * a message goes from one to the other here, and so does its verdict.
 */
#include "daemon/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/mib_output.h"
#include "daemon/outbox.h"

struct member {
	struct gm_outputs *outputs;
	const struct gm_output_file *file; /* NULL: the agent's */
	struct gm_outbox *outbox;
	char name[GM_OUTPUT_NAME];  /* the driver's; files come and go */
	bool made;                  /* by gm_outputs_add() */
	char absent[GM_ERROR_TEXT]; /* why there is no driver */
	struct member *prev, *next;
};

struct gm_outputs {
	uv_loop_t *loop;
	struct gm_state *state;
	char node[GM_NAME_SIZE]; /* the configuration comes and goes */
	struct gm_http *http;
	uv_async_t verdicts; /* some came: send what may follow */
	struct member *members;
	struct member *snmp; /* one of them, or NULL */
	struct gm_mib *mib;
	struct gm_mib_status mib_status;
	const struct gm_output_files *files; /* of the last configure() */
};

/* ---- sending ---- */

static void pump(struct member *member)
{
	gm_outbox_pump(member->outbox, gm_clock_now(), gm_clock_monotonic());
}

static void on_verdicts(uv_async_t *async)
{
	gm_outputs_pump(async->data);
}

static void on_done(void *user, uint64_t ticket, const struct gm_verdict *verdict)
{
	struct member *member = user;
	gm_outbox_done(member->outbox, ticket, verdict, gm_clock_now(), gm_clock_monotonic());
	uv_async_send(&member->outputs->verdicts);
}

/* What all of them have told since is one wait for the disk. */
static void store_positions(struct gm_outputs *outputs)
{
	struct gm_outbox *outboxes[GM_OUTBOXES_STORED];
	int64_t monotonic = gm_clock_monotonic();
	size_t count = 0;
	struct member *member;
	DL_FOREACH (outputs->members, member) {
		outboxes[count++] = member->outbox;
		if (count == GM_OUTBOXES_STORED || !member->next) {
			gm_outboxes_store(outboxes, count, monotonic);
			count = 0;
		}
	}
}

void gm_outputs_pump(struct gm_outputs *outputs)
{
	struct member *member;
	DL_FOREACH (outputs->members, member)
		pump(member);
	store_positions(outputs);
}

/* ---- members ---- */

static void begin_driver(struct member *member, const struct gm_output_ops *ops,
			 const void *options, const char *name)
{
	struct gm_outputs *outputs = member->outputs;
	const struct gm_output_host host = {
		.loop = outputs->loop,
		.http = outputs->http,
		.mib = &outputs->mib,
		.state = outputs->state,
		.name = member->name,
		.node = outputs->node,
		.options = member->file ? &member->file->common : NULL,
		.done = on_done,
		.user = member,
	};
	struct gm_output *output = NULL;
	struct gm_error err = {.text = ""};
	gm_text_copy(member->name, sizeof(member->name), name);
	if (ops->create(options, &host, &output, &err) < 0) {
		if (strcmp(member->absent, err.text) != 0)
			gm_log(GM_LOG_ERROR, "output %s: %s", name, err.text);
		gm_text_copy(member->absent, sizeof(member->absent), err.text);
		return;
	}
	member->absent[0] = '\0';
	gm_outbox_attach(member->outbox, output);
}

static void end_driver(struct member *member, const struct gm_output_ops *ops)
{
	struct gm_output *output = gm_outbox_output(member->outbox);
	if (!output)
		return;
	gm_outbox_attach(member->outbox, NULL);
	ops->close(output);
}

static const struct gm_output_ops *ops_of(const struct member *member)
{
	return member->file ? member->file->ops : &gm_mib_output_ops;
}

static struct member *add(struct gm_outputs *outputs, const struct gm_output_file *file)
{
	struct member *member = calloc(1, sizeof(*member));
	struct gm_outbox_setup setup = {
		.name = file ? file->name : GM_OUTPUT_SNMP,
		.node = outputs->node,
		.ops = file ? file->ops : &gm_mib_output_ops,
		/* An agent tells a notification again after a crash unless this is known by then. */
		.exact = !file,
	};
	if (file)
		setup.options = file->common;
	else
		gm_option_defaults(gm_output_option_table, &setup.options);
	if (!member || gm_outbox_create(&setup, outputs->state, &member->outbox) < 0) {
		gm_log(GM_LOG_ERROR, "output %s: out of memory: it is not there", setup.name);
		free(member);
		return NULL;
	}
	member->outputs = outputs;
	member->file = file;
	DL_APPEND(outputs->members, member);
	return member;
}

static void drop(struct gm_outputs *outputs, struct member *member)
{
	end_driver(member, ops_of(member));
	gm_outbox_free(member->outbox);
	DL_DELETE(outputs->members, member);
	free(member);
}

/* ---- configuration ---- */

static const struct gm_output_file *find_equal(const struct gm_output_files *files,
					       const struct gm_output_file *file)
{
	for (size_t i = 0; i < files->count; i++) {
		if (gm_output_file_equal(&files->files[i], file))
			return &files->files[i];
	}
	return NULL;
}

static struct member *find(const struct gm_outputs *outputs, const char *name)
{
	struct member *member;
	DL_FOREACH (outputs->members, member) {
		if (strcmp(member->file ? member->file->name : GM_OUTPUT_SNMP, name) == 0)
			return member;
	}
	return NULL;
}

/* Positions of outputs that are no more would keep the journal for ever. */
static void forget_others(struct gm_outputs *outputs)
{
	size_t count = 0, files = outputs->files ? outputs->files->count : 0;
	struct member *member;
	DL_COUNT(outputs->members, member, count);
	const char **names = calloc(count + files + 1, sizeof(*names));
	if (!names)
		return; /* the next reload does it */
	count = 0;
	DL_FOREACH (outputs->members, member)
		names[count++] = member->file ? member->file->name : GM_OUTPUT_SNMP;
	for (size_t i = 0; i < files; i++) /* one that could not be made may be, later */
		names[count++] = outputs->files->files[i].name;
	if (gm_state_outputs_keep(outputs->state, names, count) < 0)
		gm_log(GM_LOG_ERROR, "positions of outputs that are no more cannot be removed");
	free(names);
}

/* Those of the files that are not there. */
static void add_missing(struct gm_outputs *outputs)
{
	for (size_t i = 0; outputs->files && i < outputs->files->count; i++) {
		const struct gm_output_file *file = &outputs->files->files[i];
		struct member *member = find(outputs, file->name) ? NULL : add(outputs, file);
		if (member)
			begin_driver(member, file->ops, file->options, file->name);
	}
}

void gm_outputs_configure(struct gm_outputs *outputs, const struct gm_output_files *files)
{
	struct member *member, *next;
	outputs->files = files;
	DL_FOREACH_SAFE(outputs->members, member, next)
	{
		if (!member->file || member->made)
			continue;
		const struct gm_output_file *same = find_equal(files, member->file);
		if (same)
			member->file = same;
		else
			drop(outputs, member);
	}
	add_missing(outputs);
	forget_others(outputs);
}

int gm_outputs_add(struct gm_outputs *outputs, const struct gm_output_file *file)
{
	struct member *member = add(outputs, file);
	if (!member)
		return -ENOMEM;
	member->made = true;
	begin_driver(member, file->ops, file->options, file->name);
	return 0;
}

void gm_outputs_remove(struct gm_outputs *outputs, const char *name)
{
	struct member *member = find(outputs, name);
	if (!member || !member->made)
		return;
	drop(outputs, member);
	forget_others(outputs);
}

struct gm_http *gm_outputs_http(struct gm_outputs *outputs)
{
	return outputs->http;
}

/* ---- the agent ---- */

void gm_outputs_attach_mib(struct gm_outputs *outputs, struct gm_mib *mib)
{
	outputs->mib = mib;
	if (!outputs->snmp)
		return;
	end_driver(outputs->snmp, &gm_mib_output_ops);
	if (mib)
		begin_driver(outputs->snmp, &gm_mib_output_ops, &outputs->mib, GM_OUTPUT_SNMP);
	pump(outputs->snmp);
}

void gm_outputs_without_mib(struct gm_outputs *outputs)
{
	if (outputs->snmp)
		drop(outputs, outputs->snmp);
	outputs->snmp = NULL; /* its position goes with the next gm_outputs_configure() */
}

void gm_outputs_mib_status(struct gm_outputs *outputs, const struct gm_mib_status *status)
{
	outputs->mib_status = *status;
}

void gm_outputs_mib_delivered(struct gm_outputs *outputs, uint64_t sequence)
{
	if (!outputs->snmp)
		return;
	gm_outbox_done_through(outputs->snmp->outbox, sequence, gm_clock_now());
	uv_async_send(&outputs->verdicts); /* many that come together are one write */
}

/* ---- time ---- */

void gm_outputs_tick(struct gm_outputs *outputs)
{
	gm_outputs_pump(outputs);
}

void gm_outputs_second(struct gm_outputs *outputs, struct gm_snapshot_slot *slot)
{
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(slot);
	int64_t now = gm_clock_now();
	struct member *member;
	add_missing(outputs);
	DL_FOREACH (outputs->members, member) {
		struct gm_output *output = gm_outbox_output(member->outbox);
		if (!output && member->file)
			begin_driver(member, member->file->ops, member->file->options,
				     member->file->name);
		else if (output && snapshot && ops_of(member)->tick)
			ops_of(member)->tick(output, snapshot, now);
	}
	if (snapshot)
		gm_snapshot_release(slot, snapshot);
}

/* ---- readers and operators ---- */

static int by_name(const void *a, const void *b)
{
	const struct gm_output_row *one = a, *other = b;
	return strcmp(one->name, other->name);
}

/*
 * What is handed to the agent stays there while the master agent is away, which the outbox does not see. It
 * is told here, and is no failure (`failing_since`): a node may have no snmpd at all.
 */
static void show_mib(const struct gm_outputs *outputs, struct gm_output_row *row)
{
	const struct gm_mib_status *status = &outputs->mib_status;
	if (row->state != GM_OUTPUT_WORKING || status->connected)
		return;
	row->state = GM_OUTPUT_WAITING;
	gm_text_copy(row->error, sizeof(row->error),
		     status->error[0] != '\0' ? status->error : "no session with the master agent");
}

size_t gm_outputs_rows(const struct gm_outputs *outputs, struct gm_output_row *rows, size_t max)
{
	int64_t now = gm_clock_now(), monotonic = gm_clock_monotonic();
	size_t count = 0;
	struct member *member;
	DL_FOREACH (outputs->members, member) {
		if (count < max) {
			gm_outbox_status(member->outbox, now, monotonic, &rows[count]);
			if (member->absent[0] != '\0')
				gm_text_shorten(rows[count].error, sizeof(rows[count].error),
						member->absent);
			if (member == outputs->snmp)
				show_mib(outputs, &rows[count]);
		}
		count++;
	}
	if (rows) /* to ask how many there are */
		qsort(rows, count < max ? count : max, sizeof(*rows), by_name);
	return count;
}

static struct member *find_or_say(const struct gm_outputs *outputs, const char *name,
				  struct gm_error *err)
{
	struct member *member = find(outputs, name);
	char quoted[2 * GM_OUTPUT_NAME];
	if (!member)
		gm_error_set(err, -ENOENT, "there is no output %s",
			     (gm_text_quote(quoted, sizeof(quoted), name), quoted));
	return member;
}

int gm_outputs_pause(struct gm_outputs *outputs, const char *name, bool paused,
		     struct gm_error *err)
{
	struct member *member = find_or_say(outputs, name, err);
	if (!member)
		return -ENOENT;
	int result = gm_outbox_pause(member->outbox, paused);
	if (result < 0)
		return gm_error_set(err, result, "the state cannot be written: nothing is changed");
	gm_log(GM_LOG_NOTICE, "output %s: %s", name, paused ? "paused" : "resumed");
	pump(member);
	return 0;
}

int gm_outputs_replay(struct gm_outputs *outputs, const char *name, uint64_t sequence,
		      struct gm_error *err)
{
	struct member *member = find_or_say(outputs, name, err);
	if (!member)
		return -ENOENT;
	int result = gm_outbox_replay(member->outbox, sequence, err);
	if (result < 0)
		return result;
	gm_log(GM_LOG_NOTICE, "output %s: tells again from sequence number %llu on", name,
	       (unsigned long long)sequence);
	pump(member);
	return 0;
}

/* ---- life ---- */

int gm_outputs_create(uv_loop_t *loop, struct gm_state *state, const char *node,
		      struct gm_outputs **ret_outputs, struct gm_error *err)
{
	struct gm_outputs *outputs = calloc(1, sizeof(*outputs));
	int result = outputs ? gm_http_create(loop, &outputs->http) : -ENOMEM;
	if (result < 0) {
		free(outputs);
		return gm_error_set(err, result, "out of memory");
	}
	outputs->loop = loop;
	outputs->state = state;
	gm_text_copy(outputs->node, sizeof(outputs->node), node);
	uv_async_init(loop, &outputs->verdicts, on_verdicts);
	outputs->verdicts.data = outputs;
	outputs->snmp = add(outputs, NULL);
	*ret_outputs = outputs;
	return 0;
}

void gm_outputs_close(struct gm_outputs *outputs)
{
	struct member *member;
	if (!outputs)
		return;
	DL_FOREACH (outputs->members, member)
		end_driver(member, ops_of(member));
	gm_http_close(outputs->http);
	uv_close((uv_handle_t *)&outputs->verdicts, NULL);
}

void gm_outputs_free(struct gm_outputs *outputs)
{
	struct member *member, *next;
	if (!outputs)
		return;
	DL_FOREACH_SAFE(outputs->members, member, next)
	{
		drop(outputs, member);
	}
	gm_http_free(outputs->http);
	free(outputs);
}
