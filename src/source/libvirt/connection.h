/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to libvirt, and libvirt's process-wide state: its event loop and error printing.
 *
 * libvirt has one event loop implementation per process. The first connection registers libvirt's
 * default one and starts a thread, `libvirt-events`, that runs it until the process ends:
 * keepalive, the noticing of a lost connection and all events depend on it. It can not be stopped,
 * since libvirt cannot unregister an implementation. Its callbacks reach only mailboxes (events.h),
 * which are counted, so that a source may end at any time.
 */
#ifndef GM_SOURCE_LIBVIRT_CONNECTION_H
#define GM_SOURCE_LIBVIRT_CONNECTION_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * Sets up what this process's libraries would else make when they are first used, which two threads
 * may do at once: libvirt, its event loop, the XML parser. Once; later calls do nothing.
 */
void gm_lv_prepare(void);

/*
 * Connects and asks for keepalive, so that a libvirtd that stops answering later fails the calls that
 * wait for it within about 10 s. Never prompts. The connecting itself has no deadline (libvirt knows
 * none): a libvirtd that listens but does not answer holds it up until it goes on or dies. 0 or a
 * negative errno. The caller closes with virConnectClose(). Any thread.
 */
int gm_lv_connect(const char *uri, bool read_only, virConnectPtr *ret_conn, struct gm_error *err);

/*
 * Makes a sentence of the calling thread's last libvirt error: "WHAT: <libvirt's text, quoted>".
 * Returns `code`.
 */
int gm_lv_error(struct gm_error *err, int code, const char *what);

#endif
