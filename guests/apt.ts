// Fetches Debian packages for i386 with apt into a private state of its own: no root, no foreign architecture set up, nothing
// installed. The release is fixed, because later ones have no i386 kernel; the archive's own keys vouch for the files.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DragomanError } from '../src/api/errors.ts';

const run = promisify(execFile);

const RELEASE = 'bookworm';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const MINUTES = 60_000;

/** The mirror that this system uses for the release, or the one that DRAGOMAN_MIRROR names. */
async function findMirror(): Promise<string> {
  if (process.env.DRAGOMAN_MIRROR) return process.env.DRAGOMAN_MIRROR;
  const parts = '/etc/apt/sources.list.d';
  const names = await readdir(parts).catch(() => []);
  const files = ['/etc/apt/sources.list', ...names.filter((name) => /\.(list|sources)$/.test(name)).map((name) => join(parts, name))];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const line = text.match(new RegExp(`^deb\\s+(?:\\[[^\\]]*\\]\\s+)?(\\S+)\\s+${RELEASE}\\s+main\\b`, 'm'));
    if (line) return line[1];
    for (const stanza of text.split(/\n\s*\n/)) {
      const uri = stanza.match(/^URIs:\s*(\S+)/m);
      const suites = stanza.match(/^Suites:(.*)$/m);
      if (uri && suites?.[1].trim().split(/\s+/).includes(RELEASE)) return uri[1];
    }
  }
  throw new DragomanError('GUEST_MISSING', `no source of Debian ${RELEASE} (main) in /etc/apt; name a mirror in DRAGOMAN_MIRROR`);
}

/** Names in what `apt-cache depends --important` prints; where it offers several packages for a dependency, the last. Not those that no package bears. */
export const dependenciesIn = (text: string): string[] =>
  [...text.matchAll(/^\s*(?:Pre)?Depends: (\S+)/gm)].map((match) => match[1]!.replace(/:\w+$/, '')).filter((name) => !name.startsWith('<'));

/** A private apt in `directory`. */
export class Apt {
  readonly #directory: string;
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Writes the configuration and fetches the lists of packages. */
  async update(): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    for (const name of ['lists/partial', 'archives/partial', 'empty']) await mkdir(at(name), { recursive: true });
    await writeFile(at('status'), '');
    const options = `arch=i386${existsSync(KEYRING) ? ` signed-by=${KEYRING}` : ''}`;
    await writeFile(at('sources.list'), `deb [${options}] ${await findMirror()} ${RELEASE} main\n`);
    const settings = [
      '#clear APT::Update::Pre-Invoke;',
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
      `Dir::State "${this.#directory}";`,
      `Dir::State::lists "${at('lists')}";`,
      `Dir::State::status "${at('status')}";`,
      `Dir::Cache "${this.#directory}";`,
      `Dir::Cache::archives "${at('archives')}";`,
      `Dir::Etc::sourcelist "${at('sources.list')}";`,
      `Dir::Etc::sourceparts "${at('empty')}";`,
      `Dir::Etc::preferences "${at('no-preferences')}";`,
      `Dir::Etc::preferencesparts "${at('empty')}";`,
      'APT::Architecture "i386";',
      'APT::Architectures { "i386"; };',
      ...(process.getuid?.() === 0 ? ['APT::Sandbox::User "root";'] : []),
      'Acquire::Languages "none";',
      'Acquire::Retries "3";',
      'Acquire::http::Timeout "30";',
    ];
    await writeFile(at('apt.conf'), `${settings.join('\n')}\n`);
    await this.#apt('apt-get', ['update'], 3 * MINUTES);
  }

  /** Names of the packages that `name` depends on. */
  async dependencies(name: string): Promise<string[]> {
    return dependenciesIn(await this.#apt('apt-cache', ['depends', '--important', name], MINUTES));
  }

  /** Downloads packages; returns the paths of the .deb files, in order. */
  async download(names: readonly string[]): Promise<string[]> {
    await this.#apt('apt-get', ['download', ...names], 10 * MINUTES, join(this.#directory, 'archives'));
    const files = await readdir(join(this.#directory, 'archives'));
    return names.map((name) => {
      const newest = files
        .filter((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'))
        .sort(new Intl.Collator('en', { numeric: true }).compare)
        .at(-1);
      if (newest === undefined) throw new Error(`apt-get download ${name} left no file`);
      return join(this.#directory, 'archives', newest);
    });
  }

  async #apt(program: string, args: string[], timeout: number, cwd = this.#directory): Promise<string> {
    const { stdout } = await run(program, ['-q', '-c', join(this.#directory, 'apt.conf'), ...args], { cwd, timeout, maxBuffer: 64 << 20 });
    return stdout;
  }
}

/** Unpacks a .deb file into `directory`; returns its version. */
async function unpack(deb: string, directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  await run('dpkg-deb', ['-x', deb, directory], { timeout: 5 * MINUTES });
  return (await run('dpkg-deb', ['-f', deb, 'Version'])).stdout.trim();
}

/** Packages of `apt`, each unpacked once, in a folder of its own below `folder`; notes the versions. */
export class Unpacked {
  readonly versions: Record<string, string> = {};
  readonly #apt: Apt;
  readonly #folder: string;
  constructor(apt: Apt, folder: string) {
    this.#apt = apt;
    this.#folder = folder;
  }

  dependencies(name: string): Promise<string[]> {
    return this.#apt.dependencies(name);
  }

  /** The packages' folders, in order. */
  async unpacked(names: readonly string[]): Promise<string[]> {
    const wanted = names.filter((name) => this.versions[name] === undefined);
    const debs = wanted.length === 0 ? [] : await this.#apt.download(wanted);
    for (const [k, name] of wanted.entries()) this.versions[name] = await unpack(debs[k]!, join(this.#folder, name));
    return names.map((name) => join(this.#folder, name));
  }
}
