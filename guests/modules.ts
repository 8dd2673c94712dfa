// Modules of a Linux kernel for an initial RAM disk: those that are wanted, each after all that it depends on.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

export interface Module {
  /** As in a file's name, with '_' for '-'. */
  readonly name: string;
  readonly data: Buffer;
}

/** Names in file names and in "depends=" differ in '-' and '_' at will. */
const moduleName = (file: string) => basename(file, '.ko').replaceAll('-', '_');

/** Names that a module's .modinfo section says it depends on. */
function dependsOn(module: Buffer): string[] {
  const at = module.indexOf('\0depends=');
  if (at < 0) return [];
  const start = at + '\0depends='.length;
  const text = module.toString('latin1', start, module.indexOf(0, start));
  return text.split(',').filter((name) => name !== '');
}

/** The wanted modules found under `root`, in an order in which they can be loaded. A wanted module that is not there is built in. */
export async function collectModules(root: string, wanted: readonly string[]): Promise<Module[]> {
  const files = new Map<string, string>();
  for (const file of await readdir(root, { recursive: true })) if (file.endsWith('.ko')) files.set(moduleName(file), join(root, file));
  const done = new Map<string, Buffer>();
  const visit = async (name: string): Promise<void> => {
    const file = files.get(name.replaceAll('-', '_'));
    if (file === undefined || done.has(moduleName(file))) return;
    const data = await readFile(file);
    for (const other of dependsOn(data)) await visit(other);
    done.set(moduleName(file), data);
  };
  for (const name of wanted) await visit(name);
  return [...done].map(([name, data]) => ({ name, data }));
}
