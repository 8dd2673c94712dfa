// gdb's packets for going back, over the stub's port: bs, bc, watchpoints, and the beginning of the history.
import { afterEach, expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { REGISTERS } from '../../../src/gdb/registers.ts';
import { Client } from '../gdb/client.ts';
import { ENTRY, kernel, le32 } from '../machine/programs.ts';

const COUNT = 0x200000;
/** mov ebx, COUNT; xor eax, eax; loop: inc dword [ebx]; add eax, 3; call sub; jmp loop; sub: inc ecx; ret */
const LOOP = `bb${le32(COUNT)} 31c0 ff03 83c003 e802000000 ebf4 41c3`;
/** In EAX, of who is started by multiboot. */
const MULTIBOOT_MAGIC = 0x2badb002;
const AT = { zero: ENTRY + 5, loop: ENTRY + 7, add: ENTRY + 9, call: ENTRY + 12, jump: ENTRY + 17, sub: ENTRY + 19 };
const REVERSE: MachineOptions = { lockstep: { paced: false, reverse: { every: 10_000 } } };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
async function attach(options: MachineOptions) {
  const machine = await Machine.create({ kernel: kernel(LOOP), memoryBytes: 4 * MiB, ...options });
  closing.push(() => machine.close());
  const { port } = await machine.gdb({ port: 0, wait: true });
  void machine.run();
  const client = await Client.connect(port);
  closing.push(() => client.close());
  return { machine, client };
}
const hex = (n: number) => n.toString(16);
const register = async (client: Client, name: string) =>
  Buffer.from((await client.ask(`p${hex(REGISTERS.findIndex((one) => one.name === name))}`)) ?? '', 'hex').readUInt32LE();
const word = async (client: Client, address: number) => Buffer.from((await client.ask(`m${hex(address)},4`)) ?? '', 'hex').readUInt32LE();
const at = async (client: Client) => [await register(client, 'eip'), await word(client, COUNT), await register(client, 'eax')];

it('goes back by a step, to breakpoints and to the beginning', async () => {
  const { client } = await attach(REVERSE);
  expect(await client.ask('qSupported:swbreak+')).toMatch(/;ReverseStep\+;ReverseContinue\+$/);
  expect(await client.ask('bs')).toBe('T05thread:1;replaylog:begin;');
  expect(await client.ask(`Z0,${hex(AT.sub)},1`)).toBe('OK');
  for (let turn = 1; turn <= 3; turn++) expect(await client.ask('c')).toBe('T05thread:1;swbreak:;');
  expect(await at(client)).toEqual([AT.sub, 3, 9]);
  for (const [eip, count, eax] of [
    [AT.call, 3, 9],
    [AT.add, 3, 6],
    [AT.loop, 2, 6],
    [AT.jump, 2, 6],
  ] as const) {
    expect(await client.ask('bs')).toBe('T05thread:1;');
    expect(await at(client)).toEqual([eip, count, eax]);
  }
  expect(await client.ask('s')).toBe('T05thread:1;');
  expect(await at(client)).toEqual([AT.loop, 2, 6]);
  for (const count of [2, 1]) {
    expect(await client.ask('bc')).toBe('T05thread:1;swbreak:;');
    expect(await at(client)).toEqual([AT.sub, count, 3 * count]);
  }
  expect(await client.ask('bc')).toBe('T05thread:1;replaylog:begin;');
  expect(await register(client, 'eip')).toBe(ENTRY);
  // And on again, through what was and beyond.
  for (let turn = 1; turn <= 5; turn++) {
    expect(await client.ask('c')).toBe('T05thread:1;swbreak:;');
    expect(await at(client)).toEqual([AT.sub, turn, 3 * turn]);
  }
  expect(await client.monitor('info history')).toMatch(/^checkpoints: 1, \d+ bytes; the machine is where it has come to/);
  expect(await client.ask('bs')).toBe('T05thread:1;');
  expect(await client.monitor('info history')).toMatch(/in its past/);
  expect(await client.monitor('help')).toMatch(/reverse-continue/);
});

it('finds the store that was made last, over many checkpoints', async () => {
  const { client, machine } = await attach(REVERSE);
  expect(await client.ask(`Z2,${hex(COUNT)},4`)).toBe('OK');
  expect(await client.ask('c')).toBe(`T05thread:1;watch:${hex(COUNT)};`);
  expect(await at(client)).toEqual([AT.add, 1, 0]);
  expect(await client.ask(`z2,${hex(COUNT)},4`)).toBe('OK');
  client.send('c');
  while ((machine.stats().lockstep?.history?.checkpoints ?? 0) < 12) await new Promise((resolve) => setTimeout(resolve, 2));
  client.raw('\x03');
  expect(await client.packet()).toBe('T02thread:1;');
  const count = await word(client, COUNT);
  const [eip] = await at(client);
  expect(count).toBeGreaterThan(5000);
  expect(await client.ask(`Z2,${hex(COUNT)},4`)).toBe('OK');
  // Before the instruction that stored it.
  for (let back = 1; back <= 3; back++) {
    expect(await client.ask('bc')).toBe(`T05thread:1;watch:${hex(COUNT)};`);
    expect(await at(client)).toEqual([AT.loop, count - back, 3 * (count - back)]);
  }
  expect(await client.ask(`z2,${hex(COUNT)},4`)).toBe('OK');
  // What is met only once, long ago: `xor eax, eax`.
  expect(await client.ask(`Z0,${hex(AT.zero)},1`)).toBe('OK');
  expect(await client.ask('bc')).toBe('T05thread:1;swbreak:;');
  expect(await at(client)).toEqual([AT.zero, 0, MULTIBOOT_MAGIC]);
  // On to where it was, and further.
  client.send('c');
  while (machine.stats().lockstep?.history?.inPast !== false) await new Promise((resolve) => setTimeout(resolve, 2));
  client.raw('\x03');
  expect(await client.packet()).toBe('T02thread:1;');
  expect(eip).toBeGreaterThanOrEqual(ENTRY);
  expect(await word(client, COUNT)).toBeGreaterThanOrEqual(count);
});

it('a change makes another future, and what was before it stays', async () => {
  const { client } = await attach(REVERSE);
  expect(await client.ask(`Z0,${hex(AT.sub)},1`)).toBe('OK');
  for (let turn = 1; turn <= 4; turn++) await client.ask('c');
  expect(await client.ask('bc')).toBe('T05thread:1;swbreak:;');
  expect(await at(client)).toEqual([AT.sub, 3, 9]);
  expect(await client.ask(`M${hex(COUNT)},4:${le32(100)}`)).toBe('OK');
  for (const count of [101, 102]) {
    expect(await client.ask('c')).toBe('T05thread:1;swbreak:;');
    expect(await word(client, COUNT)).toBe(count);
  }
  expect(await client.ask('bc')).toBe('T05thread:1;swbreak:;');
  expect(await word(client, COUNT)).toBe(101);
  // Where it was changed, and before that.
  expect(await client.ask('bc')).toBe('T05thread:1;swbreak:;');
  expect(await at(client)).toEqual([AT.sub, 100, 9]);
  expect(await client.ask('bc')).toBe('T05thread:1;swbreak:;');
  expect(await at(client)).toEqual([AT.sub, 2, 6]);
  // On again: it is changed where it was.
  for (const count of [100, 101, 102, 103]) {
    expect(await client.ask('c')).toBe('T05thread:1;swbreak:;');
    expect(await word(client, COUNT)).toBe(count);
  }
});

it('others cannot', async () => {
  const { client } = await attach({ lockstep: { paced: false } });
  expect(await client.ask('qSupported')).not.toMatch(/Reverse/);
  expect(await client.ask('bs')).toBe('');
  expect(await client.ask('bc')).toBe('');
  expect(await client.monitor('help')).toMatch(/--reverse can go back/);
  expect(await client.monitor('info history')).toMatch(/there is none/);
});
