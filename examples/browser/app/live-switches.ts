// Mode and relaxations of the machine that runs, as live switches: what is switched is a setting of the next machine as well, and so in the address.
import type { Mode, Relaxation, RelaxTerm } from '../../../src/api/index.ts';
import { EXACT, MODES, RELAXATIONS, relaxationsOf, relaxBits } from '../../../src/api/relax.ts';
import type { Session } from './session.ts';
import type { Settings } from './settings.ts';

export const RELAXATION_NAMES = Object.keys(RELAXATIONS) as readonly Relaxation[];

/** What lockstep machines rely on at the most. */
export const isExact = (name: Relaxation): boolean => EXACT.includes(name);

/** Those that settings say. */
export const askedFor = ({ mode, relax }: Pick<Settings, 'mode' | 'relax'>): readonly Relaxation[] =>
  relaxationsOf(relaxBits(relax ?? MODES[mode], mode));

/** The shortest list that says these; undefined: what the mode has. */
export function termsOf(wanted: readonly Relaxation[], mode: Mode): readonly RelaxTerm[] | undefined {
  const bits = relaxBits([...wanted]);
  const ofMode = relaxBits(MODES[mode]);
  if (bits === ofMode) return undefined;
  if (bits === 0) return ['off'];
  const without = relaxationsOf(ofMode & ~bits).map((name): RelaxTerm => `-${name}`);
  const beyond = relaxationsOf(bits & ~ofMode);
  // A list that begins with what to go without begins with what the mode has.
  return without.length > 0 && without.length + beyond.length < wanted.length ? [...without, ...beyond] : wanted;
}

/** The machine that runs was made from these, as far as anybody can tell. */
function goBy(session: Session, some: Pick<Settings, 'mode' | 'relax'>): void {
  session.change(some);
  if (session.started.value !== undefined) session.started.value = { ...session.started.value, ...some };
}

export function switchMode(session: Session, mode: Mode): void {
  goBy(session, { mode, relax: undefined });
  session.machine.value?.setMode(mode);
  session.look();
}

export function switchRelaxation(session: Session, name: Relaxation, on: boolean): void {
  const { mode } = session.settings.value;
  const others = askedFor(session.settings.value).filter((one) => one !== name);
  const wanted = RELAXATION_NAMES.filter((one) => others.includes(one) || (on && one === name));
  goBy(session, { mode, relax: termsOf(wanted, mode) });
  session.machine.value?.relax(wanted.length === 0 ? ['off'] : wanted);
  session.look();
}
