/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking one guest for fresh memory statistics; see patient.h.
 */
#include "source/libvirt/patient.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

#include "base/clock.h"
#include "source/libvirt/connection.h"
#include "source/libvirt/periods.h"
#include "source/libvirt/stats.h"
#include "source/libvirt/xml.h"

void gm_lv_patient_release(struct gm_lv_patient *patient)
{
	if (patient->domain)
		virDomainFree(patient->domain);
	patient->domain = NULL;
}

static int set_period(virDomainPtr domain, uint32_t period, struct gm_error *err)
{
	if (virDomainSetMemoryStatsPeriod(domain, (int)period, VIR_DOMAIN_AFFECT_LIVE) == 0)
		return 0;
	return gm_lv_error(err, virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? -ENOENT : -EIO,
			   "the balloon's period cannot be set");
}

/* A connection that was opened anew needs a domain of its own. */
static int find_domain(struct gm_lv_patient *patient, virConnectPtr conn, const uint8_t *uuid,
		       struct gm_error *err)
{
	if (patient->domain && virDomainGetConnect(patient->domain) == conn)
		return 0;
	gm_lv_patient_release(patient);
	patient->domain = virDomainLookupByUUID(conn, uuid);
	return patient->domain ? 0 : gm_lv_error(err, -ENOENT, "it is not there");
}

static int learn_period(struct gm_lv_patient *patient, const uint8_t *uuid, struct gm_error *err)
{
	struct gm_lv_identity *identity = NULL;
	char *xml = virDomainGetXMLDesc(patient->domain, 0);

	if (!xml)
		return gm_lv_error(err, -EIO, "libvirt does not give its XML");
	int rc = gm_lv_identity_parse(xml, "", &identity, err);
	free(xml);
	if (rc < 0)
		return rc;
	patient->known = identity->has_balloon;
	patient->period = gm_lv_periods_own(uuid, identity->stats_period);
	gm_lv_identity_free(identity);
	return patient->known ? 0 : gm_error_set(err, -ENOTSUP, "it has no balloon");
}

static int take_answer(struct gm_lv_patient *patient, const uint8_t *uuid, struct gm_batch *batch,
		       struct gm_error *err)
{
	virDomainPtr domains[] = {patient->domain, NULL};
	virDomainStatsRecordPtr *records = NULL;
	int count = virDomainListGetStats(domains, VIR_DOMAIN_STATS_BALLOON, &records,
					  VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);

	if (count < 0)
		return gm_lv_error(err, -EIO, "its memory statistics cannot be had");
	if (count > 0 && patient->asked_at != 0) {
		struct gm_lv_record record = {.uuid = uuid,
					      .params = records[0]->params,
					      .count = (size_t)records[0]->nparams,
					      .read_at = gm_clock_now()};

		gm_lv_stats_asked(&record, patient->asked_at, &patient->seen, batch);
	}
	virDomainStatsRecordListFree(records);
	return 0;
}

int gm_lv_patient_ask(struct gm_lv_patient *patient, virConnectPtr conn,
		      const uint8_t uuid[GM_UUID_SIZE], struct gm_batch *batch,
		      struct gm_error *err)
{
	int rc = find_domain(patient, conn, uuid, err);

	if (rc == 0 && !patient->known)
		rc = learn_period(patient, uuid, err);
	if (rc == 0)
		rc = take_answer(patient, uuid, batch, err);
	if (rc < 0)
		return rc;
	if (!patient->touched)
		gm_lv_periods_touch(uuid, patient->period);
	patient->touched = true;
	rc = set_period(patient->domain, 0, err);
	patient->asked_at = gm_clock_now();
	/* The guest is asked far more often anyway. */
	return rc < 0 ? rc : set_period(patient->domain, GM_LV_PERIOD_LOOK, err);
}

int gm_lv_patient_restore(struct gm_lv_patient *patient, virConnectPtr conn,
			  const uint8_t uuid[GM_UUID_SIZE], struct gm_error *err)
{
	if (!patient->touched)
		return 0;
	int rc = find_domain(patient, conn, uuid, err);
	if (rc == 0)
		rc = set_period(patient->domain, patient->period, err);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	patient->touched = false;
	gm_lv_periods_restored(uuid);
	return 0;
}
