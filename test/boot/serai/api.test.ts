// A program that holds a machine: the console, its end, and where kernels come from; with serai as the guest.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { DragomanError, Machine, type MachineOptions, MiB, type Source } from '../../../src/api/index.ts';

const OPTIONS: MachineOptions = { kernel: SERAI, memoryBytes: 32 * MiB, lockstep: { paced: false } };
const WAIT = { timeoutMs: 60_000 };
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof DragomanError ? { code: error.code, where: error.where, message: error.message } : error),
  );

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dragoman-api-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('boots, waits for the prompt, types, reads what the guest answers, and ends it', async () => {
  const machine = await Machine.create(OPTIONS);
  const text = (async () => {
    let all = '';
    for await (const chunk of machine.console.readable) all += Buffer.from(chunk).toString('latin1');
    return all;
  })();
  const run = machine.run();
  expect((await machine.console.until('serai> ', WAIT)).before).toMatch(/^serai: 1 CPUs .*\n$/);
  await machine.console.type('primes 1000\n');
  const { before, groups } = await machine.console.until(/(\d+) primes up to 1000,/, WAIT);
  expect([before, groups]).toEqual(['primes 1000\n', ['168']]);
  await machine.console.until('serai> ', WAIT);
  await machine.console.type('halt\n');
  expect(await run).toEqual({ kind: 'power-off' });
  expect(await text).toMatch(/^serai: 1 CPUs .*168 primes up to 1000.*halt\r\n/s);
  expect(await errorOf(machine.console.until('serai> '))).toMatchObject({ code: 'ENDED', message: expect.stringContaining('powered off') });
  expect(await errorOf(machine.run())).toMatchObject({ code: 'BAD_STATE' });
  await machine.close();
});

describe('a machine is given back', () => {
  const withDisk = async () => {
    const path = join(folder, 'disk');
    await writeFile(path, new Uint8Array(1024));
    return { ...OPTIONS, disks: [{ path }] };
  };

  it('by close(), where it never ran', async () => {
    const options = await withDisk();
    const machine = await Machine.create(options);
    expect(await errorOf(Machine.create(options))).toMatchObject({ code: 'BAD_DISK' });
    await machine[Symbol.asyncDispose]();
    await (await Machine.create(options)).close();
    expect(await errorOf(machine.run())).toMatchObject({ code: 'BAD_STATE' });
  });

  it('by close(), while it runs: twice', async () => {
    const options = await withDisk();
    const machine = await Machine.create(options);
    const run = machine.run();
    expect(await errorOf(machine.run())).toMatchObject({ code: 'BAD_STATE' });
    await machine.console.until('serai> ', WAIT);
    const [waits] = [errorOf(machine.console.until('never'))];
    await Promise.all([machine.close(), machine.close()]);
    expect(await run).toEqual({ kind: 'stopped', reason: 'the machine was closed' });
    expect(await waits).toMatchObject({ code: 'ENDED' });
    await (await Machine.create(options)).close();
  });

  it('by a signal', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const machine = await Machine.create({ ...OPTIONS, signal });
    const run = machine.run();
    await machine.console.until('serai> ', WAIT);
    controller.abort(new Error('no time left'));
    expect(await run).toEqual({ kind: 'stopped', reason: 'no time left' });
    expect(await errorOf(Machine.create({ ...OPTIONS, signal }))).toEqual(new Error('no time left'));
  });
});

describe('a kernel', () => {
  const hashOf = async (kernel: Source) => {
    const machine = await Machine.create({ ...OPTIONS, kernel });
    const hash = machine.memoryHash();
    await machine.close();
    return hash;
  };

  it('may be bytes, a Blob, a path or a URL', async () => {
    const data = await readFile(SERAI);
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/serai.elf' ? 200 : 404;
      response.end(request.url === '/serai.elf' ? data : '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const hash = await hashOf(data);
      const others: Source[] = [new Uint8Array(data).buffer, new Blob([data]), SERAI, pathToFileURL(SERAI), new URL('/serai.elf', at)];
      for (const source of others) expect(await hashOf(source)).toBe(hash);
      expect(await errorOf(hashOf(new URL('/none', at)))).toMatchObject({ code: 'NO_FILE', where: `${at}/none` });
    } finally {
      server.close();
    }
  });

  it('that is nowhere says so', async () => {
    const where = join(folder, 'none');
    expect(await errorOf(hashOf(where))).toMatchObject({ code: 'NO_FILE', where });
    const modules = [{ data: where, string: 'x' }];
    expect(await errorOf(Machine.create({ ...OPTIONS, modules }))).toMatchObject({ code: 'NO_FILE', where });
    expect(await errorOf(hashOf(pathToFileURL(where)))).toMatchObject({ code: 'NO_FILE' });
    expect(await errorOf(hashOf(folder))).toMatchObject({ code: 'NO_FILE', message: expect.stringContaining('EISDIR') });
  });
});
