/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API thread: its loop, the tasks that go to the main thread and come back, and everything that ends
 * by time; see api.h. The library is run from outside (an epoll descriptor of its own), so that all its
 * calls are this thread's and nothing here needs a lock.
 */
#include "north/api/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/thread.h"

enum {
	TICK_MS = 250,
	POOL = 24 << 10,     /* bytes of memory for a connection: its headers must fit */
	PEM_MAX = 256 << 10, /* of a certificate's or a key's file */
};
#define LOOK_AT_USERS (2 * GM_SECOND)

/* ---- tasks ---- */

void gm_api_task_free(void *item)
{
	struct gm_api_task *task = item;
	gm_json_free(task->body);
	gm_json_free(task->reply.body);
	free(task);
}

static void free_unless_last(void *item)
{
	struct gm_api_task *task = item;
	if (task->ticket != 0)
		gm_api_task_free(task);
}

void gm_api_send(struct gm_api *api, struct gm_api_exchange *exchange, struct gm_api_task *task)
{
	/* Only this thread adds, so there is room when there was: none is pushed out. */
	if (gm_queue_length(api->asked) >= GM_API_TASKS || api->waiting_count >= GM_API_TASKS) {
		gm_api_task_free(task);
		gm_api_problem(&exchange->reply, 503, "too many wait for an answer: ask again");
		return;
	}
	exchange->ticket = task->ticket = ++api->tickets;
	DL_APPEND(api->waiting, exchange);
	api->waiting_count++;
	MHD_suspend_connection(exchange->connection);
	gm_queue_push(api->asked, task);
}

static void resume(struct gm_api *api, struct gm_api_exchange *exchange)
{
	DL_DELETE(api->waiting, exchange);
	api->waiting_count--;
	exchange->ticket = 0;
	MHD_resume_connection(exchange->connection);
}

/* False: that was the last. */
static bool take_answers(struct gm_api *api)
{
	struct gm_api_task *task;
	struct gm_api_exchange *exchange;
	while ((task = gm_queue_pop(api->answered))) {
		if (task == &api->last)
			return false;
		DL_SEARCH_SCALAR(api->waiting, exchange, ticket, task->ticket);
		if (exchange) {
			exchange->reply = task->reply;
			task->reply.body = NULL;
			resume(api, exchange);
		}
		gm_api_task_free(task);
	}
	return true;
}

static void on_asked(uv_async_t *async)
{
	struct gm_api *api = async->data;
	struct gm_api_task *task;
	while ((task = gm_queue_pop(api->asked)))
		api->host.ask(api->host.user, task);
}

static void notify_main(void *user)
{
	struct gm_api *api = user;
	uv_async_send(&api->async);
}

static void notify_thread(void *user)
{
	struct gm_api *api = user;
	eventfd_write(api->wake, 1);
}

void gm_api_answer(struct gm_api *api, struct gm_api_task *task)
{
	if (task->reply.status == 0)
		gm_api_problem(&task->reply, 500, "there was no answer");
	gm_queue_push(api->answered, task);
}

/* ---- what ends by time ---- */

static void cut_slow(struct gm_api *api, int64_t now)
{
	struct gm_api_link *link;
	DL_FOREACH (api->links, link) {
		if (link->cut || link->since == 0 || now - link->since < api->options.timeout)
			continue;
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
			link->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		link->cut = true;
		if (info)
			shutdown(info->connect_fd, SHUT_RDWR);
	}
}

static void end_waits(struct gm_api *api, int64_t now)
{
	struct gm_api_exchange *exchange, *next;
	DL_FOREACH_SAFE(api->waiting, exchange, next)
	{
		if (now < exchange->deadline)
			continue;
		gm_api_problem(&exchange->reply, 504, "there was no answer in time");
		resume(api, exchange);
	}
}

