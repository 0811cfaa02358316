/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several connections to libvirt: the list of URIs, what is taken for another host, two connections
 * side by side, and one that takes over a guest that another has let go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/libvirt/libvirt.h"
#include "source/libvirt/uris.h"
#include "source/libvirt/xml.h"

static void test_list(void **state)
{
	(void)state;
	char uri[GM_LV_URI_SIZE], list[1024];

	assert_int_equal(gm_lv_uris_count("qemu:///system"), 1);
	assert_int_equal(gm_lv_uris_count("  a:///1\t\nb:///1 a:///2 "), 3);
	assert_int_equal(gm_lv_uris_count(""), 0);
	assert_int_equal(gm_lv_uris_count(" \t"), 0);
	assert_int_equal(gm_lv_uris_count("a b c d"), 4);
	assert_int_equal(gm_lv_uris_count("a b c d e"), 0);
	assert_int_equal(gm_lv_uris_count("test:///a qemu:///system test:///a"), 0);
	assert_int_equal(gm_lv_uris_count("ab a"), 2); /* no more than the beginning of another */
	memset(list, 'u', GM_LV_URI_SIZE);
	list[GM_LV_URI_SIZE] = '\0';
	assert_int_equal(gm_lv_uris_count(list), 0);
	list[GM_LV_URI_SIZE - 1] = '\0';
	assert_int_equal(gm_lv_uris_count(list), 1);
	gm_lv_uris_get(" x:///1  y:///2", 1, uri);
	assert_string_equal(uri, "y:///2");
	gm_lv_uris_get("x:///1 y:///2", 2, uri);
	assert_string_equal(uri, "");
}

static void test_remote(void **state)
{
	(void)state;
	static const struct {
		const char *uri;
		bool remote;
	} cases[] = {
		{"qemu:///system", false},
		{"lxc:///system", false},
		{"test:///some/file.xml", false},
		{"qemu+unix:///system?socket=/run/x", false},
		{"qemu+tcp://localhost/system", false},
		{"qemu+tcp://127.0.0.1:16509/system", false},
		{"qemu+tcp://[::1]:16509/system", false},
		{"qemu+tls://compute-2.example/system", true},
		{"qemu+ssh://mon@compute-2/system", true},
		{"qemu+ssh://mon@localhost:22/system", false},
		{"qemu+tcp://[2001:db8::2]/system", true},
		{"qemu+tcp://10.0.0.2:16509", true},
		{"nonsense", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (gm_lv_uri_is_remote(cases[i].uri) != cases[i].remote)
			fail_msg("%s", cases[i].uri);
	}
}

/* Another host's devices never meet ours of the same name. */
static void test_devices_of_another_host(void **state)
{
	(void)state;
	static const char xml[] =
		"<domain type='kvm'><name>n</name><uuid>6c766d67-1f00-4000-8a10-000000000001</uuid>"
		"<devices><interface type='bridge'><target dev='tap0123456789a'/></interface>"
		"<disk type='file'><target dev='vda'/></disk></devices></domain>";
	struct gm_lv_identity *identity;

	assert_int_equal(gm_lv_identity_parse(xml, "QEMU", &identity, NULL), 0);
	assert_int_equal(identity->device_count, 2);
	gm_lv_identity_prefix(identity, NULL);
	assert_string_equal(identity->devices[0].key.name, "tap0123456789a");
	gm_lv_identity_prefix(identity, "libvirt-4");
	assert_string_equal(identity->devices[0].key.name, "libvirt-4/tap0123456789a");
	assert_string_equal(gm_lv_interface_device(&identity->devices[0].key), "tap0123456789a");
	assert_string_equal(identity->devices[1].key.name, "vda");
	gm_lv_identity_free(identity);
}

/* What the sink of one source was told. */
struct told {
	unsigned guests, gone, frames;
	enum gm_source_id source;
	struct gm_source_sink sink;
};

static void on_samples(void *user, struct gm_batch *batch)
{
	struct told *told = user;

	assert_int_equal(batch->source, told->source);
	told->frames += (unsigned)batch->frame_count;
	gm_batch_free(batch);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct told *told = user;

	assert_int_equal(source, told->source);
	told->guests += info->key.kind == GM_ENTITY_GUEST;
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	struct told *told = user;

	(void)time;
	assert_int_equal(source, told->source);
	told->gone += key->kind == GM_ENTITY_GUEST;
}

static void told_init(struct told *told, enum gm_source_id source)
{
	*told = (struct told){.source = source};
	told->sink = (struct gm_source_sink){
		.samples = on_samples, .seen = on_seen, .gone = on_gone, .user = told};
}

static int write_node(char *path)
{
	static const char node[] =
		"<node><domain type='test'><name>one</name>"
		"<uuid>6c766d67-1f00-4000-8a10-000000000001</uuid><memory>65536</memory>"
		"<os><type>hvm</type></os></domain></node>";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, node, strlen(node)), strlen(node));
	return close(fd);
}

