// The initial RAM disk of our test guest: busybox, a stress program, the kernel's virtio modules, and an /init that ends in a shell on the console.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type CpioEntry, cpio } from './cpio.ts';
import { collectModules } from './modules.ts';

/** The line that /init prints when the shell is about to start. */
export const READY = 'dragoman-guest: ready';

/** Modules that /init loads; what they depend on comes along. */
const MODULES = ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_console', 'virtio_rng'];
/** The same, where there is a folder of the host's to mount: a virtio device of type 9. */
const SHARE_MODULES = ['9pnet_virtio', '9p'];

/** The program /bin/stress of the initial RAM disk: guests/stress/README.md. */
export const STRESS = fileURLToPath(new URL('./stress/stress', import.meta.url));

const initScript = (modules: readonly string[], shareModules: readonly string[]) => `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox mount -t tmpfs tmpfs /tmp
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root TERM=vt100 PS1='~ # '
for module in ${modules.join(' ')}; do insmod /lib/modules/$module.ko; done
if cat /sys/bus/virtio/devices/*/device 2>/dev/null | grep -q 0x0009; then
  for module in ${shareModules.join(' ')}; do insmod /lib/modules/$module.ko; done
fi
cd /root
# Whoever waits for this line must find it in one piece: no message of the kernel comes in between until it is sent.
read level rest < /proc/sys/kernel/printk
dmesg -n 1
echo '${READY}'
stty opost
dmesg -n $level
setsid cttyhack sh
poweroff -f
`;

/** Builds the compressed archive from a static busybox and a folder with the kernel's modules. */
export async function buildInitrd(busybox: string, moduleRoot: string): Promise<Buffer> {
  const modules = await collectModules(moduleRoot, [...MODULES, ...SHARE_MODULES]);
  const names = modules.map(({ name }) => name);
  const always = (await collectModules(moduleRoot, MODULES)).map(({ name }) => name);
  const forShares = names.filter((name) => !always.includes(name));
  const directories = ['bin', 'dev', 'proc', 'sys', 'tmp', 'mnt', 'root', 'etc', 'lib', 'lib/modules'];
  const entries: CpioEntry[] = [
    ...directories.map((path) => ({ path, directory: true }) as const),
    { path: 'dev/console', character: [5, 1], mode: 0o600 },
    { path: 'dev/null', character: [1, 3], mode: 0o666 },
    { path: 'bin/busybox', data: await readFile(busybox), mode: 0o755 },
    { path: 'bin/stress', data: await readFile(STRESS), mode: 0o755 },
    { path: 'bin/sh', target: 'busybox' },
    ...modules.map(({ name, data }) => ({ path: `lib/modules/${name}.ko`, data, mode: 0o644 })),
    { path: 'init', data: Buffer.from(initScript(always, forShares)), mode: 0o755 },
  ];
  return gzipSync(cpio(entries), { level: 9 });
}
