/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lessons are kept over a restart, listed by entity, taken back with their rest; a file of the schema
 * before them is brought up to date and loses nothing.
 */
#include <errno.h>
#include <sqlite3.h>

#include "fixture.h"

static struct gm_lesson_row row_of(const char *entity, const char *kind, int64_t made_at)
{
	struct gm_lesson_row row = {
		.label = "gc",
		.author = "olga",
		.begin = 10,
		.end = 20,
		.made_at = made_at,
		.record = "bytes\0more",
		.size = 10,
	};
	snprintf(row.entity, sizeof(row.entity), "%s", entity);
	snprintf(row.kind, sizeof(row.kind), "%s", kind);
	return row;
}

struct list {
	int count;
	struct gm_lesson_row rows[4];
};

static void collect(void *user, const struct gm_lesson_row *row)
{
	struct list *list = user;
	assert_int_equal(row->size, 10);
	assert_memory_equal(row->record, "bytes\0more", 10);
	list->rows[list->count++] = *row;
}

static struct list list_of(struct fixture *f, const char *entity)
{
	struct list list = {0};
	int rows = gm_state_lessons(f->state, entity, collect, &list, &f->err);
	assert_int_equal(rows, list.count);
	return list;
}

static int64_t add(struct fixture *f, const char *entity, const char *kind, int64_t made_at)
{
	struct gm_lesson_row row = row_of(entity, kind, made_at);
	int64_t id = 0;
	assert_int_equal(gm_state_lesson_add(f->state, &row, &id, &f->err), 0);
	return id;
}

static void test_kept_and_listed(void **state)
{
	struct fixture *f = *state;
	open_state(f);
	int64_t a = add(f, "guest:a", "faulty", 1), b = add(f, "guest:b", "normal", 2);
	reopen_state(f);
	struct list all = list_of(f, NULL), of_a = list_of(f, "guest:a");
	assert_int_equal(all.count, 2);
	assert_int_equal(all.rows[0].id, a);
	assert_int_equal(all.rows[1].id, b);
	assert_int_equal(of_a.count, 1);
	assert_string_equal(of_a.rows[0].label, "gc");
	assert_string_equal(of_a.rows[0].author, "olga");
	assert_int_equal(of_a.rows[0].begin, 10);
	assert_int_equal(of_a.rows[0].end, 20);
	assert_int_equal(list_of(f, "guest:c").count, 0);
}

static void test_taken_back_with_its_rest(void **state)
{
	struct fixture *f = *state;
	open_state(f);
	int64_t id = add(f, "guest:a", "faulty", 5);
	int64_t rest = add(f, "guest:a", "rest", 5);
	add(f, "guest:b", "faulty", 5);
	assert_int_equal(gm_state_lesson_remove(f->state, rest, &f->err), -ENOENT);
	assert_int_equal(gm_state_lesson_remove(f->state, id, &f->err), 0);
	assert_int_equal(list_of(f, "guest:a").count, 0);
	assert_int_equal(list_of(f, "guest:b").count, 1);
	assert_int_equal(gm_state_lesson_remove(f->state, id, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "no lesson"));
	assert_true(add(f, "guest:a", "normal", 6) > rest); /* no id is given twice */
}

static void test_too_large(void **state)
{
	struct fixture *f = *state;
	struct gm_lesson_row row = row_of("guest:a", "normal", 1);
	int64_t id = -1;
	open_state(f);
	row.size = GM_LESSON_RECORD_MAX + 1;
	assert_int_equal(gm_state_lesson_add(f->state, &row, &id, &f->err), -EFBIG);
	assert_int_equal(id, -1);
}

static void test_older_schema_is_brought_up_to_date(void **state)
{
	struct fixture *f = *state;
	uint32_t index = 0;
	sqlite3 *db;
	char path[128];

	open_state(f);
	assert_int_equal(gm_state_index(f->state, "guest", "a", &index, &f->err), 0);
	gm_state_close(f->state);
	f->state = NULL;
	path_of(f, "state.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			     "DROP TABLE registrations; DROP TABLE lessons; DROP TABLE comments; "
			     "DROP TABLE maintenance; DROP TABLE actions;"
			     "ALTER TABLE journal DROP COLUMN journalled;"
			     "ALTER TABLE outputs DROP COLUMN paused;"
			     "ALTER TABLE outputs DROP COLUMN replay; PRAGMA user_version = 1;",
			     NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);

	open_state(f);
	assert_int_equal(gm_state_boots(f->state), 2);
	uint32_t again = 0;
	assert_int_equal(gm_state_index(f->state, "guest", "a", &again, &f->err), 0);
	assert_int_equal(again, index);
	add(f, "guest:a", "normal", 1);
	assert_int_equal(list_of(f, NULL).count, 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_kept_and_listed),
		TEST(test_taken_back_with_its_rest),
		TEST(test_too_large),
		TEST(test_older_schema_is_brought_up_to_date),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
