/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libvirt tells over more than one connection. Registering for events is the test's own here, which
 * then calls back in libvirt's place: also late, for a connection that is not watched any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libvirt/libvirt.h>

#include "source/libvirt/events.h"

static virConnectDomainEventCallback lifecycle;

int virConnectDomainEventRegisterAny(virConnectPtr conn, virDomainPtr domain, int event,
				     virConnectDomainEventGenericCallback callback, void *user,
				     virFreeCallback release)
{
	(void)conn;
	(void)domain;
	(void)user;
	(void)release;
	if (event != VIR_DOMAIN_EVENT_ID_LIFECYCLE)
		return -1;
	lifecycle = (virConnectDomainEventCallback)(void (*)(void))callback;
	return 0;
}

int virConnectDomainEventDeregisterAny(virConnectPtr conn, int id)
{
	(void)conn;
	(void)id;
	return 0;
}

int virConnectRegisterCloseCallback(virConnectPtr conn, virConnectCloseFunc callback, void *user,
				    virFreeCallback release)
{
	(void)conn;
	(void)callback;
	(void)user;
	(void)release;
	return -1;
}

int virDomainGetUUID(virDomainPtr domain, unsigned char *uuid)
{
	memcpy(uuid, domain, GM_UUID_SIZE);
	return 0;
}

static uint8_t web[GM_UUID_SIZE] = {1};
static int first, second; /* connections: nobody looks into them */

#define CONN(place) ((virConnectPtr)(void *)&(place))

static enum gm_guest_event_kind told(struct gm_lv_mailbox *mailbox, virConnectPtr conn, int event,
				     int detail)
{
	struct gm_lv_news news;

	lifecycle(conn, (virDomainPtr)(void *)web, event, detail, mailbox);
	assert_true(gm_lv_mailbox_take(mailbox, &news));
	return news.tell ? news.kind : GM_GUEST_EVENTS;
}

#define EVENT(event, detail) VIR_DOMAIN_EVENT_##event, VIR_DOMAIN_EVENT_##event##_##detail

static void test_another_connection(void **state)
{
	struct gm_lv_mailbox *mailbox;

	(void)state;
	assert_int_equal(gm_lv_mailbox_create(&mailbox), 0);
	assert_true(gm_lv_mailbox_watch(mailbox, CONN(first)));
	assert_int_equal(told(mailbox, CONN(first), EVENT(STARTED, MIGRATED)), GM_GUEST_MIGRATED);
	assert_int_equal(told(mailbox, CONN(first), EVENT(STOPPED, FAILED)), GM_GUEST_STOPPED);
	assert_int_equal(told(mailbox, CONN(first), EVENT(STARTED, MIGRATED)), GM_GUEST_MIGRATED);
	gm_lv_mailbox_unwatch(mailbox, CONN(first));
	/* It may have arrived while nobody listened. */
	assert_true(gm_lv_mailbox_watch(mailbox, CONN(second)));
	assert_int_equal(told(mailbox, CONN(first), EVENT(STARTED, MIGRATED)), GM_GUEST_MIGRATED);
	assert_int_equal(told(mailbox, CONN(second), EVENT(STOPPED, FAILED)), GM_GUEST_CRASHED);
	gm_lv_mailbox_unwatch(mailbox, CONN(second));
	assert_int_equal(told(mailbox, CONN(second), EVENT(STARTED, MIGRATED)), GM_GUEST_MIGRATED);
	assert_true(gm_lv_mailbox_watch(mailbox, CONN(second)));
	assert_int_equal(told(mailbox, CONN(second), EVENT(STOPPED, FAILED)), GM_GUEST_CRASHED);
	gm_lv_mailbox_unwatch(mailbox, CONN(second));
	for (int i = 0; i < 3; i++) /* libvirt's, which the test's own did not give back */
		gm_lv_mailbox_release(mailbox);
	gm_lv_mailbox_release(mailbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
