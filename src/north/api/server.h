/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What server.c (the thread, its tasks and its clock) and connection.c (one request) share. Nobody else
 * includes this. All of it is the API thread's but the two queues.
 */
#ifndef GM_NORTH_API_SERVER_H
#define GM_NORTH_API_SERVER_H

#include <microhttpd.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/queue.h"
#include "north/api/route.h"

enum {
	GM_API_BODY = 64 << 10,   /* bytes of a request */
	GM_API_DISCARD = 1 << 20, /* of a larger one, read for the sake of a proper answer */
	GM_API_REPLY = 16 << 20,
	GM_API_TASKS = 64,
};

/* An open connection, of which the library keeps one pointer. */
struct gm_api_link {
	struct gm_api_link *prev, *next;
	struct MHD_Connection *connection;
	/* Monotonic: when it was opened, the line of a request was there, or its answer began or was out: the
	 * client's next byte is waited for since then. 0: the client waits for us. */
	int64_t since;
	bool cut; /* its time is over: it was shut down */
};

/* A request, from its first line to its answer. */
struct gm_api_exchange {
	struct gm_api_exchange *prev, *next; /* among those that wait for the main thread */
	struct MHD_Connection *connection;
	const struct gm_api_route *route;
	char arguments[GM_API_ARGUMENTS][GM_API_ARGUMENT];
	char user[GM_API_NAME];
	struct gm_buffer body;
	size_t discarded;
	uint64_t ticket; /* of the task that it waits for; 0: none */
	int64_t deadline;
	bool answered;
	struct gm_api_reply reply;
};

struct gm_api {
	struct gm_api_options options;
	struct gm_snapshot_slot *slot;
	struct gm_api_host host;
	struct gm_queue *asked;    /* tasks for the main thread */
	struct gm_queue *answered; /* tasks on their way back */
	uv_async_t async;
	int wake; /* eventfd: there is something in `answered` */
	pthread_t thread;
	bool running;            /* the main thread's: there is a thread to join */
	struct gm_api_task last; /* given back when the thread is to end */

	/* The thread's own. */
	struct MHD_Daemon *mhd;
	struct gm_api_users *users;
	struct stat users_file; /* as it was when it was read */
	int64_t users_looked_at;
	struct gm_api_link *links;
	struct gm_api_exchange *waiting;
	size_t waiting_count;
	uint64_t tickets;
	char said[GM_ERROR_TEXT]; /* the library's last word */
	struct gm_log_limit refused;
};

/* server.c: sends `task` (taken) to the main thread and lets the exchange wait for it. */
void gm_api_send(struct gm_api *api, struct gm_api_exchange *exchange, struct gm_api_task *task);
void gm_api_task_free(void *task);

/* connection.c: the library's callbacks. */
enum MHD_Result gm_api_on_request(void *user, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **place);
void *gm_api_on_first_line(void *user, const char *uri, struct MHD_Connection *connection);
void gm_api_on_completed(void *user, struct MHD_Connection *connection, void **place,
			 enum MHD_RequestTerminationCode code);
void gm_api_on_connection(void *user, struct MHD_Connection *connection, void **place,
			  enum MHD_ConnectionNotificationCode code);

#endif
