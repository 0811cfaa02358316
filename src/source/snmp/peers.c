/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines and guests, matched; see peers.h. Used by snmp.c alone.
 */
#include "source/snmp/peers.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { REVIEWED_AT_ONCE = 16 };

static int64_t rarer(int64_t group, int64_t target)
{
	return group == 0 || group > target ? group : target;
}

static void fill_options(const struct gm_snmp_peers *peers, const struct gm_snmp_line *line,
			 struct gm_snmp_target_options *target)
{
	const struct gm_snmp_options *options = peers->options;
	int64_t interval = line->interval != 0 ? line->interval : options->interval;

	*target = (struct gm_snmp_target_options){
		.credential = &peers->list.credentials[line->credential],
		.oids = &peers->oids,
		.intervals = {[GM_SNMP_MEMORY] = rarer(options->memory_interval, interval),
			      [GM_SNMP_CPU] = rarer(options->cpu_interval, interval),
			      [GM_SNMP_LOAD] = rarer(options->load_interval, interval),
			      [GM_SNMP_OPERATOR] = peers->oids.count > 0
							   ? rarer(options->oid_interval, interval)
							   : 0,
			      [GM_SNMP_STORAGE] = rarer(options->storage_interval, interval),
			      [GM_SNMP_DISKS] = rarer(options->disk_interval, interval),
			      [GM_SNMP_INTERFACES] = rarer(options->interface_interval, interval),
			      [GM_SNMP_PROCESSES] = rarer(options->process_interval, interval)},
		.timeout = options->timeout,
		.backoff_max = options->backoff_max,
		.processes = (uint32_t)options->processes,
		.tune_caches = options->tune_caches,
	};
}

/* ---- slots ---- */

static int add_peer(struct gm_snmp_peers *peers, size_t line, size_t place,
		    const uint8_t uuid[GM_UUID_SIZE], const struct sockaddr_storage *address,
		    struct gm_error *err)
{
	struct gm_snmp_target_options options;
	struct gm_snmp_peer *peer;
	size_t slot = 0;
	int rc;

	while (slot < GM_SNMP_SLOTS && peers->slots[slot].target) {
		slot++;
	}
	if (slot == GM_SNMP_SLOTS) {
		return gm_error_set(err, -ENOSPC, "more than %d targets", GM_SNMP_SLOTS);
	}
	peer = &peers->slots[slot];
	fill_options(peers, &peers->list.lines[line], &options);
	memcpy(options.uuid, uuid, GM_UUID_SIZE);
	options.slot = (uint32_t)slot;
	rc = gm_snmp_target_create(&options, gm_clock_monotonic(), &peer->target);
	if (rc < 0) {
		return gm_error_set(err, rc, "out of memory");
	}
	gm_snmp_absent_take(&peers->absent, uuid, gm_snmp_target_recent(peer->target));
	peer->place = place;
	peer->line = line;
	peer->address = *address;
	peers->wakes[slot] = 0;
	if (slot >= peers->count) {
		peers->count = slot + 1;
	}
	return 0;
}

static void end_peer(struct gm_snmp_peers *peers, size_t slot, const struct gm_snmp_out *out)
{
	struct gm_snmp_target *target;

	if (slot >= GM_SNMP_SLOTS || peers->slots[slot].target == NULL) {
		return;
	}
	target = peers->slots[slot].target;
	if (out->sink) {
		gm_snmp_target_end(target, gm_clock_now(), out);
	}
	gm_snmp_absent_put(&peers->absent, gm_snmp_target_uuid(target),
			   gm_snmp_target_recent(target), gm_clock_monotonic());
	gm_snmp_target_free(target);
	peers->slots[slot] = (struct gm_snmp_peer){0};
	peers->wakes[slot] = INT64_MAX;
}

/* The slot of a guest, GM_SNMP_SLOTS when it has none. */
static size_t find_peer(const struct gm_snmp_peers *peers, const uint8_t uuid[GM_UUID_SIZE])
{
	for (size_t i = 0; i < peers->count; i++) {
		if (peers->slots[i].target &&
		    memcmp(gm_snmp_target_uuid(peers->slots[i].target), uuid, GM_UUID_SIZE) == 0) {
			return i;
		}
	}
	return GM_SNMP_SLOTS;
}

/* ---- addresses out of metadata ---- */

/* Whether another guest is asked at that address already. */
static bool is_taken(const struct gm_snmp_peers *peers, const uint8_t uuid[GM_UUID_SIZE],
		     size_t place, const struct sockaddr_storage *address)
{
	for (size_t i = 0; i < peers->count; i++) {
		const struct gm_snmp_peer *peer = &peers->slots[i];

		if (peer->target && peer->place == place &&
		    gm_snmp_same_address(&peer->address, address) &&
		    memcmp(gm_snmp_target_uuid(peer->target), uuid, GM_UUID_SIZE) != 0) {
			return true;
		}
	}
	return false;
}