static struct gm_libvirt_options options_for(const char *uris)
{
	struct gm_libvirt_options options = {0};

	gm_option_defaults(gm_libvirt_option_table, &options);
	assert_int_equal(gm_option_set(gm_libvirt_option_table, &options, "uri", uris, NULL), 0);
	return options;
}

static void poll_once(struct gm_source *source, const struct told *told)
{
	struct gm_error err = {.text = ""};
	uint32_t entities = 0;

	assert_int_equal(source->ops->poll(source, gm_clock_now(), &told->sink, &entities, &err),
			 0);
	assert_int_equal(entities, 1);
}

static void test_side_by_side(void **state)
{
	(void)state;
	char path[] = "/tmp/gm-uris-XXXXXX", uris[256];
	struct gm_source *first, *second;
	struct told told;

	assert_int_equal(write_node(path), 0);
	snprintf(uris, sizeof(uris), "qemu+unix:///system?socket=/nonexistent/sock test://%s",
		 path);
	struct gm_libvirt_options options = options_for(uris);
	assert_int_equal(gm_libvirt_uris(&options), 2);
	assert_int_equal(gm_libvirt_create(&options, 0, &first), 0);
	assert_int_equal(gm_libvirt_create(&options, 1, &second), 0);
	assert_int_equal(first->ops->id, GM_SOURCE_LIBVIRT);
	assert_int_equal(second->ops->id, GM_SOURCE_LIBVIRT_2);
	assert_true(first->ops->open(first, NULL) < 0);
	assert_int_equal(second->ops->open(second, NULL), 0);
	told_init(&told, GM_SOURCE_LIBVIRT_2);
	poll_once(second, &told);
	poll_once(second, &told);
	assert_int_equal(told.guests, 1);
	assert_true(told.frames > 0);
	second->ops->close(second);
	second->ops->destroy(second);
	first->ops->destroy(first);
	unlink(path);
}

/* A guest that another connection let go is told again, one that it does not have is not. */
static void test_told_again(void **state)
{
	(void)state;
	char path[] = "/tmp/gm-uris-XXXXXX", uris[256];
	struct gm_source *source;
	struct gm_entity_info info = {.key = gm_entity_node()};
	struct told told;

	assert_int_equal(write_node(path), 0);
	snprintf(uris, sizeof(uris), "test://%s", path);
	struct gm_libvirt_options options = options_for(uris);
	assert_int_equal(gm_libvirt_create(&options, 0, &source), 0);
	assert_int_equal(source->ops->open(source, NULL), 0);
	told_init(&told, GM_SOURCE_LIBVIRT);
	poll_once(source, &told);
	assert_int_equal(told.guests, 1);
	assert_int_equal(gm_entity_parse("guest:6c766d67-1f00-4000-8a10-000000000001", &info.key),
			 0);
	source->ops->hear(source, &info, true);
	poll_once(source, &told);
	assert_int_equal(told.guests, 1);
	source->ops->hear(source, &info, false);
	poll_once(source, &told);
	assert_int_equal(told.guests, 2);
	/* More than are noted one by one: all are told. */
	for (unsigned i = 0; i < 1000; i++) {
		info.key.uuid[0] = (uint8_t)i;
		info.key.uuid[1] = 1;
		source->ops->hear(source, &info, false);
	}
	poll_once(source, &told);
	assert_int_equal(told.guests, 3);
	poll_once(source, &told);
	assert_int_equal(told.guests, 3);
	assert_int_equal(told.gone, 0);
	source->ops->close(source);
	source->ops->destroy(source);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_remote),
		cmocka_unit_test(test_devices_of_another_host),
		cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_told_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
