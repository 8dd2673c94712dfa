// Programs of Debian's packages with the shared objects that they need, and nothing else: a package's dependencies are followed only from files in which something is missing.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { dynamicNeeds, isElf } from './elf.ts';

/** Where packages come from: apt (Unpacked of apt.ts), or a test. */
export interface PackageSource {
  /** Names of the packages that a package depends on. */
  dependencies(name: string): Promise<readonly string[]>;
  /** Folders with what is in the packages, in order. */
  unpacked(names: readonly string[]): Promise<readonly string[]>;
}

export interface GuestFile {
  /** Where it is in the guest, without a slash in front. */
  readonly path: string;
  readonly data: Buffer;
}

const LIBRARY_FOLDERS = ['lib', 'usr/lib'];
/** Where all shared objects go: the first folder that Debian's dynamic linker looks into. */
const TARGET = 'lib/i386-linux-gnu';

/** Packages that have shared objects by their names; not the interpreters and tools that others depend on as well. */
const mayHaveLibraries = (name: string) => /^(lib|zlib)/.test(name);

/** Where shared objects are in a package that is unpacked in `folder`, by name; those in folders of the package's own, which a RUNPATH names, only where no other bears the name. */
async function librariesIn(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const part of LIBRARY_FOLDERS) {
    const paths = await readdir(join(folder, part), { recursive: true }).catch(() => []);
    const depth = (path: string) => path.split('/').length;
    for (const path of paths.filter((one) => /\.so(\.[^/]*)?$/.test(one)).sort((a, b) => depth(a) - depth(b)))
      if (!found.has(basename(path))) found.set(basename(path), join(folder, part, path));
  }
  return found;
}

interface Wish {
  readonly library: string;
  /** Where it goes. */
  readonly path: string;
  /** The file that needs it, and that file's package. */
  readonly by: string;
  readonly from: string;
}

/**
 * `wanted`: by package, paths of its files (ELF files or others). Returns these, the dynamic linker, and each shared object that one of them or of those needs.
 * Throws an Error where a package lacks a file, or none of the packages that it depends on has an object.
 */
export async function programFiles(source: PackageSource, wanted: Readonly<Record<string, readonly string[]>>): Promise<GuestFile[]> {
  /** By package: where its shared objects are. */
  const packages = new Map<string, Map<string, string>>();
  const add = async (names: readonly string[]): Promise<readonly string[]> => {
    const folders = await source.unpacked(names);
    for (const [k, name] of names.entries()) packages.set(name, await librariesIn(folders[k]!));
    return folders;
  };
  const files: GuestFile[] = [];
  const wishes: Wish[] = [];
  const take = async (path: string, from: string, file: string): Promise<void> => {
    const data = await readFile(file);
    files.push({ path, data });
    if (!isElf(data)) return;
    const { needed, interpreter } = dynamicNeeds(data, path);
    // The dynamic linker is found by the path in a program, all others by their names.
    if (interpreter !== undefined) wishes.push({ library: basename(interpreter), path: interpreter.replace(/^\//, ''), by: path, from });
    for (const library of needed) wishes.push({ library, path: `${TARGET}/${library}`, by: path, from });
  };
  const names = Object.keys(wanted);
  const folders = await add(names);
  for (const [k, name] of names.entries()) for (const path of wanted[name]!) await take(path, name, join(folders[k]!, path));

  const placed = new Set<string>();
  const missing: Wish[] = [];
  for (;;) {
    for (let wish = wishes.shift(); wish !== undefined; wish = wishes.shift()) {
      const { library, path } = wish;
      if (placed.has(library)) continue;
      const [owner, libraries] = [...packages].find(([, objects]) => objects.has(library)) ?? [];
      if (libraries === undefined) missing.push(wish);
      else {
        placed.add(library);
        await take(path, owner!, libraries.get(library)!);
      }
    }
    if (missing.length === 0) return files.sort((a, b) => (a.path < b.path ? -1 : 1));
    const more = new Set<string>();
    for (const from of new Set(missing.map((wish) => wish.from)))
      for (const name of await source.dependencies(from)) if (mayHaveLibraries(name) && !packages.has(name)) more.add(name);
    const [{ library, by, from }] = missing as [Wish];
    if (more.size === 0) throw new Error(`${by} of ${from} needs ${library}, which no package has that ${from} depends on`);
    await add([...more]);
    wishes.push(...missing.splice(0));
  }
}
