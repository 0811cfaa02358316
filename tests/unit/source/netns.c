/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See netns.h. As root a network namespace alone, otherwise with a user namespace around it. Used by
 * the tests of source/tap and by its benchmark.
 */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WORDS = 24, FRAME_MAX = 1514 };

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0) {
		return -errno;
	}
	written = write(fd, text, strlen(text));
	close(fd);
	return written < 0 ? -EIO : 0;
}

/* In a user namespace of one's own one has to be root to use the devices of it. */
static int become_root(uid_t uid)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
	return write_file("/proc/self/uid_map", map);
}

int netns_enter(void)
{
	uid_t uid = geteuid();

	if (unshare(CLONE_NEWNET) == 0) {
		return 0;
	}
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		return -errno;
	}
	return become_root(uid);
}

int netns_ip(const char *format, ...)
{
	char line[256];
	char *words[WORDS] = {(char[]){"ip"}};
	char *rest = NULL;
	va_list arguments;
	int count = 1;
	int status;
	pid_t pid;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (char *word = strtok_r(line, " ", &rest); word != NULL && count < WORDS - 1;
	     word = strtok_r(NULL, " ", &rest)) {
		words[count++] = word;
	}
	status = posix_spawnp(&pid, "ip", NULL, NULL, words, environ);
	if (status != 0) {
		return -status;
	}
	if (waitpid(pid, &status, 0) < 0) {
		return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int netns_tap(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		return -errno;
	}
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	/* Without a link-local address it says nothing by itself, and counts can be exact. */
	if (netns_ip("link set dev %s addrgenmode none up", name) != 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

int netns_port(const char *name)
{
	const struct sockaddr_ll address = {.sll_family = AF_PACKET,
					    .sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return -errno;
	}
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

void netns_write(int fd, int count, size_t size)
{
	char frame[FRAME_MAX] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, (char)0x88, (char)0xb5};

	for (int i = 0; i < count; i++) {
		(void)!write(fd, frame, size);
	}
}
