/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of store/redis/ share. redis.c is the store's face; connection.c keeps the connection
 * up; route.c says whereto; handshake.c asks whether it may be written to; entity.c decides what is written when, sync.c what has been;
 * tier.c makes the coarser streams; frame.c,
 * encode.c and decode.c turn frames and commands into bytes and back; link.c and load.c read the windows at start-up,
 * history.c for whoever asks later.
 *
 * The life of an entity:
 *
 *   UNSYNCED  after each connect; its frames are not sent (the rings hold them)
 *   ASKED     the id of its stream's last entry has been asked for
 *   FILLING   what the stream lacks is being written from the rings, a batch at a time
 *   LIVE      each frame is written as it comes
 *   BROKEN    its key holds something that is not a stream: left alone until the next connect
 *
 * One rule serves a Redis that was away, killed, emptied, restored from an old dump, or too slow: ids
 * grow in the order of sending, so the last id that the stream has tells which frames it has. Of those
 * that were never answered it is looked up: a server whose memory is full may take one and not the next.
 *
 * A connection that is given up is drained first: what it has carried to the server, and what a hung
 * server does when it goes on, would else happen behind the back of the next connection.
 */
#ifndef GM_STORE_REDIS_PRIVATE_H
#define GM_STORE_REDIS_PRIVATE_H

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <uv.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/buffer.h"
#include "store/redis/redis.h"

enum {
	GM_REDIS_TICK_MS = 50,
	GM_REDIS_SILENT_TICKS = 3000 / GM_REDIS_TICK_MS, /* without a reply: the server hangs */
	GM_REDIS_PATIENCE_TICKS =
		30000 / GM_REDIS_TICK_MS, /* for its last answers, once given up */
	GM_REDIS_HEARTBEAT_TICKS = 2000 / GM_REDIS_TICK_MS,
	GM_REDIS_STEADY_TICKS = 5000 / GM_REDIS_TICK_MS, /* in use so long, it really works */
	GM_REDIS_STOP_TICKS = 500 / GM_REDIS_TICK_MS,    /* for the last frames to get out */
	GM_REDIS_RETRY_MIN_MS = 100,
	GM_REDIS_RETRY_MAX_MS = 5000,
	GM_REDIS_PENDING_MAX = 16384, /* commands without answer */
	GM_REDIS_FILL_BATCH = 2048,   /* commands of syncing and filling per tick */
	GM_REDIS_SENT_KEPT = 64,      /* frames remembered per entity; more are never unanswered */
	GM_REDIS_TRIM_EVERY = 16,     /* frames of an entity, by count; by age halfway between */
	GM_REDIS_GONE_MAX = 10000,    /* entities to be expired once Redis is back */
	GM_REDIS_COMMAND_MAX = GM_STORE_STATE_MAX + (1 << 16),
	GM_REDIS_REPLY_MAX = 1 << 20,    /* bytes that a reply may cost: ours are ids */
	GM_REDIS_LOAD_MAX = 1 << 26,     /* the same while windows are read back */
	GM_REDIS_LOAD_AHEAD = 4,         /* entities asked for at once */
	GM_REDIS_LOAD_SPACE = 1 << 18,   /* more than a socket holds */
	GM_REDIS_LOAD_SILENCE_MS = 2000, /* without a byte: the server hangs */
	GM_REDIS_SCHEMA = 1,
	GM_REDIS_TIERS = 2,
	GM_REDIS_ADDRESSES = 8,
	GM_REDIS_HOPS = 4, /* from one server to the next before it is given up */
	GM_REDIS_HOST = 256,
};

/* Bounds what replies may cost; see reader.c. Must outlive the context that it is set on. */
struct gm_redis_reader {
	redisReplyObjectFunctions functions;
	const redisReplyObjectFunctions *own; /* hiredis's */
	size_t max, left;
	const size_t *awaited; /* commands without answer; NULL: not looked at */
	bool refused;
	struct gm_redis_arena *arena; /* NULL: hiredis's own objects */
};

