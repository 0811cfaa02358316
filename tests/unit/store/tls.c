/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Redis store over TLS as contrib/redis/stunnel.conf describes it, with that very file: a server that
 * takes TLS alone and asks for a client's certificate, a stunnel, the store. A certificate of another
 * authority is not accepted.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

enum { TLS_PORT = 16399 };

struct files {
	char ca[128], ca_key[128], request[128], cert[128], key[128], serial[128], other[128],
		other_key[128], conf[128], socket[128];
};

static void in_directory(const struct rig *rig, struct files *files)
{
	const struct {
		char *path;
		const char *name;
	} all[] = {
		{files->ca, "ca.pem"},           {files->ca_key, "ca.key"},
		{files->request, "request.pem"}, {files->cert, "cert.pem"},
		{files->key, "cert.key"},        {files->serial, "ca.srl"},
		{files->other, "other.pem"},     {files->other_key, "other.key"},
		{files->conf, "stunnel.conf"},   {files->socket, "tls.sock"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		snprintf(all[i].path, sizeof(files->ca), "%s/%s", rig->directory, all[i].name);
}

static pid_t begin(const char *const argv[])
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	return pid;
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void openssl(const char *const argv[])
{
	int status = -1;

	waitpid(begin(argv), &status, 0);
	assert_int_equal(status, 0);
}

static void make_authority(const char *cert, const char *key)
{
	openssl((const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
				      "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
				      "/CN=authority", "-keyout", key, "-out", cert, NULL});
}

static void make_certificate(const struct files *files)
{
	openssl((const char *const[]){"openssl", "req", "-newkey", "ec", "-pkeyopt",
				      "ec_paramgen_curve:P-256", "-nodes", "-subj",
				      "/CN=redis.example.net", "-keyout", files->key, "-out",
				      files->request, NULL});
	openssl((const char *const[]){"openssl", "x509", "-req", "-in", files->request, "-CA",
				      files->ca, "-CAkey", files->ca_key, "-CAcreateserial",
				      "-days", "2", "-out", files->cert, NULL});
}

/* The shipped file with its lines that are to be adapted. */
static pid_t start_stunnel(const struct files *files, const char *authority)
{
	FILE *in = fopen(GM_STUNNEL_CONF, "r"), *out = fopen(files->conf, "w");
	char line[512];

	assert_non_null(in);
	assert_non_null(out);
	while (fgets(line, sizeof(line), in)) {
		if (strncmp(line, "syslog", 6) == 0)
			fputs("syslog = no\npid =\n", out);
		else if (strncmp(line, "accept", 6) == 0)
			fprintf(out, "accept = %s\n", files->socket);
		else if (strncmp(line, "connect", 7) == 0)
			fprintf(out, "connect = 127.0.0.1:%d\n", TLS_PORT);
		else if (strncmp(line, "CAfile", 6) == 0)
			fprintf(out, "CAfile = %s\n", authority);
		else if (strncmp(line, ";cert", 5) == 0)
			fprintf(out, "cert = %s\n", files->cert);
		else if (strncmp(line, ";key", 4) == 0)
			fprintf(out, "key = %s\n", files->key);
		else
			fputs(line, out);
	}
	fclose(in);
	fclose(out);
	return begin((const char *const[]){"stunnel4", files->conf, NULL});
}

static void test_over_tls(void **state)
{
	struct rig *rig = *state;
	struct files files;
	char port[16];

	in_directory(rig, &files);
	make_authority(files.ca, files.ca_key);
	make_authority(files.other, files.other_key);
	make_certificate(&files);
	snprintf(port, sizeof(port), "%d", TLS_PORT);
	const char *const tls[] = {"--tls-port",
				   port,
				   "--tls-cert-file",
				   files.cert,
				   "--tls-key-file",
				   files.key,
				   "--tls-ca-cert-file",
				   files.ca,
				   "--bind",
				   "127.0.0.1",
				   NULL};
	rig_server(rig, tls);
	snprintf(rig->options.socket, sizeof(rig->options.socket), "%s", files.socket);

	pid_t stunnel = start_stunnel(&files, files.other);
	rig_start(rig);
	rig_ticks(rig, 10);
	rig_run(rig, 1500);
	assert_false(rig->connected); /* it is not who it should be */
	end(stunnel);
	unlink(files.socket);

	stunnel = start_stunnel(&files, files.ca);
	assert_true(rig_wait_connected(rig, true, 8000));
	rig_ticks(rig, 300);
	rig_settle(rig);
	rig_check_complete(rig);
	end(stunnel); /* the way is cut, and comes back */
	unlink(files.socket);
	rig_ticks(rig, 100);
	assert_true(rig_wait_connected(rig, false, 2000));
	stunnel = start_stunnel(&files, files.ca);
	assert_true(rig_wait_connected(rig, true, 8000));
	rig_ticks(rig, 10);
	rig_settle(rig);
	rig_check_complete(rig);
	end(stunnel);
	const char *const all[] = {files.ca,   files.ca_key, files.request, files.cert,
				   files.key,  files.serial, files.other,   files.other_key,
				   files.conf, files.socket};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		unlink(all[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_over_tls, rig_setup, rig_teardown)};

	if (!rig_have_server() || access("/usr/bin/stunnel4", X_OK) != 0 ||
	    access("/usr/bin/openssl", X_OK) != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
