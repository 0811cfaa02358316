/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP client; see http.h. libcurl says which sockets and which timeout to watch
 * (curl_multi_socket_action(3)), libuv watches them.
 */
#include "north/http/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <utlist.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "gm_version.h"
#include "north/http/lookup.h"

enum {
	CONNECT_MS = 5000,
	RETRY_AFTER_MAX = 86400,   /* seconds that are believed */
	CONNECTIONS = 64,          /* kept, of all outputs together */
	CONNECTIONS_PER_HOST = 16, /* more requests wait for one of them */
};

struct gm_http {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	struct gm_http_call *calls;
	struct gm_lookups lookups;
	bool closing;
};

struct gm_http_call {
	struct gm_http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct gm_buffer body;
	bool too_long;
	uint64_t name;  /* that is to be looked up; 0: an address */
	bool asking;    /* it is being looked up */
	bool not_asked; /* too many look-ups of it have no answer yet */
	char error[CURL_ERROR_SIZE];
	char host[128]; /* of the URL, for sentences */
	void (*done)(void *user, const struct gm_http_response *response);
	void *user;
	struct gm_http_call *prev, *next;
};

/* A socket that libcurl wants watched. */
struct watch {
	uv_poll_t poll;
	struct gm_http *http;
	curl_socket_t socket;
};

/* ---- the end of a call ---- */

static void free_call(struct gm_http_call *call)
{
	if (call->asking)
		gm_lookups_leave(&call->http->lookups, call->name, gm_clock_monotonic());
	DL_DELETE(call->http->calls, call);
	curl_multi_remove_handle(call->http->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	gm_buffer_free(&call->body);
	free(call);
}

/* A sentence without the URL's secrets; libcurl's own texts name at most the host. */
static void explain(const struct gm_http_call *call, CURLcode code, char *text, size_t size)
{
	if (call->too_long)
		snprintf(text, size, "%s: the answer is longer than %zu bytes", call->host,
			 call->body.max);
	else if (call->not_asked)
		snprintf(text, size, "%s: its name server has left too many questions unanswered",
			 call->host);
	else
		snprintf(text, size, "%s: %s", call->host,
			 call->error[0] != '\0' ? call->error : curl_easy_strerror(code));
}

/*
 * RFC 9110, 10.2.3: seconds, or a time of the server's. What is between that and the answer's Date is right
 * whatever our own clock says.
 */
static int64_t read_retry_after(const struct gm_http_response *response)
{
	const char *after = gm_http_header(response, "Retry-After");
	const char *date = gm_http_header(response, "Date");
	int64_t seconds, now = gm_clock_now() / GM_SECOND;

	if (!after)
		return 0;
	if (after[0] >= '0' && after[0] <= '9') {
		seconds = strtoll(after, NULL, 10);
	} else {
		time_t then = curl_getdate(after, NULL),
		       said = date ? curl_getdate(date, NULL) : -1;
		seconds = then < 0 ? 0 : (int64_t)then - (said < 0 ? now : (int64_t)said);
	}
	if (seconds > RETRY_AFTER_MAX)
		seconds = RETRY_AFTER_MAX;
	return seconds > 0 ? seconds * GM_SECOND : 0;
}

static void finish(struct gm_http_call *call, CURLcode code)
{
	char error[sizeof(call->error) + 160];
	struct gm_http_response response = {.body = "", .call = call};
	long status = 0, sent = 0;

	/* A look-up has ended, too, unless the request ended by its time. */
	if (code != CURLE_OPERATION_TIMEDOUT)
		call->asking = false;
	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
	response.sent = sent > 0;

	if (code == CURLE_OK && !call->body.failed) {
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
		response.status = (int)status;
		response.retry_after = read_retry_after(&response);
		if (call->body.data)
			response.body = call->body.data;
		response.length = call->body.length;
	} else {
		explain(call, code, error, sizeof(error));
		response.error = error;
	}
	call->done(call->user, &response);
	free_call(call);
}

static void finish_ended(struct gm_http *http)
{
	int left;
	CURLMsg *message;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		struct gm_http_call *call = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		finish(call, message->data.result);
		if (http->closing)
			return;
	}
}

/* ---- libcurl and libuv ---- */