/* Where the objects of one reply are made, to be dropped together. */
struct gm_redis_arena {
	struct gm_redis_block *blocks; /* the one in use first */
	size_t used;                   /* of it */
};

struct gm_redis_address {
	char host[GM_REDIS_HOST]; /* numeric; a unix socket's path where `port` is 0 */
	int port;
};

/* Which server is next; see route.c. */
struct gm_redis_route {
	struct gm_redis_address list[GM_REDIS_ADDRESSES];
	size_t count, at;
	bool sentinels; /* the list is of Sentinels */
	bool pointed;   /* one of the list has pointed to `target` */
	unsigned hops;
	struct gm_redis_address target;
};

struct gm_redis_id {
	uint64_t ms, sequence;
};

enum gm_redis_entity_state {
	GM_REDIS_UNSYNCED,
	GM_REDIS_ASKED,
	GM_REDIS_FILLING,
	GM_REDIS_LIVE,
	GM_REDIS_BROKEN
};

/* A frame that was sent: its true time in ns and the id that it got. */
struct gm_redis_sent {
	int64_t time;
	struct gm_redis_id id;
	enum { GM_REDIS_UNKNOWN, GM_REDIS_WRITTEN, GM_REDIS_UNWRITTEN } fate;
};

/* What finding one and writing a frame of it touches stands together. */
struct gm_redis_entity {
	struct gm_entity_key key;
	UT_hash_handle hh;
	enum gm_redis_entity_state state;
	bool gone;               /* forgotten: its keys are to expire */
	bool emptied;            /* the server lost all that it had been given */
	bool overtaken;          /* asked again on this connection: an id was there already */
	bool queued;             /* stands in the queue of the pump */
	unsigned pending;        /* commands without answer that point here */
	struct gm_redis_id last; /* of the newest entry sent or found */
	int64_t unwritten;       /* time of the oldest frame that was not sent; INT64_MAX: none */
	size_t sent_count;       /* ever; the newest stands at (sent_count - 1) % KEPT */
	size_t answered;         /* of them; answers come in the order of sending */
	struct gm_buffer prefix; /* of its XADD commands */
	struct gm_buffer info;   /* the command that writes its identity; empty: unknown */
	struct gm_redis_tier *tiers[GM_REDIS_TIERS]; /* NULL until needed */
	struct gm_redis_compat *compat;              /* NULL: collectd's keys are not written */
	uint64_t frames, values;                     /* ever sent */
	uint64_t metrics[2];                         /* a bit for each that it ever had */
	size_t learned;                      /* bytes that were last kept of what detectors know */
	double entry_bytes;                  /* of its stream, when it was last weighed; 0: never */
	struct gm_redis_entity *prev, *next; /* in the queue */
	struct gm_redis_sent sent[GM_REDIS_SENT_KEPT];
};

/* What an answer is for. */
enum gm_redis_purpose {
	GM_REDIS_MASTER, /* SENTINEL get-master-addr-by-name */
	GM_REDIS_AUTH,
	GM_REDIS_SELECT,
	GM_REDIS_SCHEMA_SET,
	GM_REDIS_SCHEMA_GET,
	GM_REDIS_PROBE,
	GM_REDIS_PROBE_DELETE,
	GM_REDIS_CONFIG,
	GM_REDIS_INFO,
	GM_REDIS_PAGE,      /* XREVRANGE, of history.c */
	GM_REDIS_HEARTBEAT, /* is the schema still there? */
	GM_REDIS_CHORE,     /* SADD, HSET, EXPIRE and the like: only an error is of interest */
	GM_REDIS_LAST,      /* XREVRANGE: the newest entry of an entity's stream */
	GM_REDIS_FRAME,     /* XADD */
	GM_REDIS_FILL,      /* XADD of a frame from the rings */
	GM_REDIS_TIER,      /* XADD of a second's or a minute's entry */
	GM_REDIS_COMPAT,    /* collectd's keys: an error is said, and they are left alone */
	GM_REDIS_LENGTH,    /* XLEN, and then */
	GM_REDIS_USAGE,     /* MEMORY USAGE of an entity's stream */
	GM_REDIS_PURPOSES
};

