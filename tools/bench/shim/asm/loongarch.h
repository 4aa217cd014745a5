/* SPDX-License-Identifier: GPL-2.0-only */
/* irq-loongarch-ir is built for arm64 here, and needs nothing of it */
