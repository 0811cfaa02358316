/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known faults, recognised; see learned.h for the method. Holds no data of its own but the classes that
 * it was taught. The daemon hands it its lessons; replay has none to hand.
 */
#include "analysis/learned.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Bounds of the summed log odds: what was certain for hours is still let go of within a minute. */
#define ODDS_MAX 12.0

/* On the transformed scale: features closer than this are alike. */
#define SPREAD_FLOOR 0.1

/* Classes tell a feature apart when their means lie so many common deviations from each other. */
#define SEPARATION 2.0

/* A bin is normal when so many of its features lie within so many deviations of the class's mean. */
#define NORMAL_DEVIATIONS 4.0
#define NORMAL_PART       0.95

struct options {
	bool enabled;
	double confidence;
	int severity;
};

static const char *const severities[] = {"critical", "major", "minor", "warning", NULL};

static const struct gm_option option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct options, enabled),
	 .fallback = "true",
	 .help = "Look for faults that an operator marked with `guestmonctl learn`."},
	{.key = "confidence",
	 .type = GM_OPTION_NUMBER,
	 GM_OPTION_AT(struct options, confidence),
	 .min = 0.5,
	 .max = 0.9999,
	 .fallback = "0.95",
	 .help = "How probable the known fault has to be."},
	{.key = "severity",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct options, severity),
	 .fallback = "major",
	 .help = "Severity of the alarm.",
	 .choices = severities},
	GM_OPTION_END,
};

struct fault {
	struct gm_lesson lesson; /* all lessons with the label, merged */
	double odds;             /* log, against normal */
	bool active;
	struct gm_evidence evidence;
};

struct model {
	struct gm_lesson normal; /* what was marked so; where nothing was, the rest */
	bool marked;             /* something was marked as normal */
	size_t fault_count;
	struct fault faults[GM_LEARNED_FAULTS];
	struct gm_binner binner;
	bool looks_normal;
};

struct learned {
	struct gm_detector detector;
	struct gm_entity_key key;
	const struct options *options;
	struct model *model; /* NULL: was taught nothing */
};

static int create(const void *options, const struct gm_entity_key *key,
		  struct gm_detector **ret_detector)
{
	struct learned *learned = calloc(1, sizeof(*learned));
	if (!learned)
		return -ENOMEM;
	learned->detector.ops = &gm_learned_ops;
	learned->key = *key;
	learned->options = options;
	*ret_detector = &learned->detector;
	return 0;
}

static void destroy(struct gm_detector *detector)
{
	struct learned *learned = (struct learned *)detector;
	free(learned->model);
	free(learned);
}

static struct fault *find_fault(struct model *model, const char *label)
{
	for (size_t i = 0; model && i < model->fault_count; i++)
		if (strcmp(model->faults[i].lesson.label, label) == 0)
			return &model->faults[i];
	return NULL;
}

static void add_fault(struct model *model, const struct gm_lesson *lesson)
{
	struct fault *fault = find_fault(model, lesson->label);
	if (!fault && model->fault_count == GM_LEARNED_FAULTS)
		return;
	if (!fault) {
		fault = &model->faults[model->fault_count++];
		*fault = (struct fault){.odds = -ODDS_MAX};
		gm_text_copy(fault->lesson.label, sizeof(fault->lesson.label), lesson->label);
	}
	gm_lesson_merge(&fault->lesson, lesson);
}

/* Lessons come anew when any guest gets one: what is going on here goes on. */
static void carry_over(struct model *model, struct model *old)
{
	model->binner = old->binner;
	model->looks_normal = old->looks_normal;
	for (size_t i = 0; i < model->fault_count; i++) {
		struct fault *fault = &model->faults[i];
		const struct fault *before = find_fault(old, fault->lesson.label);
		if (!before)
			continue;
		fault->odds = before->odds;
		fault->active = before->active;
		fault->evidence = before->evidence;
	}
}

int gm_learned_teach(struct gm_detector *detector, const struct gm_lesson *lessons, size_t count)
{
	struct learned *learned = (struct learned *)detector;
	struct model *model = count > 0 ? calloc(1, sizeof(*model)) : NULL;
	if (count > 0 && !model)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		model->marked |= lessons[i].kind == GM_LESSON_NORMAL;
	enum gm_lesson_kind normal = model && model->marked ? GM_LESSON_NORMAL : GM_LESSON_REST;
	for (size_t i = 0; i < count; i++) {
		if (lessons[i].kind == normal)
			gm_lesson_merge(&model->normal, &lessons[i]);
		else if (lessons[i].kind == GM_LESSON_FAULTY)
			add_fault(model, &lessons[i]);
	}
	if (model && learned->model)
		carry_over(model, learned->model);
	free(learned->model);
	learned->model = model;
	return 0;
}