static int refuse(const struct gm_snmp_peers *peers, const struct gm_snmp_guest *guest,
		  const struct gm_snmp_line *line, const char *reason, struct gm_error *err)
{
	char name[GM_NAME_SIZE];

	gm_text_quote(name, sizeof(name),
		      guest->display_name[0] != '\0' ? guest->display_name : guest->name);
	return gm_error_set(err, -EADDRNOTAVAIL, "%s:%u: guest %s is not asked: %s",
			    peers->options->targets, line->number, name, reason);
}

/* The first of the guest's addresses that may be asked. */
static int choose_address(const struct gm_snmp_peers *peers, const struct gm_snmp_guest *guest,
			  const struct gm_snmp_line *line, size_t place,
			  struct sockaddr_storage *ret_address, struct gm_error *err)
{
	const struct gm_snmp_endpoint *endpoint = peers->namespaces.list[place].endpoint;
	const char *reason = "its metadata name no address within the networks of that line";
	uint16_t port = ((const struct sockaddr_in *)&line->address)->sin_port;

	for (size_t i = 0; i < GM_GUEST_ADDRESSES; i++) {
		const struct gm_address *address = &guest->addresses[i];
		int rc;

		if (!gm_snmp_networks_allow(&line->within, address)) {
			continue;
		}
		gm_snmp_address_socket(address, port, ret_address);
		rc = gm_snmp_endpoint_route(endpoint, address);
		if (rc == 0 && !is_taken(peers, guest->uuid, place, ret_address)) {
			return 0;
		}
		reason = rc == 0                ? "another guest is asked at its address"
			 : rc == -EADDRINUSE    ? "its address is one of this node's own"
			 : rc == -EADDRNOTAVAIL ? "its address is no single host's"
						: "there is no route to its address";
	}
	return refuse(peers, guest, line, reason, err);
}

static int find_address(const struct gm_snmp_peers *peers, const struct gm_snmp_guest *guest,
			const struct gm_snmp_line *line, size_t place,
			struct sockaddr_storage *ret_address, struct gm_error *err)
{
	if (line->nova) {
		return choose_address(peers, guest, line, place, ret_address, err);
	}
	*ret_address = line->address;
	return 0;
}

/* ---- lines and guests ---- */

/* A guest that it names by its UUID and address alone can be asked before anybody has told of it. */
static bool needs_no_guest(const struct gm_snmp_line *line)
{
	return line->is_uuid && !line->nova && line->project[0] == '\0';
}

static bool is_meant(const struct gm_snmp_line *line, const struct gm_snmp_guest *guest)
{
	bool named = line->is_uuid ? memcmp(line->uuid, guest->uuid, GM_UUID_SIZE) == 0
				   : gm_text_match(line->guest, guest->name) ||
					     (guest->display_name[0] != '\0' &&
					      gm_text_match(line->guest, guest->display_name));

	return named && (line->project[0] == '\0' || gm_text_match(line->project, guest->project) ||
			 gm_text_match(line->project, guest->project_uuid));
}

/* Asks the guest at the address that the line gives; leaves it as it is when it is asked there. */
static int settle(struct gm_snmp_peers *peers, size_t index, const uint8_t uuid[GM_UUID_SIZE],
		  const struct gm_snmp_guest *guest, const struct gm_snmp_out *out,
		  struct gm_error *err)
{
	const struct gm_snmp_line *line = &peers->list.lines[index];
	struct sockaddr_storage address;
	size_t slot = find_peer(peers, uuid), place = 0;
	int rc = gm_snmp_namespaces_find(&peers->namespaces, line->netns, &place, err);

	if (rc == 0) {
		rc = find_address(peers, guest, line, place, &address, err);
	}
	if (rc == 0 && slot < GM_SNMP_SLOTS && peers->slots[slot].line == index &&
	    gm_snmp_same_address(&peers->slots[slot].address, &address)) {
		return 0;
	}
	end_peer(peers, slot, out);
	return rc < 0 ? rc : add_peer(peers, index, place, uuid, &address, err);
}

/*
 * A guest that cannot be asked (its network namespace is not there yet) does not keep the others from
 * being asked: it is tried again. Negative only when the source cannot go on.
 */
static int try_guest(struct gm_snmp_peers *peers, size_t index, const uint8_t uuid[GM_UUID_SIZE],
		     const struct gm_snmp_guest *guest, const struct gm_snmp_out *out,
		     struct gm_error *err)
{
	int rc = settle(peers, index, uuid, guest, out, err);

