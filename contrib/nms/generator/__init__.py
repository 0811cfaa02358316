# SPDX-License-Identifier: Apache-2.0
"""What contrib/nms/generate makes the packs with: a module per pack, over the MIB as `mib` reads it."""
