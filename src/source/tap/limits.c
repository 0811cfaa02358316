/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of ports; see limits.h. Only those that have one are kept. Called by tap/tap.c.
 */
#define HASH_NONFATAL_OOM 1
#include "source/tap/limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { PORTS_MAX = 16384 };

struct port {
	struct gm_entity_key key;
	struct gm_tap_limit limit;
	UT_hash_handle hh;
};

struct gm_tap_limits {
	pthread_mutex_t lock; /* guards all */
	bool changed;
	struct port *ports;
};

int gm_tap_limits_create(struct gm_tap_limits **ret_limits)
{
	struct gm_tap_limits *limits = calloc(1, sizeof(*limits));
	int rc;

	if (limits == NULL) {
		return -ENOMEM;
	}
	rc = pthread_mutex_init(&limits->lock, NULL);
	if (rc != 0) {
		free(limits);
		return -rc;
	}
	*ret_limits = limits;
	return 0;
}

void gm_tap_limits_free(struct gm_tap_limits *limits)
{
	struct port *port, *next;

	if (limits == NULL) {
		return;
	}
	HASH_ITER (hh, limits->ports, port, next) {
		HASH_DEL(limits->ports, port);
		free(port);
	}
	pthread_mutex_destroy(&limits->lock);
	free(limits);
}

/* Under the lock. What has no room has no limit, as before there was any. */
static void set(struct gm_tap_limits *limits, const struct gm_entity_key *key,
		struct gm_tap_limit limit)
{
	struct port *port;

	HASH_FIND(hh, limits->ports, key, sizeof(*key), port);
	if (port == NULL && HASH_COUNT(limits->ports) < PORTS_MAX) {
		port = calloc(1, sizeof(*port));
		if (port == NULL) {
			return;
		}
		port->key = *key;
		HASH_ADD(hh, limits->ports, key, sizeof(port->key), port);
		if (port->hh.tbl == NULL) {
			free(port);
			return;
		}
	}
	if (port != NULL && (port->limit.rx != limit.rx || port->limit.tx != limit.tx)) {
		port->limit = limit;
		limits->changed = true;
	}
}

static void forget(struct gm_tap_limits *limits, const struct gm_entity_key *key)
{
	struct port *port;

	HASH_FIND(hh, limits->ports, key, sizeof(*key), port);
	if (port != NULL) {
		HASH_DEL(limits->ports, port);
		free(port);
		limits->changed = true;
	}
}

void gm_tap_limits_hear(struct gm_tap_limits *limits, const struct gm_entity_info *info, bool here)
{
	static const uint8_t nobody[GM_UUID_SIZE];
	const struct gm_interface_info *told = &info->interface;

	if (info->key.kind != GM_ENTITY_INTERFACE) {
		return;
	}
	/* A device that is no guest's any more is the host's: its limit went with the guest. */
	bool owned = memcmp(told->guest, nobody, GM_UUID_SIZE) != 0;
	pthread_mutex_lock(&limits->lock);
	if (here && owned && (told->rx_limit > 0 || told->tx_limit > 0)) {
		set(limits, &info->key,
		    (struct gm_tap_limit){(double)told->rx_limit, (double)told->tx_limit});
	} else {
		forget(limits, &info->key);
	}
	pthread_mutex_unlock(&limits->lock);
}

struct gm_tap_limit gm_tap_limits_find(struct gm_tap_limits *limits,
				       const struct gm_entity_key *key)
{
	struct gm_tap_limit limit = {0};
	struct port *port;

	pthread_mutex_lock(&limits->lock);
	HASH_FIND(hh, limits->ports, key, sizeof(*key), port);
	if (port != NULL) {
		limit = port->limit;
	}
	pthread_mutex_unlock(&limits->lock);
	return limit;
}

bool gm_tap_limits_changed(struct gm_tap_limits *limits)
{
	pthread_mutex_lock(&limits->lock);
	bool changed = limits->changed;
	limits->changed = false;
	pthread_mutex_unlock(&limits->lock);
	return changed;
}
