/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cloud, and as whom: what an operator says in an output's options, in a clouds.yaml (as
 * openstacksdk reads it) or in the environment (OS_AUTH_URL and the like). Options are stronger than the
 * file, and the environment is asked only where no cloud of a file is named. Secrets come from files and
 * the environment alone, and no error text holds one.
 */
#ifndef GM_NORTH_OPENSTACK_CLOUD_H
#define GM_NORTH_OPENSTACK_CLOUD_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "base/option.h"
#include "north/http/http.h"
#include "north/output.h"
#include "north/secret.h"

enum { GM_CLOUD_TEXT = 256, GM_CLOUD_URL = 512 };

/* Plain value with secrets in it: gm_cloud_forget() it. Empty text: not said. */
struct gm_cloud {
	char auth_url[GM_CLOUD_URL]; /* without a slash at the end, with /v3 */
	char user_name[GM_CLOUD_TEXT], user_id[GM_CLOUD_TEXT];
	char user_domain_name[GM_CLOUD_TEXT], user_domain_id[GM_CLOUD_TEXT];
	char password[GM_SECRET];
	char project_name[GM_CLOUD_TEXT], project_id[GM_CLOUD_TEXT];
	char project_domain_name[GM_CLOUD_TEXT], project_domain_id[GM_CLOUD_TEXT];
	char credential_id[GM_CLOUD_TEXT], credential_name[GM_CLOUD_TEXT];
	char credential_secret[GM_SECRET];
	char region[GM_CLOUD_TEXT];
	char interface[GM_CLOUD_TEXT]; /* "public", "internal", "admin" */
	char ca_file[GM_HTTP_PATH];
};

/* Options of each output that speaks with OpenStack, put into its table by GM_CLOUD_OPTIONS. */
struct gm_cloud_options {
	char cloud[GM_CLOUD_TEXT], clouds_file[GM_HTTP_PATH];
	char auth_url[GM_CLOUD_URL];
	char user[GM_CLOUD_TEXT], user_domain[GM_CLOUD_TEXT], password_file[GM_HTTP_PATH];
	char project[GM_CLOUD_TEXT], project_domain[GM_CLOUD_TEXT];
	char credential[GM_CLOUD_TEXT], secret_file[GM_HTTP_PATH];
	char region[GM_CLOUD_TEXT];
	int interface; /* index of gm_cloud_interfaces */
	char endpoint[GM_CLOUD_URL];
	struct gm_http_transport transport;
};
extern const char *const gm_cloud_interfaces[];
/* clang-format off */
#define GM_CLOUD_OPTION(structure, name, member, sentence)                                        \
	{.key = name, .type = GM_OPTION_TEXT, GM_OPTION_AT(structure, member), .fallback = "",    \
	 .help = sentence}
#define GM_CLOUD_FILE(structure, name, member, sentence)                                          \
	{.key = name, .type = GM_OPTION_TEXT, .is_file = true, GM_OPTION_AT(structure, member),   \
	 .fallback = "", .help = sentence}
#define GM_CLOUD_OPTIONS(structure, at)                                                           \
	GM_CLOUD_OPTION(structure, "cloud", at.cloud,                                             \
		"Name of a cloud in clouds-file; empty: OS_CLOUD of the environment, else none."), \
	GM_CLOUD_OPTION(structure, "clouds-file", at.clouds_file,                                 \
		"A clouds.yaml; empty: OS_CLIENT_CONFIG_FILE of the environment, else /etc/openstack/clouds.yaml."), \
	GM_CLOUD_OPTION(structure, "auth-url", at.auth_url,                                       \
		"URL of Keystone; empty: that of the cloud, or OS_AUTH_URL."),                    \
	GM_CLOUD_OPTION(structure, "user", at.user, "Name of the user."),                         \
	GM_CLOUD_OPTION(structure, "user-domain", at.user_domain,                                 \
		"Name of the user's domain; empty: the domain with the id default."),             \
	GM_CLOUD_FILE(structure, "password-file", at.password_file,                             \
		"File whose first line is the user's password, readable by its owner alone."),    \
	GM_CLOUD_OPTION(structure, "project", at.project, "Name of the project."),                \
	GM_CLOUD_OPTION(structure, "project-domain", at.project_domain,                           \
		"Name of the project's domain; empty: the domain with the id default."),          \
	GM_CLOUD_OPTION(structure, "application-credential", at.credential,                       \
		"Id of an application credential, in place of user, password and project."),      \
	GM_CLOUD_FILE(structure, "secret-file", at.secret_file,                                 \
		"File whose first line is the application credential's secret, readable by its owner alone."), \
	GM_CLOUD_OPTION(structure, "region", at.region,                                           \
		"Region of the endpoint; empty: that of the cloud, else any."),                   \
	{.key = "interface", .type = GM_OPTION_CHOICE, GM_OPTION_AT(structure, at.interface),     \
	 .fallback = "default", .choices = gm_cloud_interfaces,                                   \
	 .help = "Interface of the endpoint; default: that of the cloud, else public."},          \
	GM_CLOUD_OPTION(structure, "endpoint", at.endpoint,                                       \
		"URL of the service, in place of the catalog's; the token is sent to it."),       \
	GM_HTTP_OPTIONS(structure, at.transport)
/* clang-format on */

/*
 * Everything together. -EINVAL, -EACCES or what reading a file says, with one sentence that names the
 * option, the file or the variable; `ret_cloud` is then forgotten.
 */
int gm_cloud_resolve(const struct gm_cloud_options *options, struct gm_cloud *ret_cloud,
		     struct gm_error *err);
void gm_cloud_forget(struct gm_cloud *cloud);

/*
 * For files() of gm_output_ops: the clouds.yaml that it reads, named by an option or not, secure.yaml, and the file of
 * authorities that these or the environment name.
 */
void gm_cloud_files(const struct gm_cloud_options *options, gm_output_file_fn *each, void *user);

/* The body of Keystone's POST /v3/auth/tokens, the caller's to free; NULL: out of memory. */
struct gm_json *gm_cloud_auth(const struct gm_cloud *cloud);

/* ---- between cloud.c and its files ---- */

/* What files and the environment may say. `key`: in clouds.yaml; `in_auth`: under `auth`. */
struct gm_cloud_field {
	const char *key, *variable;
	bool in_auth;
	size_t offset, size;
};
extern const struct gm_cloud_field gm_cloud_fields[]; /* key NULL at the end */

/* Puts `value` in. -EINVAL, with key or variable in the sentence: too long, or no text. */
int gm_cloud_set(struct gm_cloud *cloud, const struct gm_cloud_field *field, const char *value,
		 struct gm_error *err);

/* Puts in what the cloud NAME of that text of a clouds.yaml says. -ENOENT: it has no such cloud. */
int gm_clouds_parse(const char *path, const char *text, size_t length, const char *name,
		    struct gm_cloud *cloud, struct gm_error *err);

#endif
