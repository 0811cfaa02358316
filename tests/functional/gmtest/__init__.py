# SPDX-License-Identifier: Apache-2.0
"""What the functional tests stand on: the lab, the daemon in it, and readers of what it tells."""
