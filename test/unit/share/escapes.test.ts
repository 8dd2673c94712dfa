// What a guest may try to get out of the folder that is shared with it: each way is refused, and what is outside is neither read nor changed.
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Open, T } from '../../../src/share/protocol.ts';
import { type Client, errorOf, errorsOf, ROOT } from './client.ts';
import { SECRET, type Shared, shared } from './folder.ts';

const { READ, WRITE, READ_WRITE, TRUNCATE } = Open;
const WAYS: [string, boolean][] = [
  ['by open folders', true],
  ['by looking first', false],
];

/** All that is outside of the folder. */
const outside = ({ around }: Shared) =>
  readdirSync(around, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== 'shared' && !name.startsWith('shared/'))
    .sort()
    .map((name) => [
      name,
      lstatSync(join(around, name)).mode,
      lstatSync(join(around, name)).isFile() ? readFileSync(join(around, name), 'utf8') : '',
    ]);

describe.each(WAYS)('%s', (_, held) => {
  it("leads nowhere by '..'", async () => {
    const { client, path } = await shared({ held });
    const root = lstatSync(path, { bigint: true }).ino;
    const qids = await client.walk(ROOT, 1, ['..', '..', 'dir', '..', '..', '..']);
    expect([qids[0]!.path, qids[1]!.path, qids[5]!.path]).toEqual([root, root, root]);
    expect(await errorOf(client.walk(ROOT, 2, ['..', 'outside']))).toBe('none');
    expect(await errorOf(client.stat(2))).toBe('EBADF');
    expect(await errorOf(client.walk(ROOT, 2, ['outside']))).toBe('ENOENT');
    expect((await client.all('')).filter(({ name }) => name === '..')[0]!.qid.path).toBe(root);
  });

  it('leads nowhere by names that are paths', async () => {
    const it = await shared({ held });
    const { client } = it;
    const before = outside(it);
    const dir = await client.to('dir');
    for (const name of ['../secret', '/etc/passwd', 'dir/inner', '', 'x\0', '\0', 'inner\0x', '../', '/'])
      expect([name, new Set(await errorsOf(namings(client, dir, name)))]).toEqual([name, new Set(['EINVAL'])]);
    for (const name of ['.', '..'])
      for (const error of await errorsOf(namings(client, dir, name).slice(1))) expect(error).toMatch(/EEXIST|EINVAL|EBUSY/);
    expect(outside(it)).toEqual(before);
    expect(readdirSync(it.at('dir'))).toEqual(['inner']);
  });

  it('follows no link: on the way, at the end, to folders, to files, up', async () => {
    const it = await shared({ held });
    const { client } = it;
    const before = outside(it);
    for (const path of ['out/secret', 'within/inner', 'up/secret', 'out/deep/secret', 'up/shared/hello']) {
      const [link, ...rest] = path.split('/');
      expect(await errorOf(client.walk(await client.to(link!), 1, rest))).toBe('ENOTDIR');
      expect((await client.walk(ROOT, 2, path.split('/'))).length).toBe(1);
    }
    for (const name of ['out', 'passwd', 'up', 'within']) {
      const fid = await client.to(name);
      for (const flags of [READ, WRITE, READ_WRITE, READ | TRUNCATE]) expect(await errorOf(client.open(fid, flags))).toBe('ELOOP');
      expect(await errorOf(client.set(fid, 8, { size: 0n }))).toBe('ELOOP');
      expect(await errorOf(client.set(fid, 1, { mode: 0o777 }))).toBe('ELOOP');
      const fids = [await client.to(name), await client.to(name)] as const;
      expect(await errorOf(client.create(fids[0], 'new', WRITE))).toBe('ENOTDIR');
      expect(await errorOf(client.makeFolder(fids[1], 'new'))).toBe('ENOTDIR');
      expect(await errorOf(client.unlinkAt(fids[1], 'secret'))).toBe('ENOTDIR');
      expect(await errorOf(client.renameAt(fids[1], 'secret', ROOT, 'mine'))).toBe('ENOTDIR');
      expect(await errorOf(client.addName(ROOT, await client.to('hello'), name))).toBe('EEXIST');
    }
    // To create where a link is.
    expect(await errorOf(client.create(await client.to(''), 'passwd', WRITE | TRUNCATE))).toBe('ELOOP');
    symlinkSync(join(it.around, 'new'), it.at('dangling'));
    expect(await errorOf(client.create(await client.to(''), 'dangling', WRITE))).toBe('ELOOP');
    // A second name of a link is a link.
    await client.addName(ROOT, await client.to('passwd'), 'second');
    expect(lstatSync(it.at('second')).isSymbolicLink()).toBe(true);
    expect(outside(it)).toEqual(before);
  });

  it('follows no link that comes into a path later', async () => {
    const it = await shared({ held });
    const { client, at, around } = it;
    mkdirSync(at('dir/a/deep'), { recursive: true });
    for (const name of ['dir/a/secret', 'dir/a/deep/secret']) writeFileSync(at(name), 'ours');
    const before = outside(it);
    const fids = {
      folder: await client.to('dir/a'),
      file: await client.to('dir/a/secret'),
      deep: await client.to('dir/a/deep/secret'),
      below: await client.to('dir/a/deep'),
    };
    renameSync(at('dir/a'), at('dir/b'));
    symlinkSync(join(around, 'outside'), at('dir/a'));
    const tries = [
      client.stat(fids.file),
      client.open(fids.file, READ),
      client.open(fids.deep, READ),
      client.stat(fids.deep),
      client.set(fids.deep, 8, { size: 0n }),
      client.set(fids.file, 1, { mode: 0 }),
      client.walk(fids.folder, client.newFid(), ['secret']),
      client.walk(fids.below, client.newFid(), ['secret']),
      client.unlinkAt(fids.folder, 'secret'),
      client.unlinkAt(fids.below, 'secret'),
      client.makeFolder(fids.below, 'new'),
      client.makeFolder(fids.folder, 'new'),
      client.renameAt(fids.below, 'secret', ROOT, 'mine'),
      client.renameAt(ROOT, 'hello', fids.below, 'given away'),
      client.addName(ROOT, fids.deep, 'mine'),
      client.addName(fids.below, fids.file, 'given away'),
      client.create(fids.below, 'new', WRITE),
      client.remove(fids.deep),
    ];
    for (const [n, error] of (await errorsOf(tries)).entries()) expect([n, error]).toEqual([n, expect.stringMatching(/^(ENOTDIR|ELOOP)$/)]);
    expect(await errorOf(client.all('dir/a'))).toBe('ELOOP');
    expect(outside(it)).toEqual(before);
    expect(readdirSync(at('dir/b')).sort()).toEqual(['deep', 'secret']);
  });

  it('stays with the folder where that is moved or gone', async () => {
    const { client, path, around, at } = await shared({ held });
    mkdirSync(at('dir/a/b'), { recursive: true });
    writeFileSync(at('dir/a/b/deep'), 'deep');
    renameSync(path, join(around, 'elsewhere'));
    symlinkSync(join(around, 'outside'), path);
    const reached = await errorOf(client.to('secret'));
    // Who knows the folder only by its path finds what is there now: the host's user put it there.
    if (held) {
      expect(reached).toBe('ENOENT');
      const fid = await client.to('dir/a/b/deep');
      await client.open(fid, READ);
      expect((await client.read(fid, 0, 9)).toString()).toBe('deep');
    }
    rmSync(path);
    renameSync(join(around, 'elsewhere'), path);
    rmSync(path, { recursive: true });
    expect(await errorOf(client.to('hello'))).toBe('ENOENT');
    expect(await errorOf(client.makeFolder(ROOT, 'new'))).toBe('ENOENT');
  });

  it('opens no pipes, sockets and devices', async () => {
    const { client, at } = await shared({ held });
    execFileSync('mkfifo', [at('pipe')]);
    const server = createServer().listen(at('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    for (const [name, kind] of [
      ['pipe', 0o010000],
      ['socket', 0o140000],
    ] as const) {
      const fid = await client.to(name);
      expect((await client.stat(fid)).mode & 0o170000).toBe(kind);
      for (const flags of [READ, WRITE, READ_WRITE]) expect(await errorOf(client.open(fid, flags))).toBe('EPERM');
      expect(await errorOf(client.set(fid, 8, { size: 0n }))).toBe('EPERM');
      expect(await errorOf(client.create(await client.to(''), name, WRITE))).toBe('EPERM');
    }
    server.close();
  });
});

