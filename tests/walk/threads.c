/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent thread, two readers and a publisher at work on one slot, for the thread sanitizer: the
 * readers walk the tree and must find each snapshot whole. The master agent is absent on purpose:
 * nothing here may wait for it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "north/mib/mib.h"
#include "north/mib/tree.h"
#include "support/mib/fixture.h"

enum { READERS = 2, SNAPSHOTS = 3000, GUESTS = 5, INTERFACES = 3, TRANSITIONS = 300 };

struct shared {
	struct gm_snapshot_slot *slot;
	atomic_bool end;
	atomic_uint walks, torn, statuses;
};

/* In every snapshot all counters of interfaces are the same number: columns 9 to 12 and 16 to 19. */
static bool is_counter(const struct gm_mib_oid *oid)
{
	uint32_t column = oid->id[3];
	return oid->length == 6 && oid->id[1] == 5 &&
	       ((column >= 9 && column <= 12) || (column >= 16 && column <= 19));
}

static size_t walk(const struct gm_snapshot *snapshot, bool *ret_torn)
{
	struct gm_mib_view view = {.snapshot = snapshot, .now = gm_clock_now()};
	struct gm_mib_oid oid = {0};
	struct gm_mib_value value;
	uint64_t first = 0;
	size_t counters = 0;
	while (gm_mib_next(&gm_mib_modules[GM_MIB_GUESTMON], &view, oid.id, oid.length, &oid,
			   &value)) {
		if (!is_counter(&oid))
			continue;
		if (counters++ == 0)
			first = value.number;
		*ret_torn |= value.number != first;
	}
	return counters;
}

static void *reader(void *user)
{
	struct shared *shared = user;
	while (!atomic_load(&shared->end)) {
		const struct gm_snapshot *snapshot = gm_snapshot_acquire(shared->slot);
		if (!snapshot)
			continue;
		bool torn = false;
		size_t counters = walk(snapshot, &torn);
		gm_snapshot_release(shared->slot, snapshot);
		atomic_fetch_add(&shared->walks, 1);
		atomic_fetch_add(&shared->torn, torn || counters != 8 * GUESTS * INTERFACES);
	}
	return NULL;
}

static void on_status(void *user, const struct gm_mib_status *status)
{
	struct shared *shared = user;
	atomic_fetch_add(&shared->statuses, !status->connected);
}

/* Publishes until everybody had a turn; hands over transitions beside it. */
static int publish(struct shared *shared, struct gm_mib *mib)
{
	int refused = 0;
	for (uint64_t i = 1; i <= SNAPSHOTS; i++) {
		struct gm_snapshot *snapshot = fixture_snapshot(GUESTS, INTERFACES, i);
		if (!snapshot)
			return -1;
		gm_snapshot_publish(shared->slot, snapshot);
		if (i > TRANSITIONS)
			continue;
		struct gm_transition raise = fixture_transition(i, GM_TRANSITION_RAISE);
		refused += gm_mib_notify(mib, &raise) < 0;
	}
	return refused;
}

int main(void)
{
	struct shared shared = {0};
	struct gm_mib_options options = {.enabled = true,
					 .timeout = 50 * GM_MILLISECOND,
					 .agentx_socket = "/nonexistent/master"};
	struct gm_mib_host host = {.status = on_status, .user = &shared};
	struct gm_mib *mib;
	pthread_t readers[READERS];
	if (gm_snapshot_slot_create(&shared.slot) < 0 ||
	    gm_mib_start(&options, shared.slot, &host, &mib, NULL) < 0)
		return 1;
	for (size_t i = 0; i < READERS; i++)
		if (pthread_create(&readers[i], NULL, reader, &shared) != 0)
			return 1;
	int refused = publish(&shared, mib);
	/* The agent thread tries to connect again meanwhile. */
	struct timespec pause = {.tv_nsec = 50000000};
	for (int i = 0; i < 400 && atomic_load(&shared.statuses) < 2; i++)
		nanosleep(&pause, NULL);
	atomic_store(&shared.end, true);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	int64_t before = gm_clock_monotonic();
	gm_mib_stop(mib);
	int64_t took = gm_clock_monotonic() - before;
	gm_snapshot_slot_free(shared.slot);

	printf("%u walks, %u torn, %u statuses, %d refused, stopped in %lld ms\n",
	       atomic_load(&shared.walks), atomic_load(&shared.torn), atomic_load(&shared.statuses),
	       refused, (long long)(took / GM_MILLISECOND));
	bool good = atomic_load(&shared.walks) > 10 && atomic_load(&shared.torn) == 0 &&
		    atomic_load(&shared.statuses) >= 2 && took < GM_SECOND &&
		    refused == TRANSITIONS - GM_MIB_SPOOL;
	return good ? 0 : 1;
}
