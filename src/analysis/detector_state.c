/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the detectors of a set have learned, as bytes: for each its name, its rule, the length of its part
 * and the part. Whoever keeps them over a restart calls this; what a part holds is the detector's business.
 */
#include <errno.h>
#include <string.h>

#include "analysis/detector.h"
#include "analysis/detector_private.h"
#include "base/text.h"

static const char layout[] = "detectors 2";

int gm_detector_set_save(struct gm_detector_set *set, struct gm_buffer *bytes)
{
	struct gm_archive archive = gm_archive_writer(bytes);

	gm_archive_tag(&archive, layout);
	for (size_t i = 0; i < set->count; i++) {
		struct gm_detector *detector = set->members[i].detector;
		struct gm_buffer part = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
		struct gm_archive inner = gm_archive_writer(&part);
		char name[GM_DETECTOR_NAME] = "";

		if (!detector->ops->exchange)
			continue;
		detector->ops->exchange(detector, &inner);
		gm_text_copy(name, sizeof(name), detector->ops->name);
		if (gm_archive_done(&inner)) {
			gm_archive_text(&archive, name, sizeof(name));
			gm_archive_text(&archive, set->members[i].rule, GM_RULE_NAME);
			gm_archive_size(&archive, &part.length, SIZE_MAX);
			gm_buffer_append(bytes, part.data, part.length);
		} else {
			archive.failed = true;
		}
		gm_buffer_free(&part);
	}
	return gm_archive_done(&archive) ? 0 : -EFBIG;
}

/* A fresh detector that has learned what `part` says takes the place of the member's. */
static int restore_member(const struct gm_detector_set *set, struct member *member,
			  const void *part, size_t size)
{
	const struct gm_detector_ops *ops = member->detector->ops;
	struct gm_archive archive = gm_archive_reader(part, size);
	struct gm_detector *fresh;

	int result = ops->create(member->block->options, &set->key, &fresh);
	if (result < 0)
		return result;
	ops->exchange(fresh, &archive);
	if (!gm_archive_done(&archive)) {
		ops->destroy(fresh);
		return -EINVAL;
	}
	ops->destroy(member->detector);
	member->detector = fresh;
	member->restored = true;
	return 0;
}

static struct member *find_member(struct gm_detector_set *set, const char *name, const char *rule)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct gm_detector_ops *ops = set->members[i].detector->ops;

		if (ops->exchange && strcmp(ops->name, name) == 0 &&
		    strcmp(set->members[i].rule, rule) == 0)
			return &set->members[i];
	}
	return NULL;
}

/* What came of a restore so far: others have theirs, and know the samples until then, whoever is left out. */
struct outcome {
	int given, left_out;
	struct gm_error *err;
};

static int conclude(const struct outcome *outcome)
{
	return outcome->left_out > 0 && outcome->given == 0 ? -EINVAL : outcome->left_out;
}

static void restore_one(struct gm_detector_set *set, struct member *member, const void *part,
			size_t size, struct outcome *outcome)
{
	if (restore_member(set, member, part, size) == 0)
		outcome->given++;
	else if (outcome->left_out++ == 0)
		gm_error_set(outcome->err, -EINVAL, "%s%s%s: of another version, or damaged",
			     member->detector->ops->name, member->rule[0] ? " " : "", member->rule);
}

int gm_detector_set_restore(struct gm_detector_set *set, const void *bytes, size_t size,
			    struct gm_error *err)
{
	struct gm_archive archive = gm_archive_reader(bytes, size);
	struct outcome outcome = {.err = err};

	gm_archive_tag(&archive, layout);
	if (archive.failed)
		return gm_error_set(err, -EINVAL, "not what this version's detectors wrote");
	while (archive.left > 0) {
		char name[GM_DETECTOR_NAME] = "", rule[GM_RULE_NAME] = "";
		size_t length = 0;

		gm_archive_text(&archive, name, sizeof(name));
		gm_archive_text(&archive, rule, sizeof(rule));
		gm_archive_size(&archive, &length, archive.left);
		if (archive.failed || length > archive.left) {
			gm_error_set(err, -EINVAL, "cut short or damaged");
			outcome.left_out++;
			break;
		}
		struct member *member = find_member(set, name, rule);
		if (member && !member->restored)
			restore_one(set, member, archive.in, length, &outcome);
		archive.in += length;
		archive.left -= length;
	}
	return conclude(&outcome);
}
