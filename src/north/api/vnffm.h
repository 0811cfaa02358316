/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VNF Fault Management interface of ETSI GS NFV-SOL 003 (clause 7) and SOL 002: alarms of guests as
 * its Alarm type, and what can be answered from a snapshot alone. Alarms of the node itself have no VNF:
 * shown are those alone that are the cause of a guest's alarm, as that guest's. Any thread.
 *
 * Names and structure are those of SOL 003's tables 7.5.2; times are RFC 3339 in UTC.
 */
#ifndef GM_NORTH_API_VNFFM_H
#define GM_NORTH_API_VNFFM_H

#include "north/api/route.h"
#include "north/api/vnf.h"

#define GM_VNFFM_ROOT    "/vnffm/v1"
#define GM_VNFFM_VERSION "1.3.0"

/* What an alarm's JSON needs beside the alarm. */
struct gm_vnffm_view {
	char url[GM_API_PATH];
	enum gm_api_naming naming;
	/* Fills in what its guest is as a VNF; false: that is not known. NULL: of none. Main thread only. */
	bool (*identify)(void *user, const struct gm_alarm *alarm, struct gm_vnf *ret_vnf);
	/* Another number whenever identify() may say something else than before. NULL: it never does. */
	uint32_t (*revision)(void *user);
	void *user;
};
struct gm_vnffm_view gm_vnffm_view(const struct gm_api_options *options);

/*
 * With `snapshot`, an alarm of the node that is the cause of guests' alarms says so (isRootCause) and names
 * them; NULL: that is not known.
 */
struct gm_json *gm_vnffm_alarm(const struct gm_vnffm_view *view, const struct gm_alarm *alarm,
			       const struct gm_snapshot *snapshot);

/* The managedObjectId: what stands for the VNF instance. Returns `text`. */
char *gm_vnffm_object(const struct gm_vnffm_view *view, const struct gm_alarm *alarm,
		      char text[GM_NAME_SIZE]);

/* "COMPUTE", "NETWORK" or "STORAGE"; "CRITICAL" …; "QOS_ALARM" …: the specification's words. */
const char *gm_vnffm_resource(const struct gm_alarm *alarm);
const char *gm_vnffm_severity(const struct gm_alarm *alarm);
const char *gm_vnffm_event(const struct gm_alarm *alarm);
bool gm_vnffm_is_severity(const char *word); /* of PerceivedSeverityType */

/* Changes with whatever of the alarm can be changed. Returns `text`. */
char *gm_vnffm_etag(const struct gm_alarm *alarm, char text[GM_API_ETAG]);

/* The active alarm of that id in text, else one that was cleared not long ago; NULL. */
const struct gm_alarm *gm_vnffm_find(const struct gm_snapshot *snapshot, const char *id);

/*
 * SOL 013, clause 9: a major version that is not ours is refused with 406. One that is not told (NULL) is
 * taken for ours: releases before 2.6.1 knew no such header.
 */
bool gm_vnffm_version(const char *header, struct gm_api_reply *reply);

/* Routes. */
void gm_vnffm_versions(const struct gm_api_request *request, struct gm_api_reply *reply);
void gm_vnffm_list(const struct gm_api_request *request, struct gm_api_reply *reply);
void gm_vnffm_show(const struct gm_api_request *request, struct gm_api_reply *reply);

#endif
