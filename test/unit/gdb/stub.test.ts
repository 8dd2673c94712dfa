// The stub on small machines, over its port: registers, memory, breakpoints, threads, and clients that come, go and misbehave; in both engines, on threads and in lockstep.
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DragomanError, Machine, type MachineOptions, MiB, type PausedEvent } from '../../../src/api/index.ts';
import type { SharedMemory } from '../../../src/cpu/state.ts';
import { PACKET_SIZE } from '../../../src/gdb/framing.ts';
import { REGISTERS } from '../../../src/gdb/registers.ts';
import { CONTROL, Control } from '../../../src/layout/memory.ts';
import { kallsymsTable } from '../inspect/kallsyms-table.ts';
import { CLI_HLT, ENTRY, kernel, le32, UD2 } from '../machine/programs.ts';
import { Client } from './client.ts';

const COUNT = 0x200000;
const WAYS: [string, MachineOptions][] = [
  ...(process.env.DRAGOMAN_LONG_TESTS === '1' ? ([['threads, JIT', {}]] as [string, MachineOptions][]) : []),
  ['lockstep, interpreter', { lockstep: { paced: false }, engine: 'interpreter' }],
];

/** mov ebx, COUNT; xor eax, eax; loop: inc dword [ebx]; add eax, 3; call sub; jmp loop; sub: inc ecx; ret */
const LOOP = `bb${le32(COUNT)} 31c0 ff03 83c003 e802000000 ebf4 41c3`;
const AT = { zero: ENTRY + 5, loop: ENTRY + 7, add: ENTRY + 9, call: ENTRY + 12, jump: ENTRY + 17, sub: ENTRY + 19, ret: ENTRY + 20 };

const all: { machine: Machine; client: Client | undefined }[] = [];
afterEach(async () => {
  for (const { machine, client } of all.splice(0)) {
    await client?.close();
    await machine.close();
  }
});
const make = async (options: MachineOptions, ...code: string[]) => {
  const machine = await Machine.create({ kernel: kernel(...code), memoryBytes: 4 * MiB, codeCache: undefined, ...options });
  all.push({ machine, client: undefined });
  return machine;
};
/** A machine that waits for a client, and that. */
const attach = async (options: MachineOptions, ...code: string[]) => {
  const machine = await make(options, ...code);
  const { port } = await machine.gdb({ port: 0, wait: true });
  const run = machine.run();
  const client = await Client.connect(port);
  all.push({ machine, client });
  return { machine, run, port, client };
};
const hex = (n: number) => n.toString(16);
const paused = (machine: Machine) => new Promise<PausedEvent>((resolve) => machine.addEventListener('paused', resolve, { once: true }));
const until = async (is: () => boolean | Promise<boolean>) => {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 2));
};
/** The breakpoints that CPUs look for. */
const pointsOf = (machine: Machine) => (machine as unknown as { shared: SharedMemory }).shared.i32[(CONTROL + Control.at.debugCount) >> 2];
/** A client of a port that somebody may have just left: its place is free as soon as that is seen to. */
async function free(port: number): Promise<Client> {
  for (;;) {
    const client = await Client.connect(port);
    if ((await client.ask('?')) !== undefined) return client;
  }
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof DragomanError ? error.code : error),
  );
const numberOf = (name: string) => hex(REGISTERS.findIndex((register) => register.name === name));
const register = async (client: Client, name: string) => {
  const bytes = Buffer.from((await client.ask(`p${numberOf(name)}`)) ?? '', 'hex');
  return bytes.length === 4 ? bytes.readUInt32LE() : bytes.toString('hex');
};
const setRegister = (client: Client, name: string, value: number) => client.ask(`P${numberOf(name)}=${le32(value)}`);
const word = async (client: Client, address: number) => Buffer.from((await client.ask(`m${hex(address)},4`)) ?? '', 'hex').readUInt32LE();

