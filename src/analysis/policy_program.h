/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conditions of policies, compiled: text to a program of bounded size (policy_parse.c), and the
 * program to true, false or unknown (policy_program.c). Pure; a program is never changed once it is made.
 *
 *   avg(memory.used, 30s) / memory.total > 0.9 and not rate(net.rx.dropped, 1s) <= 100
 *
 *   or, and, not      conditions; < <= > >= == != compare two numbers; + - * / ( )
 *   number            1.5, 64k, 2Gi, 90%
 *   name              a metric of the catalogue or one of Anuket's names: its newest value; of a
 *                     counter its rate per second
 *   f(name, window)   avg min max rate p1 … p99 over the window
 *   percentile(name, window, N)
 *
 * A metric of a guest's interfaces, disks or processes is the sum over them. After a name a minus
 * sign needs a space before it, since names may hold one.
 *
 * What is not known yet (no sample in the window, a division by zero) makes whatever depends on it unknown;
 * `x and y` is false all the same when one is false, `x or y` true when one is true.
 */
#ifndef GM_ANALYSIS_POLICY_PROGRAM_H
#define GM_ANALYSIS_POLICY_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/sliding.h"
#include "base/error.h"

enum {
	GM_POLICY_STEPS = 192,   /* of a program */
	GM_POLICY_SERIES = 16,   /* different series that it reads */
	GM_POLICY_DEPTH = 24,    /* of parentheses, and of the stack */
	GM_POLICY_WINDOW_H = 24, /* longest window, hours */
};

enum gm_policy_op {
	GM_POLICY_NUMBER,
	GM_POLICY_READ,
	GM_POLICY_NEGATE,
	GM_POLICY_NOT,
	GM_POLICY_ADD, /* from here on: two operands */
	GM_POLICY_SUBTRACT,
	GM_POLICY_MULTIPLY,
	GM_POLICY_DIVIDE,
	GM_POLICY_LESS, /* from here on: comparisons */
	GM_POLICY_LESS_EQUAL,
	GM_POLICY_GREATER,
	GM_POLICY_GREATER_EQUAL,
	GM_POLICY_EQUAL,
	GM_POLICY_NOT_EQUAL,
	GM_POLICY_AND, /* from here on: two conditions */
	GM_POLICY_OR,
};

struct gm_policy_step {
	enum gm_policy_op op;
	union {
		double number; /* GM_POLICY_NUMBER */
		size_t series; /* GM_POLICY_READ */
	};
};

/* What is read: a function of a metric over a window. */
struct gm_policy_series {
	unsigned metric;
	enum gm_function function;
	double percentile;
	int64_t window; /* 0 for GM_FUNCTION_VALUE */
};

struct gm_policy_program {
	size_t step_count, series_count;
	struct gm_policy_series series[GM_POLICY_SERIES];
	struct gm_policy_step steps[]; /* at most GM_POLICY_STEPS */
};

/* Where a text is wrong: bytes from its begin, and line and column (in characters) from 1. */
struct gm_policy_place {
	size_t at, line, column;
};

/*
 * 0; -EINVAL with what is wrong (and `*ret_place`), -ENOMEM. The result is freed with free(). Metrics from
 * GM_METRIC_EXTRA on do not occur.
 */
int gm_policy_compile(const char *text, struct gm_policy_program **ret_program,
		      struct gm_policy_place *ret_place, struct gm_error *err);

/* The metric that a name of the catalogue or of Anuket means; GM_METRIC_NONE. */
unsigned gm_policy_metric(const char *name);

struct gm_policy_result {
	double truth;        /* 1, 0, or NaN: unknown */
	double value, limit; /* the two sides of the comparison that decided; NaN: unknown */
	const struct gm_policy_series
		*series; /* the side that is no number, where it is one alone; NULL */
};

/*
 * Whether it can come out true where only metrics are known that one of `kinds` (bits 1 << enum
 * gm_entity_kind) carries.
 */
bool gm_policy_can_hold(const struct gm_policy_program *program, unsigned kinds);

/* Runs the program over the present values of its series. */
struct gm_policy_result gm_policy_run(const struct gm_policy_program *program,
				      const double values[GM_POLICY_SERIES]);

#endif
