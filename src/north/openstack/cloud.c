/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From options, files and the environment to one struct; see cloud.h. Called when an output is checked
 * and when it is made.
 */
#include "north/openstack/cloud.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { FILE_MAX = 256 << 10 };

#define DEFAULT_FILE "/etc/openstack/clouds.yaml"

const char *const gm_cloud_interfaces[] = {"default", "public", "internal", "admin", NULL};

#define AT(member) offsetof(struct gm_cloud, member), sizeof(((struct gm_cloud *)0)->member)
const struct gm_cloud_field gm_cloud_fields[] = {
	{"auth_url", "OS_AUTH_URL", true, AT(auth_url)},
	{"username", "OS_USERNAME", true, AT(user_name)},
	{"user_id", "OS_USER_ID", true, AT(user_id)},
	{"user_domain_name", "OS_USER_DOMAIN_NAME", true, AT(user_domain_name)},
	{"user_domain_id", "OS_USER_DOMAIN_ID", true, AT(user_domain_id)},
	{"password", "OS_PASSWORD", true, AT(password)},
	{"project_name", "OS_PROJECT_NAME", true, AT(project_name)},
	{"project_id", "OS_PROJECT_ID", true, AT(project_id)},
	{"project_domain_name", "OS_PROJECT_DOMAIN_NAME", true, AT(project_domain_name)},
	{"project_domain_id", "OS_PROJECT_DOMAIN_ID", true, AT(project_domain_id)},
	{"application_credential_id", "OS_APPLICATION_CREDENTIAL_ID", true, AT(credential_id)},
	{"application_credential_name", "OS_APPLICATION_CREDENTIAL_NAME", true,
	 AT(credential_name)},
	{"application_credential_secret", "OS_APPLICATION_CREDENTIAL_SECRET", true,
	 AT(credential_secret)},
	{"region_name", "OS_REGION_NAME", false, AT(region)},
	{"interface", "OS_INTERFACE", false, AT(interface)},
	{"cacert", "OS_CACERT", false, AT(ca_file)},
	{NULL, NULL, false, 0, 0},
};

void gm_cloud_forget(struct gm_cloud *cloud)
{
	explicit_bzero(cloud, sizeof(*cloud));
}

int gm_cloud_set(struct gm_cloud *cloud, const struct gm_cloud_field *field, const char *value,
		 struct gm_error *err)
{
	char *target = (char *)cloud + field->offset;

	if (!gm_text_is_utf8(value) || strpbrk(value, "\r\n"))
		return gm_error_set(err, -EINVAL, "%s is not one line of text", field->key);
	if (strlen(value) >= field->size)
		return gm_error_set(err, -EINVAL, "%s is longer than %zu bytes", field->key,
				    field->size - 1);
	gm_text_copy(target, field->size, value);
	return 0;
}

static const char *said(const char *variable)
{
	const char *value = getenv(variable);

	return value && value[0] != '\0' ? value : NULL;
}

static int read_environment(struct gm_cloud *cloud, struct gm_error *err)
{
	for (const struct gm_cloud_field *field = gm_cloud_fields; field->key; field++) {
		const char *value = said(field->variable);
		int rc = value ? gm_cloud_set(cloud, field, value, err) : 0;

		if (rc < 0)
			return gm_error_prefix(err, rc, "environment: %s", field->variable);
	}
	return 0;
}

/* ---- clouds.yaml, and secure.yaml beside it ---- */

static int read_open(int fd, const char *path, char *text, size_t *ret_length, struct gm_error *err)
{
	struct stat status;
	size_t length = 0;
	ssize_t got = 1;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return gm_error_set(err, -EINVAL, "%s: not a file", path);
	if (status.st_mode & 07)
		return gm_error_set(err, -EACCES, "%s: anybody may read it; chmod 640 it", path);
	while (length < FILE_MAX && (got = read(fd, text + length, FILE_MAX - length)) > 0)
		length += (size_t)got;
	if (got < 0)
		return gm_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (length == FILE_MAX)
		return gm_error_set(err, -EFBIG, "%s: larger than %d bytes", path, FILE_MAX);
	*ret_length = length;
	return 0;
}

static int read_clouds(const char *path, const char *name, struct gm_cloud *cloud,
		       struct gm_error *err)
{
	char *text;
	size_t length = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;

	if (fd < 0)
		return gm_error_set(err, -errno, "%s: %s", path, strerror(errno));
	text = malloc(FILE_MAX);
	rc = text ? read_open(fd, path, text, &length, err)
		  : gm_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = gm_clouds_parse(path, text, length, name, cloud, err);
	if (text)
		explicit_bzero(text, FILE_MAX);
	free(text);
	close(fd);
	return rc;
}

/* Which cloud; NULL: none is named. */
static const char *cloud_name(const struct gm_cloud_options *options)
{
	return options->cloud[0] != '\0' ? options->cloud : said("OS_CLOUD");
}

