/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms in which a webhook tells an alarm: one line per form, a pure function from a message to a
 * body. Nothing here sends.
 */
#ifndef GM_NORTH_WEBHOOK_FORMAT_H
#define GM_NORTH_WEBHOOK_FORMAT_H

#include "base/buffer.h"
#include "north/output.h"

enum gm_webhook_format_id {
	GM_WEBHOOK_ALERTMANAGER,
	GM_WEBHOOK_ALERTMANAGER_WEBHOOK,
	GM_WEBHOOK_CLOUDEVENTS,
	GM_WEBHOOK_JSON,
	GM_WEBHOOK_TEMPLATE,
	GM_WEBHOOK_VES,
	GM_WEBHOOK_FORMATS
};

/* What a form may need beside the message. */
struct gm_webhook_context {
	const char *output;        /* the instance's name */
	const char *generator_url; /* or empty */
	/* Severities under which the receiver may know the alarm, bits 1 << severity; its present one does not count. */
	unsigned told;
	int64_t hold; /* ns from sent_at on for which an active alert holds unless it is repeated */
	const char
		*template; /* of the form `template`: a text that gm_webhook_template_check() took */
	int escape;        /* enum gm_webhook_escape, of what is put into the template */
};

struct gm_webhook_format {
	const char *name, *content_type;
	/* Appends the body. 0 or -ENOMEM (it is larger than the buffer may be). */
	int (*write)(const struct gm_webhook_context *context, const struct gm_message *message,
		     struct gm_buffer *body);
};

extern const struct gm_webhook_format gm_webhook_formats[GM_WEBHOOK_FORMATS];
extern const char *const gm_webhook_format_names[]; /* NULL at the end: the option's choices */

int gm_webhook_alertmanager(const struct gm_webhook_context *context,
			    const struct gm_message *message, struct gm_buffer *body);
int gm_webhook_alertmanager_webhook(const struct gm_webhook_context *context,
				    const struct gm_message *message, struct gm_buffer *body);
int gm_webhook_ves(const struct gm_webhook_context *context, const struct gm_message *message,
		   struct gm_buffer *body);

/* An alert of Alertmanager's API v2 for an active alarm, for repeats of many in one array. */
struct gm_json *gm_webhook_alert(const struct gm_webhook_context *context, const char *node,
				 const struct gm_alarm *alarm, int64_t now);

/*
 * The form `template`: text with {names} in it, as in policies (model/template.h); a brace that stands
 * for itself is written twice. The names are those of the table in template.c.
 */
enum gm_webhook_escape {
	GM_WEBHOOK_ESCAPE_JSON, /* as the inside of a JSON string */
	GM_WEBHOOK_ESCAPE_XML,  /* &lt; and the like; what XML cannot hold is left out */
	GM_WEBHOOK_ESCAPE_URL,  /* %XX, for application/x-www-form-urlencoded */
	GM_WEBHOOK_ESCAPE_TEXT, /* as in a line of the log: \n, \xHH */
};
extern const char *const gm_webhook_escape_names[]; /* NULL at the end */

/* 0; -EINVAL with the line in the message. */
int gm_webhook_template_check(const char *text, struct gm_error *err);
int gm_webhook_template(const struct gm_webhook_context *context, const struct gm_message *message,
			struct gm_buffer *body);

#endif
