/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of a daemon without Redis: keeps nothing beside the rings and says so. The daemon is
 * complete with it.
 */
#ifndef GM_STORE_MEMORY_MEMORY_H
#define GM_STORE_MEMORY_MEMORY_H

#include "store/store.h"

int gm_memory_store_create(struct gm_store **ret_store);

#endif