bool gm_learned_knows(const struct gm_detector *detector, const char *label)
{
	return find_fault(((const struct learned *)detector)->model, label) != NULL;
}

bool gm_learned_normal(const struct gm_detector *detector)
{
	const struct learned *learned = (const struct learned *)detector;
	return learned->model && learned->model->marked && learned->model->looks_normal;
}

/* ---- likelihoods ---- */

static double deviation(const struct gm_moments *moments)
{
	double floor = SPREAD_FLOOR * SPREAD_FLOOR;
	return sqrt((fmax(moments->squares, 0) + GM_LEARNED_PRIOR * floor) /
		    (moments->count + GM_LEARNED_PRIOR));
}

/* Log of Student's t density with 4 degrees of freedom, but for its constant. */
static double log_density(const struct gm_moments *moments, double value)
{
	double spread = deviation(moments), z = (value - moments->mean) / spread;
	return -2.5 * log1p(z * z / 4) - log(spread);
}

static const struct gm_lesson_metric *find(const struct gm_lesson *lesson, uint32_t metric)
{
	for (size_t i = 0; i < lesson->count; i++)
		if (lesson->metrics[i].metric == metric && lesson->metrics[i].level.count > 0)
			return &lesson->metrics[i];
	return NULL;
}

static bool within(const struct gm_moments *moments, double value)
{
	return fabs(value - moments->mean) <= NORMAL_DEVIATIONS * deviation(moments);
}

static bool looks_normal(const struct gm_lesson *normal, const struct gm_lesson_bin *bin)
{
	size_t known = 0, inside = 0;
	for (size_t i = 0; i < bin->count; i++) {
		const struct gm_lesson_metric *metric = find(normal, bin->items[i].metric);
		if (!metric)
			continue;
		known += 2;
		inside += within(&metric->level, bin->items[i].level);
		inside += within(&metric->spread, bin->items[i].spread);
	}
	return known > 0 && (double)inside >= NORMAL_PART * (double)known;
}

struct witness {
	uint32_t metric;
	double ratio;
};

static int larger_first(const void *a, const void *b)
{
	double left = ((const struct witness *)a)->ratio;
	double right = ((const struct witness *)b)->ratio;
	return (left < right) - (left > right);
}

/*
 * The log ratio of one feature; 0 where the two classes lie too close to be told apart: by mere
 * chance such features would say something, and there are many of them.
 */
static double feature(const struct gm_moments *fault, const struct gm_moments *normal, double value,
		      size_t *features)
{
	double a = deviation(fault), b = deviation(normal);
	if (fabs(fault->mean - normal->mean) < SEPARATION * sqrt((a * a + b * b) / 2))
		return 0;
	++*features;
	return log_density(fault, value) - log_density(normal, value);
}

/* The log ratio of each metric that tells the classes apart; returns how many, and their features. */
static size_t ask(const struct gm_lesson *fault, const struct gm_lesson *normal,
		  const struct gm_lesson_bin *bin, struct witness *witnesses, size_t *ret_features)
{
	size_t count = 0, features = 0;
	for (size_t i = 0; i < bin->count; i++) {
		uint32_t id = bin->items[i].metric;
		const struct gm_lesson_metric *a = find(fault, id), *b = find(normal, id);
		size_t before = features;
		if (!a || !b)
			continue;
		double ratio = feature(&a->level, &b->level, bin->items[i].level, &features) +
			       feature(&a->spread, &b->spread, bin->items[i].spread, &features);
		if (features > before)
			witnesses[count++] = (struct witness){id, ratio};
	}
	*ret_features = features;
	return count;
}

static void name_contributors(struct gm_evidence *evidence, const struct witness *witnesses,
			      size_t count)
{
	size_t used = 0;
	evidence->contributors[0] = '\0';
	for (size_t i = 0; i < count && i < 5 && witnesses[i].ratio > 0; i++) {
		const char *name = gm_metric_get(witnesses[i].metric)->name;
		if (used + strlen(name) + 2 > sizeof(evidence->contributors))
			break;
		if (used > 0)
			evidence->contributors[used++] = ',';
		gm_text_copy(evidence->contributors + used, sizeof(evidence->contributors) - used,
			     name);
		used += strlen(name);
	}
}

