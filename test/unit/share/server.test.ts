// The server of shares, message by message, over a real folder.
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Open, T } from '../../../src/share/protocol.ts';
import type { ShareTree } from '../../../src/share/tree.ts';
import { errorOf, errorsOf, MSIZE, ROOT } from './client.ts';
import { shared } from './folder.ts';

const { READ, WRITE, READ_WRITE, TRUNCATE, EXCLUSIVE, APPEND, DIRECTORY } = Open;
const [DIR, LINK, FILE] = [0x80, 0x02, 0];

// Both ways to come by a path (host/share-places.ts).
describe.each([
  ['by open folders', true],
  ['by looking first', false],
])('%s', (_, held) => {
  it('agrees on a version, and forgets all fids where another is asked for', async () => {
    const { client, session } = await shared({ held, attached: false });
    expect(await errorOf(client.attach())).toBe('EPROTO');
    expect(await client.version(8192)).toEqual([8192, '9P2000.L']);
    expect(await client.version(1 << 30)).toEqual([MSIZE, '9P2000.L']);
    expect(await errorOf(client.version(4095))).toBe('EMSGSIZE');
    expect((await client.attach()).type).toBe(DIR);
    expect(session.fids).toBe(1);
    expect(await client.version(MSIZE, '9P2000.u')).toEqual([MSIZE, 'unknown']);
    expect([session.fids, await errorOf(client.attach())]).toEqual([0, 'EPROTO']);
    await client.version();
    expect(await errorOf(client.attach(ROOT, '/other'))).toBe('ENOENT');
    await client.attach(ROOT, '/');
    expect(await errorOf(client.attach())).toBe('EBADF');
    expect(await errorOf(client.ask(T.AUTH, (to) => to.u32(1).text('').text('').u32(0)))).toBe('EOPNOTSUPP');
  });

  it('walks', async () => {
    const { client, at } = await shared({ held });
    mkdirSync(at('dir/a/b/c'), { recursive: true });
    writeFileSync(at('dir/a/b/c/deep'), 'deep');
    const path = ['dir', 'a', 'b', 'c', 'deep'];
    expect((await client.walk(ROOT, 1, path)).map(({ type }) => type)).toEqual([DIR, DIR, DIR, DIR, FILE]);
    const { ino } = statSync(at('dir/a/b/c/deep'), { bigint: true });
    expect((await client.stat(1)).qid.path).toBe(ino);
    // As far as it goes; the new fid is none then.
    expect((await client.walk(ROOT, 2, ['dir', 'none', 'x'])).length).toBe(1);
    expect(await errorOf(client.stat(2))).toBe('EBADF');
    expect(await errorOf(client.walk(ROOT, 2, ['none']))).toBe('ENOENT');
    expect(await errorOf(client.walk(ROOT, 1, ['dir']))).toBe('EBADF');
    expect(await errorOf(client.walk(77, 2, []))).toBe('EBADF');
    expect((await client.walk(ROOT, 2, ['hello', 'x'])).length).toBe(1);
    expect(await errorOf(client.walk(1, 2, ['x']))).toBe('ENOTDIR');
    expect((await client.walk(ROOT, 3, Array(16).fill('.'))).length).toBe(16);
    expect(await errorOf(client.walk(ROOT, 4, Array(17).fill('.')))).toBe('EINVAL');
    // From where it is, to where it is.
    await client.walk(3, 3, ['dir', 'a']);
    await client.walk(3, 3, ['b', '..', '..', 'inner']);
    await client.open(3, READ);
    expect((await client.read(3, 0, 100)).toString()).toBe('inside');
    expect(await errorOf(client.walk(3, 4, []))).toBe('EINVAL');
    await client.clunk(3);
    expect(await errorOf(client.clunk(3))).toBe('EBADF');
  });

  it('says what files are', async () => {
    const { client, at } = await shared({ held });
    chmodSync(at('hello'), 0o4751);
    linkSync(at('hello'), at('other'));
    const real = lstatSync(at('hello'), { bigint: true });
    const it = await client.stat(await client.to('hello'));
    expect(it).toMatchObject({ valid: 0x7ffn, mode: 0o104751, uid: Number(real.uid), gid: Number(real.gid), nlink: 2n, size: 19n });
    expect([it.blocks, it.blksize, it.rdev]).toEqual([real.blocks, real.blksize, real.rdev]);
    expect(it.mtime * 1_000_000_000n + it.mtimeNs).toBe(real.mtimeNs);
    expect(it.ctime * 1_000_000_000n + it.ctimeNs).toBe(real.ctimeNs);
    expect((await client.stat(ROOT)).qid).toMatchObject({ type: DIR, path: lstatSync(at('.'), { bigint: true }).ino });
    const link = await client.stat(await client.to('within'));
    expect([link.qid.type, link.mode, link.size]).toEqual([LINK, 0o120777, 3n]);
    expect(await client.readLink(await client.to('within'))).toBe('dir');
    expect(await errorOf(client.readLink(await client.to('hello')))).toBe('EINVAL');
    const { version } = it.qid;
    writeFileSync(at('hello'), 'shorter');
    expect((await client.stat(await client.to('hello'))).qid.version).not.toBe(version);
  });

  it('reads and writes', async () => {
    const { client, at } = await shared({ held });
    const fid = await client.to('hello');
    expect(await errorOf(client.read(fid, 0, 10))).toBe('EBADF');
    expect((await client.open(fid, READ)).type).toBe(FILE);
    expect(await errorOf(client.open(fid, READ))).toBe('EINVAL');
    expect((await client.read(fid, 6, 4)).toString()).toBe('from');
    expect([
      (await client.read(fid, 19, 10)).length,
      (await client.read(fid, 1n << 40n, 10)).length,
      (await client.read(fid, 0, 0)).length,
    ]).toEqual([0, 0, 0]);
    expect(await errorOf(client.read(fid, 1n << 63n, 1))).toBe('EINVAL');
    // No more than there is room for.
    expect((await client.read(fid, 0, 0xffffffff, 16)).toString()).toBe('hello');
    expect(await errorOf(client.write(fid, 0, 'x'))).toBe('EBADF');
    const both = await client.to('hello');
    await client.open(both, READ_WRITE);
    expect(await client.write(both, 0, 'HELLO')).toBe(5);
    expect(await client.write(both, 1 << 20, 'far')).toBe(3);
    expect(await client.write(both, 0, '')).toBe(0);
    await client.sync(both);
    await client.sync(both, 1);
    expect((await client.read(fid, 0, 10)).toString()).toBe('HELLO from');
    expect(statSync(at('hello')).size).toBe((1 << 20) + 3);
    const again = await client.to('hello');
    await client.open(again, WRITE | TRUNCATE);
    expect([statSync(at('hello')).size, await errorOf(client.read(again, 0, 1))]).toEqual([0, 'EBADF']);
    const end = await client.to('hello');
    await client.open(end, WRITE | APPEND);
    writeFileSync(at('hello'), 'much was written');
    await client.write(end, 0, ' and more');
    expect(readFileSync(at('hello'), 'utf8')).toBe('much was written and more');
    const large = Buffer.alloc(MSIZE - 23, 7);
    expect(await client.write(both, 0, large)).toBe(large.length);
    expect((await client.read(both, 0, 1 << 30)).equals(large.subarray(0, MSIZE - 11))).toBe(true);
    expect(await errorOf(client.sync(await client.to('dir')))).toBe('EBADF');
  });

  it('works at places behind 4 GiB', async () => {
    const { client, at } = await shared({ held });
    const fid = await client.to('hello');
    await client.open(fid, READ_WRITE);
    const far = 6n * 1024n ** 3n + 5n;
    truncateSync(at('hello'), Number(far) + 10);
    expect(await client.write(fid, far, 'far away')).toBe(8);
    expect((await client.stat(fid)).size).toBe(far + 10n);
    expect((await client.read(fid, far - 1n, 10)).toString()).toBe('\0far away\0');
    await client.set(fid, 8, { size: 1n << 41n });
    expect([(await client.stat(fid)).size, await errorOf(client.set(fid, 8, { size: 1n << 60n }))]).toEqual([1n << 41n, 'EFBIG']);
  });

  it('creates files, folders, links and names, as those of the host, with the mode that was asked for', async () => {
    const { client, at } = await shared({ held });
    const umask = process.umask(0o077);
    try {
      const fid = await client.to('dir');
      expect((await client.create(fid, 'new', READ_WRITE | EXCLUSIVE, 0o6664)).type).toBe(FILE);
      expect([await client.write(fid, 0, 'made'), (await client.read(fid, 0, 9)).toString()]).toEqual([4, 'made']);
      // It stands for the file now.
      expect((await client.stat(fid)).size).toBe(4n);
      expect([statSync(at('dir/new')).mode, statSync(at('dir/new')).uid]).toEqual([0o100664, process.getuid!()]);
      const [again, open] = [await client.to('dir'), await client.to('dir')];
      expect(await errorOf(client.create(again, 'new', READ_WRITE | EXCLUSIVE))).toBe('EEXIST');
      await client.create(open, 'new', READ, 0o600);
      expect([(await client.read(open, 0, 9)).toString(), statSync(at('dir/new')).mode]).toEqual(['made', 0o100664]);
      await client.create(again, 'new', WRITE | TRUNCATE);
      expect(statSync(at('dir/new')).size).toBe(0);
      const top = await client.to('');
      await client.create(top, 'locked', WRITE, 0o444);
      await client.write(top, 0, 'may still be written');
      expect([statSync(at('locked')).mode, statSync(at('locked')).size]).toEqual([0o100444, 20]);
      expect((await client.makeFolder(ROOT, 'folder', 0o1777)).type).toBe(DIR);
      expect(statSync(at('folder')).mode).toBe(0o040777);
      expect(await errorOf(client.makeFolder(ROOT, 'folder'))).toBe('EEXIST');
      expect((await client.makeLink(ROOT, 'link', '/anywhere/../at all')).type).toBe(LINK);
      expect(readlinkSync(at('link'))).toBe('/anywhere/../at all');
      await client.addName(await client.to('folder'), await client.to('hello'), 'second');
      expect([readFileSync(at('folder/second'), 'utf8'), statSync(at('hello')).nlink]).toEqual(['hello from the host', 2]);
      expect((await client.makeNode(ROOT, 'plain', 0o100640)).type).toBe(FILE);
      expect([statSync(at('plain')).mode, statSync(at('plain')).size]).toEqual([0o100640, 0]);
      for (const kind of [0o010000, 0o020000, 0o060000, 0o140000])
        expect(await errorOf(client.makeNode(ROOT, 'device', kind | 0o666))).toBe('EPERM');
      expect(readdirSync(at('.')).includes('device')).toBe(false);
    } finally {
      process.umask(umask);
    }
  });

  it('names things by any bytes', async () => {
    const { client, at } = await shared({ held });
    const name = 'caf\xc3\xa9 \xff\x01\\ "\n';
    await client.create(await client.to(''), name, WRITE);
    expect(readdirSync(at('.'), { encoding: 'buffer' }).map((bytes) => bytes.toString('latin1'))).toContain(name);
    expect((await client.all('')).map((entry) => entry.name)).toContain(name);
    const long = 'n'.repeat(255);
    await client.makeFolder(ROOT, long);
    expect([statSync(at(long)).isDirectory(), await errorOf(client.makeFolder(ROOT, `${long}n`))]).toEqual([true, 'ENAMETOOLONG']);
  });

  it('reads folders, in pieces, from any place, in one order', async () => {
    const { client, at } = await shared({ held });
    for (let n = 0; n < 300; n++) writeFileSync(at(`dir/file ${n}`), '');
    const want = ['.', '..', ...[...readdirSync(at('dir'))].sort()];
    const all = await client.all('dir', 300);
    expect(all.map(({ name }) => name)).toEqual(want);
    expect(all.map(({ type }) => type)).toEqual([4, 4, ...Array(301).fill(8)]);
    expect(all[5]!.qid.path).toBe(lstatSync(at(`dir/${want[5]}`), { bigint: true }).ino);
    expect(all[1]!.qid.path).toBe(lstatSync(at('.'), { bigint: true }).ino);
    const fid = await client.to('dir');
    expect(await errorOf(client.list(fid, 0n))).toBe('EBADF');
    await client.open(fid, READ | DIRECTORY);
    expect((await client.list(fid, all[99]!.next, 1000)).map(({ name }) => name)).toEqual(want.slice(100, 100 + 31));
    expect([await errorOf(client.list(fid, 0n, 20)), (await client.list(fid, 9999n)).length]).toEqual(['EINVAL', 0]);
    // What is new is there from the beginning on.
    writeFileSync(at('dir/a new one'), '');
    expect((await client.list(fid, 0n, 1 << 16)).length).toBe(304);
    expect(await errorOf(client.read(fid, 0, 10))).toBe('EISDIR');
    expect(await errorOf(client.open(await client.to('dir'), READ_WRITE))).toBe('EISDIR');
    expect(await errorOf(client.open(await client.to('hello'), READ | DIRECTORY))).toBe('ENOTDIR');
    expect((await client.all('')).map(({ name, type }) => [name, type]).slice(2)).toEqual([
      ['dir', 4],
      ['hello', 8],
      ['out', 10],
      ['passwd', 10],
      ['up', 10],
      ['within', 10],
    ]);
  });

  it('renames and removes, and fids go along', async () => {
    const { client, at } = await shared({ held });
    const [dir, inner, hello] = [await client.to('dir'), await client.to('dir/inner'), await client.to('hello')];
    await client.renameAt(ROOT, 'dir', ROOT, 'moved');
    await client.open(inner, READ);
    expect([(await client.read(inner, 0, 99)).toString(), (await client.stat(dir)).qid.type]).toEqual(['inside', DIR]);
    await client.rename(hello, dir, 'hallo');
    expect(readFileSync(at('moved/hallo'), 'utf8')).toBe('hello from the host');
    await client.renameAt(dir, 'hallo', dir, 'inner');
    expect(readFileSync(at('moved/inner'), 'utf8')).toBe('hello from the host');
    // The one that was replaced is still open.
    expect((await client.read(inner, 0, 99)).toString()).toBe('inside');
    expect((await client.stat(inner)).nlink).toBe(0n);
    expect(await errorOf(client.renameAt(ROOT, 'none', ROOT, 'other'))).toBe('ENOENT');
    expect(await errorOf(client.rename(ROOT, ROOT, 'root'))).toBe('EBUSY');
    expect(await errorOf(client.renameAt(ROOT, 'moved', dir, 'below itself'))).toBe('EINVAL');
    expect(await errorOf(client.unlinkAt(ROOT, 'moved'))).toMatch(/EISDIR|EPERM/);
    expect(await errorOf(client.unlinkAt(ROOT, 'moved', 0x200))).toBe('ENOTEMPTY');
    expect(await errorOf(client.unlinkAt(dir, 'inner', 0x200))).toBe('ENOTDIR');
    expect(await errorOf(client.unlinkAt(dir, 'inner', 1))).toBe('EINVAL');
    await client.unlinkAt(dir, 'inner');
    // The fid is gone, removed or not.
    expect(await errorOf(client.remove(ROOT))).toBe('EBUSY');
    expect(await errorOf(client.stat(ROOT))).toBe('EBADF');
    await client.attach();
    await client.remove(dir);
    expect(await errorOf(client.stat(dir))).toBe('EBADF');
    await client.remove(await client.to('within'));
    expect(readdirSync(at('.')).sort()).toEqual(['out', 'passwd', 'up']);
  });

  it('sets attributes: of names, of open files, and of those without a name', async () => {
    const { client, at } = await shared({ held });
    const fid = await client.to('hello');
    await client.set(fid, 1, { mode: 0o7640 });
    // No file of the host's user runs as that user for others.
    expect(statSync(at('hello')).mode).toBe(0o100640);
    await client.set(fid, 8, { size: 5n });
    expect(readFileSync(at('hello'), 'utf8')).toBe('hello');
    await client.set(fid, 0x10 | 0x80 | 0x20 | 0x100, { atime: [1000n, 5_000_000n], mtime: [-2000n, 0n] });
    expect([Math.round(statSync(at('hello')).atimeMs), statSync(at('hello')).mtimeMs]).toEqual([1_000_005, -2_000_000]);
    expect(await client.stat(fid)).toMatchObject({ atime: 1000n, mtime: 2n ** 64n - 2000n });
    await client.set(fid, 0x20 | 0x100, { mtime: [3000n, 0n] });
    expect([Math.round(statSync(at('hello')).atimeMs), statSync(at('hello')).mtimeMs]).toEqual([1_000_005, 3_000_000]);
    const before = Date.now();
    await client.set(fid, 0x20, {});
    expect(statSync(at('hello')).mtimeMs).toBeGreaterThanOrEqual(before - 1000);
    const { uid, gid } = await client.stat(fid);
    await client.set(fid, 2 | 4, { uid, gid });
    expect([await errorOf(client.set(fid, 2, { uid: uid + 1 })), await errorOf(client.set(fid, 4, { gid: gid + 1 }))]).toEqual([
      'EPERM',
      'EPERM',
    ]);
    await client.open(fid, READ_WRITE);
    await client.unlinkAt(ROOT, 'hello');
    await client.set(fid, 1 | 8 | 0x20 | 0x100, { mode: 0o600, size: 2n, mtime: [77n, 0n] });
    expect(await client.stat(fid)).toMatchObject({ size: 2n, mtime: 77n, mode: 0o100600, nlink: 0n });
    // A link itself.
    await client.set(await client.to('within'), 0x20 | 0x100, { mtime: [99n, 0n] });
    expect([lstatSync(at('within')).mtimeMs, statSync(at('dir')).mtimeMs === 99_000]).toEqual([99_000, false]);
    expect(await errorOf(client.set(await client.to('within'), 1, { mode: 0 }))).toBe('ELOOP');
  });

  it('says how large the file system is, has no extended attributes, and grants locks', async () => {
    const { client } = await shared({ held });
    const from = await client.ask(T.STATFS, (to) => to.u32(ROOT));
    expect([from.u32(), from.u32() > 0, from.u64() > 0n]).toEqual([0x01021997, true, true]);
    expect(await errorOf(client.ask(T.XATTRWALK, (to) => to.u32(ROOT).u32(9).text('user.x')))).toBe('EOPNOTSUPP');
    expect(await errorOf(client.ask(T.XATTRCREATE, (to) => to.u32(ROOT).text('user.x').u64(1n).u32(0)))).toBe('EOPNOTSUPP');
    const fid = await client.to('hello');
    expect((await client.ask(T.LOCK, (to) => to.u32(fid).u8(1).u32(0).u64(0n).u64(9n).u32(42).text('me'))).u8()).toBe(0);
    const lock = await client.ask(T.GETLOCK, (to) => to.u32(fid).u8(1).u64(3n).u64(9n).u32(42).text('me'));
    expect([lock.u8(), lock.u64(), lock.u64(), lock.u32(), lock.text()]).toEqual([2, 3n, 9n, 42, 'me']);
    expect(await errorOf(client.ask(T.LOCK, (to) => to.u32(99).u8(1).u32(0).u64(0n).u64(9n).u32(42).text('me')))).toBe('EBADF');
  });

  it('changes nothing where it may not', async () => {
    const { client, at, path } = await shared({ held, readOnly: true });
    const look = () =>
      readdirSync(path, { recursive: true })
        .sort()
        .map((name) => [name, { ...lstatSync(at(String(name))), atime: 0, atimeMs: 0 }]);
    const before = look();
    const [dir, hello, inner] = [await client.to('dir'), await client.to('hello'), await client.to('dir/inner')];
    const tries = [
      client.open(hello, WRITE),
      client.open(hello, READ_WRITE),
      client.open(hello, READ | TRUNCATE),
      client.create(dir, 'new', READ),
      client.create(dir, 'inner', WRITE),
      client.makeFolder(dir, 'new'),
      client.makeLink(dir, 'new', 'x'),
      client.makeNode(dir, 'new', 0o100644),
      client.addName(dir, hello, 'new'),
      client.renameAt(ROOT, 'hello', dir, 'new'),
      client.rename(hello, dir, 'new'),
      client.unlinkAt(ROOT, 'hello'),
      client.unlinkAt(ROOT, 'dir', 0x200),
      client.set(hello, 1, { mode: 0 }),
      client.set(hello, 8, { size: 0n }),
      client.set(hello, 0x20, {}),
      client.remove(inner),
    ];
    expect(new Set(await errorsOf(tries))).toEqual(new Set(['EROFS']));
    expect(look()).toEqual(before);
    await client.open(hello, READ);
    expect(await errorOf(client.write(hello, 0, 'x'))).toBe('EROFS');
    expect([(await client.read(hello, 0, 5)).toString(), await errorOf(client.sync(hello)), (await client.all('dir')).length]).toEqual([
      'hello',
      'none',
      3,
    ]);
    expect(await errorOf(client.stat(inner))).toBe('EBADF');
  });
});

