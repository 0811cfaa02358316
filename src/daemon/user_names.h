/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of the users who command. They come from the system's name service, which may be a directory far
 * away (sssd, LDAP): a thread of its own asks, one user at a time; main waits for it a moment only, and goes on with
 * the number. A name is remembered for ten minutes, that of GM_USER_NAMES users. Main thread.
 */
#ifndef GM_DAEMON_USER_NAMES_H
#define GM_DAEMON_USER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { GM_USER_NAMES = 16 };

struct gm_user_names;

/* False: there is none. Called on the thread. */
typedef bool gm_user_names_fn(uid_t uid, char *name, size_t size);
bool gm_user_names_ask_system(uid_t uid, char *name, size_t size);

/* NULL: out of memory. */
struct gm_user_names *gm_user_names_create(gm_user_names_fn *ask);
/* "uid 1000" where the name is not known (yet). `names` may be NULL; `now` is monotonic. Returns `name`. */
char *gm_user_names_get(struct gm_user_names *names, uid_t uid, int64_t now, char *name,
			size_t size);
void gm_user_names_free(struct gm_user_names *names); /* NULL-safe; waits for nobody */

#endif
