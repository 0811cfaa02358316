/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: this library is in no list. */
#include <pcap/pcap.h>
