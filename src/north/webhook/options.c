/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The webhook's options, and the files that they name.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "north/webhook/private.h"

const char *const gm_webhook_methods[] = {"POST", "PUT", NULL};

const struct gm_option gm_webhook_option_table[] = {
	{.key = "url",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_webhook_options, url),
	 .fallback = "",
	 .help = "Where to send to, http or https; of Alertmanager, that of its API: "
		 "http://ADDRESS:9093/api/v2/alerts."},
	{.key = "url-file",
	 .type = GM_OPTION_TEXT,
	 .is_file = true,
	 GM_OPTION_AT(struct gm_webhook_options, url_file),
	 .fallback = "",
	 .help = "Instead of url: a file whose first line is the URL, for URLs that hold a secret; "
		 "only "
		 "its owner may read it."},
	{.key = "format",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_webhook_options, format),
	 .fallback = "json",
	 .help = "The body: alertmanager is what Alertmanager takes, alertmanager-webhook what it "
		 "sends to webhooks.",
	 .choices = gm_webhook_format_names},
	{.key = "method",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_webhook_options, method),
	 .fallback = "POST",
	 .help = "The request's method.",
	 .choices = gm_webhook_methods},
	{.key = "content-type",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_webhook_options, content_type),
	 .fallback = "",
	 .help = "The body's type; empty: that of the format."},
	{.key = "template",
	 .type = GM_OPTION_TEXT,
	 .is_file = true,
	 GM_OPTION_AT(struct gm_webhook_options, template),
	 .fallback = "",
	 .help = "Of the format template: the file with the body, {names} in it."},
	{.key = "escape",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_webhook_options, escape),
	 .fallback = "json",
	 .help = "Of the format template: how text is escaped that is put into it.",
	 .choices = gm_webhook_escape_names},
	{.key = "headers-file",
	 .type = GM_OPTION_TEXT,
	 .is_file = true,
	 GM_OPTION_AT(struct gm_webhook_options, headers_file),
	 .fallback = "",
	 .help = "A file of \"Name: value\" lines that are sent as headers, such as Authorization; "
		 "only "
		 "its owner may read it."},
	{.key = "hmac-file",
	 .type = GM_OPTION_TEXT,
	 .is_file = true,
	 GM_OPTION_AT(struct gm_webhook_options, hmac_file),
	 .fallback = "",
	 .help = "A file whose first line is the key of the signature over the body; empty: none; "
		 "only "
		 "its owner may read it."},
	{.key = "signature-header",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_webhook_options, signature_header),
	 .fallback = "X-Guestmon-Signature",
	 .help = "The header of the signature: sha256= and the HMAC-SHA256 in hex."},
	{.key = "generator-url",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_webhook_options, generator_url),
	 .fallback = "",
	 .help = "What Alertmanager and its receivers show as the place where the alert comes "
		 "from."},
	{.key = "repeat",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_webhook_options, repeat),
	 .min = 1e9,
	 .max = 86400e9,
	 .fallback = "1m",
	 .help = "How often active alarms are told again to Alertmanager, which takes an alert for "
		 "over "
		 "after four times that."},
	GM_HTTP_OPTIONS(struct gm_webhook_options, transport),
	GM_OPTION_END,
};

/* The whole file as text. */
static int read_template(const char *path, char text[GM_WEBHOOK_TEMPLATE_BYTES],
			 struct gm_error *err)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), result = 0;

	if (fd < 0)
		return gm_error_set(err, -errno, "template: %s: %s", path, strerror(errno));
	ssize_t length = -1;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		errno = EINVAL;
	else
		length = read(fd, text, GM_WEBHOOK_TEMPLATE_BYTES - 1);
	if (length < 0)
		result = gm_error_set(err, -errno, "template: %s: %s", path, strerror(errno));
	else
		text[length] = '\0';
	close(fd);
	if (result < 0)
		return result;
	if (length == GM_WEBHOOK_TEMPLATE_BYTES - 1)
		return gm_error_set(err, -EFBIG, "template: %s: larger than %d bytes", path,
				    GM_WEBHOOK_TEMPLATE_BYTES - 2);
	if (strlen(text) != (size_t)length || !gm_text_is_utf8(text))
		return gm_error_set(err, -EINVAL, "template: %s: not text", path);
	if (gm_webhook_template_check(text, err) < 0)
		return gm_error_prefix(err, -EINVAL, "template: %s", path);
	return 0;
}

