/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots made by hand for the tests of the MIB, their bench and the driver of the functional test.
 * Not a model of a node: every number tells where it stands, so that a test can say what it expects.
 */
#ifndef TESTS_SUPPORT_MIB_FIXTURE_H
#define TESTS_SUPPORT_MIB_FIXTURE_H

#include "model/snapshot.h"

/* Guests belong to them in turn: 1 to the first, 3 to the second, 5 to the first … */
enum { FIXTURE_TENANTS = 2 };
extern const char *const fixture_tenants[FIXTURE_TENANTS];

/* When everything in a fixture was true. */
#define FIXTURE_TIME (INT64_C(1767225600) * 1000000000) /* 2026-01-01T00:00:00Z */

/*
 * `guests` guests with the indexes 1, 3, 5 …, each with `interfaces` interfaces, two processes of which
 * the second leaks, a row of every other table of findings (two in gmBurstTable and in the histograms for
 * each interface), an active alarm and a log entry. Every counter of an interface is `generation`.
 * NULL: out of memory.
 */
struct gm_snapshot *fixture_snapshot(size_t guests, size_t interfaces, uint64_t generation);

/* The transition `sequence` of a leak (odd) or of a burst (even) of guest 1. */
struct gm_transition fixture_transition(uint64_t sequence, enum gm_transition_kind kind);

#endif