describe.each(WAYS)('%s', (_way, options) => {
  it('a machine that waits is stepped, goes on to breakpoints and watchpoints, is interrupted, and left', async () => {
    const { machine, client } = await attach(options, LOOP);
    expect(await client.ask('?')).toBe('T05thread:1;');
    expect(await register(client, 'eip')).toBe(ENTRY);
    expect(await client.ask('vCont;s:1;c')).toBe('T05thread:1;');
    expect(await client.ask('s')).toBe('T05thread:1;');
    expect(await register(client, 'eip')).toBe(AT.loop);
    for (const [type, reason] of [
      [0, 'swbreak'],
      [1, 'hwbreak'],
    ] as const) {
      expect(await client.ask(`Z${type},${hex(AT.sub)},1`)).toBe('OK');
      const before = await word(client, COUNT);
      expect(await client.ask('vCont;c')).toBe(`T05thread:1;${reason}:;`);
      expect(await register(client, 'eip')).toBe(AT.sub);
      expect(await word(client, COUNT)).toBe(before + 1);
      // Again, past the one that it stands at.
      expect(await client.ask('c')).toBe(`T05thread:1;${reason}:;`);
      expect(await word(client, COUNT)).toBe(before + 2);
      // As gdb does it.
      expect(await client.ask(`z${type},${hex(AT.sub)},1`)).toBe('OK');
      expect(await client.ask('vCont;s:1')).toBe('T05thread:1;');
      expect(await client.ask(`Z${type},${hex(AT.sub)},1`)).toBe('OK');
      expect(await client.ask('vCont;c')).toBe(`T05thread:1;${reason}:;`);
      expect(await word(client, COUNT)).toBe(before + 3);
      expect(await client.ask(`z${type},${hex(AT.sub)},1`)).toBe('OK');
    }
    for (const [type, reason, end] of [
      [2, 'watch', AT.add],
      [3, 'rwatch', AT.add],
      [4, 'awatch', AT.add],
    ] as const) {
      expect(await client.ask(`Z${type},${hex(COUNT)},4`)).toBe('OK');
      expect(await client.ask('c')).toBe(`T05thread:1;${reason}:${hex(COUNT)};`);
      expect(await register(client, 'eip')).toBe(end);
      expect(await client.ask(`z${type},${hex(COUNT)},4`)).toBe('OK');
    }
    client.send('c');
    await client.take(/\+/);
    await until(() => machine.state === 'running');
    client.interrupt();
    expect(await client.packet()).toBe('T02thread:1;');
    expect(machine.state).toBe('paused');
    const count = await word(client, COUNT);
    expect(count).toBeGreaterThan(6);
    expect(await client.ask('D')).toBe('OK');
    expect(machine.state).toBe('running');
    await until(async () => {
      await machine.pause();
      const now = Buffer.from(machine.memory.physical.read(COUNT, 4)).readUInt32LE();
      await machine.resume();
      return now > count;
    });
  });

  it('a client that goes away while the machine runs, or while it is held, leaves no breakpoint, and the machine goes on', async () => {
    const { machine, client, port } = await attach(options, LOOP);
    await client.ask(`Z0,${hex(AT.sub)},1`);
    expect(await client.ask('c')).toBe('T05thread:1;swbreak:;');
    await client.close();
    await until(() => machine.state === 'running');
    expect(pointsOf(machine)).toBe(0);
    const second = await free(port);
    // None that is met: it goes away while the machine runs.
    await second.ask('Z0,300000,1');
    await second.ask('Z2,300000,4');
    expect(pointsOf(machine)).toBe(2);
    second.send('c');
    await second.take(/\+/);
    await second.close();
    await until(() => pointsOf(machine) === 0 && machine.state === 'running');
    await (await free(port)).close();
    await until(() => machine.state === 'running');
  });

  it('a breakpoint of the program stops the client, and one of the client the program', async () => {
    const { machine, client } = await attach(options, LOOP);
    await client.ask('?');
    const point = await machine.setBreakpoint(AT.ret);
    let stop = paused(machine);
    expect(await client.ask('c')).toBe('T05thread:1;');
    expect((await stop).hits).toMatchObject([{ cpu: 0, breakpoint: point }]);
    expect(await register(client, 'eip')).toBe(AT.ret);
    await client.ask(`Z0,${hex(AT.sub)},1`);
    stop = paused(machine);
    expect(await client.ask('c')).toBe('T05thread:1;swbreak:;');
    expect((await stop).hits.map(({ breakpoint }) => breakpoint.address)).toEqual([AT.sub]);
    // Both at one place.
    await client.ask(`Z0,${hex(AT.ret)},1`);
    await client.ask(`z0,${hex(AT.sub)},1`);
    expect(await client.ask('c')).toBe('T05thread:1;swbreak:;');
    // What the program pauses, the client hears of; what it lets go on, the client's next question holds.
    await client.ask(`z0,${hex(AT.ret)},1`);
    await point.remove();
    client.send('c');
    await client.take(/\+/);
    await until(() => machine.state === 'running');
    await machine.pause();
    expect(await client.packet()).toBe('T02thread:1;');
    await machine.resume();
    expect(await client.ask('g')).toMatch(/^[0-9a-f]+$/);
    expect(machine.state).toBe('paused');
  });

  it.each<[string, string, string, string]>([
    ['power-off', `66ba0406 66b80020 66ef ${CLI_HLT}`, 'power-off', 'W00'],
    ['halt for ever', CLI_HLT, 'halted', 'W03'],
    ['a write to the debug-exit port', 'b003 e6f4', 'debug-exit', 'W07'],
    ['triple fault', UD2, 'triple-fault', 'X0b'],
  ])('%s ends the session', async (_, code, kind, reply) => {
    const { client, run } = await attach({ ...options, debugExitPort: 0xf4 }, code);
    await client.ask('?');
    client.send('vCont;c');
    const text = await client.packet();
    expect(Buffer.from(text!.slice(1), 'hex').toString()).toMatch(/^the run has ended: .*\n$/);
    expect(await client.packet()).toBe(reply);
    expect(await client.take(/./s)).toBeUndefined();
    expect(await run).toMatchObject({ kind });
  });
});

