// The panel "Disks": those that the browser keeps for this page's address. They are made, brought along, given to the machine, taken out and deleted here.
import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import { MiB, type OriginDiskEntry, type OriginRoom, originDisks } from '../../../src/api/index.ts';
import { addDisks, tooManyDisks } from '../app/bring.ts';
import { type Report, reportOf, type Session } from '../app/session.ts';
import { byteSize } from '../parts/byte-size.ts';
import { DataTable } from '../parts/data-table.tsx';
import { ErrorBlock } from '../parts/error-block.tsx';
import { NumberField } from '../parts/number-field.tsx';
import './disks.css';

/** So long a download may take to begin. */
const URL_MS = 60_000;
/** So often it is looked whether disks are in use still. */
const LOOK_MS = 1000;

function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = /\.\w+$/.test(name) ? name : `${name}.img`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), URL_MS);
}

interface Kept {
  readonly disks: readonly OriginDiskEntry[];
  readonly room: OriginRoom;
}

function Room({ room: { used, most, persisted }, onPersist }: { readonly room: OriginRoom; readonly onPersist: () => void }) {
  return (
    <p class="room">
      Used: {byteSize(used)} of {byteSize(most)} that this browser gives the page.{' '}
      {persisted ? (
        'It keeps them until you delete them.'
      ) : (
        <>
          It may take them away when it wants the room.{' '}
          <button type="button" class="quiet" onClick={onPersist}>
            Ask it to keep them
          </button>
        </>
      )}
    </p>
  );
}

interface ButtonsProps {
  readonly name: string;
  readonly session: Session;
  readonly act: (what: () => Promise<void>) => void;
}
/** What can be done with a disk. */
function DiskButtons({ name, session, act }: ButtonsProps) {
  const sure = useSignal(false);
  const { disks } = session.settings.value;
  const attached = disks.includes(name);
  const attach = () => {
    if (attached) session.change({ disks: disks.filter((disk) => disk !== name) });
    else if (!addDisks(session, [name])) session.error.value = tooManyDisks;
  };
  const remove = () => {
    if (!sure.value) {
      sure.value = true;
      return;
    }
    act(async () => {
      await originDisks.remove(name);
      session.change({ disks: session.settings.value.disks.filter((disk) => disk !== name) });
    });
  };
  return (
    <div class="buttons">
      <button type="button" aria-pressed={attached} aria-label={`Give ${name} to the machine`} onClick={attach}>
        {attached ? 'Given' : 'Give to the machine'}
      </button>
      <button type="button" aria-label={`Export ${name}`} onClick={() => act(async () => download(await originDisks.blob(name), name))}>
        Export
      </button>
      <button
        type="button"
        aria-label={sure.value ? `Delete ${name} for good` : `Delete ${name}`}
        onClick={remove}
        onBlur={() => (sure.value = false)}
      >
        {sure.value ? 'Delete for good' : 'Delete'}
      </button>
    </div>
  );
}