struct gm_redis_pending {
	enum gm_redis_purpose purpose;
	struct gm_redis_entity *entity; /* NULL for the connection's own */
};

/* What the windows take on the server; see budget.c. */
struct gm_redis_budget {
	unsigned ticks, due, turn;
	double length;      /* of the stream that is being weighed */
	double value_bytes; /* of a value in a stream; 0: not known */
	double full;        /* bytes of all streams when they are full */
	unsigned series, streams;
	double allowed; /* maxmemory; 0: unlimited or not known */
	bool told, warned;
};

enum gm_redis_condition {
	GM_REDIS_UNTRIED,
	GM_REDIS_WORKING,
	GM_REDIS_AWAY,   /* no connection, or no answer */
	GM_REDIS_REFUSED /* it answers, and does not let us write */
};

struct gm_redis {
	struct gm_store base;
	struct gm_redis_options options;
	struct gm_store_host host;
	char *node; /* as it stands in keys */
	struct gm_redis_route route;
	char where[GM_REDIS_HOST + 16]; /* "unix:/run/…" or "tcp:127.0.0.1:6379" */
	uv_loop_t *loop;
	uv_timer_t timer;
	bool timer_open, stopping;
	unsigned stop_ticks;

	/* connection.c */
	redisAsyncContext *context; /* NULL while there is none */
	struct gm_redis_reader reader;
	bool flooded;
	bool draining; /* given up; its last answers are awaited */
	enum gm_redis_condition condition;
	char reason[160];
	int64_t now, since; /* of the last flush; when `condition` began */
	unsigned silent_ticks, heartbeat_ticks, working_ticks, retry_ms;
	int retry_ticks;
	struct gm_redis_pending *pending; /* a ring, in the order of the commands */
	size_t pending_first, pending_count;
	struct gm_buffer command; /* being built */

	/* settings.c */
	char warning[320]; /* of the server's settings */
	size_t warning_length;
	unsigned settings_awaited;
	bool warned;

	struct gm_redis_budget budget;
	bool compat_refused; /* on this connection */

	/* history.c */
	struct gm_store_read *reads; /* the one whose turn it is first */
	struct gm_store_read *paged; /* whose page is on its way; NULL: of one that has ended */
	bool page_awaited;

	/* entity.c */
	struct gm_redis_entity *entities;
	struct gm_redis_entity *queue;
	struct gm_redis_entity *filling; /* while its host's backfill runs */
	size_t fill_budget;
	size_t gone_count;
	unsigned broken;
	char broken_key[GM_KEY_TEXT];
	uint64_t written, dropped, filled;
};

/* connection.c */
void gm_redis_connect(struct gm_redis *redis);
void gm_redis_tick(struct gm_redis *redis);
bool gm_redis_writable(
	const struct gm_redis *redis); /* handshake done, room for one more command */
/* Sends redis->command (and empties it). False: not sent. */
bool gm_redis_send(struct gm_redis *redis, enum gm_redis_purpose purpose,
		   struct gm_redis_entity *entity);
/*
 * Give the connection up; it is tried again later. The only ways down but the server's own: at once, where
 * its answers cannot be trusted, and once what is on its way has been answered.
 */
void gm_redis_fail(struct gm_redis *redis, enum gm_redis_condition condition, const char *format,
		   ...) __attribute__((format(printf, 3, 4)));
void gm_redis_leave(struct gm_redis *redis, enum gm_redis_condition condition, const char *format,
		    ...) __attribute__((format(printf, 3, 4)));
/* The same without a word: the route points elsewhere, which is tried at once. */
void gm_redis_redirect(struct gm_redis *redis);
void gm_redis_up(struct gm_redis *redis);
void gm_redis_disconnect(struct gm_redis *redis); /* orderly; gm_redis_tick() bounds it */

/* route.c */
int gm_redis_address_parse(const char *text, struct gm_redis_address *ret_address);
char *gm_redis_address_text(const struct gm_redis_address *address, char *text, size_t size);
int gm_redis_route_init(struct gm_redis_route *route, const struct gm_redis_options *options,
			struct gm_error *err);
