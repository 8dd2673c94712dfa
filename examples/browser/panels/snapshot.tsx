// The panel "Snapshot": the machine as a file, and back.
import { useSignal } from '@preact/signals';
import { type Report, reportOf, type Session } from '../app/session.ts';
import { restoreSnapshot, saveSnapshot } from '../app/snapshots.ts';
import { download } from '../parts/download.ts';
import { ErrorBlock } from '../parts/error-block.tsx';
import { asBytes } from '../parts/numbers.ts';
import './snapshot.css';

/** '2026-11-29T20-47-58' */
const timestamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(':', '-');

export default function Snapshot({ session }: { readonly session: Session }) {
  const busy = useSignal(false);
  const said = useSignal('');
  const error = useSignal<Report | undefined>(undefined);
  const state = session.state.value;
  const canSave = (state === 'running' || state === 'paused') && !busy.value;
  const save = async () => {
    const machine = session.machine.value;
    if (machine === undefined || !canSave) return;
    busy.value = true;
    error.value = undefined;
    said.value = 'The machine is being saved';
    try {
      const name = `machine-${timestamp()}.dragoman`;
      const bytes = await saveSnapshot(machine, session.started.value ?? session.settings.value);
      download(name, 'application/octet-stream', bytes);
      said.value = `${name}: ${asBytes(bytes.length / 1024)}`;
    } catch (failure) {
      said.value = '';
      error.value = reportOf('The machine could not be saved', failure);
    }
    busy.value = false;
  };
  const restore = async (file: File) => {
    busy.value = true;
    error.value = await restoreSnapshot(session, file);
    said.value = error.value === undefined ? `The machine goes on from ${file.name}` : '';
    busy.value = false;
  };
  return (
    <div class="snapshot">
      <p>
        All that the guest can see of the machine, as a file: CPUs, memory, devices. The machine stands still for a moment while it is
        copied, and goes on.
      </p>
      <div class="buttons">
        <button type="button" id="save-snapshot" class="primary" aria-disabled={!canSave} onClick={() => void save()}>
          Save a snapshot
        </button>
      </div>
      <label>
        Go on from a snapshot
        <input
          type="file"
          id="restore-snapshot"
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            currentTarget.value = '';
            if (file !== undefined) void restore(file);
          }}
        />
      </label>
      <p role="status">{said.value}</p>
      {error.value !== undefined && <ErrorBlock report={error.value} onClose={() => (error.value = undefined)} />}
      <p class="muted">
        A snapshot that is dropped onto the page goes on, too. The machine’s settings go along in the file; files that you brought, and what
        is on disks, do not: give disks again before. What the guest has printed is not in it: press Enter for a prompt. The command line
        reads the same file: <code>dragoman run --restore FILE</code>.
      </p>
    </div>
  );
}
