// Debian's kernel goes on from a snapshot at its shell: what is typed then is answered, and its devices are where it left them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { guestOrSkip, READY } from '../../guests/linux.ts';
import { Machine, MiB } from '../../src/api/index.ts';
import { GuestConsole } from './console.ts';

const { guest, reason } = await guestOrSkip();
if (guest === undefined) console.warn(`no snapshot of Debian: ${reason}`);

const BOOT_MS = 180_000;
const COMMAND_MS = 60_000;
const SECTOR = 512;
const MAC = '52:54:00:ab:cd:ef';
const folder = mkdtempSync(join(tmpdir(), 'dragoman-snapshot-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.skipIf(guest === undefined || process.env.DRAGOMAN_LONG_TESTS !== '1')(
  'Debian, from its shell',
  async () => {
    const disk = join(folder, 'disk');
    const image = Buffer.alloc(MiB);
    image.write('from the host', SECTOR);
    writeFileSync(disk, image);
    const frames: string[] = [];
    const devices = {
      disks: [{ path: disk, readOnly: true }],
      net: { mac: MAC, onFrame: (frame: Uint8Array) => void frames.push(Buffer.from(frame).toString('hex')) },
    };
    const [terminal, hvc] = [new GuestConsole(), new GuestConsole()];
    const machine = await Machine.create({
      kernel: readFileSync(guest!.kernel),
      initrd: readFileSync(guest!.initrd),
      append: 'console=ttyS0',
      memoryBytes: 128 * MiB,
      cpus: 2,
      ...devices,
      onConsole: terminal.onConsole,
      onVirtioConsole: hvc.onConsole,
    });
    const run = machine.run();
    terminal.attach(machine, run);
    await terminal.waitFor('~ # ', BOOT_MS, await terminal.waitFor(READY, BOOT_MS));
    await terminal.command('dmesg -n 1; kept=here; stty -F /dev/hvc0 -echo; ifconfig eth0 10.0.2.15', COMMAND_MS);
    // A program that was started before ends behind it.
    machine.sendInput(Buffer.from('(sleep 2; echo still $kept) > /tmp/late &\n'));
    await terminal.command('true', COMMAND_MS);
    const snapshot = await machine.snapshot();
    await machine.close();
    expect(snapshot.length).toBeLessThan(40 * MiB);

    const later = new GuestConsole();
    const other = await Machine.restore(snapshot, { ...devices, onConsole: later.onConsole, onVirtioConsole: hvc.onConsole });
    const again = other.run();
    later.attach(other, again);
    hvc.attach(other, again);
    expect(await later.command('uname -a; nproc', COMMAND_MS)).toMatch(/^Linux .* i686 GNU\/Linux\n2$/);
    expect(await later.command('wait; cat /tmp/late', COMMAND_MS)).toContain('still here');
    expect(await later.command('dd if=/dev/vda bs=512 skip=1 count=1 2>/dev/null | head -c 13', COMMAND_MS)).toBe('from the host');
    frames.length = 0;
    await later.command('ping -c 1 -W 1 10.0.2.2', COMMAND_MS);
    expect(frames.some((frame) => frame.startsWith(`ffffffffffff${MAC.replaceAll(':', '')}0806`))).toBe(true);
    await later.command('echo to the host > /dev/hvc0', COMMAND_MS);
    await hvc.waitFor('to the host', COMMAND_MS);
    // The clocks go on, and agree.
    const [uptime, tick] = (await later.command('s=$(date +%s); sleep 1; echo $(($(date +%s)-s)); cut -d. -f1 /proc/uptime', COMMAND_MS))
      .split('\n')
      .map(Number);
    expect(uptime! >= 1 && uptime! < 20 && tick! > 0).toBe(true);
    await other.close();
  },
  BOOT_MS + 6 * COMMAND_MS,
);