	if (rc < 0) {
		gm_text_copy(peers->lacking, sizeof(peers->lacking), err->text);
	}
	return rc == -ENOTRECOVERABLE ? rc : 0;
}

/* The first line that speaks of the guest is its target. */
static int add_guest(struct gm_snmp_peers *peers, const struct gm_snmp_guest *guest,
		     const struct gm_snmp_out *out, struct gm_error *err)
{
	for (size_t i = 0; i < peers->list.line_count; i++) {
		if (is_meant(&peers->list.lines[i], guest)) {
			return try_guest(peers, i, guest->uuid, guest, out, err);
		}
	}
	end_peer(peers, find_peer(peers, guest->uuid), out); /* it has been renamed */
	return 0;
}

struct adding {
	struct gm_snmp_peers *peers;
	const struct gm_snmp_out *out;
	struct gm_error *err;
	int rc;
};

static void add_known(void *user, const struct gm_snmp_guest *guest)
{
	struct adding *adding = user;

	if (adding->rc == 0) {
		adding->rc = add_guest(adding->peers, guest, adding->out, adding->err);
	}
}

int gm_snmp_peers_retry(struct gm_snmp_peers *peers, const struct gm_snmp_out *out,
			struct gm_error *err)
{
	struct adding adding = {peers, out, err, 0};

	peers->lacking[0] = '\0';
	for (size_t i = 0; i < peers->list.line_count && adding.rc == 0; i++) {
		const struct gm_snmp_line *line = &peers->list.lines[i];

		if (needs_no_guest(line) && find_peer(peers, line->uuid) == GM_SNMP_SLOTS) {
			adding.rc = try_guest(peers, i, line->uuid, NULL, out, err);
		}
	}
	gm_snmp_guests_each(peers->guests, add_known, &adding);
	return adding.rc;
}

int gm_snmp_peers_hear(struct gm_snmp_peers *peers, const struct gm_entity_info *info, bool here,
		       const struct gm_snmp_out *out, struct gm_error *err)
{
	if (here) {
		const struct gm_snmp_guest *guest = gm_snmp_guests_add(peers->guests, info);

		return guest ? add_guest(peers, guest, out, err) : 0;
	}
	gm_snmp_guests_remove(peers->guests, info->key.uuid);
	end_peer(peers, find_peer(peers, info->key.uuid), out);
	return 0;
}

void gm_snmp_peers_review(struct gm_snmp_peers *peers, const struct gm_snmp_out *out)
{
	for (size_t i = 0; i < REVIEWED_AT_ONCE && i < peers->count; i++) {
		struct gm_snmp_peer *peer;
		const struct gm_snmp_guest *guest;
		struct gm_error err;

		peers->reviewed = (peers->reviewed + 1) % peers->count;
		peer = &peers->slots[peers->reviewed];
		if (peer->target == NULL || !peers->list.lines[peer->line].nova) {
			continue;
		}
		guest = gm_snmp_guests_find(peers->guests, gm_snmp_target_uuid(peer->target));
		if (guest) {
			(void)try_guest(peers, peer->line, guest->uuid, guest, out, &err);
		} else {
			end_peer(peers, peers->reviewed, out);
		}
	}
}

/* ---- all of them ---- */

void gm_snmp_peers_clear(struct gm_snmp_peers *peers, const struct gm_snmp_out *out)
{
	for (size_t i = 0; i < peers->count; i++) {
		end_peer(peers, i, out);
	}
	peers->count = 0;
	gm_snmp_namespaces_close(&peers->namespaces);
	gm_snmp_list_free(&peers->list);
}

int gm_snmp_peers_replace(struct gm_snmp_peers *peers, struct gm_snmp_list *list,
			  const struct gm_snmp_oids *oids, const struct gm_snmp_out *out,
			  struct gm_error *err)
{
	gm_snmp_peers_clear(peers, out);
	peers->list = *list;
	peers->oids = *oids;
	*list = (struct gm_snmp_list){0};
	return gm_snmp_peers_retry(peers, out, err);
}

int gm_snmp_peers_init(struct gm_snmp_peers *peers, const struct gm_snmp_options *options)
{
	peers->options = options;
	for (size_t i = 0; i < GM_SNMP_SLOTS; i++) {
		peers->wakes[i] = INT64_MAX;
	}
	return gm_snmp_guests_create(&peers->guests);
}

void gm_snmp_peers_destroy(struct gm_snmp_peers *peers)
{
	gm_snmp_peers_clear(peers, &(struct gm_snmp_out){0});
	gm_snmp_absent_clear(&peers->absent);
	gm_snmp_guests_free(peers->guests);
}
