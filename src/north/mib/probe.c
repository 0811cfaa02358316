/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at the master agent's socket from outside, and at its name: for `guestmonctl check`, which tells an operator why
 * there is no session. Nothing of net-snmp; the session itself is session.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "north/mib/mib.h"

bool gm_mib_socket_is_good(const char *agentx_socket)
{
	const char *host = agentx_socket, *port = strrchr(agentx_socket, ':');
	if (agentx_socket[0] == '/')
		return strlen(agentx_socket) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
	if (strncmp(host, "tcp:", 4) == 0)
		host += 4;
	else if (strncmp(host, "tcp6:", 5) == 0)
		host += 5;
	else
		return false;
	if (!port || port <= host || strspn(port + 1, "0123456789") != strlen(port + 1))
		return false;
	long number = strtol(port + 1, NULL, 10);
	return number >= 1 && number <= 65535 && strpbrk(host, " ,") == NULL;
}

/* The one of the directories above `path` that the daemon's user may not pass, in `name`; false: it may pass all. */
static bool closed_directory(const char *path,
			     char name[sizeof(((struct sockaddr_un *)NULL)->sun_path)])
{
	for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
		memcpy(name, path, (size_t)(end - path));
		name[end - path] = '\0';
		if (access(name, X_OK) < 0)
			return true;
	}
	return false;
}

/* Debian's snmpd makes the directory when it is first started, for root alone, and never looks at it again. */
static int explain_closed(const char *path, struct gm_error *err)
{
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	if (closed_directory(path, directory))
		return gm_error_set(err, -EACCES,
				    "the daemon's user may not pass %s (snmpd makes its directory "
				    "for root alone): "
				    "\"chmod 755 %s\" opens it for good, and agentXPerms in "
				    "snmpd's configuration "
				    "keeps the socket in it for a group",
				    directory, directory);
	return gm_error_set(err, -EACCES,
			    "%s is not open to the daemon's user: agentXPerms in snmpd's "
			    "configuration gives it to a group, as in \"agentXPerms 0660 0755 "
			    "Debian-snmp guestmon\"",
			    path);
}

static int explain(const char *path, int error, struct gm_error *err)
{
	switch (error) {
	case ENOENT:
		return gm_error_set(
			err, -error,
			"%s is not there: is snmpd running, with \"master agentx\" in its "
			"configuration, and is that its agentXSocket?",
			path);
	case EACCES:
		return explain_closed(path, err);
	case ECONNREFUSED:
		return gm_error_set(err, -error, "nobody listens at %s any more: is snmpd running?",
				    path);
	case EAGAIN:
		return gm_error_set(err, -error,
				    "whoever listens at %s takes no connection: does snmpd hang?",
				    path);
	default:
		return gm_error_set(err, -error, "%s: %s", path, strerror(error));
	}
}

int gm_mib_probe(const char *agentx_socket, struct gm_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (agentx_socket[0] != '/')
		return gm_error_set(err, -ENOTSUP, "%s is no path, and is not tried",
				    agentx_socket);
	if (strlen(agentx_socket) >= sizeof(address.sun_path))
		return explain(agentx_socket, ENAMETOOLONG, err);
	gm_text_copy(address.sun_path, sizeof(address.sun_path), agentx_socket);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return explain(agentx_socket, errno, err);
	int error = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	return error ? explain(agentx_socket, error, err) : 0;
}