const struct gm_redis_address *gm_redis_route_now(const struct gm_redis_route *route);
/* The address of now is a Sentinel's: it is asked by gm_redis_route_ask() alone. */
bool gm_redis_route_asks(const struct gm_redis_route *route);
void gm_redis_route_ask(struct gm_buffer *command, const struct gm_redis_options *options);
/* Takes the answer: the address of now is the master's. */
int gm_redis_route_master(struct gm_redis_route *route, const redisReply *reply,
			  struct gm_error *err);
/* True when an error's text points to another node of a cluster, which is then the address of now. */
bool gm_redis_route_moved(struct gm_redis_route *route, const char *text);
/* There is more than one server to go to. */
bool gm_redis_route_has_others(const struct gm_redis_route *route);
/* The address of now did not do: the next of the list. True when all have been tried. */
bool gm_redis_route_failed(struct gm_redis_route *route);

/* settings.c */
void gm_redis_ask_settings(struct gm_redis *redis);
void gm_redis_take_settings(struct gm_redis *redis, enum gm_redis_purpose purpose,
			    const redisReply *reply);

/* budget.c */
void gm_redis_budget_begin(struct gm_redis *redis); /* with each connection */
void gm_redis_budget_tick(struct gm_redis *redis);
void gm_redis_budget_count(struct gm_redis_entity *entity, const struct gm_reading *readings,
			   size_t count);
void gm_redis_budget_take(struct gm_redis *redis, enum gm_redis_purpose purpose,
			  struct gm_redis_entity *entity, const redisReply *reply);
/* "; 31.2 MB when full, 7.8 kB a series", or nothing; returns its length. */
size_t gm_redis_budget_text(const struct gm_redis *redis, char *text, size_t size);

/* handshake.c */
void gm_redis_greet(struct gm_redis *redis);
void gm_redis_heartbeat(struct gm_redis *redis);
void gm_redis_take_greeting(struct gm_redis *redis, enum gm_redis_purpose purpose,
			    const redisReply *reply);
/* What a SETNX of the schema (all else is passed over) tells of a server given up, too: 1 when the server did not have it any more. */
void gm_redis_take_schema(struct gm_redis *redis, enum gm_redis_purpose purpose,
			  const redisReply *reply);
/* A reply that is an error and no fault of one key's: gives the connection up, with a sentence. */
void gm_redis_refused(struct gm_redis *redis, const redisReply *reply);
/* Reads the password file. 0 or negative errno with a sentence without the password. */
int gm_redis_password(const struct gm_redis_options *options, char password[512],
		      struct gm_error *err);
/* Checks the answer to GET schema: 0; 1 when there is none; -EPROTO with a sentence. */
int gm_redis_check_schema(const redisReply *reply, struct gm_error *err);

/* entity.c */
struct gm_redis_entity *gm_redis_entity(struct gm_redis *redis, const struct gm_entity_key *key);
void gm_redis_enqueue(struct gm_redis *redis, struct gm_redis_entity *entity);
size_t gm_redis_sent_kept(const struct gm_redis_entity *entity);
void gm_redis_entities_free(struct gm_redis *redis);
void gm_redis_connected(struct gm_redis *redis);
void gm_redis_disconnected(struct gm_redis *redis);
void gm_redis_finish(struct gm_redis *redis);  /* before an orderly end: what is still open */
void gm_redis_emptied(struct gm_redis *redis); /* it has lost all that it had: FLUSHALL, say */
void gm_redis_append(struct gm_redis *redis, const struct gm_frame *frame,
		     const struct gm_reading *readings);
void gm_redis_forget(struct gm_redis *redis, const struct gm_entity_key *key);
void gm_redis_identify(struct gm_redis *redis, const struct gm_entity_info *info);
int gm_redis_keep(struct gm_redis *redis, const struct gm_entity_key *key, const void *bytes,
		  size_t size);
void gm_redis_pump(struct gm_redis *redis);
void gm_redis_take(struct gm_redis *redis, const struct gm_redis_pending *pending,
		   const redisReply *reply); /* reply NULL: the connection is gone */