static void act(struct gm_http *http, curl_socket_t socket, int events)
{
	int running;
	curl_multi_socket_action(http->multi, socket, events, &running);
	finish_ended(http);
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int want_timer(CURLM *multi, long timeout_ms, void *user)
{
	struct gm_http *http = user;
	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&http->timer);
	else /* not at once: libcurl must not be called from within itself */
		uv_timer_start(&http->timer, on_timer, timeout_ms > 0 ? (uint64_t)timeout_ms : 1,
			       0);
	return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	const struct watch *watch = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	act(watch->http, watch->socket, flags);
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end_watch(struct gm_http *http, struct watch *watch)
{
	curl_multi_assign(http->multi, watch->socket, NULL);
	uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static struct watch *begin_watch(struct gm_http *http, curl_socket_t socket)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	if (!watch || uv_poll_init_socket(http->loop, &watch->poll, socket) < 0) {
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	watch->http = http;
	watch->socket = socket;
	curl_multi_assign(http->multi, socket, watch);
	return watch;
}

static int want_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *assigned)
{
	struct gm_http *http = user;
	struct watch *watch = assigned;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch)
			end_watch(http, watch);
		return 0;
	}
	if (!watch)
		watch = begin_watch(http, socket);
	if (!watch)
		return -1; /* the request fails */
	int events =
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	uv_poll_start(&watch->poll, events, on_poll);
	return 0;
}

/* ---- a request ---- */

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct gm_http_call *call = user;
	size_t length = size * count;
	if (call->body.length + length > call->body.max) {
		call->too_long = true;
		return 0; /* less than `length`: libcurl ends the transfer */
	}
	gm_buffer_append(&call->body, data, length);
	return call->body.failed ? 0 : length;
}

static bool is_web(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static int add_headers(struct gm_http_call *call, const char *const *headers, struct gm_error *err)
{
	/* Without it a body of some size waits a second for "100 Continue". */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	for (size_t i = 0; list && headers && headers[i]; i++) {
		if (strpbrk(headers[i], "\r\n")) {
			curl_slist_free_all(list);
			return gm_error_set(err, -EINVAL, "a header holds a line end");
		}
		struct curl_slist *longer = curl_slist_append(list, headers[i]);
		if (!longer)
			curl_slist_free_all(list);
		list = longer;
	}
	if (!list)
		return gm_error_set(err, -ENOMEM, "out of memory");
	call->headers = list;
	return 0;
}

static void set_transport(CURL *easy, const struct gm_http_transport *transport)
{
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(transport->timeout / GM_MILLISECOND));
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	/* Empty: no proxy, whatever the environment says. */
	curl_easy_setopt(easy, CURLOPT_PROXY, transport->proxy);
	if (transport->ca_file[0] != '\0')
		curl_easy_setopt(easy, CURLOPT_CAINFO, transport->ca_file);
	if (transport->certificate[0] != '\0')
		curl_easy_setopt(easy, CURLOPT_SSLCERT, transport->certificate);
	if (transport->key[0] != '\0')
		curl_easy_setopt(easy, CURLOPT_SSLKEY, transport->key);
}

/* Before each look-up on a thread, and before an address is taken as it is. Not 0: it is not to be. */
static int on_lookup(void *resolver, void *reserved, void *user)
{
	struct gm_http_call *call = user, *other;
	size_t waiting = 0;

	(void)resolver;
	(void)reserved;
	if (call->name == 0)
		return 0;
	DL_FOREACH (call->http->calls, other)
		waiting += other->asking && other->name == call->name;
	call->not_asked = !gm_lookups_may_begin(&call->http->lookups, call->name, waiting,
						gm_clock_monotonic());
	call->asking = !call->not_asked;
	return call->not_asked;
}

/* It has an address. And libcurl's sockets are not for programs that the daemon runs. */
static int on_socket(void *user, curl_socket_t socket, curlsocktype purpose)
{
	struct gm_http_call *call = user;
	(void)purpose;
	if (call->asking) /* else it is still known, from before */
		gm_lookups_forget(&call->http->lookups, call->name);
	call->asking = false;
	fcntl(socket, F_SETFD, FD_CLOEXEC);
	return CURL_SOCKOPT_OK;
}

static void set_request(struct gm_http_call *call, const struct gm_http_request *request)
{
	CURL *easy = call->easy;
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Names are resolved on a thread of libcurl's: one whose name server does not answer is left behind
	 * instead of waited for, when the request ends or is cancelled. It ends by itself. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_lookup);
	curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, call);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, call);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, NULL);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "guestmon/" GM_VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	if (request->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length);
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
	} else if (strcmp(request->method, "GET") != 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)request->once);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, (long)request->once);
	set_transport(easy, request->transport);
}

