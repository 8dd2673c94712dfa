// Asks QEMU what its devices make of the register tables: the same accesses, made from its monitor while its CPU stands still. What differs is listed, beside
// what is known to differ: the data sheet is right. Ports alone: the monitor writes to no APIC. Bytes of plain RAM are left out.
// Usage: node scripts/with-node.mjs test/unit/devices/registers/check-with-qemu.ts
import { spawn } from 'node:child_process';
import type { Bench } from '../harness.ts';
import { PIC_REGISTERS } from './pic.ts';
import { PIT_REGISTERS } from './pit.ts';
import { mismatches, type Register } from './register.ts';
import { RTC_REGISTERS } from './rtc.ts';
import { UART_REGISTERS } from './uart.ts';

/** Where QEMU 7.2 differs from the data sheet. */
const KNOWN: Readonly<Record<string, string>> = {
  '8254: control word register': 'a read gives 0, where nobody drives the bus',
  '8254: port 61H': 'it keeps the gate and the speaker alone, and the refresh bit toggles at each read',
  'MC146818: seconds': 'bit 7 can be written',
  '16550A: MCR': 'OUT2 is set at reset',
};

/** A bench of ports: `onIn` answers reads. */
function portBench(onIn: (port: number) => number, onOut: (port: number, value: number) => void): Bench {
  const none = () => {
    throw new Error('ports alone');
  };
  return { in: onIn, out: onOut, read: none, write: none } as unknown as Bench;
}

/** What the monitor of a QEMU reads from ports, by commands of which `reads` are reads. */
function monitor(options: readonly string[], commands: readonly string[], reads: number): Promise<number[]> {
  const qemu = spawn('qemu-system-i386', options, { stdio: ['pipe', 'pipe', 'ignore'] });
  return new Promise((resolve, reject) => {
    let text = '';
    qemu.stdout.on('data', (data) => {
      text += data;
      const values = [...text.matchAll(/portb\[0x\w+\] = (0x\w+)\r?\n/g)].map((match) => Number(match[1]));
      if (values.length < reads) return;
      resolve(values);
      // Not before: at its end QEMU drops what it has not yet written.
      qemu.kill();
    });
    qemu.on('exit', (code) => reject(new Error(`QEMU ended with ${code}\n${text}`)));
    qemu.stdin.write(`${commands.join('\n')}\n`);
  });
}

/** The differences, by accesses that are recorded first, made in QEMU, and then looked at with what it gave. */
async function ask(register: Register): Promise<string[]> {
  const commands: string[] = [];
  const recorder = portBench(
    (port) => {
      commands.push(`i /b ${port}`);
      return 0;
    },
    (port, value) => commands.push(`o /b ${port} ${value & 0xff}`),
  );
  mismatches(register, recorder, false);
  const machine = ['-M', 'pc', '-S', '-display', 'none', '-nodefaults', '-serial', 'null', '-monitor', 'stdio'];
  const reads = commands.filter((command) => command.startsWith('i')).length;
  const values = await monitor([...machine, '-rtc', 'base=2024-02-28T23:59:50,clock=vm'], commands, reads);
  return mismatches(
    register,
    portBench(
      () => values.shift() ?? 0,
      () => {},
    ),
    false,
  );
}

const tables: Readonly<Record<string, readonly Register[]>> = {
  '8259A': PIC_REGISTERS,
  '8254': PIT_REGISTERS,
  MC146818: RTC_REGISTERS,
  '16550A': UART_REGISTERS,
};
let unknown = 0;
for (const [device, registers] of Object.entries(tables)) {
  for (const register of registers.filter(({ name }) => !name.startsWith('byte '))) {
    const name = `${device}: ${register.name}`;
    const differences = await ask(register);
    const why = KNOWN[name];
    if (differences.length > 0 && why === undefined) unknown++;
    console.log(
      differences.length === 0 ? `${name}: as in the table` : `${name}: ${why ?? 'DIFFERS'} (${differences.slice(0, 2).join('; ')})`,
    );
  }
}
process.exitCode = unknown > 0 ? 1 : 0;
