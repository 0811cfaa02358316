/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a restart takes with the windows of 200 guests of 20 series, a minute at 10 Hz: from a real
 * redis-server through the store into real windows and detectors, which get back what they had learned.
 * Fails when it takes a second of CPU (in a build with optimisation).
 */
#include "daemon/intake.h"
#include "daemon/recall.h"

/* First: the assertions that the other needs. */
#include "ways.h"

#include "support/pipeline_ends.h"
#include "support/state_directory.h"

enum { GUESTS = 200, SERIES = 20 };

struct node {
	struct gm_state *state;
	struct gm_detector_settings *settings;
	struct gm_intake *intake;
	struct gm_recall recall;
	size_t recalls, bytes;
};

static void open_node(struct node *node, const char *directory)
{
	struct gm_intake_sink sink = sink_that_passes(NULL);
	struct gm_error err;

	*node = (struct node){0};
	assert_int_equal(gm_state_open(directory, &node->state, &err), 0);
	assert_int_equal(gm_detector_settings_create(&node->settings), 0);
	struct gm_intake_options options = {
		.window = {.samples = 660, .length = 3600 * GM_SECOND},
		.detectors = node->settings,
	};
	assert_int_equal(gm_intake_create(&options, node->state, &sink, &node->intake), 0);
	gm_recall_init(&node->recall);
}

static void close_node(struct node *node)
{
	gm_intake_free(node->intake);
	gm_detector_settings_free(node->settings);
	gm_recall_free(&node->recall);
	gm_state_close(node->state);
}

static void restore(void *user, const struct gm_frame *frame, const struct gm_reading *readings)
{
	gm_intake_restore(((struct node *)user)->intake, frame, readings);
}

static void recall(void *user, const struct gm_entity_key *key, const void *bytes, size_t size)
{
	struct node *node = user;

	node->recalls++;
	node->bytes += size;
	gm_recall_take(&node->recall, gm_intake_recall(node->intake, key), bytes, size);
}

struct cost {
	double wall, cpu; /* s; of this process */
};

static double cpu(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Reads all that is stored into `node`. */
static struct cost load(struct rig *rig, struct node *node)
{
	/* As the daemon: back to a time. All of it is younger. */
	const struct gm_store_host host = {.restore = restore,
					   .recall = recall,
					   .user = node,
					   .window = gm_clock_now() - GM_SECOND};
	struct gm_store *store;
	struct gm_error err;

	if (gm_redis_create(&rig->options, "test node", &rig->loop, &host, &store, &err) < 0)
		fail_msg("%s", err.text);
	uint64_t begin = uv_hrtime();
	struct cost cost = {.cpu = -cpu()};
	if (store->ops->load(store, 20 * GM_SECOND, &err) < 0)
		fail_msg("%s", err.text);
	cost.wall = (double)(uv_hrtime() - begin) / 1e9;
	cost.cpu += cpu();
	store->ops->destroy(store);
	return cost;
}

static void check(const struct node *node)
{
	const struct gm_entities *entities = gm_intake_entities(node->intake);
	size_t count = 0;

	assert_int_equal(gm_entities_count(entities), GUESTS);
	for (const struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked))
		count += gm_window_count(tracked->window, GM_METRIC_CPU_TIME);
	assert_int_equal(count, GUESTS * WINDOW);
}

static void bench(void **state)
{
	struct rig *rig = *state;
	struct field field = {.rig = rig, .guests = GUESTS, .series = SERIES};
	char directory[STATE_DIRECTORY];
	struct node node;

	state_directory_make(directory);
	rig->host_is_empty = true;
	rig->options.samples = 2 * WINDOW;
	rig_server(rig, NULL);
	rig_start(rig);
	assert_true(rig_wait_connected(rig, true, 5000));
	append_frames(&field); /* makes the entities known */
	rig_settle(rig);
	for (field.tick = 1; field.tick <= WINDOW; field.tick++) {
		append_frames(&field);
		while (rig_status(rig).pending > 0)
			uv_run(&rig->loop, UV_RUN_ONCE);
	}

	open_node(&node, directory);
	struct cost bare = load(rig, &node);
	check(&node);
	gm_recall_finish(&node.recall, gm_intake_entities(node.intake), rig->store, rig->now);
	rig_settle(rig);
	close_node(&node);

	open_node(&node, directory);
	struct cost full = load(rig, &node);
	check(&node);
	assert_int_equal(node.recalls, GUESTS);
	printf("%d guests of %d series, %d samples each:\n"
	       "  %.3f s (%.3f s of CPU) with detectors that learn from them\n"
	       "  %.3f s (%.3f s of CPU) with what they had learned, %zu bytes a guest\n",
	       GUESTS, SERIES, WINDOW, bare.wall, bare.cpu, full.wall, full.cpu,
	       node.bytes / GUESTS);
	close_node(&node);
	state_directory_remove(directory);
#ifdef __OPTIMIZE__
	assert_true(full.cpu < 1); /* the machine may have other things to do */
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bench, rig_setup, rig_teardown)};

	if (!rig_have_server())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
