/* SPDX-License-Identifier: GPL-2.0-only */
/* irq-armada-370-xp is built for arm64 here, and needs nothing of it */
