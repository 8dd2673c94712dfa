// The panel "Switches": mode and relaxations of the machine that runs, each thrown while it does, and what that makes of its rate.
import type { EngineName, Machine, Mode, Relaxation } from '../../../src/api/index.ts';
import { clientsOf } from '../app/attached-clients.ts';
import { followRate, instructionsOf, type MarkEffect, rateOf } from '../app/instruction-rate.ts';
import { askedFor, isExact, RELAXATION_NAMES, switchMode, switchRelaxation } from '../app/live-switches.ts';
import type { Session } from '../app/session.ts';
import { ClientSwitch } from '../parts/client-switch.tsx';
import { DataTable } from '../parts/data-table.tsx';
import { ErrorBlock } from '../parts/error-block.tsx';
import { LivePlot } from '../parts/live-plot.tsx';
import { short } from '../parts/numbers.ts';
import './switches.css';

const MODES: Readonly<Record<Mode, string>> = {
  relaxed: 'relies on all that kernels keep to',
  transparent: 'relies on nothing that a guest could see',
  classic: 'relies on nothing: as translators were built before',
};
const ENGINES: Readonly<Record<EngineName, string>> = { jit: 'translator', interpreter: 'interpreter alone' };
/** docs/relaxations.md has the whole of it. */
const RELAXATIONS: Readonly<Record<Relaxation, string>> = {
  directmap: 'loads and stores of RAM do not ask the TLB',
  holes: 'pages taken out of the direct map are not looked for',
  precision: 'flags that nobody reads are not made for faults',
  segments: 'a segment that was loaded before is loaded by comparing',
  cache: 'small functions become part of their callers',
  returns: 'a RET goes back to the region that called',
  entries: 'system calls and interrupts go straight to their code',
  shared: 'one translation for all CPUs',
  frames: 'interrupted code knows its EIP',
  stack: 'a region looks for its stack once',
};

function throwSwitch(session: Session, text: string, work: () => void): void {
  const machine = session.machine.value;
  if (machine !== undefined) rateOf(machine).mark(text, performance.now());
  work();
}

