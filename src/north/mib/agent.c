/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent thread: sets the library up, runs its loop and takes it down; see mib.h. Everything of
 * net-snmp's agent happens here and in the files that this one calls. The library is one per process,
 * and so is a struct gm_mib.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "north/mib/agent.h"
#include "north/mib/inform.h"
#include "north/mib/notify.h"

static const int64_t STATUS_INTERVAL = GM_SECOND;
enum { TICK_MS = 1000, VM_TICK_MS = 250, RECONNECT_S = 1, JOBS = 4096 };

/*
 * The library connects with a blocking connect(), which does not return while a frozen master's backlog
 * (5 in 5.9.3) is full. A signal ends it when the thread is to end; nobody else has a use for this one.
 * run_alarms() goes on connecting as long as the time for another attempt has come meanwhile: hence
 * signals much closer to each other than the attempts.
 */
enum { INTERRUPT = SIGURG };
static const int64_t INSISTENCE = 20 * GM_MILLISECOND;

const struct gm_option gm_mib_option_table[] = {
	{.key = "enabled",
	 GM_OPTION_AT(struct gm_mib_options, enabled),
	 .type = GM_OPTION_BOOL,
	 .fallback = "yes",
	 .help = "Serve GUESTMON-MIB and send notifications through the SNMP master agent."},
	{.key = "agentx-socket",
	 GM_OPTION_AT(struct gm_mib_options, agentx_socket),
	 .type = GM_OPTION_TEXT,
	 .fallback = "/var/agentx/master",
	 .help = "The master agent's AgentX socket: a path, or tcp:ADDRESS:PORT."},
	{.key = "timeout",
	 GM_OPTION_AT(struct gm_mib_options, timeout),
	 .type = GM_OPTION_DURATION,
	 .min = 10e6,
	 .max = 10e9,
	 .fallback = "300ms",
	 .help = "How long to wait for the master agent when a session is opened or closed."},
	{.key = "vm-notifications",
	 GM_OPTION_AT(struct gm_mib_options, vm_notifications),
	 .type = GM_OPTION_BOOL,
	 .fallback = "no",
	 .help = "Send VM-MIB's notifications when a guest's state changes."},
	{.key = "vm-bulk-notifications",
	 GM_OPTION_AT(struct gm_mib_options, vm_bulk_notifications),
	 .type = GM_OPTION_BOOL,
	 .fallback = "no",
	 .help = "Send VM-MIB's notifications that tell of many guests at a time."},
	{.key = "writable",
	 GM_OPTION_AT(struct gm_mib_options, writable),
	 .type = GM_OPTION_BOOL,
	 .fallback = "no",
	 .help = "Let SNMP managers that may write acknowledge and comment alarms, pause outputs, "
		 "make and change thresholds, and switch detectors off for a guest."},
	{.key = "heartbeat",
	 GM_OPTION_AT(struct gm_mib_options, heartbeat),
	 .type = GM_OPTION_DURATION,
	 .min = 0,
	 .max = 86400e9,
	 .fallback = "0s",
	 .help = "Time between two notifications guestmonHeartbeat, by which a receiver knows that "
		 "nothing is missing; 0: none."},
	GM_OPTION_END,
};

size_t gm_mib_root(const struct gm_mib_module *module, oid *name)
{
	for (size_t i = 0; i < module->root_length; i++)
		name[i] = module->root[i];
	return module->root_length;
}

void gm_mib_report(struct gm_mib *mib, const char *error)
{
	const char *sentence = error ? error : "";
	if (strcmp(mib->status.error, sentence) == 0)
		return;
	gm_text_copy(mib->status.error, sizeof(mib->status.error), sentence);
	mib->status_changed = true;
	if (error)
		gm_log(GM_LOG_WARNING, "mib: %s", error);
	else
		gm_log(GM_LOG_NOTICE, "mib: registered with the master agent");
}

/* What the library has to say: its levels are those of syslog. */
static int on_log(int major, int minor, void *message, void *user)
{
	struct gm_mib *mib = user;
	const struct snmp_log_message *said = message;
	(void)major;
	(void)minor;
	enum gm_log_level level = said->priority <= LOG_ERR       ? GM_LOG_WARNING
				  : said->priority == LOG_WARNING ? GM_LOG_INFO
								  : GM_LOG_DEBUG;
	uint64_t suppressed;
	/* Of the library's own: the roots 0, 1 and 2 of each new context, which the master has already. */
	if (strncmp(said->msg, "registering pdu failed: 263", 27) == 0)
		level = GM_LOG_DEBUG;
	if (level != GM_LOG_DEBUG &&
	    !gm_log_allowed(&mib->log_limit, gm_clock_monotonic(), GM_SECOND, &suppressed))
		return SNMPERR_SUCCESS;
	char text[512], quoted[1024];
	size_t length = gm_text_copy(text, sizeof(text), said->msg);
	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	gm_text_quote(quoted, sizeof(quoted), text);
	gm_log(level, "mib: net-snmp: %s", quoted);
	return SNMPERR_SUCCESS;
}

