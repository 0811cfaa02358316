/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening connections and the one-time set-up of libvirt in this process; see connection.h. It
 * knows nothing of what is read over a connection. Called by both lanes.
 */
#include "source/libvirt/connection.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>

#include "base/text.h"
#include "base/thread.h"
#include "source/libvirt/libvirt.h"

/* A dead peer is noticed after interval × (count + 1). */
enum { KEEPALIVE_SECONDS = 2, KEEPALIVE_COUNT = 4 };

/*
 * The loop sleeps until something happens; a timer guards against an implementation that never
 * does.
 */
enum { LOOP_HEARTBEAT_MS = 1000 };

/* Replaces libvirt's default handler, which prints on standard error. */
static void ignore_error(void *user, virErrorPtr error)
{
	(void)user;
	(void)error;
}

static void ignore_timeout(int timer, void *user)
{
	(void)timer;
	(void)user;
}

static void *run_events(void *user)
{
	(void)user;
	pthread_setname_np(pthread_self(), "libvirt-events");
	while (virEventRunDefaultImpl() == 0)
		;
	return NULL;
}

static int start_event_thread(void)
{
	pthread_t thread;
	int rc = gm_thread_start(&thread, run_events, NULL);

	if (rc == 0)
		pthread_detach(thread);
	return rc;
}

/* The order is libvirt's rule: the loop is registered before the first connection is opened. */
static void set_up(void)
{
	xmlInitParser();
	if (virInitialize() < 0)
		return; /* the connection that follows says so */
	virSetErrorFunc(NULL, ignore_error);
	if (virEventRegisterDefaultImpl() < 0)
		return;
	if (virEventAddTimeout(LOOP_HEARTBEAT_MS, ignore_timeout, NULL, NULL) >= 0)
		start_event_thread();
}

void gm_lv_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT; /* libvirt's state is per process as well */

	pthread_once(&once, set_up);
}

void gm_libvirt_prepare(void)
{
	gm_lv_prepare();
}

int gm_lv_connect(const char *uri, bool read_only, virConnectPtr *ret_conn, struct gm_error *err)
{
	gm_lv_prepare();
	virConnectPtr conn = read_only ? virConnectOpenReadOnly(uri) : virConnectOpen(uri);
	if (!conn) {
		char quoted[300];
		gm_text_quote(quoted, sizeof(quoted), uri);
		gm_lv_error(err, -ENOTCONN, "libvirt");
		return gm_error_prefix(err, -ENOTCONN, "cannot connect to %s", quoted);
	}
	/*
	 * 1: the driver has none (test:///, which is inside this process); nothing is lost by that.
	 */
	virConnectSetKeepAlive(conn, KEEPALIVE_SECONDS, KEEPALIVE_COUNT);
	*ret_conn = conn;
	return 0;
}

int gm_lv_error(struct gm_error *err, int code, const char *what)
{
	char quoted[GM_ERROR_TEXT];
	const virError *last = virGetLastError();

	if (!last || !last->message)
		return gm_error_set(err, code, "%s", what);
	gm_text_quote(quoted, sizeof(quoted), last->message);
	return gm_error_set(err, code, "%s: %s", what, quoted);
}
