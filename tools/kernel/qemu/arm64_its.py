# SPDX-License-Identifier: GPL-2.0
#
# For kunit.py --qemu_config: the arm64 machine with a GICv3 and its ITS, an unused
# PCI device behind an SMMU, and more than one CPU. The one that kunit.py has itself
# is a GICv2 without an ITS.
#
# Emulated, a Cortex-A57 boots faster than `-cpu max`, which spends its time on
# pointer authentication. On an arm64 host with KVM only the host's CPU will do.
# A panic ends the run at once instead of at the time limit. The kernel options are
# those of kunit.py's own arm64, so that a kernel that was configured without
# --qemu_config is the same.
#
# Without irq_sysfs_init() and irq_debugfs_init() no interrupt gets a folder in
# /sys/kernel/irq and a file in debugfs: making and removing these takes longer than
# all that the suites look at. The debug kernel has the folders. It goes on to the init
# in KUNIT_INITRD after the suites, for kmemleak.

import os
import platform

from ..qemu_config import QemuArchParams

KVM = platform.machine() == 'aarch64' and os.access('/dev/kvm', os.W_OK)
INITRD = os.environ.get('KUNIT_INITRD')

QEMU_ARCH = QemuArchParams(linux_arch='arm64',
			   kconfig='''
CONFIG_SERIAL_AMBA_PL010=y
CONFIG_SERIAL_AMBA_PL010_CONSOLE=y
CONFIG_SERIAL_AMBA_PL011=y
CONFIG_SERIAL_AMBA_PL011_CONSOLE=y''',
			   qemu_arch='aarch64',
			   kernel_path='arch/arm64/boot/Image',
			   kernel_command_line='console=ttyAMA0 panic=-1 ' +
					       ('initcall_blacklist=irq_debugfs_init oops=panic printk.devkmsg=on '
						'kunit_shutdown=never guest.job=kunit guest.kmemleak=1' if INITRD else
						'initcall_blacklist=irq_sysfs_init,irq_debugfs_init'),
			   extra_qemu_params=['-machine', 'virt,gic-version=3,iommu=smmuv3',
					      '-device', 'pci-testdev',
					      '-cpu', 'host' if KVM else 'cortex-a57',
					      '-smp', '2'] +
					     (['-m', '2048', '-initrd', INITRD] if INITRD else []))