describe('order', () => {
  /** Reads are answered by hand. */
  const byHand = async () => {
    const reads: { readonly offset: number; readonly answer: () => void }[] = [];
    const wrap = (tree: ShareTree): ShareTree =>
      new Proxy(tree, {
        get(real, key) {
          const value = Reflect.get(real, key, real);
          if (key !== 'open') return typeof value === 'function' ? value.bind(real) : value;
          return async (...args: Parameters<ShareTree['open']>) => {
            const file = await real.open(...args);
            return new Proxy(file, {
              get: (it, name) => {
                const member = Reflect.get(it, name, it);
                if (name !== 'read') return typeof member === 'function' ? member.bind(it) : member;
                return (into: Uint8Array, offset: number) =>
                  new Promise((resolve, reject) => reads.push({ offset, answer: () => void it.read(into, offset).then(resolve, reject) }));
              },
            });
          };
        },
      });
    return { ...(await shared({ wrap })), reads };
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

  it('keeps requests of one fid in turn, and lets others pass', async () => {
    const { client, reads } = await byHand();
    const [one, two] = [await client.to('hello'), await client.to('dir/inner')];
    await client.open(one, READ);
    await client.open(two, READ);
    const done: string[] = [];
    const note = (name: string) => () => void done.push(name);
    const all = [
      client.read(one, 0, 5).then(note('first')),
      client.read(one, 5, 5).then(note('second')),
      client.clunk(one).then(note('clunk')),
      client.read(two, 1, 5).then(note('other')),
    ];
    await settle();
    expect([reads.map(({ offset }) => offset), done]).toEqual([[0, 1], []]);
    reads[1]!.answer();
    await settle();
    expect(done).toEqual(['other']);
    reads[0]!.answer();
    await settle();
    expect([reads.length, done]).toEqual([3, ['other', 'first']]);
    reads[2]!.answer();
    await Promise.all(all);
    expect(done).toEqual(['other', 'first', 'second', 'clunk']);
  });

  it('renames alone', async () => {
    const { client, reads, at } = await byHand();
    const [one, dir] = [await client.to('dir/inner'), await client.to('dir')];
    await client.open(one, READ);
    const read = client.read(one, 0, 6);
    const renamed = client.renameAt(ROOT, 'dir', ROOT, 'moved');
    const made = client.makeFolder(dir, 'behind');
    await settle();
    expect(readdirSync(at('.'))).toContain('dir');
    reads[0]!.answer();
    await Promise.all([read, renamed, made]);
    expect(readdirSync(at('moved')).sort()).toEqual(['behind', 'inner']);
  });

  it('answers Tflush behind what it is about', async () => {
    const { client, session, reads } = await byHand();
    const one = await client.to('hello');
    await client.open(one, READ);
    const { bytes, tag } = client.message(T.READ, (to) => to.u32(one).u64(0n).u32(5));
    const done: string[] = [];
    const read = session.handle(bytes, MSIZE).then(() => done.push('read'));
    const flush = client.ask(T.FLUSH, (to) => to.u16(tag)).then(() => done.push('flush'));
    await client.ask(T.FLUSH, (to) => to.u16(4242));
    await settle();
    expect(done).toEqual([]);
    reads[0]!.answer();
    await Promise.all([read, flush]);
    expect(done).toEqual(['read', 'flush']);
  });
});
