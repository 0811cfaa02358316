/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a policy's program, and the names that metrics go by; see policy_program.h. Called by the
 * detector `policy` a few times a second for each guest.
 */
#include "analysis/policy_program.h"

#include <math.h>
#include <string.h>

#include "model/metric.h"

/*
 * Anuket's names for what a VM is measured by are those of collectd's virt plugin, of which Barometer is
 * made (collectd 5.12, src/virt.c, tags of the types virt_vcpu, virt_cpu_total, memory, if_*).
 */
static const struct {
	const char *name;
	unsigned metric;
} aliases[] = {
	{"vm.vcpu", GM_METRIC_VCPU_TIME},
	{"vm.cpu-total", GM_METRIC_CPU_TIME},
	{"vm.memory-total", GM_METRIC_MEMORY_BALLOON}, /* what the domain has now */
	{"vm.memory-actual_balloon", GM_METRIC_MEMORY_BALLOON},
	{"vm.memory-max", GM_METRIC_MEMORY_MAXIMUM},
	{"vm.memory-available", GM_METRIC_MEMORY_TOTAL}, /* to the system inside */
	{"vm.memory-usable", GM_METRIC_MEMORY_AVAILABLE},
	{"vm.memory-used", GM_METRIC_MEMORY_USED},
	{"vm.memory-unused", GM_METRIC_MEMORY_UNUSED},
	{"vm.memory-disk_caches", GM_METRIC_MEMORY_CACHED},
	{"vm.memory-rss", GM_METRIC_MEMORY_RESIDENT},
	{"vm.memory-swap_in", GM_METRIC_SWAP_IN},
	{"vm.memory-swap_out", GM_METRIC_SWAP_OUT},
	{"vm.memory-major_fault", GM_METRIC_FAULT_MAJOR},
	{"vm.memory-minor_fault", GM_METRIC_FAULT_MINOR},
	{"vm.if_octets.rx", GM_METRIC_NET_RX_BYTES},
	{"vm.if_octets.tx", GM_METRIC_NET_TX_BYTES},
	{"vm.if_packets.rx", GM_METRIC_NET_RX_PACKETS},
	{"vm.if_packets.tx", GM_METRIC_NET_TX_PACKETS},
	{"vm.if_errors.rx", GM_METRIC_NET_RX_ERRORS},
	{"vm.if_errors.tx", GM_METRIC_NET_TX_ERRORS},
	{"vm.if_dropped.rx", GM_METRIC_NET_RX_DROPPED},
	{"vm.if_dropped.tx", GM_METRIC_NET_TX_DROPPED},
};

unsigned gm_policy_metric(const char *name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcmp(aliases[i].name, name) == 0)
			return aliases[i].metric;
	}
	return gm_metric_find(name);
}

static double both(double one, double other)
{
	if (one == 0 || other == 0)
		return 0;
	return isnan(one) || isnan(other) ? NAN : 1;
}

static double either(double one, double other)
{
	if (one == 1 || other == 1)
		return 1;
	return isnan(one) || isnan(other) ? NAN : 0;
}

static double arithmetic(enum gm_policy_op op, double one, double other)
{
	double result = NAN;

	switch (op) {
	case GM_POLICY_ADD:
		result = one + other;
		break;
	case GM_POLICY_SUBTRACT:
		result = one - other;
		break;
	case GM_POLICY_MULTIPLY:
		result = one * other;
		break;
	default:
		result = one / other;
		break;
	}
	return isfinite(result) ? result : NAN;
}

static bool compare(enum gm_policy_op op, double one, double other)
{
	switch (op) {
	case GM_POLICY_LESS:
		return one < other;
	case GM_POLICY_LESS_EQUAL:
		return one <= other;
	case GM_POLICY_GREATER:
		return one > other;
	case GM_POLICY_GREATER_EQUAL:
		return one >= other;
	case GM_POLICY_EQUAL:
		return one == other;
	default:
		return one != other;
	}
}

/* What a part of a condition can come out as; a number: both when it can be known, else neither. */
enum { CAN_BE_FALSE = 1, CAN_BE_TRUE = 2, CAN_BE_EITHER = CAN_BE_FALSE | CAN_BE_TRUE };

