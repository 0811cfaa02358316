/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trees of our MIBs over a snapshot: an object identifier in, a value out. It knows nothing of
 * net-snmp, so a whole tree can be walked without an agent. The agent thread's handler calls it, and
 * the tests. Pure: everything is constant but the arguments.
 *
 * A module is one MIB: its root, and its tables. All identifiers here are below a module's root.
 *
 * A table is a const column table over the rows of a snapshot, which are sorted by their index; a
 * group of scalars is a table of one row, the snapshot itself, whose index is 0. To add a column: one
 * line in tables_*.c and the object in mibs/GUESTMON-MIB.txt (a test fails if they differ).
 */
#ifndef GM_NORTH_MIB_TREE_H
#define GM_NORTH_MIB_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/* What the values of one answer are read from. */
struct gm_mib_view {
	const struct gm_snapshot *snapshot;
	int64_t now;            /* ages are counted from it */
	int64_t master_started; /* when the master agent's sysUpTime was 0; 0: not known */
	bool vm_notifications, vm_bulk_notifications; /* whether they are sent */
	size_t *last; /* the row of the last search, where the next one begins; NULL: no matter */
};

enum gm_mib_type {
	GM_MIB_INTEGER,   /* Integer32 and enumerations */
	GM_MIB_UNSIGNED,  /* Unsigned32, Gauge32 */
	GM_MIB_COUNTER64, /* Counter64, CounterBasedGauge64 */
	GM_MIB_OCTETS,
	GM_MIB_TIME,  /* DateAndTime: octets */
	GM_MIB_TICKS, /* TimeTicks, TimeStamp */
	GM_MIB_COUNTER32,
	GM_MIB_OBJECT, /* OBJECT IDENTIFIER: the octets are uint32_t, one for each sub-identifier */
};

enum { GM_MIB_BUFFER = 512 }; /* longer than every text of the model */

/* `octets` points into the snapshot or to `buffer`. */
struct gm_mib_value {
	enum gm_mib_type type;
	uint32_t part;   /* of the row, where the table has parts */
	uint64_t number; /* a negative one as its complement of two */
	const uint8_t *octets;
	size_t length;
	uint8_t buffer[GM_MIB_BUFFER];
};

struct gm_mib_column;

/* Fills the value (its type and part are set already); false when it is not known. */
typedef bool gm_mib_cell_fn(const struct gm_mib_view *view, const void *row,
			    const struct gm_mib_column *column, struct gm_mib_value *ret_value);

struct gm_mib_column {
	uint8_t number;
	uint8_t type;          /* enum gm_mib_type */
	uint16_t id;           /* metric or evidence that `get` looks for */
	uint32_t offset, size; /* of the member of the row that `get` looks at */
	double scale;          /* from the model's unit to the MIB's */
	gm_mib_cell_fn *get;
};

/* The longest: a name of 32 octets with its length, and some numbers. */
enum { GM_MIB_PREFIX = 4, GM_MIB_INDEX = 48, GM_MIB_DEPTH = GM_MIB_PREFIX + 1 + GM_MIB_INDEX };

/* Writes the index of a row as it follows the column's number; its length, at most GM_MIB_INDEX. */
typedef size_t gm_mib_index_fn(const void *row, uint32_t *ret_index);

struct gm_mib_table {
	uint8_t prefix[GM_MIB_PREFIX],
		prefix_length; /* below the root: {1, 4, 1} of gmGuestEntry */
	uint8_t index_objects; /* in the INDEX clause; 0: scalars */
	bool embedded;         /* the rows are in the snapshot itself, not behind a pointer */
	bool indirect;         /* the array holds pointers to the rows */
	const void *
		fixed; /* rows that are always the same: not in the snapshot; `fixed_count` of them */
	size_t fixed_count;
	uint32_t rows_at, count_at, row_size; /* in struct gm_snapshot */
	gm_mib_index_fn *index;               /* NULL: scalars */
	/*
	 * Each row of the snapshot stands for several of the table: as many as the uint32_t at `parts_at` in
	 * the snapshot says, or `parts`. The part's number, from `first_part` on, follows the row's index.
	 */
	uint32_t parts_at, parts, first_part;
	bool leaf; /* one scalar, its column's number is the last of the prefix */
	const struct gm_mib_column *columns;
	size_t column_count;
};

struct gm_mib_module {
	const char *name; /* "GUESTMON-MIB" */
	const uint32_t *root;
	size_t root_length;
	const struct gm_mib_table *const
		*tables; /* that can be read, in the order of their prefixes */
	size_t table_count;
};

/* What is served, each module from a registration of its own. */
enum { GM_MIB_GUESTMON, GM_MIB_VM, GM_MIB_ALARM, GM_MIB_ITU_ALARM, GM_MIB_MODULES };
extern const struct gm_mib_module gm_mib_modules[GM_MIB_MODULES];

/* The same for a tenant, over what scope.h leaves of a snapshot: without what is the node's own. */
extern const struct gm_mib_module gm_mib_tenant_modules[GM_MIB_MODULES];

/* gmNotify: what notifications carry, over a struct gm_transition. No part of the tree. */
extern const struct gm_mib_table gm_mib_notify_table;

/* An object below its module's root, its instance included. */
struct gm_mib_oid {
	size_t length;
	uint32_t id[GM_MIB_DEPTH];
};

enum { GM_MIB_FOUND, GM_MIB_NO_OBJECT, GM_MIB_NO_INSTANCE };

/* The value of exactly `id`. */
int gm_mib_get(const struct gm_mib_module *module, const struct gm_mib_view *view,
	       const uint32_t *id, size_t length, struct gm_mib_value *ret_value);

/* The first instance after `id`, which need not exist; false at the end of the tree. */
bool gm_mib_next(const struct gm_mib_module *module, const struct gm_mib_view *view,
		 const uint32_t *id, size_t length, struct gm_mib_oid *ret_oid,
		 struct gm_mib_value *ret_value);

/* One cell; false when it is not known. `part` is 0 where the table has none. */
bool gm_mib_cell(const struct gm_mib_view *view, const void *row, uint32_t part,
		 const struct gm_mib_column *column, struct gm_mib_value *ret_value);

/* Lexicographic order of object identifiers: negative, 0 or positive. */
int gm_mib_compare(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length);

#endif