describe.each(WAYS)('%s, two CPUs', (_way, options) => {
  it('threads are CPUs', async () => {
    const { machine, client } = await attach({ ...options, cpus: 2 }, LOOP);
    expect(await client.ask('qfThreadInfo')).toBe('m1,2');
    expect(await client.ask('qsThreadInfo')).toBe('l');
    const extra = async (thread: string) => Buffer.from((await client.ask(`qThreadExtraInfo,${thread}`)) ?? '', 'hex').toString();
    expect([await extra('1'), await extra('2')]).toEqual(['CPU 0 [running]', 'CPU 1 [not started]']);
    expect(await client.ask('qThreadExtraInfo,3')).toBe('E16');
    expect([await client.ask('T1'), await client.ask('T2'), await client.ask('T3'), await client.ask('Tx')]).toEqual([
      'OK',
      'OK',
      'E16',
      'E16',
    ]);
    expect(await client.ask('qC')).toBe('QC1');
    expect(await client.ask('Hg2')).toBe('OK');
    expect(await client.ask('qC')).toBe('QC2');
    expect(await register(client, 'eip')).toBe(0xfff0);
    expect(await client.ask('Hg3')).toBe('E16');
    expect(await register(client, 'eip')).toBe(0xfff0);
    // The one that stops is the selected one from then on; one that waits does not move (in lockstep others run on for a turn).
    expect(await client.ask('vCont;s:2')).toBe('T05thread:2;');
    expect(await register(client, 'eip')).toBe(0xfff0);
    expect(await client.ask('vCont;s:1;c')).toBe('T05thread:1;');
    if (options.lockstep === undefined) expect(await register(client, 'eip')).toBe(AT.zero);
    // One alone goes on, until it is interrupted or meets something.
    await client.ask(`Z0,${hex(AT.sub)},1`);
    expect(await client.ask('vCont;c:1')).toBe('T05thread:1;swbreak:;');
    expect(await register(client, 'eip')).toBe(AT.sub);
    await client.ask(`z0,${hex(AT.sub)},1`);
    await client.ask('Hc1');
    client.send('c');
    await client.take(/\+/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.interrupt();
    expect(await client.packet()).toBe('T02thread:1;');
    expect(await word(client, COUNT)).toBeGreaterThan(1);
    await client.ask('Hc2');
    client.send('c');
    await client.take(/\+/);
    client.interrupt();
    expect(await client.packet()).toBe('T02thread:2;');
    expect(machine.state).toBe('paused');
    expect(await client.ask('vCont;t')).toBe('T02thread:2;');
  });
});

describe('registers', () => {
  it('are written through, by themselves and all together', async () => {
    const { machine, client } = await attach({}, LOOP);
    const { registers } = machine.cpus[0]!;
    const some = await client.ask('g');
    expect(some!.length / 2).toBe(308);
    const target = await client.ask('qXfer:features:read:target.xml:0,3fff');
    expect(target).toMatch(/^l<\?xml.*<\/target>\n$/s);
    for (const { name, bits } of REGISTERS) expect(target).toContain(`<reg name="${name}" bitsize="${bits}"`);
    const whole = await client.ask('g');
    expect(whole!.startsWith(some!)).toBe(true);
    expect(whole!.length / 2).toBe(REGISTERS.reduce((sum, { bits }) => sum + bits / 8, 0));
    expect(await setRegister(client, 'ebx', 0x89abcdef)).toBe('OK');
    expect(registers.ebx).toBe(0x89abcdef);
    expect(await register(client, 'cr0')).toBe(registers.cr0);
    expect(await setRegister(client, 'cr3', 0x5000)).toBe('OK');
    expect(registers.cr3).toBe(0x5000);
    const pi = '35c26821a2da0fc90040';
    expect(await client.ask(`P${numberOf('st0')}=${pi}`)).toBe('OK');
    expect(registers.st0).toBeCloseTo(Math.PI, 15);
    expect(await register(client, 'st0')).toBe(pi);
    // It is in use now; all others are empty.
    expect([registers.ftw, await register(client, 'ftag')]).toEqual([1, 0xfffc]);
    expect(await setRegister(client, 'ftag', 0xffff)).toBe('OK');
    expect(registers.ftw).toBe(0);
    expect(await client.ask(`P${numberOf('xmm7')}=${'0123456789abcdef'.repeat(2)}`)).toBe('OK');
    expect(Buffer.from(registers.xmm7).toString('hex')).toBe('0123456789abcdef'.repeat(2));
    for (const name of ['fioff', 'fooff']) {
      expect(await setRegister(client, name, 0xfffffff0)).toBe('OK');
      expect(await register(client, name)).toBe(0xfffffff0);
    }
    expect(await setRegister(client, 'fop', 0xffff)).toBe('OK');
    expect(await register(client, 'fop')).toBe(0x7ff);
    const eip = REGISTERS.slice(0, 8).reduce((sum, { bits }) => sum + bits / 4, 0);
    const before = (await client.ask('g'))!;
    expect(await client.ask(`G${before.slice(0, eip)}${le32(AT.add)}${before.slice(eip + 8)}`)).toBe('OK');
    expect([registers.eip, registers.ebx]).toEqual([AT.add, 0x89abcdef]);
    // What cannot be.
    expect(await setRegister(client, 'cr0', 0x80000000)).toBe('E16');
    expect(await setRegister(client, 'cs', 0x18)).toBe('E16');
    expect(await setRegister(client, 'gdt_base', 1)).toBe('E16');
    expect(await client.ask('P0=00')).toBe('E16');
    expect(await client.ask('pff')).toBe('E16');
    expect(await client.ask('Gxx')).toBe('E16');
  });

  it('of the whole stack of the x87, from where its status says that it begins', async () => {
    // finit; fldpi; fld1; fldz
    const { machine, client } = await attach({}, 'dbe3 d9eb d9e8 d9ee', LOOP);
    for (let n = 0; n < 4; n++) await client.ask('s');
    const { registers } = machine.cpus[0]!;
    expect([registers.st0, registers.st1]).toEqual([0, 1]);
    // R5: zero, R6 and R7: valid, all else empty.
    expect(await register(client, 'ftag')).toBe(0x07ff);
    expect(await register(client, 'fstat')).toBe(5 << 11);
    const g = (await client.ask('g'))!;
    // Another top: the same registers, by other names.
    const fstat = REGISTERS.slice(
      0,
      REGISTERS.findIndex(({ name }) => name === 'fstat'),
    ).reduce((sum, { bits }) => sum + bits / 4, 0);
    expect(await client.ask(`G${g.slice(0, fstat)}${le32(0)}${g.slice(fstat + 8)}`)).toBe('OK');
    expect([registers.fsw, registers.st0, registers.st1]).toEqual([0, 0, 1]);
    expect(registers.st2).toBeCloseTo(Math.PI, 15);
  });
});

describe('memory', () => {
  it('is read and written, as far as there is any', async () => {
    const { machine, client } = await attach({}, LOOP);
    expect(await client.ask(`m${hex(ENTRY)},5`)).toBe(`bb${le32(COUNT)}`);
    expect(await client.ask(`M${hex(COUNT)},4:01020304`)).toBe('OK');
    expect(Buffer.from(machine.memory.physical.read(COUNT, 4)).toString('hex')).toBe('01020304');
    expect(await client.ask(`X${hex(COUNT)},5:}\x03}\x04}]}\x0a\x00`)).toBe('OK');
    expect(Buffer.from(machine.memory.physical.read(COUNT, 5)).toString('hex')).toBe('23247d2a00');
    expect(await client.ask(`X${hex(COUNT)},0:`)).toBe('OK');
    // Memory ends.
    expect(await client.ask(`m${hex(4 * MiB - 2)},8`)).toBe('0000');
    expect(await client.ask(`m${hex(4 * MiB)},8`)).toBe('E0e');
    expect(await client.ask(`M${hex(4 * MiB - 2)},4:01020304`)).toBe('E0e');
    expect(await client.ask(`m${hex(4 * MiB - 2)},2`)).toBe('0000');
    expect(await client.ask('mffffffff,2')).toBe('E0e');
    // More than a packet holds.
    expect((await client.ask('m100000,100000'))!.length).toBe(PACKET_SIZE);
    for (const wrong of ['m', 'm1', 'mx,1', 'm1,x', 'm100000000,1', 'M0,2:00', 'M0,1', 'M0:00', 'X0,1:', 'M0,1:0'])
      expect([wrong, await client.ask(wrong)]).toEqual([wrong, 'E16']);
  });
});

describe('the protocol', () => {
  it('what is not known is answered by nothing, and what is wrong by an error', async () => {
    const { client } = await attach({}, LOOP);
    expect(await client.ask('qSupported:multiprocess+;xmlRegisters=i386')).toContain(`PacketSize=${hex(PACKET_SIZE)};QStartNoAckMode+`);
    for (const unknown of [
      'vMustReplyEmpty',
      '!',
      'qSymbol::',
      'vFile:open:',
      'QFoo',
      'bc',
      'bs',
      'Z5,0,1',
      'Hx1',
      'qXfer:auxv:read::0,10',
      '',
      'R00',
    ])
      expect([unknown, await client.ask(unknown)]).toEqual([unknown, '']);
    for (const wrong of [
      'Z0',
      'Z0,zz,1',
      'Z2,0,0',
      'Z2,0,ffff',
      'Hgx',
      'vCont;x',
      'vCont;s:9',
      'qXfer:features:read:target.xml:',
      'qRcmd,x',
    ])
      expect([wrong, await client.ask(wrong)]).toEqual([wrong, 'E16']);
    expect(await client.ask('qXfer:features:read:other.xml:0,10')).toBe('E00');
    expect(await client.ask('qXfer:features:read:target.xml:0,5')).toBe('m<?xml');
    expect(await client.ask('qXfer:features:read:target.xml:fffff,5')).toBe('l');
    expect([await client.ask('qAttached'), await client.ask('vCont?')]).toEqual(['1', 'vCont;c;C;s;S;t']);
    // More than there may be.
    for (let n = 0; n < 256; n++) expect(await client.ask(`Z0,${hex(n)},1`)).toBe('OK');
    expect(await client.ask('Z0,100,1')).toBe('E16');
    expect(await client.ask('Z0,ff,1')).toBe('OK');
  });

  it('damaged packets are asked for again, junk is passed over, and answers are sent again', async () => {
    const { client } = await attach({}, LOOP);
    client.raw('junk$qC#00');
    expect(await client.take(/^-/)).toBeDefined();
    expect(await client.ask('qC')).toBe('QC1');
    client.raw('-');
    expect(await client.packet()).toBe('QC1');
    client.raw(`$${'x'.repeat(3 * PACKET_SIZE)}#00`);
    expect(await client.take(/^-/)).toBeDefined();
    await client.withoutAcknowledgements();
    // From here on checksums are not looked at.
    client.raw('$qC#00');
    expect(await client.packet()).toBe('QC1');
    client.raw(
      Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 7919) & 0xff).filter((byte) => byte !== 0x24)).toString('latin1'),
    );
    expect(await client.ask('qC')).toBe('QC1');
    // Interrupts of what stands still are none; packets while it runs hold it first.
    client.interrupt();
    client.send('c');
    client.send('qC');
    expect(await client.packet()).toMatch(/^T02/);
    expect(await client.packet()).toBe('QC1');
  });

  it('one client at a time; one that only connects changes nothing', async () => {
    const machine = await make({}, LOOP);
    const { port, close } = await machine.gdb({ port: 0 });
    void machine.run();
    const first = await Client.connect(port);
    const second = await Client.connect(port);
    expect(await second.ask('?')).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(machine.state).toBe('running');
    expect(await first.ask('?')).toBe('T05thread:1;');
    expect(machine.state).toBe('paused');
    expect(await codeOf(machine.gdb({ port: 0 }))).toBe('BAD_STATE');
    expect(close).toBeTypeOf('function');
    await first.close();
  });

  it('kill ends the run', async () => {
    for (const how of ['k', 'vKill;1']) {
      const { client, run } = await attach({}, LOOP);
      if (how === 'k') client.send('k');
      else expect(await client.ask(how)).toBe('OK');
      expect(await run).toEqual({ kind: 'stopped', reason: 'the debugger killed it' });
      expect(await client.take(/\$.*/s)).toBeUndefined();
    }
  });
});

