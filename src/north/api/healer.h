/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The call that Tacker's auto-healing waits for ("Fault Notification Interface" of its API, version 2): for
 * each server it registers a fault_action at a Server Notifier, which is to be called when the server is
 * faulty. What follows deletes and makes anew the virtual machine, so there is a fence: a registration
 * calls at most once, and whether it has is written down before the call goes out. Only where it is
 * certain that nobody has taken the call is it made again. And it calls only for an alarm that is on now, as
 * a snapshot shows it: not for what people do with one, not for one that is suppressed, has ended or is old.
 *
 * The output of one registration; made at run time, not among gm_output_types.
 */
#ifndef GM_NORTH_API_HEALER_H
#define GM_NORTH_API_HEALER_H

#include "north/api/callback.h"
#include "north/output.h"

enum { GM_HEALER_TEXT = 128 };

struct gm_healer_options {
	bool enabled;
	char callbacks[GM_OUTPUT_PATTERNS]; /* of URLs that may be called */
	int severity;                       /* index, as of outputs */
	char detectors[GM_OUTPUT_PATTERNS];
	int fault_type; /* index of the choices */
	int64_t max_age;
};
extern const struct gm_option gm_healer_option_table[];

struct gm_registration {
	char id[GM_UUID_TEXT]; /* alarm_id */
	char tenant[GM_HEALER_TEXT];
	char server[GM_UUID_TEXT];
	char fault_id[GM_HEALER_TEXT];
	struct gm_callback_target target; /* fault_action */
	uint32_t called_for;              /* the alarm's id; 0: it has not called */
};

/*
 * Reads a request, or a record: {"fault_action", "fault_id"}, and "called_for" of a record. `id`, `tenant`
 * and `server` are the caller's. -EINVAL with what is wrong.
 */
int gm_registration_parse(const struct gm_json *request, struct gm_registration *ret_registration,
			  struct gm_error *err);

/* What create() is given; all outlives the output. */
struct gm_healer_setup {
	struct gm_registration *registration;
	const struct gm_healer_options *options;
	const struct gm_http_transport *transport;
	bool forbidden; /* server-notifier.callbacks does not allow it: it is not called */
	/* Writes the registration down; negative: it could not, and the call is not made. */
	int (*keep)(void *user, const struct gm_registration *registration);
	void *user;
};

extern const struct gm_output_ops gm_healer_ops;

#endif
