// The page's address: its parameters are the settings of the machine and what of the page is shown, so that a link leads to the same.
import { DragomanError, MiB } from '../../../src/api/index.ts';
import { integer, oneOf } from '../../../src/api/kind.ts';
import { CPUS, ENCODER, ENGINE, MODE, memoryBeside, RELAX, SEED } from '../../../src/api/schema.ts';
import { meant } from '../../../src/api/similar.ts';
import type { Image, PageDisk, Settings } from './settings.ts';
import { STEPS } from './tour-place.ts';

/** What of the page an address says beside the machine. */
export interface View {
  /** The panel that is open, by its id. */
  readonly panel: string | undefined;
  /** The step of the guided tour that is open. */
  readonly tour: number | undefined;
}

interface Parameter<T> {
  /** Throws BAD_OPTION. `base`: the page's address. */
  read(text: string, name: string, base: string): T;
  /** Undefined: an address does not say it. */
  write(value: T): string | undefined;
}

const image: Parameter<Image | undefined> = {
  read(text, name, base) {
    if (text === '' || !URL.canParse(text, base)) throw new DragomanError('BAD_OPTION', `'${text}' is not the address of a file`, name);
    return new URL(text, base);
  },
  write: (value) => (value instanceof URL ? value.href : undefined),
};

const YES = oneOf('yes', 'no');
/** Names of disks that the browser keeps. */
const disks: Parameter<readonly PageDisk[]> = {
  read: (text) => text.split(',').filter((name) => name !== ''),
  write: (value) => value.filter((disk) => typeof disk === 'string').join(',') || undefined,
};

/** In the order in which an address has them. */
const PARAMETERS: { readonly [K in keyof Settings]: Parameter<Settings[K]> } = {
  kernel: image,
  initrd: image,
  append: { read: (text) => text, write: (text) => text },
  cpus: { read: CPUS.read, write: String },
  memory: { read: memoryBeside(1).read, write: (bytes) => (bytes % MiB === 0 ? `${bytes / MiB}` : `${bytes / 1024}K`) },
  engine: { read: ENGINE.read, write: String },
  encoder: { read: ENCODER.read, write: String },
  mode: { read: MODE.read, write: String },
  relax: { read: RELAX.read, write: (terms) => terms?.join(',') },
  seed: { read: SEED.read, write: (seed) => seed?.toString() },
  reverse: { read: (text, name) => YES.read(text, name) === 'yes', write: (reverse) => (reverse ? 'yes' : 'no') },
  disks,
  network: { read: (text) => text || undefined, write: (name) => name },
};
const SETTINGS = Object.keys(PARAMETERS) as (keyof Settings)[];
const PANEL = 'panel';
const TOUR = 'tour';
const STEP = integer('a step of the tour', 1, STEPS);
const NAMES: readonly string[] = [...SETTINGS, PANEL, TOUR];

/** What an address says. */
export interface Address {
  readonly settings: Settings;
  readonly view: View;
  /** What it says that cannot be, a sentence each: there, the defaults hold. */
  readonly problems: readonly string[];
}

/** What `read` gives, or `otherwise` with what is wrong among `problems`. */
function tried<T>(read: () => T, otherwise: T, problems: string[]): T {
  try {
    return read();
  } catch (error) {
    problems.push((error as Error).message);
    return otherwise;
  }
}

/** `panels`: ids of those that there are. */
export function readAddress(address: URL, defaults: Settings, panels: readonly string[]): Address {
  const parameters = address.searchParams;
  const problems: string[] = [];
  for (const name of new Set(parameters.keys())) {
    if (!NAMES.includes(name))
      problems.push(`${name}: there is no such parameter${meant(name, NAMES) || `; there are ${NAMES.join(', ')}`}`);
    else if (parameters.getAll(name).length > 1) problems.push(`${name}: is given more than once; the first one counts`);
  }
  const one = <K extends keyof Settings>(name: K): Settings[K] => {
    const text = parameters.get(name);
    return text === null ? defaults[name] : tried(() => PARAMETERS[name].read(text, name, address.href), defaults[name], problems);
  };
  const settings = Object.fromEntries(SETTINGS.map((name) => [name, one(name)])) as unknown as Settings;
  const { cpus } = settings;
  const memory = tried(() => memoryBeside(cpus).take(settings.memory, 'memory'), defaults.memory, problems);
  const wanted = parameters.get(PANEL) ?? undefined;
  const known = wanted === undefined || panels.includes(wanted);
  if (!known) problems.push(`${PANEL}: there is no panel '${wanted}'${meant(wanted, panels) || `; there are ${panels.join(', ')}`}`);
  const said = parameters.get(TOUR);
  const tour = said === null ? undefined : tried(() => STEP.read(said, TOUR), undefined, problems);
  return { settings: { ...settings, memory }, view: { panel: known ? wanted : undefined, tour }, problems };
}

/** The address of the same page that says these settings where they are not the defaults. Files that somebody brought are not in it. */
export function writeAddress(address: URL, settings: Settings, defaults: Settings, { panel, tour }: View): URL {
  const parameters = new URLSearchParams();
  for (const name of SETTINGS) {
    const { write } = PARAMETERS[name] as Parameter<unknown>;
    const text = write(settings[name]);
    if (text !== undefined && text !== write(defaults[name])) parameters.set(name, text);
  }
  if (panel !== undefined) parameters.set(PANEL, panel);
  if (tour !== undefined) parameters.set(TOUR, `${tour}`);
  const written = new URL(address);
  written.search = parameters.toString();
  return written;
}