/** All requests that have a name in a folder. */
function namings(client: Client, dir: number, name: string): Promise<unknown>[] {
  return [
    client.walk(dir, client.newFid(), [name]),
    client.create(dir, name, WRITE),
    client.makeFolder(dir, name),
    client.makeLink(dir, name, 'x'),
    client.makeNode(dir, name, 0o100644),
    client.addName(dir, dir, name),
    client.renameAt(dir, 'inner', dir, name),
    client.renameAt(dir, name, dir, 'other'),
    client.unlinkAt(dir, name),
    client.unlinkAt(dir, name, 0x200),
  ];
}

it('reads nothing outside while somebody swaps folders for links', async () => {
  const it = await shared();
  const { client, at, around } = it;
  mkdirSync(at('dir/a/deep'), { recursive: true });
  for (const name of ['dir/a/secret', 'dir/a/deep/secret']) writeFileSync(at(name), 'ours');
  const before = outside(it);
  const fids = [await client.to('dir/a/secret'), await client.to('dir/a/deep/secret')];
  const folders = [await client.to('dir/a'), await client.to('dir/a/deep')];
  let swaps = 0;
  let over = false;
  onTestFinished(() => void (over = true));
  const swap = async () => {
    while (!over) {
      renameSync(at('dir/a'), at('dir/b'));
      symlinkSync(join(around, 'outside'), at('dir/a'));
      await new Promise(setImmediate);
      rmSync(at('dir/a'));
      renameSync(at('dir/b'), at('dir/a'));
      await new Promise(setImmediate);
      swaps++;
    }
  };
  const read: string[] = [];
  const attack = async () => {
    for (let n = 0; n < 10; n++) {
      for (const [k, fid] of fids.entries()) {
        const copy = client.newFid();
        await client.walk(fid, copy, []);
        try {
          await client.open(copy, READ);
          read.push((await client.read(copy, 0, 99)).toString());
        } catch {}
        await client.clunk(copy);
        await errorOf(client.ask(T.SETATTR, (to) => to.u32(fid).u32(8).u32(0).u32(0).u32(0).u64(4n).u64(0n).u64(0n).u64(0n).u64(0n)));
        if ((await errorOf(client.makeFolder(folders[k]!, `new ${n}`))) === 'none')
          await errorOf(client.unlinkAt(folders[k]!, `new ${n}`, 0x200));
      }
    }
  };
  const swapping = swap();
  await attack();
  over = true;
  await swapping;
  expect([swaps > 0, read.filter((text) => text !== 'ours')]).toEqual([true, []]);
  expect(outside(it)).toEqual(before);
  expect([SECRET, statSync(at('dir/a/secret')).size]).toEqual(['not for guests', 4]);
});