static const char *clouds_path(const struct gm_cloud_options *options)
{
	const char *path = options->clouds_file[0] != '\0' ? options->clouds_file
							   : said("OS_CLIENT_CONFIG_FILE");

	return path ? path : DEFAULT_FILE;
}

enum { SECURE_PATH = GM_HTTP_PATH + 16 };

/* openstacksdk keeps secrets in a secure.yaml of the same shape, which is laid over. */
static const char *secure_path(const char *path, char secure[SECURE_PATH])
{
	const char *slash = strrchr(path, '/');

	snprintf(secure, SECURE_PATH, "%.*ssecure.yaml", slash ? (int)(slash + 1 - path) : 0, path);
	return secure;
}

static int read_files(const char *path, const char *name, struct gm_cloud *cloud,
		      struct gm_error *err)
{
	char secure[SECURE_PATH];
	int rc = read_clouds(path, name, cloud, err);

	if (rc < 0)
		return rc;
	secure_path(path, secure);
	if (access(secure, F_OK) < 0)
		return 0;
	rc = read_clouds(secure, name, cloud, err);
	return rc == -ENOENT ? 0 : rc;
}

/* ---- options ---- */

static void overlay(char *target, size_t size, const char *option)
{
	if (option[0] != '\0')
		gm_text_copy(target, size, option);
}

static int read_secret(char secret[GM_SECRET], const char *key, const char *path,
		       struct gm_error *err)
{
	int rc = path[0] != '\0' ? gm_secret_read(path, secret, GM_SECRET, err) : 0;

	return rc < 0 ? gm_error_prefix(err, rc, "%s", key) : 0;
}

#define OVERLAY(cloud, member, option) overlay((cloud)->member, sizeof((cloud)->member), (option))

static int read_options(const struct gm_cloud_options *options, struct gm_cloud *cloud,
			struct gm_error *err)
{
	int rc;

	OVERLAY(cloud, auth_url, options->auth_url);
	if (options->user[0] != '\0')
		cloud->user_id[0] = '\0';
	OVERLAY(cloud, user_name, options->user);
	OVERLAY(cloud, user_domain_name, options->user_domain);
	if (options->project[0] != '\0')
		cloud->project_id[0] = '\0';
	OVERLAY(cloud, project_name, options->project);
	OVERLAY(cloud, project_domain_name, options->project_domain);
	OVERLAY(cloud, credential_id, options->credential);
	OVERLAY(cloud, region, options->region);
	OVERLAY(cloud, ca_file, options->transport.ca_file);
	if (options->interface > 0)
		OVERLAY(cloud, interface, gm_cloud_interfaces[options->interface]);
	rc = read_secret(cloud->password, "password-file", options->password_file, err);
	return rc < 0 ? rc
		      : read_secret(cloud->credential_secret, "secret-file", options->secret_file,
				    err);
}

/* ---- what it must hold ---- */

static bool is_url(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);

	return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static int check_url(struct gm_cloud *cloud, struct gm_error *err)
{
	size_t length = strlen(cloud->auth_url);

	if (length == 0)
		return gm_error_set(err, -EINVAL,
				    "no Keystone is named: say cloud, auth-url or OS_AUTH_URL");
	if (!is_url(cloud->auth_url) || strpbrk(cloud->auth_url, " @?#"))
		return gm_error_set(err, -EINVAL,
				    "auth-url: not the http or https URL of a Keystone");
	while (length > 0 && cloud->auth_url[length - 1] == '/')
		cloud->auth_url[--length] = '\0';
	if (ends_with(cloud->auth_url, "/v3"))
		return 0;
	if (length + 3 >= sizeof(cloud->auth_url))
		return gm_error_set(err, -EINVAL, "auth-url: too long");
	memcpy(cloud->auth_url + length, "/v3", 4);
	return 0;
}

static int check_who(const struct gm_cloud *cloud, struct gm_error *err)
{
	bool user = cloud->user_name[0] != '\0' || cloud->user_id[0] != '\0';

	if (cloud->credential_id[0] != '\0' || cloud->credential_name[0] != '\0') {
		if (cloud->credential_secret[0] == '\0')
			return gm_error_set(
				err, -EINVAL,
				"the application credential has no secret: say secret-file");
		if (cloud->credential_id[0] == '\0' && !user)
			return gm_error_set(err, -EINVAL,
					    "an application credential that is "
					    "named, not told by its id, needs its user");
		return 0;
	}
	if (!user)
		return gm_error_set(err, -EINVAL,
				    "no user is named: say user or application-credential");
	if (cloud->password[0] == '\0')
		return gm_error_set(err, -EINVAL, "the user has no password: say password-file");
	if (cloud->project_name[0] == '\0' && cloud->project_id[0] == '\0')
		return gm_error_set(err, -EINVAL, "no project is named: say project");
	return 0;
}