/* The sentence never holds the URL: it may be a secret. */
static int check_url(const char *url, const char *option, struct gm_error *err)
{
	if (url[0] == '\0')
		return gm_error_set(err, -EINVAL, "url: missing; or url-file");
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return gm_error_set(err, -EINVAL, "%s: begins with neither http:// nor https://",
				    option);
	for (const char *at = url; *at != '\0'; at++) {
		if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7F)
			return gm_error_set(err, -EINVAL, "%s: a character that is to be escaped",
					    option);
	}
	return 0;
}

static int read_url(const struct gm_webhook_options *options, char url[GM_WEBHOOK_URL],
		    struct gm_error *err)
{
	bool from_file = options->url_file[0] != '\0';

	if (from_file && options->url[0] != '\0')
		return gm_error_set(err, -EINVAL, "url-file: there is url, too");
	gm_text_copy(url, GM_WEBHOOK_URL, options->url);
	if (from_file) {
		int result = gm_secret_read(options->url_file, url, GM_WEBHOOK_URL, err);
		if (result < 0)
			return gm_error_prefix(err, result, "url-file");
	}
	return check_url(url, from_file ? "url-file" : "url", err);
}

static int check_plain(const struct gm_webhook_options *options, struct gm_error *err)
{
	bool template = options->format == GM_WEBHOOK_TEMPLATE;

	if (template != (options->template[0] != '\0'))
		return gm_error_set(err, -EINVAL,
				    template ? "template: missing; the format template needs one"
					     : "template: is of the format template only");
	if (!gm_webhook_header_name(options->signature_header))
		return gm_error_set(err, -EINVAL,
				    "signature-header: no name of a header, or of one that is set "
				    "already");
	for (const char *at = options->content_type; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7F)
			return gm_error_set(err, -EINVAL, "content-type: not printable");
	}
	return gm_http_check(&options->transport, err);
}

int gm_webhook_material_read(const struct gm_webhook_options *options,
			     struct gm_webhook_material *ret_material, struct gm_error *err)
{
	struct gm_webhook_material *material = ret_material;

	*material = (struct gm_webhook_material){.url = ""};
	int result = check_plain(options, err);
	if (result == 0)
		result = read_url(options, material->url, err);
	if (result == 0 && options->hmac_file[0] != '\0' &&
	    (result = gm_secret_read(options->hmac_file, material->key, sizeof(material->key),
				     err)) < 0)
		gm_error_prefix(err, result, "hmac-file");
	if (result == 0 && options->headers_file[0] != '\0' &&
	    (result = gm_webhook_headers_read(options->headers_file, &material->headers, err)) < 0)
		gm_error_prefix(err, result, "headers-file");
	if (result == 0 && options->template[0] != '\0')
		result = read_template(options->template, material->template, err);
	if (result < 0)
		gm_webhook_material_forget(material);
	return result;
}

void gm_webhook_material_forget(struct gm_webhook_material *material)
{
	gm_secret_forget(material->url, sizeof(material->url));
	gm_secret_forget(material->key, sizeof(material->key));
	gm_webhook_headers_forget(&material->headers);
}

int gm_webhook_check(const void *options, struct gm_error *err)
{
	struct gm_webhook_material material;
	int result = gm_webhook_material_read(options, &material, err);

	gm_webhook_material_forget(&material);
	return result;
}