/* With the reason, which net-snmp does not tell, where it still holds. */
static void report_unreachable(struct gm_mib *mib)
{
	struct gm_error err;

	if (mib->options.agentx_socket[0] != '/' ||
	    gm_mib_probe(mib->options.agentx_socket, &err) == 0)
		gm_error_set(&err, -ECONNREFUSED, "the master agent cannot be reached");
	else
		gm_error_prefix(&err, err.code, "the master agent cannot be reached");
	gm_mib_report(mib, err.text);
}

static void library_init(struct gm_mib *mib)
{
	char no_mibs[] = "mibs :"; /* names are for people: parse no MIB texts */
	snmp_disable_log();
	snmp_enable_calllog();
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, mib);
	gm_mib_session_init(mib);

	netsnmp_enable_subagent();
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET,
			      mib->options.agentx_socket);
	netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_ROOT_ACCESS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS,
			       1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_ALARM_DONT_USE_SIG, 1);
	netsnmp_config_remember(no_mibs);
	netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_MIBDIRS, "");
	init_agent("guestmon");
	/* After init_agent(), which sets it to 15 s. Also the interval of attempts to connect. */
	netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL,
			   RECONNECT_S);
	init_snmp("guestmon"); /* connects */
	if (!mib->session)
		report_unreachable(mib);
}

static void tell_status(struct gm_mib *mib, int64_t now)
{
	mib->status.spooled = gm_queue_length(mib->queue) + (mib->current != NULL);
	if (!mib->host.status || (!mib->status_changed && now - mib->status_at < STATUS_INTERVAL))
		return;
	mib->status_changed = false;
	mib->status_at = now;
	mib->host.status(mib->host.user, &mib->status);
}

static void watch(netsnmp_large_fd_set *set, int *count, int fd)
{
	if ((unsigned)fd >= set->lfs_setsize)
		netsnmp_large_fd_set_resize(set, fd + 1);
	NETSNMP_LARGE_FD_SET(fd, set);
	if (fd >= *count)
		*count = fd + 1;
}

/* Whether the event descriptor was written to since the last time. */
static bool told(int fd, netsnmp_large_fd_set *set)
{
	eventfd_t ignored;
	return NETSNMP_LARGE_FD_ISSET(fd, set) && eventfd_read(fd, &ignored) == 0;
}

/* One turn of the loop, at most `limit_ms` long; true when the thread is to end. */
static bool turn(struct gm_mib *mib, netsnmp_large_fd_set *set, int limit_ms)
{
	int count = 0, block = 0;
	struct timeval wait = {limit_ms / 1000, limit_ms % 1000 * 1000};
	NETSNMP_LARGE_FD_ZERO(set);
	snmp_select_info2(&count, set, &wait, &block);
	watch(set, &count, mib->wake);
	watch(set, &count, mib->test);
	watch(set, &count, mib->stop);
	int ready = netsnmp_large_fd_set_select(count, set, NULL, NULL, &wait);

	bool stop = ready > 0 && NETSNMP_LARGE_FD_ISSET(mib->stop, set);
	if (ready > 0) {
		told(mib->wake, set);
		if (told(mib->test, set))
			mib->agent_events |= 1U << GM_MIB_TEST;
		snmp_read2(set);
	} else if (ready == 0) {
		snmp_timeout();
	}
	run_alarms();
	return stop;
}

static void work(struct gm_mib *mib)
{
	int64_t now = gm_clock_monotonic();
	gm_mib_session_tick(mib);
	gm_mib_registry_tick(mib, now);
	gm_mib_trap_tick(mib, now);
	gm_mib_vm_trap_tick(mib, now);
	gm_inform_tick(mib);
	if (now - mib->held_at > GM_SECOND)
		gm_mib_release(mib);
	tell_status(mib, now);
}

/* Says goodbye when the master is listening, and waits for that as long as for any exchange. */
static void say_stop(struct gm_mib *mib, netsnmp_large_fd_set *set)
{
	if (!mib->session || mib->in_flight)
		return;
	free(mib->current); /* not sent: it stays with the owner */
	mib->current = NULL;
	mib->agent_event = GM_MIB_STOP;
	int64_t end = gm_clock_monotonic() + mib->options.timeout;
	gm_mib_trap_tick(mib, gm_clock_monotonic());
	while (mib->in_flight && gm_clock_monotonic() < end)
		turn(mib, set, (int)(mib->options.timeout / GM_MILLISECOND));
}

