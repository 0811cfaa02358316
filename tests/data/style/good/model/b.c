/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: a header may be included from below. */
#include "base/a.h"