static int check_interface(struct gm_cloud *cloud, struct gm_error *err)
{
	size_t length = strlen(cloud->interface);

	if (length == 0)
		gm_text_copy(cloud->interface, sizeof(cloud->interface), "public");
	if (ends_with(cloud->interface, "URL")) /* "internalURL", an older way to say it */
		cloud->interface[length - 3] = '\0';
	for (size_t i = 1; gm_cloud_interfaces[i]; i++) {
		if (strcmp(cloud->interface, gm_cloud_interfaces[i]) == 0)
			return 0;
	}
	return gm_error_set(err, -EINVAL, "interface: not public, internal or admin");
}

int gm_cloud_resolve(const struct gm_cloud_options *options, struct gm_cloud *ret_cloud,
		     struct gm_error *err)
{
	const char *name = cloud_name(options);
	int rc;

	*ret_cloud = (struct gm_cloud){0};
	if (options->endpoint[0] != '\0' &&
	    (!is_url(options->endpoint) || strpbrk(options->endpoint, " @?#")))
		return gm_error_set(err, -EINVAL, "endpoint: not an http or https URL");
	rc = name ? read_files(clouds_path(options), name, ret_cloud, err)
		  : read_environment(ret_cloud, err);
	if (rc == 0)
		rc = read_options(options, ret_cloud, err);
	if (rc == 0)
		rc = check_url(ret_cloud, err);
	if (rc == 0)
		rc = check_who(ret_cloud, err);
	if (rc == 0)
		rc = check_interface(ret_cloud, err);
	if (rc < 0)
		gm_cloud_forget(ret_cloud);
	return rc;
}

/* ---- for who compares what files hold ---- */

void gm_cloud_files(const struct gm_cloud_options *options, gm_output_file_fn *each, void *user)
{
	char secure[SECURE_PATH];
	struct gm_cloud cloud;

	if (cloud_name(options)) {
		each(user, clouds_path(options));
		each(user, secure_path(clouds_path(options), secure));
	}
	if (gm_cloud_resolve(options, &cloud, NULL) < 0)
		return;
	if (cloud.ca_file[0] != '\0')
		each(user, cloud.ca_file);
	gm_cloud_forget(&cloud);
}

/* ---- Keystone's request ---- */

static struct gm_json *domain(const char *name, const char *id)
{
	struct gm_json *object = gm_json_object();

	if (id[0] == '\0' && name[0] != '\0')
		gm_json_set_text(object, "name", name);
	else
		gm_json_set_text(object, "id", id[0] != '\0' ? id : "default");
	return object;
}

static struct gm_json *user(const struct gm_cloud *cloud)
{
	struct gm_json *object = gm_json_object();

	if (cloud->user_id[0] != '\0') {
		gm_json_set_text(object, "id", cloud->user_id);
		return object;
	}
	gm_json_set_text(object, "name", cloud->user_name);
	gm_json_set(object, "domain", domain(cloud->user_domain_name, cloud->user_domain_id));
	return object;
}

static struct gm_json *scope(const struct gm_cloud *cloud)
{
	struct gm_json *object = gm_json_object(), *project = gm_json_object();

	if (cloud->project_id[0] != '\0') {
		gm_json_set_text(project, "id", cloud->project_id);
	} else {
		gm_json_set_text(project, "name", cloud->project_name);
		gm_json_set(project, "domain",
			    domain(cloud->project_domain_name, cloud->project_domain_id));
	}
	gm_json_set(object, "project", project);
	return object;
}

/* An application credential brings its project along, and a scope beside it is refused. */
struct gm_json *gm_cloud_auth(const struct gm_cloud *cloud)
{
	bool credential = cloud->credential_id[0] != '\0' || cloud->credential_name[0] != '\0';
	const char *method = credential ? "application_credential" : "password";
	struct gm_json *root = gm_json_object(), *auth = gm_json_object(),
		       *identity = gm_json_object(), *methods = gm_json_array(),
		       *proof = gm_json_object();

	gm_json_append(methods, gm_json_text(method));
	gm_json_set(identity, "methods", methods);
	if (credential) {
		if (cloud->credential_id[0] != '\0') {
			gm_json_set_text(proof, "id", cloud->credential_id);
		} else {
			gm_json_set_text(proof, "name", cloud->credential_name);
			gm_json_set(proof, "user", user(cloud));
		}
		gm_json_set_text(proof, "secret", cloud->credential_secret);
	} else {
		struct gm_json *who = user(cloud);

		gm_json_set_text(who, "password", cloud->password);
		gm_json_set(proof, "user", who);
		gm_json_set(auth, "scope", scope(cloud));
	}
	gm_json_set(identity, method, proof);
	gm_json_set(auth, "identity", identity);
	gm_json_set(root, "auth", auth);
	return root;
}
