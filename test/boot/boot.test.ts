// Debian's kernel boots to a shell in each engine, and what runs there is right: the shell's answers are held against the host's own.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer } from '../../examples/frames.ts';
import { guestOrSkip, READY } from '../../guests/linux.ts';
import { Machine, MiB, type RunResult } from '../../src/api/index.ts';
import { findKallsyms } from '../../src/inspect/kallsyms.ts';
import { GuestConsole } from './console.ts';

const { guest, reason } = await guestOrSkip();
if (guest === undefined) console.warn(`no boot tests: ${reason}`);

/** For a machine with other things to do. */
const BOOT_MS = { interpreter: 240_000, jit: 180_000 };
const COMMAND_MS = 60_000;
const SECTOR = 512;
const MAC = '52:54:00:ab:cd:ef';
/** What is in an ARP message for IPv4 over Ethernet, before its operation; 10.0.2.15 and 10.0.2.2. */
const ARP = '0001080006040';
const [GUEST_IP, HOST_IP] = ['0a00020f', '0a000202'];
const [GUEST_MAC, HOST_MAC] = [MAC.replaceAll(':', ''), '52550a000202'];

/** smp.test.ts has the interpreter on two CPUs. */
const ENGINES = process.env.DRAGOMAN_LONG_TESTS === '1' ? (['jit', 'interpreter'] as const) : (['jit'] as const);

