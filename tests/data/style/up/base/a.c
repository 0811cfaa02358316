/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: the model is above the base. */
#include "model/b.h"