static unsigned outcomes(enum gm_policy_op op, unsigned one, unsigned other)
{
	switch (op) {
	case GM_POLICY_AND:
		return (one & other & CAN_BE_TRUE) | ((one | other) & CAN_BE_FALSE);
	case GM_POLICY_OR:
		return ((one | other) & CAN_BE_TRUE) | (one & other & CAN_BE_FALSE);
	default:
		return one && other ? CAN_BE_EITHER : 0;
	}
}

static unsigned negated(unsigned one)
{
	return (one & CAN_BE_TRUE ? CAN_BE_FALSE : 0) | (one & CAN_BE_FALSE ? CAN_BE_TRUE : 0);
}

bool gm_policy_can_hold(const struct gm_policy_program *program, unsigned kinds)
{
	unsigned stack[GM_POLICY_STEPS] = {0};
	size_t top = 0;

	for (size_t i = 0; i < program->step_count; i++) {
		const struct gm_policy_step *step = &program->steps[i];

		if (step->op == GM_POLICY_NUMBER) {
			stack[top++] = CAN_BE_EITHER;
		} else if (step->op == GM_POLICY_READ) {
			unsigned metric = program->series[step->series].metric;

			stack[top++] = gm_metric_get(metric)->entities & kinds ? CAN_BE_EITHER : 0;
		} else if (step->op == GM_POLICY_NOT) {
			stack[top - 1] = negated(stack[top - 1]);
		} else if (step->op != GM_POLICY_NEGATE) {
			top--;
			stack[top - 1] = outcomes(step->op, stack[top - 1], stack[top]);
		}
	}
	return stack[0] & CAN_BE_TRUE;
}

/* The first comparison of each outcome, so that the one that fits the result can be shown. */
struct shown {
	bool any;
	double value, limit;
	size_t step; /* the comparison's */
};

static double compare_and_note(enum gm_policy_op op, double one, double other, size_t step,
			       struct shown shown[2])
{
	if (isnan(one) || isnan(other))
		return NAN;
	bool truth = compare(op, one, other);
	if (!shown[truth].any)
		shown[truth] = (struct shown){true, one, other, step};
	return truth;
}

static double apply(enum gm_policy_op op, double one, double other, size_t step,
		    struct shown shown[2])
{
	if (op == GM_POLICY_AND)
		return both(one, other);
	if (op == GM_POLICY_OR)
		return either(one, other);
	if (op >= GM_POLICY_LESS)
		return compare_and_note(op, one, other, step, shown);
	return arithmetic(op, one, other);
}

/* Of `metric > 5` or `5 < metric` the series. The two steps before a comparison end its sides. */
static const struct gm_policy_series *compared(const struct gm_policy_program *program, size_t step)
{
	const struct gm_policy_step *one = &program->steps[step - 2];
	const struct gm_policy_step *other = &program->steps[step - 1];

	if (one->op == GM_POLICY_READ && other->op == GM_POLICY_NUMBER)
		return &program->series[one->series];
	if (one->op == GM_POLICY_NUMBER && other->op == GM_POLICY_READ)
		return &program->series[other->series];
	return NULL;
}

struct gm_policy_result gm_policy_run(const struct gm_policy_program *program,
				      const double values[GM_POLICY_SERIES])
{
	double stack[GM_POLICY_STEPS];
	struct shown shown[2] = {{.any = false}, {.any = false}};
	size_t top = 0; /* the parser has seen to it that no operand is missing */

	for (size_t i = 0; i < program->step_count; i++) {
		const struct gm_policy_step *step = &program->steps[i];

		if (step->op == GM_POLICY_NUMBER) {
			stack[top++] = step->number;
		} else if (step->op == GM_POLICY_READ) {
			stack[top++] = values[step->series];
		} else if (step->op == GM_POLICY_NEGATE) {
			stack[top - 1] = -stack[top - 1];
		} else if (step->op == GM_POLICY_NOT) {
			stack[top - 1] = 1 - stack[top - 1];
		} else {
			top--;
			stack[top - 1] = apply(step->op, stack[top - 1], stack[top], i, shown);
		}
	}
	struct gm_policy_result result = {.truth = stack[0], .value = NAN, .limit = NAN};
	/* Under a `not` the comparison that decided came out the other way. */
	const struct shown *decided = &shown[result.truth == 1];
	if (!decided->any)
		decided = &shown[result.truth != 1];
	if (decided->any) {
		result.value = decided->value;
		result.limit = decided->limit;
		result.series = compared(program, decided->step);
	}
	return result;
}