describe.skipIf(guest === undefined).each(ENGINES)('Debian, %s', (engine) => {
  const [terminal, hvc] = [new GuestConsole(), new GuestConsole()];
  /** Frames from the guest, hexadecimal. */
  const frames: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-boot-'));
  const [disk, fixed] = [join(folder, 'disk'), join(folder, 'fixed')];
  const [shared, still] = [join(folder, 'shared'), join(folder, 'still')];
  let run: Promise<RunResult>;
  let machine: Machine;
  const command = (line: string) => terminal.command(line, COMMAND_MS);

  beforeAll(async () => {
    const image = Buffer.alloc(4 * MiB);
    image.write('from the host', SECTOR);
    writeFileSync(disk, image);
    writeFileSync(fixed, image);
    for (const path of [shared, still]) {
      mkdirSync(path);
      writeFileSync(join(path, 'hello'), 'hello from the host\n');
    }
    symlinkSync('../disk', join(shared, 'outside'));
    machine = await Machine.create({
      kernel: readFileSync(guest!.kernel),
      initrd: readFileSync(guest!.initrd),
      append: 'console=ttyS0',
      memoryBytes: 128 * MiB,
      engine,
      disks: [{ path: disk }, { path: fixed, readOnly: true }],
      shares: [{ path: shared }, { path: still, tag: 'still', readOnly: true }],
      net: {
        mac: MAC,
        onFrame: (frame) => {
          frames.push(Buffer.from(frame).toString('hex'));
          const reply = answer(frame);
          if (reply !== undefined) machine.sendFrame(reply);
        },
      },
      onConsole: terminal.onConsole,
      onVirtioConsole: hvc.onConsole,
    });
    run = machine.run();
    terminal.attach(machine, run);
    hvc.attach(machine, run);
    await terminal.waitFor('~ # ', BOOT_MS[engine], await terminal.waitFor(READY, BOOT_MS[engine]));
    // What the kernel has to say about a slow host does not belong to a command's output.
    await command('dmesg -n 1');
  }, BOOT_MS[engine] + 10_000);

  afterAll(async () => {
    machine?.stop('the test is over');
    await run;
    rmSync(folder, { recursive: true, force: true });
  });

  it('says what it is', async () => {
    const answer = await command('uname -a');
    expect(answer).toMatch(/^Linux .* i686 GNU\/Linux$/);
    expect(answer).toContain(` ${guest!.version} `);
  });

  it('is told the frequency of the time-stamp counter, and finds its machine-check bank', async () => {
    const log = await command("dmesg | grep -E 'tsc:|mce'");
    expect(log).toContain('tsc: Detected 1000.000 MHz processor');
    expect(log).not.toContain('calibration');
    expect(log).not.toContain('mce: Unable to init');
  });

  it('hashes, compresses and expands', async () => {
    const busybox = readFileSync(guest!.busybox);
    const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(await command('sha256sum /bin/busybox')).toBe(`${hash(busybox)}  /bin/busybox`);
    expect(await command('head -c 400000 /bin/busybox | gzip | gunzip | sha256sum')).toBe(`${hash(busybox.subarray(0, 400_000))}  -`);
  });

  it('computes with floating point', async () => {
    // Sums, a square root by Newton, pi by Bailey, Borwein and Plouffe: this awk has no functions of mathematics.
    const program =
      'BEGIN { for (i = 1; i <= 2000; i++) s += 1 / i; x = 1; for (i = 0; i < 20; i++) x = (x + 2 / x) / 2; ' +
      'for (q = 1; k < 12; k++) { p += q * (4 / (8 * k + 1) - 2 / (8 * k + 4) - 1 / (8 * k + 5) - 1 / (8 * k + 6)); q /= 16 } ' +
      'printf "%.10f %.12f %.12f %.4e %d", s, x, p, 1e300 * 2.5 / 3, -7.9 }';
    let sum = 0;
    for (let i = 1; i <= 2000; i++) sum += 1 / i;
    const wanted = [sum.toFixed(10), Math.SQRT2.toFixed(12), Math.PI.toFixed(12), '8.3333e+299', '-7'].join(' ');
    expect(await command(`awk '${program}'`)).toBe(wanted);
  });

  it('finds the HPET, and keeps time with it', async () => {
    expect(await command('dmesg | grep -o "hpet0: 3 comparators, 64-bit 100.000000 MHz counter"')).not.toBe('');
    expect(await command('grep -o "^Clock Event Device: hpet" /proc/timer_list')).toBe('Clock Event Device: hpet');
    const source = '/sys/devices/system/clocksource/clocksource0/current_clocksource';
    expect(await command(`old=$(cat ${source}); echo hpet > ${source}; cat ${source}`)).toBe('hpet');
    // The RTC knows nothing of the HPET.
    const seconds = await command(
      's=$(date +%s); r=$(cat /sys/class/rtc/rtc0/since_epoch); sleep 2; echo $(($(date +%s)-s)) $(($(cat /sys/class/rtc/rtc0/since_epoch)-r))',
    );
    const [here, clock] = seconds.split(' ').map(Number);
    expect(here).toBeGreaterThanOrEqual(2);
    expect(Math.abs(here - clock)).toBeLessThanOrEqual(1);
    expect(await command(`echo $old > ${source}; cat ${source}`)).not.toBe('hpet');
  });

  it('reads and writes disks', async () => {
    expect(await command('dd if=/dev/vda bs=512 skip=1 count=1 2>/dev/null | head -c 13')).toBe('from the host');
    expect(await command('cat /sys/block/vda/size /sys/block/vda/ro /sys/block/vdb/ro')).toBe(`${(4 * MiB) / SECTOR}\n0\n1`);
    expect(await command('head -c 300000 /bin/busybox | dd of=/dev/vda bs=1000 seek=1000 conv=notrunc 2>/dev/null; sync; echo $?')).toBe(
      '0',
    );
    const written = readFileSync(disk).subarray(1_000_000, 1_300_000);
    expect(written.equals(readFileSync(guest!.busybox).subarray(0, 300_000))).toBe(true);
    expect(await command('dd if=/dev/zero of=/dev/vdb count=1 2>/dev/null; echo $?; sync')).toBe('1');
    expect(
      readFileSync(fixed)
        .subarray(SECTOR, SECTOR + 13)
        .toString(),
    ).toBe('from the host');
  });

  it('mounts folders of the host', async () => {
    const mount = (tag: string) => `mkdir /tmp/${tag}; mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 ${tag} /tmp/${tag}`;
    expect(await command(`${mount('share')}; ${mount('still')}; echo $?`)).toBe('0');
    expect(await command('cd /tmp/share; ls; cat hello')).toBe('hello    outside\nhello from the host');
    expect(
      await command('head -c 300000 /bin/busybox > new; mkdir dir; mv new dir/moved; echo more >> hello; sha256sum dir/moved; ls dir'),
    ).toMatch(/^[0-9a-f]{64} +dir\/moved\nmoved$/);
    expect(readFileSync(join(shared, 'dir/moved')).equals(readFileSync(guest!.busybox).subarray(0, 300_000))).toBe(true);
    expect([readFileSync(join(shared, 'hello'), 'utf8'), existsSync(join(shared, 'new'))]).toEqual(['hello from the host\nmore\n', false]);
    expect(await command('sync; rm -r dir hello; readlink outside; cat outside; ls -a ..')).toMatch(
      /^\.\.\/disk\ncat: can't open 'outside': No such/,
    );
    expect(readdirSync(shared)).toEqual(['outside']);
    const refused = await command('cd ../still; cat hello; echo no > hello; echo no > new; rm hello; mkdir dir; chmod 0 hello');
    expect(refused).toMatch(/^hello from the host\n(.*Read-only file system\n?){5}$/);
    expect([readdirSync(still), readFileSync(join(still, 'hello'), 'utf8')]).toEqual([['hello'], 'hello from the host\n']);
    expect(await command('cd /root; umount /tmp/share /tmp/still; echo $?')).toBe('0');
  });

  it('talks to a neighbour on its network', async () => {
    expect(await command(`ifconfig eth0 10.0.2.15 netmask 255.255.255.0; cat /sys/class/net/eth0/address`)).toBe(MAC);
    expect(await command('ping -c 1 -W 30 10.0.2.2')).toContain('1 packets received');
    // Who has 10.0.2.2? Then, an echo request of 56 bytes.
    expect(frames).toContain(`ffffffffffff${GUEST_MAC}0806${ARP}001${GUEST_MAC}${GUEST_IP}000000000000${HOST_IP}`);
    const packet = `^${HOST_MAC}${GUEST_MAC}080045000054.{8}4001.{4}${GUEST_IP}${HOST_IP}0800.{124}$`;
    expect(frames.filter((frame) => new RegExp(packet).test(frame)).length).toBe(1);
    // And the other way round: the guest answers an ARP request of the host.
    const reply = `${HOST_MAC}${GUEST_MAC}0806${ARP}002${GUEST_MAC}${GUEST_IP}${HOST_MAC}${HOST_IP}`;
    expect(frames).not.toContain(reply);
    const request = `ffffffffffff${HOST_MAC}0806${ARP}001${HOST_MAC}${HOST_IP}000000000000${GUEST_IP}`;
    expect(machine.sendFrame(Buffer.from(request, 'hex'))).toBe(true);
    await expect.poll(() => frames, { timeout: COMMAND_MS }).toContain(reply);
  });

  it('writes and reads its virtio console', async () => {
    expect(await command('echo hello > /dev/hvc0; echo $?')).toBe('0');
    expect(await command('seq 1 1000 > /dev/hvc0; echo $?')).toBe('0');
    const numbers = Array.from({ length: 1000 }, (_, i) => `${i + 1}\r\n`).join('');
    await hvc.waitFor(`hello\r\n${numbers}`, COMMAND_MS);
    machine.sendVirtioConsole(Buffer.from('first line\nsecond '));
    machine.sendVirtioConsole(Buffer.from('line\n'));
    expect(await command('head -n 2 /dev/hvc0')).toBe('first line\nsecond line');
  });

  it('has the names of its kernel in its memory, moved by KASLR as it is', async ({ skip }) => {
    skip(engine === 'interpreter', 'the same guest, slower');
    const sum = await command("grep -v '\\[' /proc/kallsyms | sha256sum");
    const ofModules = Number(await command("grep -c '\\[' /proc/kallsyms"));
    const [address, , name] = (await command("grep -m 1 ' t .*\\[' /proc/kallsyms")).split(/\s/);
    await machine.pause();
    const [table, ...more] = findKallsyms(machine.memory.physical.read(MiB, 127 * MiB));
    expect(more).toEqual([]);
    const lines = table!.symbols.map(({ address, kind, name }) => `${address.toString(16).padStart(8, '0')} ${kind} ${name}\n`).join('');
    expect(sum).toBe(`${createHash('sha256').update(lines).digest('hex')}  -`);
    expect(machine.loadGuestSymbols()).toBe(table!.symbols.length + ofModules);
    expect(machine.symbolAt(Number.parseInt(address!, 16))).toMatch(name!);
    expect(machine.symbolAt(machine.symbol('do_idle')! + 1)).toBe('do_idle+0x1');
    await machine.resume();
  });

  it('switches itself off', async () => {
    machine.sendInput(Buffer.from('echo last words > /dev/hvc0; poweroff -f\n'));
    expect(await run).toEqual({ kind: 'power-off' });
    expect(hvc.text.endsWith('last words\r\n')).toBe(true);
  });
});
