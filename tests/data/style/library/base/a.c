/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: this library belongs to another folder. */
#include <sqlite3.h>