int gm_http_send(struct gm_http *http, const struct gm_http_request *request,
		 struct gm_http_call **ret_call, struct gm_error *err)
{
	if (!is_web(request->url))
		return gm_error_set(err, -EINVAL, "not a URL that begins with http:// or https://");
	struct gm_http_call *call = calloc(1, sizeof(*call));
	CURL *easy = curl_easy_init();
	int result = call && easy ? add_headers(call, request->headers, err)
				  : gm_error_set(err, -ENOMEM, "out of memory");
	if (result < 0) {
		curl_easy_cleanup(easy);
		free(call);
		return result;
	}
	call->http = http;
	call->easy = easy;
	call->done = request->done;
	call->user = request->user;
	call->body =
		GM_BUFFER_INIT(request->max_response ? request->max_response : GM_HTTP_RESPONSE);
	gm_http_url_public(request->url, call->host, sizeof(call->host));
	call->name = gm_lookup_name(request->transport->proxy[0] != '\0' ? request->transport->proxy
									 : request->url);
	set_request(call, request);
	DL_APPEND(http->calls, call);
	/* Only asks for a timeout of 0, so that nothing happens within this call. */
	if (curl_multi_add_handle(http->multi, easy) != CURLM_OK) {
		free_call(call);
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	if (ret_call)
		*ret_call = call;
	return 0;
}

void gm_http_cancel(struct gm_http_call *call)
{
	free_call(call);
}

const char *gm_http_header(const struct gm_http_response *response, const char *name)
{
	struct curl_header *header;
	size_t count;
	if (curl_easy_header(response->call->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	count = header->amount;
	if (count > 1)
		curl_easy_header(response->call->easy, name, count - 1, CURLH_HEADER, -1, &header);
	return header->value;
}

/* ---- life ---- */

int gm_http_create(uv_loop_t *loop, struct gm_http **ret_http)
{
	struct gm_http *http = calloc(1, sizeof(*http));
	if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 ||
	    !(http->multi = curl_multi_init())) {
		free(http);
		return -ENOMEM;
	}
	http->loop = loop;
	uv_timer_init(loop, &http->timer);
	http->timer.data = http;
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS);
	curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_PER_HOST);
	*ret_http = http;
	return 0;
}

void gm_http_close(struct gm_http *http)
{
	if (!http || http->closing)
		return;
	http->closing = true;
	while (http->calls)
		free_call(http->calls);
	/* Closes kept connections, which ends their watches. */
	curl_multi_cleanup(http->multi);
	http->multi = NULL;
	uv_close((uv_handle_t *)&http->timer, NULL);
}

void gm_http_free(struct gm_http *http)
{
	free(http);
}

/* ---- options and URLs ---- */

static int check_file(const char *option, const char *path, struct gm_error *err)
{
	if (path[0] == '\0' || access(path, R_OK) == 0)
		return 0;
	return gm_error_set(err, -errno, "%s: %s: %s", option, path, strerror(errno));
}

int gm_http_check(const struct gm_http_transport *transport, struct gm_error *err)
{
	int result = check_file("ca-file", transport->ca_file, err);
	if (result == 0)
		result = check_file("certificate", transport->certificate, err);
	if (result == 0)
		result = check_file("key", transport->key, err);
	if (result == 0 && transport->proxy[0] != '\0' && !is_web(transport->proxy))
		result = gm_error_set(err, -EINVAL, "proxy: not a URL that begins with http://");
	return result;
}

char *gm_http_url_public(const char *url, char *text, size_t size)
{
	char scheme[16] = "";
	const char *rest = strstr(url, "://");
	if (rest && (size_t)(rest - url) < sizeof(scheme) - 3) {
		memcpy(scheme, url, (size_t)(rest - url) + 3);
		rest += 3;
	} else {
		rest = url;
	}
	size_t length = strcspn(rest, "?#"), host = strcspn(rest, "/?#");
	const char *at = memrchr(rest, '@', host);
	if (at) {
		length -= (size_t)(at + 1 - rest);
		rest = at + 1;
	}
	snprintf(text, size, "%s%.*s", scheme, (int)length, rest);
	return text;
}
