/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often disks failed: by their names, of so many at most; a disk that is taken away takes its count along.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/disk_faults.h"

static void fails(struct gm_disk_faults **faults, unsigned disk, int64_t time)
{
	char detail[64];
	snprintf(detail, sizeof(detail), "virtio-disk%u enospc pause", disk);
	gm_disk_faults_count(faults, detail, time);
}

static uint64_t count_of(const struct gm_disk_faults *faults, unsigned disk)
{
	char alias[GM_DISK_ALIAS];
	snprintf(alias, sizeof(alias), "virtio-disk%u", disk);
	const struct gm_disk_fault *fault = gm_disk_faults_find(faults, alias);
	return fault ? fault->count : 0;
}

static void the_oldest_makes_room(void **state)
{
	(void)state;
	struct gm_disk_faults *faults = NULL;
	for (unsigned disk = 0; disk < GM_DISK_FAULTS; disk++)
		fails(&faults, disk, 100 + disk);
	fails(&faults, 0, 1000);
	fails(&faults, 77, 1001);
	assert_int_equal(count_of(faults, 0), 2);
	assert_int_equal(count_of(faults, 1), 0);
	assert_int_equal(count_of(faults, 2), 1);
	assert_int_equal(count_of(faults, 77), 1);
	gm_disk_faults_free(faults);
}

static void a_disk_taken_away_is_forgotten(void **state)
{
	(void)state;
	struct gm_disk_faults *faults = NULL;
	gm_disk_faults_forget(faults, "virtio-disk1");
	for (unsigned disk = 0; disk < 3; disk++)
		fails(&faults, disk, 100);
	fails(&faults, 2, 101);
	gm_disk_faults_forget(faults, "virtio-disk1");
	gm_disk_faults_forget(faults, "net0");
	assert_int_equal(count_of(faults, 0), 1);
	assert_int_equal(count_of(faults, 1), 0);
	assert_int_equal(count_of(faults, 2), 2);
	fails(&faults, 1, 102);
	assert_int_equal(count_of(faults, 1), 1);
	gm_disk_faults_free(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(a_disk_taken_away_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
