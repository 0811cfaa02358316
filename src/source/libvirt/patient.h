/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One guest that is looked at closely: it is asked for its memory statistics by setting their period
 * to 0 and back. Called by fresh.c alone, on its thread; every call may hang with the guest's
 * monitor.
 */
#ifndef GM_SOURCE_LIBVIRT_PATIENT_H
#define GM_SOURCE_LIBVIRT_PATIENT_H

#include <libvirt/libvirt.h>

#include "base/error.h"
#include "model/sample.h"

/* Zero-initialise. */
struct gm_lv_patient {
	virDomainPtr domain;
	bool known;       /* `period` holds */
	bool touched;     /* the period is not as it was */
	bool failed;      /* nothing more but to restore it */
	uint32_t period;  /* s, as it was */
	int64_t asked_at; /* the node's time; 0: not yet */
	uint64_t seen;    /* digest of the answer before */
	int retries;
	int64_t retry_at;
};

/*
 * Takes what the guest answered since the call before into `batch`, as of when it was asked, unless
 * it is that answer again; then asks anew. 0 or a negative errno with `err`.
 */
int gm_lv_patient_ask(struct gm_lv_patient *patient, virConnectPtr conn,
		      const uint8_t uuid[GM_UUID_SIZE], struct gm_batch *batch,
		      struct gm_error *err);

/* The period as it was. 0 also when there is nothing to restore any more, the guest being gone. */
int gm_lv_patient_restore(struct gm_lv_patient *patient, virConnectPtr conn,
			  const uint8_t uuid[GM_UUID_SIZE], struct gm_error *err);

void gm_lv_patient_release(struct gm_lv_patient *patient);

#endif
