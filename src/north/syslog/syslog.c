/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two drivers; they differ in what they write and in what they let choose. See syslog.h.
 */
#include "north/syslog/syslog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/syslog/message.h"
#include "north/syslog/wire.h"

enum { IN_FLIGHT = 16, PATH = sizeof(((struct sockaddr_un *)0)->sun_path), FRAME = 16 };
enum framing { FRAMING_OCTETS, FRAMING_LINES };

static const char *const transports[] = {"local", "udp", "tcp", NULL}; /* enum gm_wire_kind */
static const char *const framings[] = {"octets", "lines", NULL};

struct syslog_options {
	int transport;
	char socket[PATH];
	char address[GM_WIRE_ADDRESS];
	int64_t port;
	int framing;
	int facility;
	int64_t timeout;
};

static const struct gm_option syslog_table[] = {
	{.key = "transport",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct syslog_options, transport),
	 .fallback = "local",
	 .help = "How the server is reached; TCP alone tells when it is away for certain.",
	 .choices = transports},
	{.key = "socket",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct syslog_options, socket),
	 .fallback = "/dev/log",
	 .help = "Of the transport local: the server's datagram socket. Where systemd runs, "
		 "/dev/log is "
		 "its journal's, which takes the whole header for a part of the text: the type "
		 "journald is "
		 "for it, udp or a socket of rsyslog's own for rsyslog."},
	{.key = "address",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct syslog_options, address),
	 .fallback = "",
	 .help = "Of udp and tcp: the server's name or address."},
	{.key = "port",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct syslog_options, port),
	 .min = 1,
	 .max = 65535,
	 .fallback = "514",
	 .help = "Of udp and tcp: the server's port."},
	{.key = "framing",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct syslog_options, framing),
	 .fallback = "octets",
	 .help = "Of tcp: each message behind its length, or as a line (RFC 6587).",
	 .choices = framings},
	{.key = "facility",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct syslog_options, facility),
	 .fallback = "daemon",
	 .help = "The messages' facility.",
	 .choices = gm_syslog_facility_names},
	{.key = "timeout",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct syslog_options, timeout),
	 .min = 100e6,
	 .max = 300e9,
	 .fallback = "10s",
	 .help = "How long the server may take, connecting included."},
	GM_OPTION_END,
};

struct journald_options {
	char socket[PATH];
	int facility;
	int64_t timeout;
};

static const struct gm_option journald_table[] = {
	{.key = "socket",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct journald_options, socket),
	 .fallback = "/run/systemd/journal/socket",
	 .help = "The journal's native socket."},
	{.key = "facility",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct journald_options, facility),
	 .fallback = "daemon",
	 .help = "The entries' SYSLOG_FACILITY.",
	 .choices = gm_syslog_facility_names},
	{.key = "timeout",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct journald_options, timeout),
	 .min = 100e6,
	 .max = 300e9,
	 .fallback = "10s",
	 .help = "How long the journal may take when it is busy."},
	GM_OPTION_END,
};

struct gm_output {
	struct gm_output_host host;
	struct gm_wire *wire;
	int facility;
	bool octets; /* count them before each message */
	bool lines;
	int (*write)(int facility, const struct gm_message *message, struct gm_buffer *buffer);
};

static void on_done(void *user, uint64_t ticket, int result, const char *reason)
{
	struct gm_output *output = user;
	struct gm_verdict verdict = {
		.kind = result == 0           ? GM_VERDICT_DELIVERED
			: result == -EMSGSIZE ? GM_VERDICT_REFUSED
					      : GM_VERDICT_RETRY,
		.reason = reason,
	};

	output->host.done(output->host.user, ticket, &verdict);
}

static int create(const struct gm_output_host *host, const struct gm_wire_setup *setup,
		  struct gm_output **ret_output, struct gm_error *err)
{
	struct gm_output *output = calloc(1, sizeof(*output));
	struct gm_wire_setup own = *setup;

