/* SPDX-License-Identifier: Apache-2.0 */
/*
 * burst ADDRESS PORT MS MBIT_PER_S [PAYLOAD]: sends UDP at a steady rate for MS milliseconds, in the
 * test guest or on the host's side of the bridge, and prints what it really did as one JSON object:
 * the truth that burst alarms are judged by. The rate and the octets are those of Ethernet frames, as
 * interface counters count them.
 *
 * Between packets it sleeps instead of spinning, because on a small node the guest needs that CPU to
 * take the packets; with real-time priority, so that it wakes in time.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool.h"

enum { OVERHEAD = 14 + 20 + 8, PAYLOAD_MAX = 1472 };

struct burst {
	int socket;
	double seconds;
	double packets_per_s;
	size_t payload;
	unsigned long sent, failed;
};

static int open_socket(const char *address, double port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
		fprintf(stderr, "ADDRESS must be an IPv4 address, not \"%s\"\n", address);
		exit(2);
	}
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("socket");
		exit(1);
	}
	return fd;
}

/* As far as it is allowed: without it the pace is only less even. */
static void be_punctual(void)
{
	struct sched_param first = {.sched_priority = 1};

	sched_setscheduler(0, SCHED_FIFO, &first);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

/* Sends for burst->seconds; returns how long it took. */
static double run(struct burst *burst)
{
	static const char bytes[PAYLOAD_MAX];
	double step = 0.5 / burst->packets_per_s, nap = 0.001;
	double start = tool_clock(CLOCK_MONOTONIC), passed = 0;

	while (passed < burst->seconds) {
		if ((double)(burst->sent + burst->failed) <= passed * burst->packets_per_s) {
			/* A closed port's answer comes back as an error of the next send: not a loss. */
			if (send(burst->socket, bytes, burst->payload, 0) >= 0)
				burst->sent++;
			else if (errno != ECONNREFUSED)
				burst->failed++;
		} else {
			tool_sleep(step < nap ? step : nap);
		}
		passed = tool_clock(CLOCK_MONOTONIC) - start;
	}
	return passed;
}

int main(int argc, char **argv)
{
	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: burst ADDRESS PORT MS MBIT_PER_S [PAYLOAD]\n");
		return 2;
	}
	struct burst burst = {
		.socket = open_socket(argv[1], tool_number("PORT", argv[2], 1, 65535)),
		.seconds = tool_number("MS", argv[3], 1, 3600e3) / 1e3,
		.payload = (size_t)(argc == 6 ? tool_number("PAYLOAD", argv[5], 18, PAYLOAD_MAX)
					      : 1400),
	};
	double bits = (double)(burst.payload + OVERHEAD) * 8;
	burst.packets_per_s = tool_number("MBIT_PER_S", argv[4], 0.001, 1e5) * 1e6 / bits;

	be_punctual();
	double start = tool_clock(CLOCK_REALTIME);
	double passed = run(&burst);
	double octets = (double)burst.sent * bits / 8;

	printf("{\"start\": %.6f, \"duration_s\": %.6f, \"packets\": %lu, \"failed\": %lu, "
	       "\"bytes\": %.0f, \"bps\": %.0f}\n",
	       start, passed, burst.sent, burst.failed, octets, octets * 8 / passed);
	close(burst.socket);
	return 0;
}
