// The form that a machine is made from. It is folded where there is little room, and says in a line what is in it.
import { useSignal } from '@preact/signals';
import { type EngineName, largestMemory, MiB, MOST_CPUS, type Mode } from '../../../src/api/index.ts';
import { bringKernel } from '../app/bring.ts';
import { roomy } from '../app/preferences.ts';
import type { Session } from '../app/session.ts';
import { nameOf, type Settings } from '../app/settings.ts';
import { NumberField } from '../parts/number-field.tsx';
import { DiskField } from './disk-field.tsx';
import { FileField } from './file-field.tsx';
import { NetworkField } from './network-field.tsx';
import './machine-form.css';

export const MACHINE_FORM = 'machine';

const MODES: Readonly<Record<Mode, string>> = { relaxed: 'relaxed', transparent: 'transparent', classic: 'classic' };
const ENGINES: Readonly<Record<EngineName, string>> = { jit: 'translator', interpreter: 'interpreter alone' };

/** What is in the form, in a line. */
function inWords({ kernel, initrd, disks, network, cpus, memory, engine, mode, relax, seed, reverse }: Settings): string {
  const parts = [
    kernel === undefined ? 'serai' : nameOf(kernel),
    ...(initrd === undefined ? [] : [nameOf(initrd)]),
    cpus === 1 ? '1 CPU' : `${cpus} CPUs`,
    `${memory / MiB} MiB`,
    engine === 'interpreter' ? ENGINES.interpreter : MODES[mode],
    ...(relax === undefined ? [] : [`relaxations ${relax.join(',')}`]),
    ...(seed === undefined && !reverse ? [] : [`lockstep ${seed ?? 0}`]),
    ...(reverse ? ['goes back'] : []),
    ...(disks.length === 0 ? [] : [disks.length === 1 ? '1 disk' : `${disks.length} disks`]),
    ...(network === undefined ? [] : [`network ${network}`]),
  ];
  return parts.join(' · ');
}

export function MachineForm({ session }: { readonly session: Session }) {
  const settings = session.settings.value;
  const { cpus, memory, engine, mode, append, seed } = settings;
  const started = session.started.value;
  const runs = session.state.value === 'running' || session.state.value === 'paused';
  const open = useSignal(roomy.peek());
  const set = (some: Partial<Settings>) => session.change(some);
  return (
    <div class="machine-form">
      <details open={open} onToggle={({ currentTarget }) => (open.value = currentTarget.open)}>
        <summary>
          <h2>Machine</h2>
          <span class="what">{inWords(settings)}</span>
        </summary>
        <form
          id={MACHINE_FORM}
          // A field that is wrong must be seen.
          onInvalidCapture={() => (open.value = true)}
          onSubmit={(event) => {
            event.preventDefault();
            void session.start();
          }}
        >
          <FileField
            id="kernel"
            label="Kernel"
            image={settings.kernel}
            onChange={(file) => (file === undefined ? set({ kernel: undefined }) : void bringKernel(session, file))}
          />
          <FileField id="initrd" label="Initrd" image={settings.initrd} onChange={(initrd) => set({ initrd })} />
          <DiskField session={session} />
          <label class="half">
            Command line
            <input
              type="text"
              id="append"
              value={append}
              spellcheck={false}
              autocomplete="off"
              autocapitalize="off"
              onInput={({ currentTarget }) => set({ append: currentTarget.value })}
            />
          </label>
          <label class="sixth">
            CPUs
            <NumberField id="cpus" min={1} max={MOST_CPUS} value={cpus} onNumber={(value) => set({ cpus: value })} />
          </label>
          <label class="third">
            Memory (MiB)
            <NumberField
              id="memory"
              min={2}
              max={Math.floor(largestMemory(cpus) / MiB)}
              step="any"
              value={memory / MiB}
              onNumber={(value) => set({ memory: value * MiB })}
            />
          </label>
          <label class="third">
            Engine
            <select id="engine" value={engine} onChange={({ currentTarget }) => set({ engine: currentTarget.value as EngineName })}>
              {Object.entries(ENGINES).map(([name, title]) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <label class="third">
            Mode
            <select
              id="mode"
              value={mode}
              disabled={engine === 'interpreter'}
              onChange={({ currentTarget }) => set({ mode: currentTarget.value as Mode, relax: undefined })}
            >
              {Object.entries(MODES).map(([name, title]) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <label class="third wide">
            Lockstep seed
            <NumberField
              id="seed"
              min={0}
              max={0xffffffff}
              placeholder="none: CPUs on threads"
              value={seed}
              onNumber={(value) => set({ seed: value })}
            />
          </label>
          <NetworkField session={session} />
          {runs && started !== settings && differs(started, settings) && <p class="changed all">Restart makes a machine of this.</p>}
        </form>
      </details>
    </div>
  );
}

const differs = (a: Settings | undefined, b: Settings): boolean =>
  (Object.keys(b) as (keyof Settings)[]).some((name) => a?.[name] !== b[name]);
