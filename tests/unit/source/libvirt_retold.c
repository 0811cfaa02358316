/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fast lane tells a second time: what others have let go meanwhile, and guests that were started anew
 * unseen; and when it asks again, whatever becomes of the clock. On libvirt's test driver.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/libvirt/libvirt.h"

/* In place of libvirt's own: other ids, as after a start, and XML that cannot be had. */
static unsigned starts;
static bool mute;
static size_t asked; /* for XML */

unsigned int virDomainGetID(virDomainPtr domain)
{
	return ((__typeof__(virDomainGetID) *)(uintptr_t)dlsym(RTLD_NEXT, "virDomainGetID"))(
		       domain) +
	       starts;
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags)
{
	asked++;
	return mute ? NULL
		    : ((__typeof__(virDomainGetXMLDesc) *)(uintptr_t)dlsym(
			      RTLD_NEXT, "virDomainGetXMLDesc"))(domain, flags);
}

/* Of each interface and guest, how often it was told. */
struct told {
	size_t guests, devices, gone;
	uint8_t owner; /* of the last device; the first byte */
};

static void on_samples(void *user, struct gm_batch *batch)
{
	(void)user;
	gm_batch_free(batch);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct told *told = user;

	(void)source;
	told->guests += info->key.kind == GM_ENTITY_GUEST;
	if (info->key.kind != GM_ENTITY_INTERFACE)
		return;
	told->devices++;
	told->owner = info->interface.guest[3];
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	(void)source;
	(void)key;
	(void)time;
	((struct told *)user)->gone++;
}

static void on_event(void *user, const struct gm_guest_event *event)
{
	(void)user;
	(void)event;
}

struct rig {
	char path[64];
	struct gm_source *source;
	struct told told;
	struct gm_source_sink sink;
};

/* Two guests, with a device each: tt1, tt2. */
static void write_node(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "<node>\n");
	for (unsigned i = 1; i <= 2; i++)
		fprintf(file,
			"<domain type='test'><name>g%u</name>"
			"<uuid>%08x-0000-4000-8000-000000000000</uuid>"
			"<memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os>"
			"<devices><interface type='ethernet'><target dev='tt%u'/></interface>"
			"</devices></domain>\n",
			i, i, i);
	fprintf(file, "</node>\n");
	assert_int_equal(fclose(file), 0);
}

static void poll_at(struct rig *rig, int64_t now)
{
	struct gm_error err = {.text = ""};
	uint32_t entities;

	assert_int_equal(rig->source->ops->poll(rig->source, now, &rig->sink, &entities, &err), 0);
}

static void poll_times(struct rig *rig, int count)
{
	for (int i = 0; i < count; i++)
		poll_at(rig, gm_clock_now());
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct gm_libvirt_options options = {.tapped = true};

	assert_non_null(rig);
	starts = 0;
	mute = false;
	snprintf(rig->path, sizeof(rig->path), "/tmp/gm-node-XXXXXX");
	int fd = mkstemp(rig->path);
	assert_true(fd >= 0);
	close(fd);
	write_node(rig->path);
	gm_option_defaults(gm_libvirt_option_table, &options);
	snprintf(options.uri, sizeof(options.uri), "test://%s", rig->path);
	rig->sink = (struct gm_source_sink){.samples = on_samples,
					    .seen = on_seen,
					    .gone = on_gone,
					    .event = on_event,
					    .user = &rig->told};
	assert_int_equal(gm_libvirt_create(&options, 0, &rig->source), 0);
	assert_int_equal(rig->source->ops->open(rig->source, NULL), 0);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	rig->source->ops->close(rig->source);
	rig->source->ops->destroy(rig->source);
	unlink(rig->path);
	free(rig);
	return 0;
}

/* Until all is told; nothing more is, then. */
static void begin(struct rig *rig)
{
	poll_times(rig, 5);
	assert_int_equal(rig->told.guests, 2);
	assert_int_equal(rig->told.devices, 2);
	poll_times(rig, 3);
	assert_int_equal(rig->told.devices, 2);
	rig->told = (struct told){0};
}

static void hear(struct rig *rig, struct gm_entity_key key, bool here)
{
	struct gm_entity_info info = {.key = key};

	if (key.kind == GM_ENTITY_INTERFACE)
		info.interface.if_index = 17;
	rig->source->ops->hear(rig->source, &info, here);
}

/* Gone, and there again before the next look: whose it is is told anew; and once. */
static void test_a_device_is_let_go(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	hear(rig, gm_entity_interface("tt2"), true);
	poll_times(rig, 3);
	assert_int_equal(rig->told.devices, 0);
	hear(rig, gm_entity_interface("tt2"), false);
	hear(rig, gm_entity_interface("tt2"), true);
	poll_times(rig, 5);
	assert_int_equal(rig->told.devices, 1);
	assert_int_equal(rig->told.owner, 2);
	assert_int_equal(rig->told.guests, 1);
	/* It has another name for a while. */
	hear(rig, gm_entity_interface("tt2"), false);
	hear(rig, gm_entity_interface("other"), true);
	poll_times(rig, 5);
	hear(rig, gm_entity_interface("other"), false);
	hear(rig, gm_entity_interface("tt2"), true);
	poll_times(rig, 5);
	assert_int_equal(rig->told.devices, 2);
	assert_int_equal(rig->told.gone, 0);
}

/* Of more than can be kept nothing is missed. */
static void test_many_devices_are_let_go(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	for (int i = 0; i < 300; i++) {
		char name[16];

		snprintf(name, sizeof(name), "veth%d", i);
		hear(rig, gm_entity_interface(name), false);
	}
	hear(rig, gm_entity_interface("tt1"), false);
	poll_times(rig, 5);
	assert_int_equal(rig->told.devices, 2);
}

static void test_a_start_unseen(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	starts = 100;
	poll_times(rig, 5);
	assert_int_equal(rig->told.guests, 2);
	assert_int_equal(rig->told.devices, 2);
	assert_int_equal(rig->told.gone, 0);
}

/* An hour back: what failed is tried again all the same. */
static void test_xml_over_a_step_back(void **state)
{
	struct rig *rig = *state;
	int64_t deadline;

	mute = true;
	poll_times(rig, 5);
	assert_int_equal(rig->told.guests, 2); /* by name alone */
	assert_int_equal(rig->told.devices, 0);
	mute = false;
	deadline = gm_clock_monotonic() + 30 * GM_SECOND;
	while (rig->told.devices < 2) {
		assert_true(gm_clock_monotonic() < deadline);
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		poll_at(rig, gm_clock_now() - 3600 * GM_SECOND);
	}
}

/* An hour on: it is not asked for anew. */
static void test_xml_over_a_step_ahead(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	size_t before = asked;
	poll_at(rig, gm_clock_now() + 3600 * GM_SECOND);
	assert_int_equal(asked, before);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_device_is_let_go),    TEST(test_many_devices_are_let_go),
		TEST(test_a_start_unseen),        TEST(test_xml_over_a_step_back),
		TEST(test_xml_over_a_step_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
