/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state directory of its own for each test, and alarms to journal.
 */
#ifndef GM_TEST_STATE_FIXTURE_H
#define GM_TEST_STATE_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "state/state.h"

struct fixture {
	char directory[64];
	struct gm_state *state;
	struct gm_error err;
};

static inline void path_of(const struct fixture *f, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", f->directory, name);
}

static inline void open_state(struct fixture *f)
{
	int rc = gm_state_open(f->directory, &f->state, &f->err);

	if (rc < 0)
		fail_msg("open: %d %s", rc, f->err.text);
}

static inline void reopen_state(struct fixture *f)
{
	gm_state_close(f->state);
	f->state = NULL;
	open_state(f);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	/* In memory where that is to be had: the tests make ten thousand durable writes. */
	snprintf(f->directory, sizeof(f->directory), "%s/gm-state-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(f->directory));
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	static const char *const names[] = {"state.db", "state.db-wal", "state.db-shm",
					    "state.db-journal", "lock"};
	struct fixture *f = *state;
	char path[128];

	gm_state_close(f->state);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(f, names[i], path);
		unlink(path);
	}
	assert_int_equal(rmdir(f->directory), 0);
	free(f);
	return 0;
}

/*
 * Kills a process that journals for ever, once it has reported a sequence number of `enough`: it writes each
 * that is durable to the descriptor. The last that it reported.
 */
static inline uint64_t kill_in_writing(const struct fixture *f,
				       void (*journal)(const char *directory, int report),
				       uint64_t enough)
{
	uint64_t reported = 0, next;
	int ends[2], status;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0)
		journal(f->directory, ends[1]);
	close(ends[1]);
	while (reported < enough && read(ends[0], &next, sizeof(next)) == sizeof(next))
		reported = next;
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	while (read(ends[0], &next, sizeof(next)) == sizeof(next))
		reported = next;
	close(ends[0]);
	return reported;
}

static inline struct gm_transition transition_of(uint32_t id, enum gm_transition_kind kind,
						 int64_t time)
{
	struct gm_transition made = {
		.kind = kind,
		.time = time,
		.alarm =
			{
				.id = id,
				.key = gm_entity_interface("tap0"),
				.detector = "burst",
				.metric = "net.rx.bytes",
				.severity = GM_SEVERITY_WARNING,
				.event_type = GM_EVENT_QUALITY_OF_SERVICE,
				.cause = GM_CAUSE_CONGESTION,
				.raised_at = time,
				.changed_at = time,
				.guest_name = "web \"1\"\n\xc3\xa4",
			},
	};
	gm_evidence_set(&made.alarm.evidence, GM_EVIDENCE_PEAK, 9.3e8);
	return made;
}

#endif
