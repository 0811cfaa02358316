/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP face: an HTTP(S) server (libmicrohttpd) for NFV orchestrators and for who wants what
 * guestmonctl shows. One thread, `api`, makes every call to the library. What it can answer from a
 * snapshot it answers by itself; all else is a task that goes to the main thread and comes back, with
 * a deadline. Connections, their time, and what is sent on them are bounded.
 *
 * Who asks is always known: a line of the file of users, by HTTP Basic or as a bearer token.
 */
#ifndef GM_NORTH_API_API_H
#define GM_NORTH_API_API_H

#include <uv.h>

#include "base/error.h"
#include "base/json.h"
#include "base/option.h"
#include "model/snapshot.h"
#include "north/http/http.h"

struct gm_api;

enum {
	GM_API_PATH = 256,
	GM_API_ARGUMENT = 128,
	GM_API_ARGUMENTS = 3,
	GM_API_NAME = 64,
	GM_API_ETAG = 80
};

/* Which name a guest has in front of an orchestrator: `vnf-instance`. */
enum gm_api_naming { GM_API_BY_UUID, GM_API_BY_NAME, GM_API_BY_PROJECT };

struct gm_api_options {
	bool enabled;
	char address[64]; /* numeric */
	int64_t port;
	char certificate[GM_API_PATH], key[GM_API_PATH]; /* PEM; empty: no TLS */
	char users[GM_API_PATH];                         /* see users.h */
	char url[GM_API_PATH]; /* how others reach this server; empty: address and port */
	int naming;            /* enum gm_api_naming */
	struct {
		char allowed[GM_API_PATH]; /* gm_text_match() patterns of URLs */
		bool test;
		struct gm_http_transport transport;
	} callbacks;
	int64_t connections, per_address;
	int64_t timeout; /* ns that a connection may take for one request and its answer */
};
extern const struct gm_option gm_api_option_table[];

/* The option that is wrong by itself or beside another: "address", "certificate", "key", "url"; or NULL. */
const char *gm_api_breach(const struct gm_api_options *options);

/* "https://192.0.2.1:8443": what links begin with. Returns `text`. */
char *gm_api_url(const struct gm_api_options *options, char text[GM_API_PATH]);

/* What only the main thread can do. */
enum gm_api_job {
	GM_API_NONE,        /* the API thread answers by itself */
	GM_API_SHOW,        /* the control command of that name; argument 0: the name */
	GM_API_ACKNOWLEDGE, /* argument 0: the alarm; PATCH of AlarmModifications */
	GM_API_ESCALATE,    /* argument 0: the alarm; PerceivedSeverityRequest */
	GM_API_SUBSCRIBE,
	GM_API_SUBSCRIPTIONS,
	GM_API_SUBSCRIPTION, /* argument 0: the id */
	GM_API_UNSUBSCRIBE,  /* likewise */
	GM_API_REGISTER,     /* Tacker; arguments: tenant, server */
	GM_API_UNREGISTER,   /* Tacker; arguments: tenant, server, the registration's id */
	GM_API_JOBS
};

/* An answer: a status, and the body (NULL: none), which is the answer's. */
struct gm_api_reply {
	int status;
	struct gm_json *body;
	char etag[GM_API_ETAG];     /* with its quotes; empty: none */
	char location[GM_API_PATH]; /* of what was made; empty: none */
	const char *allow;          /* for status 405 */
};

/* RFC 7807: `reply` becomes that status with a sentence. */
void gm_api_problem(struct gm_api_reply *reply, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Which thread has it owns it. */
struct gm_api_task {
	enum gm_api_job job;
	char arguments[GM_API_ARGUMENTS][GM_API_ARGUMENT]; /* from the path, in its order */
	char user[GM_API_NAME];                            /* who asks */
	char if_match[GM_API_ETAG];                        /* the header, or empty */
	struct gm_json *body;                              /* NULL where the route takes none */
	struct gm_api_reply reply;
	uint64_t ticket; /* private */
};

struct gm_api_host {
	/* Main thread. The task is the host's until gm_api_answer(), which it owes before gm_api_stop(). */
	void (*ask)(void *user, struct gm_api_task *task);
	void *user;
};

/*
 * Starts the thread. `loop`, `slot` and `host` outlive the API. A port that is taken or a certificate
 * that cannot be used is an error.
 */
int gm_api_start(const struct gm_api_options *options, uv_loop_t *loop,
		 struct gm_snapshot_slot *slot, const struct gm_api_host *host,
		 struct gm_api **ret_api, struct gm_error *err);

/* A random UUID (RFC 4122, section 4.4) for what is made at run time. Any thread. */
void gm_api_new_id(char id[GM_UUID_TEXT]);

/* Gives the task back with its reply filled. Main thread. */
void gm_api_answer(struct gm_api *api, struct gm_api_task *task);

/* Ends the thread and closes the handle; free once the loop has run dry. NULL-safe. */
void gm_api_stop(struct gm_api *api);
void gm_api_free(struct gm_api *api);

#endif