describe('the port', () => {
  it('is closed with the run, or before it, and can be had again', async () => {
    const machine = await make({}, LOOP);
    const server = await machine.gdb({ port: 0, wait: true });
    void machine.run();
    await until(() => machine.state === 'paused');
    const client = await Client.connect(server.port);
    await client.ask(`Z0,${hex(AT.sub)},1`);
    await server.close();
    expect(await client.take(/\$never/)).toBeUndefined();
    expect(machine.state).toBe('running');
    await expect(Client.connect(server.port)).rejects.toThrow('ECONNREFUSED');
    const again = await machine.gdb({ port: server.port });
    expect(again.port).toBe(server.port);
    expect(await codeOf(machine.gdb({ port: 0 }))).toBe('BAD_STATE');
    await machine.close();
    await expect(Client.connect(server.port)).rejects.toThrow('ECONNREFUSED');
    expect(await codeOf(machine.gdb({ port: 0 }))).toBe('ENDED');
  });

  it('a machine that waits goes on where nobody is to come any more', async () => {
    const machine = await make({}, LOOP);
    const server = await machine.gdb({ port: 0, wait: true });
    void machine.run();
    await until(() => machine.state === 'paused');
    await server.close();
    expect(machine.state).toBe('running');
    expect(await codeOf(machine.gdb({ port: 0, wait: true }))).toBe('BAD_STATE');
  });

  it('that somebody has is refused, and options of another kind', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const machine = await make({}, LOOP);
    await expect(machine.gdb({ port })).rejects.toThrow(`port: port ${port} of 127.0.0.1 cannot be had: in use`);
    other.close();
    expect(await codeOf(machine.gdb({ port: 65536 }))).toBe('BAD_OPTION');
    expect(await codeOf(machine.gdb({ wait: 1 as unknown as boolean }))).toBe('BAD_OPTION');
    expect((await machine.gdb({ port })).port).toBe(port);
  });

  it('may be connected to before the run: what was asked for is done when it begins', async () => {
    const machine = await make({}, LOOP);
    const { port } = await machine.gdb({ port: 0 });
    const client = await Client.connect(port);
    expect(await register(client, 'eip')).toBe(ENTRY);
    client.send('c');
    await client.take(/\+/);
    client.interrupt();
    expect(await client.packet()).toBe('T02thread:1;');
    await client.ask(`Z0,${hex(AT.ret)},1`);
    client.send('s');
    await client.take(/\+/);
    void machine.run();
    expect(await client.packet()).toBe('T05thread:1;');
    expect(await register(client, 'eip')).toBe(AT.zero);
    expect(await client.ask('c')).toBe('T05thread:1;swbreak:;');
    await client.close();
  });
});