function ModeSwitch({ session, disabled }: { readonly session: Session; readonly disabled: boolean }) {
  const { mode } = session.settings.value;
  return (
    <fieldset class="modes" disabled={disabled}>
      <legend>Mode</legend>
      {Object.entries(MODES).map(([name, what]) => (
        <label key={name}>
          <input
            type="radio"
            name="live-mode"
            checked={mode === name}
            onChange={() => throwSwitch(session, name, () => switchMode(session, name as Mode))}
          />
          <span>
            <strong>{name}</strong> <span class="muted">{what}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function RelaxationSwitches({
  session,
  disabled,
  inLockstep,
}: {
  readonly session: Session;
  readonly disabled: boolean;
  readonly inLockstep: boolean;
}) {
  const on = askedFor(session.settings.value);
  return (
    <fieldset class="relaxations" disabled={disabled}>
      <legend>Code of the kernel relies on</legend>
      {inLockstep && <p class="muted">In lockstep, on what is exact alone.</p>}
      <div class="grid">
        {RELAXATION_NAMES.map((name) => {
          const cannot = inLockstep && !isExact(name);
          return (
            <label key={name}>
              <input
                type="checkbox"
                disabled={cannot}
                checked={!cannot && on.includes(name)}
                onChange={({ currentTarget: { checked } }) =>
                  throwSwitch(session, `${name} ${checked ? 'on' : 'off'}`, () => switchRelaxation(session, name, checked))
                }
              />
              <span>
                <strong>{name}</strong> <span class="muted">{RELAXATIONS[name]}</span>
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}

function EngineSwitch({ session }: { readonly session: Session }) {
  const { engine } = session.settings.value;
  const started = session.started.value;
  return (
    <fieldset class="engines">
      <legend>Engine of the next machine</legend>
      {Object.entries(ENGINES).map(([name, title]) => (
        <label key={name}>
          <input
            type="radio"
            name="next-engine"
            checked={engine === name}
            onChange={() => session.change({ engine: name as EngineName })}
          />
          {title}
        </label>
      ))}
      {started !== undefined && started.engine !== engine && (
        <button type="button" onClick={() => void session.start()}>
          Restart with it
        </button>
      )}
      <p class="muted">CPUs and the seed of a lockstep machine are in the form Machine.</p>
    </fieldset>
  );
}

const ratio = (effect: MarkEffect): string => {
  const { before, after } = effect;
  if (before === undefined || after === undefined) return '';
  return before < 1 || after < 1 ? '' : `× ${(after / before).toFixed(2)}`;
};
const rateText = (rate: number | undefined): string => (rate === undefined ? '–' : short(rate));

const Effects = ({ effects }: { readonly effects: readonly MarkEffect[] }) => (
  <DataTable
    class="effects"
    caption="What switches made of the rate: the mean of 4 s before, and of 4 s from 2 s behind it on"
    head={['Switch', 'Before', 'Behind', 'Ratio']}
    rows={effects.map((effect) => ({
      key: effect.at,
      cells: [effect.text, rateText(effect.before), rateText(effect.after), ratio(effect)],
    }))}
  />
);

/** Work for the guest that everybody has: a loop, and ways into the kernel and out of it. */
const WORK = ['primes 20000000', 'parallel call-sysenter 2000000'] as const;

function Rate({ session, machine }: { readonly session: Session; readonly machine: Machine }) {
  void session.tick.value;
  const clients = clientsOf(session);
  const rate = rateOf(machine);
  const counts = instructionsOf(machine) !== undefined;
  const runs = session.state.value === 'running';
  const byItself = machine.stats().instructions !== null;
  return (
    <section class="rate" aria-labelledby="rate-title">
      <h3 id="rate-title">Rate</h3>
      <p class="muted">
        {byItself
          ? 'Instructions a second of all CPUs, counted by the lockstep machine.'
          : 'Instructions a second of all CPUs, counted by the client inscount while it is attached (guests are some 2 to 12% slower then).'}{' '}
        A guest that waits has few: give it work.
      </p>
      <div class="buttons">
        {!byItself && (
          <ClientSwitch
            clients={clients}
            word="inscount"
            canAttach={runs || session.state.value === 'paused'}
            attach="Count instructions"
            detach="Do not count"
          />
        )}
        {session.started.value?.kernel === undefined &&
          WORK.map((work) => (
            <button key={work} type="button" disabled={!runs} onClick={() => session.type(`${work}\n`)}>
              Type {work}
            </button>
          ))}
      </div>
      {clients.error.value !== undefined && <ErrorBlock report={clients.error.value} onClose={() => clients.forgetError()} />}
      {(counts || rate.looks.length > 0) && (
        <LivePlot title="Instructions a second" series={['instructions']} points={rate.looks} marks={rate.marks.map(({ at }) => at)} />
      )}
      {rate.marks.length > 0 && <Effects effects={rate.effects} />}
    </section>
  );
}

export default function Switches({ session }: { readonly session: Session }) {
  followRate(session);
  void session.tick.value;
  const machine = session.machine.value;
  const { engine, seed, reverse } = session.started.value ?? session.settings.value;
  const translates = engine === 'jit' && !reverse;
  return (
    <div class="switches">
      {!translates && machine !== undefined && (
        <p class="note">
          {reverse ? 'A machine that can go back interprets its code' : 'This machine interprets its code'}: these switches are for
          translated code.
        </p>
      )}
      <ModeSwitch session={session} disabled={!translates} />
      <RelaxationSwitches session={session} disabled={!translates} inLockstep={seed !== undefined} />
      <EngineSwitch session={session} />
      {machine === undefined ? <p>The rate is here when a machine runs.</p> : <Rate session={session} machine={machine} />}
    </div>
  );
}
