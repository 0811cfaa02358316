/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent thread alone, for tests/functional/agentx: starts it on made-up snapshots and does as it
 * is told on standard input. Not the daemon.
 *
 *   mib_driver SOCKET GUESTS INTERFACES [PUBLISH_US [vm]]
 *     raise N           hands over the raise with the sequence number N
 *     clear N           its clear, as sequence number N
 *     tell DETECTOR N   raise, change and clear of a detector's alarm, from sequence number N on
 *     guests N          as many from now on, and a snapshot at once
 *     pause N           the guest with that index is paused (0: none) from now on
 *     quit              stops the thread (as does the end of the input)
 * Prints "delivered N" and "status connected=0|1 connects=N requests=N notifications=N spooled=N". A new
 * snapshot, whose counters count the snapshots, is published every PUBLISH_US microseconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "north/mib/mib.h"
#include "support/mib/fixture.h"

static void delivered(void *user, uint64_t sequence)
{
	(void)user;
	printf("delivered %" PRIu64 "\n", sequence);
}

static void status(void *user, const struct gm_mib_status *now)
{
	(void)user;
	printf("status connected=%d connects=%" PRIu64 " requests=%" PRIu64
	       " notifications=%" PRIu64 " spooled=%" PRIu64 " wanted=%u registered=%u error=%s\n",
	       now->connected, now->connects, now->requests, now->notifications, now->spooled,
	       now->wanted, now->registered, now->error);
}

static int tell(struct gm_mib *mib, const char *detector, uint64_t sequence)
{
	int rc = 0;
	for (int kind = GM_TRANSITION_RAISE; kind <= GM_TRANSITION_CLEAR && rc == 0; kind++) {
		struct gm_transition transition =
			fixture_transition(sequence++, (enum gm_transition_kind)kind);
		snprintf(transition.alarm.detector, GM_DETECTOR_NAME, "%s", detector);
		rc = gm_mib_notify(mib, &transition);
	}
	return rc;
}

/* What the snapshots are made of. */
struct plan {
	size_t guests, interfaces;
	int64_t interval, next;
	uint32_t paused; /* index of a guest; 0: none */
};

static void command(struct gm_mib *mib, struct plan *plan, const char *line)
{
	char detector[GM_DETECTOR_NAME];
	uint64_t sequence;
	int rc = -EINVAL;
	if (sscanf(line, "raise %" SCNu64, &sequence) == 1) {
		struct gm_transition raise = fixture_transition(sequence, GM_TRANSITION_RAISE);
		rc = gm_mib_notify(mib, &raise);
	} else if (sscanf(line, "clear %" SCNu64, &sequence) == 1) {
		struct gm_transition clear = fixture_transition(sequence, GM_TRANSITION_CLEAR);
		rc = gm_mib_notify(mib, &clear);
	}
	if (sscanf(line, "tell %15s %" SCNu64, detector, &sequence) == 2)
		rc = tell(mib, detector, sequence);
	if (sscanf(line, "guests %zu", &plan->guests) == 1 ||
	    sscanf(line, "pause %u", &plan->paused) == 1) {
		plan->next = 0;
		rc = 0;
	}
	if (rc < 0)
		printf("error %d: %s\n", rc, line);
}

/* Handles the lines that are there; false when there will be none any more. */
static bool read_commands(struct gm_mib *mib, struct plan *plan, char *buffer, size_t size,
			  size_t *length)
{
	ssize_t got = read(STDIN_FILENO, buffer + *length, size - *length - 1);
	if (got <= 0)
		return false;
	*length += (size_t)got;
	buffer[*length] = '\0';
	char *line = buffer, *end;
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		if (strcmp(line, "quit") == 0)
			return false;
		command(mib, plan, line);
		line = end + 1;
	}
	*length -= (size_t)(line - buffer);
	memmove(buffer, line, *length);
	return true;
}

static void pause_guest(struct gm_snapshot *snapshot, uint32_t index)
{
	enum { PAUSED = 3 }; /* virDomainState */
	for (size_t i = 0; i < snapshot->guest_count; i++)
		if (snapshot->guests[i].index == index)
			snapshot->guests[i].last.items[0].value.gauge = PAUSED;
}

static void serve(struct gm_mib *mib, struct gm_snapshot_slot *slot, struct plan *plan)
{
	char buffer[65536];
	size_t length = 0;
	for (uint64_t generation = 1;;) {
		int64_t now = gm_clock_monotonic();
		if (now >= plan->next) {
			struct gm_snapshot *snapshot =
				fixture_snapshot(plan->guests, plan->interfaces, generation++);
			if (!snapshot)
				return;
			pause_guest(snapshot, plan->paused);
			gm_snapshot_publish(slot, snapshot);
			plan->next = now + plan->interval;
		}
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		int64_t wait = (plan->next - gm_clock_monotonic()) / GM_MILLISECOND;
		if (poll(&input, 1, wait > 0 ? (int)wait : 0) > 0 &&
		    !read_commands(mib, plan, buffer, sizeof(buffer), &length))
			return;
	}
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: mib_driver SOCKET GUESTS INTERFACES [PUBLISH_US]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct gm_mib_options options = {.enabled = true,
					 .timeout = 300 * GM_MILLISECOND,
					 .vm_notifications = argc > 5,
					 .vm_bulk_notifications = argc > 5};
	snprintf(options.agentx_socket, sizeof(options.agentx_socket), "%s", argv[1]);
	struct plan plan = {
		.guests = strtoul(argv[2], NULL, 10),
		.interfaces = strtoul(argv[3], NULL, 10),
		.interval = (argc > 4 ? strtoll(argv[4], NULL, 10) : 100000) * GM_MICROSECOND,
	};
	struct gm_mib_host host = {.delivered = delivered, .status = status};
	struct gm_snapshot_slot *slot;
	struct gm_mib *mib;
	struct gm_error err;
	if (gm_snapshot_slot_create(&slot) < 0)
		return 1;
	if (gm_mib_start(&options, slot, &host, &mib, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	serve(mib, slot, &plan);
	gm_mib_stop(mib);
	gm_snapshot_slot_free(slot);
	return 0;
}