static bool same_file(const struct stat *one, const struct stat *other)
{
	return one->st_ino == other->st_ino && one->st_size == other->st_size &&
	       one->st_ctim.tv_sec == other->st_ctim.tv_sec &&
	       one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

/* A file of users that was changed; one that cannot be read leaves those who were there. */
static void look_at_users(struct gm_api *api, int64_t now)
{
	struct stat status;
	struct gm_error err;
	struct gm_api_users *users;
	if (now - api->users_looked_at < LOOK_AT_USERS)
		return;
	api->users_looked_at = now;
	if (stat(api->options.users, &status) < 0 || same_file(&status, &api->users_file))
		return;
	api->users_file = status;
	if (gm_api_users_read(api->options.users, &users, &err) < 0) {
		gm_log(GM_LOG_ERROR, "api: users stay as they were: %s", err.text);
		return;
	}
	gm_api_users_free(api->users);
	api->users = users;
	gm_log(GM_LOG_NOTICE, "api: users read again from %s", api->options.users);
}

/* ---- the thread ---- */

static int wait_ms(struct gm_api *api)
{
	MHD_UNSIGNED_LONG_LONG wish;
	if (MHD_get_timeout(api->mhd, &wish) == MHD_YES && wish < TICK_MS)
		return (int)wish;
	return TICK_MS;
}

static void serve(struct gm_api *api)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(api->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd watched[] = {{.fd = info->epoll_fd, .events = POLLIN},
				   {.fd = api->wake, .events = POLLIN}};
	eventfd_t count;
	do {
		poll(watched, 2, wait_ms(api));
		eventfd_read(api->wake, &count);
		int64_t now = gm_clock_monotonic();
		end_waits(api, now);
		cut_slow(api, now);
		look_at_users(api, now);
		MHD_run(api->mhd);
	} while (take_answers(api));
}

static void *run(void *argument)
{
	struct gm_api *api = argument;
	pthread_setname_np(pthread_self(), "api");
	serve(api);
	while (api->waiting) {
		gm_api_problem(&api->waiting->reply, 503, "the daemon ends");
		resume(api, api->waiting);
	}
	MHD_run(api->mhd); /* a suspended connection may not be left to stop_daemon() */
	MHD_stop_daemon(api->mhd);
	return NULL;
}

/* ---- the start ---- */

static void on_library_log(void *user, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void on_library_log(void *user, const char *format, va_list args)
{
	struct gm_api *api = user;
	char text[GM_ERROR_TEXT];
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\r\n")] = '\0';
	gm_text_copy(api->said, sizeof(api->said), text);
}

static int read_pem(const char *path, struct gm_buffer *ret_text, struct gm_error *err)
{
	char piece[4096];
	size_t got;
	FILE *file = fopen(path, "re");
	if (!file)
		return gm_error_set(err, -errno, "%s: %s", path, strerror(errno));
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
		gm_buffer_append(ret_text, piece, got);
	explicit_bzero(piece, sizeof(piece));
	bool bad = ferror(file) || ret_text->failed || ret_text->length == 0;
	fclose(file);
	return bad ? gm_error_set(err, -EINVAL, "%s: it cannot be read, or is empty", path) : 0;
}

static void address_of(const struct gm_api_options *options, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret_address;
	memset(ret_address, 0, sizeof(*ret_address));
	if (inet_pton(AF_INET, options->address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)options->port);
		return;
	}
	inet_pton(AF_INET6, options->address, &six->sin6_addr);
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)options->port);
}

static int listen_at(struct gm_api *api, const char *certificate, const char *key,
		     struct gm_error *err)
{
	const struct gm_api_options *options = &api->options;
	struct sockaddr_storage address;
	address_of(options, &address);
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	/* A list that ends where there is no TLS. */
	struct MHD_OptionItem items[] = {
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t)options->connections, NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)options->per_address, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)(options->timeout / GM_SECOND), NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL, NULL},
		{certificate ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0,
		 (void *)(uintptr_t)certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
		{MHD_OPTION_END, 0, NULL},
	};
	if (certificate)
		flags |= MHD_USE_TLS;
	errno = 0;
	api->mhd = MHD_start_daemon(
		flags, 0, NULL, NULL, gm_api_on_request, api, MHD_OPTION_EXTERNAL_LOGGER,
		on_library_log, api, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_URI_LOG_CALLBACK,
		gm_api_on_first_line, api, MHD_OPTION_NOTIFY_COMPLETED, gm_api_on_completed, api,
		MHD_OPTION_NOTIFY_CONNECTION, gm_api_on_connection, api, MHD_OPTION_ARRAY, items,
		MHD_OPTION_END);
	if (!api->mhd)
		return gm_error_set(err, -EADDRNOTAVAIL, "api: %s port %d: %s", options->address,
				    (int)options->port,
				    api->said[0] != '\0' ? api->said : strerror(errno));
	return 0;
}