/* sync.c: answers to GM_REDIS_LAST, and to GM_REDIS_FRAME or _FILL. */
void gm_redis_take_last(struct gm_redis *redis, struct gm_redis_entity *entity,
			const redisReply *reply);
void gm_redis_take_frame(struct gm_redis *redis, struct gm_redis_entity *entity,
			 enum gm_redis_purpose purpose, const redisReply *reply);

/* encode.c: RESP. `max` of every buffer is GM_REDIS_COMMAND_MAX. */
void gm_redis_array(struct gm_buffer *buffer, size_t count);
void gm_redis_bytes(struct gm_buffer *buffer, const void *data, size_t length);
void gm_redis_text(struct gm_buffer *buffer, const char *text);
void gm_redis_integer(struct gm_buffer *buffer, uint64_t number);
/* "guestmon:{NODE}:NAME" and, where SUFFIX is not NULL, SUFFIX behind it. */
void gm_redis_key(struct gm_buffer *buffer, const char *node, const char *name, const char *suffix);
/* The HSET of the hash of identity; nothing when nothing is known. */
void gm_redis_info(struct gm_buffer *buffer, const char *node, const struct gm_entity_info *info);

/* frame.c: a stream's entries. */
enum { GM_REDIS_NUMBER_TEXT = 40 };
/* The shortest decimal that reads back as exactly `value`; finite values only. */
size_t gm_redis_number(double value, char text[GM_REDIS_NUMBER_TEXT]);
/* Digits of `number` that end at `end`; returns where they begin. */
char *gm_redis_digits(uint64_t number, char *end);

enum gm_redis_trim { GM_REDIS_TRIM_NOT, GM_REDIS_TRIM_COUNT, GM_REDIS_TRIM_AGE };
struct gm_redis_entry {
	struct gm_redis_id id;
	uint64_t own_ms; /* 0: the id tells the time */
	enum gm_redis_trim trim;
	uint64_t threshold; /* entries, or the oldest id's ms */
};
/* "XADD" and the key: what all entries of a stream begin with. `tier` NULL: the frames as such. */
void gm_redis_xadd_prefix(struct gm_buffer *buffer, const char *node, const char *entity,
			  const char *tier);
/* Everything up to the fields, of which the caller appends so many (each a name and a value). */
void gm_redis_xadd_begin(struct gm_buffer *buffer, const struct gm_buffer *prefix,
			 const struct gm_redis_entry *entry, size_t fields);
/* False when the frame holds nothing that can be stored. */
bool gm_redis_xadd(struct gm_buffer *buffer, const struct gm_buffer *prefix,
		   const struct gm_redis_entry *entry, const struct gm_reading *readings,
		   size_t count);

/* tier.c: coarser copies of a stream, by number. */
struct gm_redis_tier;
const char *gm_redis_tier_suffix(size_t tier);
uint64_t gm_redis_tier_span(size_t tier); /* ms */
/* Entries that are kept of it; 0: it is switched off. */
uint64_t gm_redis_tier_entries(const struct gm_redis_options *options, size_t tier);
/*
 * A frame that was sent; `live`: not filled in. May send what a span that has ended comes to. Where the last one
 * was measured more than a second after the time of now, all begins anew: the clock was set back.
 */
void gm_redis_tiers_take(struct gm_redis *redis, struct gm_redis_entity *entity,
			 const struct gm_frame *frame, const struct gm_reading *readings,
			 bool live);
/* Sends what the open spans have so far. */
void gm_redis_tiers_close(struct gm_redis *redis, struct gm_redis_entity *entity);
/* Frames from `since` on (ns) are sent again: so are the spans. */
void gm_redis_tiers_resume(struct gm_redis_entity *entity, int64_t since);
void gm_redis_tier_free(struct gm_redis_tier *tier);

/* compat.c: the keys of collectd. The name of a guest is known from its identity. */
struct gm_redis_compat;
void gm_redis_compat_identify(struct gm_redis *redis, struct gm_redis_entity *entity,
			      const struct gm_entity_info *info);
