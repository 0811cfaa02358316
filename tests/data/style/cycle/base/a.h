/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: half of a cycle. */
#include "base/b.h"