static void judge(struct learned *learned, struct fault *fault, const struct gm_lesson_bin *bin)
{
	struct witness witnesses[GM_LESSON_METRICS];
	size_t features;
	size_t count = ask(&fault->lesson, &learned->model->normal, bin, witnesses, &features);
	if (count == 0)
		return;
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += witnesses[i].ratio;
	double weight = fmin(1, GM_LEARNED_WITNESSES / (double)features);
	double odds = (fault->odds + sum * weight) / 2;
	fault->odds = fmax(-ODDS_MAX, fmin(ODDS_MAX, odds));

	double probability = 1 / (1 + exp(-fault->odds));
	if (probability >= learned->options->confidence)
		fault->active = true;
	else if (probability < 0.5)
		fault->active = false;
	qsort(witnesses, count, sizeof(witnesses[0]), larger_first);
	fault->evidence = (struct gm_evidence){0};
	gm_evidence_set(&fault->evidence, GM_EVIDENCE_SCORE, probability);
	name_contributors(&fault->evidence, witnesses, count);
}

static void take(struct learned *learned, const struct gm_point *point)
{
	struct gm_lesson_bin bin;
	struct model *model = learned->model;
	if (!model || !gm_binner_add(&model->binner, point, &bin))
		return;
	model->looks_normal = looks_normal(&model->normal, &bin);
	for (size_t i = 0; i < model->fault_count; i++)
		judge(learned, &model->faults[i], &bin);
}

static void observe(struct gm_detector *detector, const struct gm_point *point,
		    const struct gm_finding_sink *sink)
{
	(void)sink;
	take((struct learned *)detector, point);
}

static void observe_part(struct gm_detector *detector, const struct gm_entity_key *part,
			 const struct gm_point *point, const struct gm_finding_sink *sink)
{
	(void)part;
	(void)sink;
	take((struct learned *)detector, point);
}

static enum gm_severity severity(const struct options *options)
{
	static const enum gm_severity values[] = {GM_SEVERITY_CRITICAL, GM_SEVERITY_MAJOR,
						  GM_SEVERITY_MINOR, GM_SEVERITY_WARNING};
	return values[options->severity];
}

static void evaluate(struct gm_detector *detector, int64_t now, const struct gm_finding_sink *sink)
{
	struct learned *learned = (struct learned *)detector;
	for (size_t i = 0; learned->model && i < learned->model->fault_count; i++) {
		const struct fault *fault = &learned->model->faults[i];
		struct gm_finding finding = {
			.key = learned->key,
			.active = fault->active,
			.severity = severity(learned->options),
			.event_type = GM_EVENT_QUALITY_OF_SERVICE,
			.cause = GM_CAUSE_PERFORMANCE_DEGRADED,
			.time = now,
			.evidence = fault->evidence,
		};
		if (!gm_evidence_has(&fault->evidence, GM_EVIDENCE_SCORE))
			continue;
		gm_text_copy(finding.detector, sizeof(finding.detector), gm_learned_ops.name);
		gm_text_copy(finding.metric, sizeof(finding.metric), fault->lesson.label);
		sink->emit(sink->user, &finding);
	}
}

/* What happens after a reboot or a migration is judged from there on. */
static void disturb(struct gm_detector *detector, int64_t now)
{
	struct learned *learned = (struct learned *)detector;
	(void)now;
	if (!learned->model)
		return;
	learned->model->binner = (struct gm_binner){0};
	learned->model->looks_normal = false;
	for (size_t i = 0; i < learned->model->fault_count; i++) {
		learned->model->faults[i].odds = -ODDS_MAX;
		learned->model->faults[i].active = false;
	}
}

/* How sure it is of each fault; the lessons are kept elsewhere, and taught again. */
static void exchange(struct gm_detector *detector, struct gm_archive *archive)
{
	struct learned *learned = (struct learned *)detector;
	size_t count = learned->model ? learned->model->fault_count : 0;
	gm_archive_tag(archive, "learned 1");
	gm_archive_size(archive, &count, GM_LEARNED_FAULTS);
	if (count > 0 && !learned->model)
		learned->model = calloc(1, sizeof(*learned->model));
	if (count > 0 && !learned->model)
		archive->failed = true;
	for (size_t i = 0; i < count && !archive->failed; i++) {
		struct fault *fault = &learned->model->faults[i];
		gm_archive_text(archive, fault->lesson.label, sizeof(fault->lesson.label));
		gm_archive_number(archive, &fault->odds);
		gm_archive_bool(archive, &fault->active);
		if (!(fabs(fault->odds) <= ODDS_MAX))
			archive->failed = true;
		learned->model->fault_count = i + 1;
	}
}

const struct gm_detector_ops gm_learned_ops = {
	.name = "learned",
	.help = "Faults that operators have marked (guestmonctl learn), when they are back.",
	.entities = 1U << GM_ENTITY_GUEST | 1U << GM_ENTITY_NODE,
	.options = option_table,
	.options_size = sizeof(struct options),
	.create = create,
	.destroy = destroy,
	.observe = observe,
	.observe_part = observe_part,
	.evaluate = evaluate,
	.exchange = exchange,
	.disturb = disturb,
};
