// The disks of the next machine: files that become disks in memory, and those of the panel "Disks", which the browser keeps.
import { addDisks, tooManyDisks } from '../app/bring.ts';
import type { Session } from '../app/session.ts';
import { Icon } from '../parts/icon.tsx';
import './disk-field.css';

export function DiskField({ session }: { readonly session: Session }) {
  const { disks } = session.settings.value;
  return (
    <div class="half">
      <label for="disk">
        Disks in memory (writes are not kept)
        <input
          type="file"
          id="disk"
          multiple
          onChange={({ currentTarget }) => {
            if (!addDisks(session, [...(currentTarget.files ?? [])])) session.error.value = tooManyDisks;
            currentTarget.value = '';
          }}
        />
      </label>
      {disks.length > 0 && (
        <ul class="disk-list" aria-label="Disks of the machine">
          {disks.map((disk, n) => {
            const name = disk instanceof File ? disk.name : disk;
            return (
              <li key={`${n} ${name}`}>
                <span>
                  <code>vd{String.fromCharCode(97 + n)}</code> {name}, {disk instanceof File ? 'in memory' : 'kept'}
                </span>
                <button type="button" class="quiet" onClick={() => session.change({ disks: disks.filter((_, at) => at !== n) })}>
                  <Icon name="close" />
                  <span>
                    without <span class="for-readers">the disk {name}</span>
                  </span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