describe('monitor', () => {
  it('tells of registers, translations, code and statistics, and resets and stops', async () => {
    const { machine, client, run } = await attach({ cpus: 2 }, LOOP);
    await client.ask('?');
    expect(await client.monitor('help')).toMatch(/^help .*\ninfo registers/);
    expect(await client.monitor('')).toMatch(/^help /);
    expect(await client.monitor('info registers')).toMatch(/^CPU 0: .*\n.*EIP=00100020/s);
    expect(await client.monitor('info registers 1')).toMatch(/^CPU 1: /);
    expect(await client.monitor('info registers all')).toMatch(/^CPU 0: .*\nCPU 1: /s);
    expect(await client.monitor('info registers 2')).toBe('there is no CPU 2: they are 0 to 1\n');
    await client.ask('Hg2');
    expect(await client.monitor('info registers')).toMatch(/^CPU 1: /);
    expect(await client.monitor('info tlb 0x1000 0x3000')).toBe('0x00001000 to 0x00003fff  0x00001000  no paging  wux-\n');
    expect(await client.monitor('info tlb')).toBe('info tlb: address is missing\n');
    expect(await client.monitor('info tlb x')).toBe("info tlb: 'x' is no address\n");
    expect(await client.monitor('info regions')).toContain('regions translated');
    expect(await client.monitor('info region 0x1000')).toBe('no translation begins at 0x00001000\n');
    expect(await client.monitor('info region nowhere')).toBe("there is no name 'nowhere'\n");
    expect(await client.monitor('info region')).toBe('info region: name or address is missing\n');
    expect(JSON.parse(await client.monitor('stats'))).toHaveProperty('translator.flushes', 0);
    expect(await client.monitor('nonsense')).toMatch(/^there is no command 'nonsense'/);
    await client.ask('Hg1');
    await client.ask('s');
    expect(await register(client, 'eip')).toBe(AT.zero);
    expect(await client.monitor('reset')).toBe('the machine was reset\n');
    expect(await register(client, 'eip')).toBe(ENTRY);
    expect(machine.state).toBe('paused');
    expect(await client.monitor('stop')).toBe('the run ends\n');
    expect(await run).toEqual({ kind: 'stopped', reason: "the debugger's 'monitor stop'" });
  });

  it('finds the names of a Linux kernel in memory', async () => {
    const { machine, client } = await attach({ memoryBytes: 4 * MiB }, LOOP);
    await client.ask('?');
    expect(await client.monitor('symbols')).toMatch(/^symbols: the guest's memory has no table/);
    const symbols = Array.from({ length: 300 }, (_, n) => ({ address: 0xc1000000 + n * 16, kind: 'T', name: `do_it${n}` }));
    machine.memory.physical.write(2 * MiB, kallsymsTable(symbols, 0xc1000000, {}));
    expect(await client.monitor('symbols')).toBe('300 names\n');
    expect(await client.monitor('symbol do_it7')).toBe('0xc1000070\n');
    expect(await client.monitor('symbol 0xc1000072')).toBe('do_it7+0x2\n');
    expect(await client.monitor('symbol 0x10')).toBe('no name is near\n');
    expect(await client.monitor('symbol no_such')).toBe("there is no name 'no_such'\n");
    expect(await client.monitor('symbol')).toBe('symbol: name or address is missing\n');
    expect(await client.monitor('symbol 0xz')).toBe("symbol: '0xz' is no name or address\n");
  });

  it('shows page tables, and no more of them than anybody reads', async () => {
    // A directory at 201000H: 4 MiB pages, the first two; a table at 202000H for the third, with its first page.
    const directory = 0x201000;
    const { machine, client } = await attach({ memoryBytes: 4 * MiB }, LOOP);
    await client.ask('?');
    const entries = new Uint8Array(Uint32Array.of(0x87, 0x183, 0x202003).buffer);
    machine.memory.physical.write(directory, entries);
    machine.memory.physical.write(0x202000, new Uint8Array(Uint32Array.of(0x5001, 0x6001, 0x8001).buffer));
    const { registers } = machine.cpus[0]!;
    registers.cr3 = directory;
    registers.cr4 = 0x90;
    registers.cr0 = (registers.cr0 | 0x80000000) >>> 0;
    expect((await client.monitor('info tlb 0x3ff000 0x405000')).split('\n')).toEqual([
      '0x003ff000 to 0x003fffff  0x003ff000  pages of 4096 KiB  wux-',
      '0x00400000 to 0x007fffff  0x00000000  pages of 4096 KiB  w-xg',
      '0x00800000 to 0x00801fff  0x00005000  pages of 4 KiB  --x-',
      '0x00802000 to 0x00802fff  0x00008000  pages of 4 KiB  --x-',
      '0x00803000 to 0x00803fff  not mapped',
      '',
    ]);
    expect(await client.monitor('info tlb 0x803000 0xf0000000')).toMatch(
      /^0x00803000 to 0x04802fff {2}not mapped\n\.\.\. and so on from 0x04803000/,
    );
    // By these tables.
    expect(await client.ask('m801ffe,4')).toHaveLength(8);
    expect(await client.ask('m802ffe,4')).toHaveLength(4);
    expect(await client.ask('m803000,4')).toBe('E0e');
  });
});