static int start_server(struct gm_api *api, struct gm_error *err)
{
	struct gm_buffer certificate = GM_BUFFER_INIT(PEM_MAX), key = GM_BUFFER_INIT(PEM_MAX);
	/* Before it is read: what changes in between is read once more. */
	int looked = stat(api->options.users, &api->users_file);
	int result = gm_api_users_read(api->options.users, &api->users, err);
	if (looked < 0)
		memset(&api->users_file, 0, sizeof(api->users_file));
	if (result == 0 && api->options.certificate[0] != '\0') {
		result = read_pem(api->options.certificate, &certificate, err);
		if (result == 0)
			result = read_pem(api->options.key, &key, err);
	}
	if (result < 0)
		gm_error_prefix(err, result, "api");
	else
		result = listen_at(api, certificate.data, key.data, err);
	if (key.data)
		explicit_bzero(key.data, key.length);
	gm_buffer_free(&key);
	gm_buffer_free(&certificate);
	return result;
}

static int create_queues(struct gm_api *api)
{
	const struct gm_queue_options asked = {.capacity = GM_API_TASKS,
					       .free_item = gm_api_task_free,
					       .notify = notify_main,
					       .user = api};
	/* Of each task there is one, and one more says that the end has come. */
	const struct gm_queue_options answered = {.capacity = 4 * GM_API_TASKS,
						  .free_item = free_unless_last,
						  .notify = notify_thread,
						  .user = api};
	int result = gm_queue_create(&asked, &api->asked);
	return result < 0 ? result : gm_queue_create(&answered, &api->answered);
}

int gm_api_start(const struct gm_api_options *options, uv_loop_t *loop,
		 struct gm_snapshot_slot *slot, const struct gm_api_host *host,
		 struct gm_api **ret_api, struct gm_error *err)
{
	struct gm_api *api = calloc(1, sizeof(*api));
	if (!api)
		return gm_error_set(err, -ENOMEM, "api: out of memory");
	api->options = *options;
	api->slot = slot;
	api->host = *host;
	api->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int result = api->wake < 0 ? -errno : create_queues(api);
	if (result < 0)
		gm_error_set(err, result, "api: %s", strerror(-result));
	else
		result = start_server(api, err);
	if (result == 0) {
		uv_async_init(loop, &api->async, on_asked);
		api->async.data = api;
		result = gm_thread_start(&api->thread, run, api);
		api->running = result == 0;
		if (result < 0)
			gm_error_set(err, result, "api: %s", strerror(-result));
	}
	*ret_api = api; /* also of one that did not start: its handle may have to be closed */
	return result;
}

void gm_api_stop(struct gm_api *api)
{
	if (!api)
		return;
	if (api->running) {
		gm_queue_push(api->answered, &api->last);
		pthread_join(api->thread, NULL);
	} else if (api->mhd) {
		MHD_stop_daemon(api->mhd);
	}
	api->running = false;
	if (api->async.data)
		uv_close((uv_handle_t *)&api->async, NULL);
}

void gm_api_free(struct gm_api *api)
{
	if (!api)
		return;
	if (api->asked)
		gm_queue_free(api->asked);
	if (api->answered)
		gm_queue_free(api->answered);
	gm_api_users_free(api->users);
	if (api->wake >= 0)
		close(api->wake);
	free(api);
}