static void *run(void *user)
{
	struct gm_mib *mib = user;
	netsnmp_large_fd_set set;
	pthread_setname_np(pthread_self(), "agent");
	netsnmp_large_fd_set_init(&set, FD_SETSIZE);
	library_init(mib);
	do
		work(mib);
	while (!turn(mib, &set, mib->vm_trap ? VM_TICK_MS : TICK_MS));
	say_stop(mib, &set);
	gm_mib_release(mib);
	gm_inform_exit(mib);
	gm_mib_session_exit(mib);
	snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, mib, 1);
	snmp_disable_log();
	snmp_shutdown("guestmon"); /* closes the session */
	shutdown_agent();
	netsnmp_large_fd_set_cleanup(&set);
	return NULL;
}

static void wake(void *user)
{
	const struct gm_mib *mib = user;
	eventfd_write(mib->wake, 1);
}

static void destroy(struct gm_mib *mib)
{
	if (mib->wake >= 0)
		close(mib->wake);
	if (mib->test >= 0)
		close(mib->test);
	if (mib->stop >= 0)
		close(mib->stop);
	free(mib->current);
	gm_mib_vm_trap_free(mib);
	gm_queue_free(mib->queue);
	gm_queue_free(mib->jobs);
	free(mib);
}

static void interrupt(int number)
{
	(void)number;
}

/* With all signals blocked but the one that gm_mib_stop() uses: they are the main thread's. */
static int start_thread(struct gm_mib *mib)
{
	const struct sigaction action = {.sa_handler = interrupt};
	sigset_t blocked, before;
	sigfillset(&blocked);
	sigdelset(&blocked, INTERRUPT);
	sigaction(INTERRUPT, &action, NULL);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	int error = pthread_create(&mib->thread, NULL, run, mib);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

int gm_mib_start(const struct gm_mib_options *options, struct gm_snapshot_slot *slot,
		 const struct gm_mib_host *host, struct gm_mib **ret_mib, struct gm_error *err)
{
	struct gm_mib *mib = calloc(1, sizeof(*mib));
	if (!mib)
		return gm_error_set(err, -ENOMEM, "mib: out of memory");
	mib->options = *options;
	mib->slot = slot;
	mib->host = *host;
	mib->started = gm_clock_monotonic();
	mib->agent_events = 1U << GM_MIB_START;
	gm_mib_registry_init(mib);
	mib->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	mib->test = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	mib->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	const struct gm_queue_options queue = {
		.capacity = GM_MIB_SPOOL, .free_item = free, .notify = wake, .user = mib};
	int rc = mib->wake < 0 || mib->test < 0 || mib->stop < 0
			 ? -errno
			 : gm_queue_create(&queue, &mib->queue);
	const struct gm_queue_options jobs = {
		.capacity = JOBS, .free_item = gm_inform_job_free, .notify = wake, .user = mib};
	if (rc == 0)
		rc = gm_queue_create(&jobs, &mib->jobs);
	if (rc == 0)
		rc = gm_mib_vm_trap_create(mib);
	if (rc == 0)
		rc = start_thread(mib);
	if (rc < 0) {
		destroy(mib);
		return gm_error_set(err, rc, "mib: cannot start the agent thread: %s",
				    strerror(-rc));
	}
	*ret_mib = mib;
	return 0;
}

int gm_mib_notify(struct gm_mib *mib, const struct gm_transition *transition)
{
	/* Only this thread adds, so there is room when there was. */
	if (gm_queue_length(mib->queue) >= GM_MIB_SPOOL)
		return -ENOSPC;
	struct gm_transition *copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *transition;
	gm_queue_push(mib->queue, copy);
	return 0;
}

const char *gm_mib_socket(const struct gm_mib *mib)
{
	return mib->options.agentx_socket;
}

void gm_mib_test(struct gm_mib *mib)
{
	eventfd_write(mib->test, 1);
}

static int join(pthread_t thread, int64_t limit)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	int64_t ns = end.tv_nsec + limit;
	end.tv_sec += ns / GM_SECOND;
	end.tv_nsec = ns % GM_SECOND;
	return pthread_timedjoin_np(thread, NULL, &end);
}

void gm_mib_stop(struct gm_mib *mib)
{
	if (!mib)
		return;
	eventfd_write(mib->stop, 1);
	int64_t patience = GM_SECOND;
	while (join(mib->thread, patience) == ETIMEDOUT &&
	       pthread_kill(mib->thread, INTERRUPT) == 0)
		patience = INSISTENCE;
	destroy(mib);
}