	own.done = on_done;
	own.user = output;
	if (!output || gm_wire_create(host->loop, &own, &output->wire) < 0) {
		free(output);
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	output->host = *host;
	*ret_output = output;
	return 0;
}

static void send_message(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	struct gm_buffer text = GM_BUFFER_INIT(GM_SYSLOG_MAX);
	struct gm_buffer frame = GM_BUFFER_INIT(GM_SYSLOG_MAX + FRAME);
	const struct gm_verdict full = {.kind = GM_VERDICT_RETRY, .reason = "out of memory"};

	if (output->write(output->facility, message, &text) == 0) {
		if (output->octets)
			gm_buffer_printf(&frame, "%zu ", text.length);
		gm_buffer_append(&frame, text.data, text.length);
		if (output->lines)
			gm_buffer_append(&frame, "\n", 1);
	}
	gm_buffer_free(&text);
	if (frame.failed || frame.length == 0) {
		gm_buffer_free(&frame);
		output->host.done(output->host.user, ticket, &full);
		return;
	}
	gm_wire_send(output->wire, ticket, &frame);
}

static void close_output(struct gm_output *output)
{
	gm_wire_close(output->wire);
	free(output);
}

static int syslog_check(const void *all, struct gm_error *err)
{
	const struct syslog_options *options = all;

	if (options->transport == GM_WIRE_LOCAL && options->socket[0] != '/')
		return gm_error_set(err, -EINVAL, "socket: not an absolute path");
	if (options->transport != GM_WIRE_LOCAL && options->address[0] == '\0')
		return gm_error_set(err, -EINVAL, "address: missing");
	return 0;
}

static int syslog_create(const void *all, const struct gm_output_host *host,
			 struct gm_output **ret_output, struct gm_error *err)
{
	const struct syslog_options *options = all;
	struct gm_wire_setup setup = {
		.kind = (enum gm_wire_kind)options->transport,
		.port = (uint16_t)options->port,
		.timeout = options->timeout,
	};
	bool tcp = setup.kind == GM_WIRE_TCP;

	if (syslog_check(options, err) < 0)
		return -EINVAL;
	gm_text_copy(setup.address, sizeof(setup.address),
		     setup.kind == GM_WIRE_LOCAL ? options->socket : options->address);
	int result = create(host, &setup, ret_output, err);
	if (result < 0)
		return result;
	(*ret_output)->facility = options->facility;
	(*ret_output)->octets = tcp && options->framing == FRAMING_OCTETS;
	(*ret_output)->lines = tcp && options->framing == FRAMING_LINES;
	(*ret_output)->write = gm_syslog_write;
	return 0;
}

static int journald_check(const void *all, struct gm_error *err)
{
	const struct journald_options *options = all;

	if (options->socket[0] != '/')
		return gm_error_set(err, -EINVAL, "socket: not an absolute path");
	return 0;
}

static int journald_create(const void *all, const struct gm_output_host *host,
			   struct gm_output **ret_output, struct gm_error *err)
{
	const struct journald_options *options = all;
	struct gm_wire_setup setup = {.kind = GM_WIRE_LOCAL, .timeout = options->timeout};

	if (journald_check(options, err) < 0)
		return -EINVAL;
	gm_text_copy(setup.address, sizeof(setup.address), options->socket);
	int result = create(host, &setup, ret_output, err);
	if (result < 0)
		return result;
	(*ret_output)->facility = options->facility;
	(*ret_output)->write = gm_journal_write;
	return 0;
}

const struct gm_output_ops gm_syslog_ops = {
	.type = "syslog",
	.help = "Syslog (RFC 5424) with structured data, over a local socket, UDP or TCP.",
	.options = syslog_table,
	.options_size = sizeof(struct syslog_options),
	.in_flight = IN_FLIGHT,
	.in_order = true,
	.check = syslog_check,
	.create = syslog_create,
	.send = send_message,
	.close = close_output,
};

const struct gm_output_ops gm_journald_ops = {
	.type = "journald",
	.help = "The journal of systemd, with the alarm's fields.",
	.options = journald_table,
	.options_size = sizeof(struct journald_options),
	.in_flight = IN_FLIGHT,
	.in_order = true,
	.check = journald_check,
	.create = journald_create,
	.send = send_message,
	.close = close_output,
};
