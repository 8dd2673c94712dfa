// Checks the expectations of test/guest/*.asm from outside: boots every program in QEMU, on its own emulation (TCG) or, asked for, through KVM.
// KVM is the better judge of what TCG leaves out (segment limits, CR0 checks), but on some hosts it emulates ring 0 itself and has gaps (IRET, 32-bit paging).
// Usage: node scripts/with-node.mjs test/guest/check-with-qemu.ts [--kvm] [--registers] [names]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkOutcome, type GuestOutcome, guestNames, readProgram } from '../harness/asm.ts';

const work = mkdtempSync(join(tmpdir(), 'guest-'));
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Just enough of QMP to ask the human monitor. */
class Monitor {
  #buffer = '';
  #waiting: ((text: string) => void)[] = [];
  stopped = false;
  readonly #socket: Socket;
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data) => {
      this.#buffer += data;
      for (let end = this.#buffer.indexOf('\n'); end >= 0; end = this.#buffer.indexOf('\n')) {
        const message = JSON.parse(this.#buffer.slice(0, end)) as { return?: unknown; event?: string };
        this.#buffer = this.#buffer.slice(end + 1);
        if (message.event === 'SHUTDOWN' || message.event === 'RESET') this.stopped = true;
        if ('return' in message) this.#waiting.shift()?.(typeof message.return === 'string' ? message.return : '');
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.stopped = true;
      for (const w of this.#waiting.splice(0)) w('');
    });
  }
  #send(message: object): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(`${JSON.stringify(message)}\n`);
    });
  }
  start(): Promise<string> {
    return this.#send({ execute: 'qmp_capabilities' });
  }
  ask(line: string): Promise<string> {
    return this.#send({ execute: 'human-monitor-command', arguments: { 'command-line': line } });
  }
}

async function connected(path: string): Promise<Socket> {
  for (let i = 0; ; i++) {
    await wait(30);
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const s = connect(path, () => resolve(s));
        s.on('error', reject);
      });
    } catch (error) {
      if (i > 100) throw error;
    }
  }
}

let lastRegisters = '';

async function runInQemu(name: string, accelerator: string, model = 'max'): Promise<GuestOutcome> {
  const image = fileURLToPath(new URL(`bin/${name}.bin`, import.meta.url));
  const socketPath = join(work, 'qmp');
  const dump = join(work, 'memory');
  const cpu = accelerator === 'kvm' ? 'host,arch-capabilities=off' : model;
  const qemu = spawn(
    'qemu-system-i386',
    [
      '-accel',
      accelerator,
      '-cpu',
      cpu,
      '-m',
      '32',
      '-display',
      'none',
      '-nodefaults',
      '-no-reboot',
      '-no-shutdown',
      '-kernel',
      image,
      '-qmp',
      `unix:${socketPath},server=on,wait=off`,
    ],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  const ended = new Promise((resolve) => qemu.on('exit', resolve));
  try {
    const monitor = new Monitor(await connected(socketPath));
    await monitor.start();
    let text = '';
    let end = 'limit';
    for (let i = 0; i < 300; i++) {
      await wait(50);
      text = await monitor.ask('info registers');
      if (text) lastRegisters = text;
      if (monitor.stopped) {
        end = 'shutdown';
        break;
      }
      // Halted with interrupts off: the end of a program (the BIOS waits with interrupts on).
      if (/HLT=1/.test(text) && !(Number.parseInt(/EFL=(\w+)/.exec(text)![1], 16) & 0x200)) {
        end = 'halted';
        break;
      }
    }
    if (end === 'limit') console.log(text.split('\n').slice(0, 14).join('\n'));
    await monitor.ask(`pmemsave 0 0x100000 "${dump}"`);
    const memory = readFileSync(dump);
    const value = (register: string) => Number.parseInt(new RegExp(`${register}=(\\w+)`).exec(text)?.[1] ?? '0', 16);
    return {
      end,
      registers: Uint32Array.from(['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'].map(value)),
      eflags: value('EFL'),
      readMemory: (at, length) => memory.subarray(at, at + length),
    };
  } finally {
    qemu.kill();
    await ended;
  }
}

const options = process.argv.slice(2);
const named = options.filter((o) => !o.startsWith('--'));
const accelerators = options.includes('--kvm') ? ['kvm'] : ['tcg'];
let wrong = 0;
for (const name of named.length ? named : guestNames()) {
  const program = readProgram(name);
  const results: string[] = [];
  for (const accelerator of accelerators) {
    const skip = program.header.qemu?.skip ?? (accelerator === 'tcg' ? program.header.qemu?.skipTcg : undefined);
    if (skip) {
      results.push(`${accelerator}: not asked (${skip})`);
      continue;
    }
    const differences = checkOutcome(program.header, await runInQemu(name, accelerator, program.header.qemu?.cpu));
    if (differences.length) wrong++;
    if (differences.length && options.includes('--registers')) results.push(lastRegisters);
    results.push(`${accelerator}: ${differences.length ? `DIFFERS\n${differences.join('\n')}` : 'as expected'}`);
  }
  console.log(`${name}: ${results.join('; ')}`);
}
rmSync(work, { recursive: true });
process.exitCode = wrong ? 1 : 0;