interface NewProps {
  readonly act: (what: () => Promise<void>) => void;
}
function NewDisk({ act }: NewProps) {
  const name = useSignal('');
  const mebibytes = useSignal(64);
  const file = useSignal<File | undefined>(undefined);
  /** Bytes that are in; undefined: nothing is being made. */
  const done = useSignal<number | undefined>(undefined);
  const stop: Signal<AbortController | undefined> = useSignal(undefined);
  const make = () =>
    act(async () => {
      const end = new AbortController();
      stop.value = end;
      done.value = 0;
      try {
        await originDisks.create(name.value.trim(), file.value ?? mebibytes.value * MiB, {
          onProgress: (bytes) => (done.value = bytes),
          signal: end.signal,
        });
        name.value = '';
        file.value = undefined;
      } catch (error) {
        if (!end.signal.aborted) throw error;
      } finally {
        done.value = undefined;
      }
    });
  return (
    <form
      class="new-disk"
      aria-labelledby="new-disk-title"
      onSubmit={(event) => {
        event.preventDefault();
        make();
      }}
    >
      <h3 id="new-disk-title">New disk</h3>
      <label>
        Name
        <input
          type="text"
          id="disk-name"
          required
          maxLength={64}
          pattern="[^\/\\,]+"
          title="no slash and no comma"
          value={name.value}
          onInput={({ currentTarget }) => (name.value = currentTarget.value)}
        />
      </label>
      <label>
        Size (MiB), empty
        <NumberField
          id="disk-size"
          min={1}
          disabled={file.value !== undefined}
          value={mebibytes.value}
          onNumber={(value) => (mebibytes.value = value)}
        />
      </label>
      <label class="image">
        or a raw image, which is copied
        <input
          type="file"
          id="disk-image"
          key={file.value === undefined ? 'none' : 'one'}
          onChange={({ currentTarget }) => {
            const chosen = currentTarget.files?.[0];
            file.value = chosen;
            if (chosen !== undefined && name.value === '') name.value = chosen.name.replaceAll(/[/\\,]/g, ' ').slice(0, 64);
          }}
        />
        {file.value !== undefined && (
          <span>
            {file.value.name}, {byteSize(file.value.size)}
          </span>
        )}
      </label>
      <div class="buttons">
        <button type="submit" id="disk-make" disabled={done.value !== undefined}>
          {file.value === undefined ? 'Create' : 'Import'}
        </button>
        {done.value !== undefined && file.value !== undefined && (
          <>
            <progress aria-label={`${file.value.name} is copied`} max={file.value.size} value={done.value} />
            <button type="button" onClick={() => stop.value?.abort()}>
              Cancel
            </button>
          </>
        )}
      </div>
    </form>
  );
}

export default function Disks({ session }: { readonly session: Session }) {
  const kept = useSignal<Kept | undefined>(undefined);
  const failed = useSignal<Report | undefined>(undefined);
  const look = async () => {
    kept.value = { disks: await originDisks.list(), room: await originDisks.room() };
  };
  const act = (what: () => Promise<void>) => {
    failed.value = undefined;
    void (async () => {
      try {
        await what();
        await look();
      } catch (error) {
        failed.value = reportOf('That did not work', error);
      }
    })();
  };
  // A machine that begins or ends takes disks, or gives them back.
  useSignalEffect(() => {
    void session.state.value;
    act(async () => {});
  });
  // Where one is in use somebody gives it back at any time: another tab, or this page's machine some moments behind its end.
  useSignalEffect(() => {
    if (kept.value?.disks.some(({ inUse }) => inUse) !== true) return;
    const timer = setTimeout(() => void look().catch(() => {}), LOOK_MS);
    return () => clearTimeout(timer);
  });
  return (
    <div class="disks">
      <p>
        Disks that this browser keeps for this page, also when it is closed: what a guest has written and flushed stays. A disk is one
        machine's at a time, in whichever tab. Files that you give the machine in its form are disks in memory instead.
      </p>
      {failed.value !== undefined && <ErrorBlock report={failed.value} onClose={() => (failed.value = undefined)} />}
      {kept.value !== undefined && (
        <>
          <Room room={kept.value.room} onPersist={() => act(async () => void (await navigator.storage.persist()))} />
          {kept.value.disks.length === 0 ? (
            <p class="muted">There are none yet.</p>
          ) : (
            <DataTable
              caption="Disks that are kept"
              hasHiddenCaption
              head={['Name', 'Size', '']}
              rows={kept.value.disks.map((disk) => ({
                key: disk.name,
                cells: [
                  disk.name,
                  <span class="size">
                    {byteSize(disk.size)}
                    {disk.inUse && ', in use'}
                  </span>,
                  <DiskButtons name={disk.name} session={session} act={act} />,
                ],
              }))}
            />
          )}
          <NewDisk act={act} />
        </>
      )}
    </div>
  );
}