void gm_redis_compat_take(struct gm_redis *redis, struct gm_redis_entity *entity, uint64_t ms,
			  const struct gm_reading *readings, size_t count);
void gm_redis_compat_refused(struct gm_redis *redis, const redisReply *reply);

/* history.c */
int gm_redis_read(struct gm_redis *redis, const struct gm_store_range *range,
		  const struct gm_store_reader *reader, struct gm_store_read **ret_read,
		  struct gm_error *err);
void gm_redis_read_cancel(struct gm_redis *redis, struct gm_store_read *read);
/* The answer to a GM_REDIS_PAGE; NULL: the connection is gone. */
void gm_redis_take_page(struct gm_redis *redis, const redisReply *reply);
void gm_redis_reads_tick(struct gm_redis *redis);
/* Ends all of them, with this reason. */
void gm_redis_reads_end(struct gm_redis *redis, int result, const char *reason);
void gm_redis_reads_free(struct gm_redis *redis);

/* decode.c: replies are hostile until they are checked. -EPROTO: not what it should be. */
int gm_redis_parse_id(const redisReply *reply, struct gm_redis_id *ret_id);
/* Of one [id, [field, value, …]]. */
int gm_redis_parse_entry_id(const redisReply *reply, struct gm_redis_id *ret_id);
/* One [id, [field, value, …]] as a frame of `batch`. */
int gm_redis_parse_entry(const redisReply *reply, const struct gm_entity_key *key,
			 struct gm_batch *batch, struct gm_redis_id *ret_id);
/*
 * The fields NAME.min and NAME.max of an entry that gm_redis_parse_entry() has taken, for each reading of its
 * frame. NaN where there is none.
 */
void gm_redis_parse_extremes(const redisReply *reply, const struct gm_reading *readings,
			     size_t count, struct gm_store_extremes *extremes);
/* A reply's error as one line of text for people. */
void gm_redis_error_text(const redisReply *reply, char *text, size_t size);

/* reader.c */
void gm_redis_reader_bound(struct gm_redis_reader *reader, redisContext *context, size_t max,
			   const size_t *awaited);

/*
 * The same with objects of one's own in `arena`: hiredis asks the heap twice for each, and there are
 * millions when windows are read back.
 */
void gm_redis_reader_arena(struct gm_redis_reader *reader, redisContext *context, size_t max,
			   struct gm_redis_arena *arena);
/* Drops the objects and keeps room for as many. */
void gm_redis_arena_clear(struct gm_redis_arena *arena);
void gm_redis_arena_free(struct gm_redis_arena *arena);

/* link.c: a synchronous connection with one deadline for all that is done over it. */
struct gm_redis_link {
	redisContext *context;
	struct gm_redis_reader reader;
	struct gm_redis_arena arena;
	uint64_t end; /* uv_hrtime() */
	struct gm_buffer command;
	char *space; /* what is read at once goes through here */
	const struct gm_redis_options *options;
	struct gm_redis_route route;
};
/* Goes through the addresses until one lets us in. */
int gm_redis_link_open(struct gm_redis_link *link, const struct gm_redis_options *options,
		       int64_t deadline, struct gm_error *err);
/* Goes where an error has pointed to, if it has: 0 or the error. */
int gm_redis_link_follow(struct gm_redis_link *link, struct gm_error *err);
void gm_redis_link_close(struct gm_redis_link *link);
/* Sends link->command (and empties it). */
int gm_redis_link_send(struct gm_redis_link *link, struct gm_error *err);
/* Waits for the next answer, which is valid until the next call; an error reply is -EREMOTEIO. */
int gm_redis_link_receive(struct gm_redis_link *link, const redisReply **ret_reply,
			  struct gm_error *err);
/* Both. */
int gm_redis_link_ask(struct gm_redis_link *link, const redisReply **ret_reply,
		      struct gm_error *err);
/* load.c */
int gm_redis_load(struct gm_redis *redis, int64_t deadline, struct gm_error *err);

#endif
