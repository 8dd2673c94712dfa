// The network of the next machine, by its name: other tabs' machines that have the same are on it.
import type { Session } from '../app/session.ts';

export function NetworkField({ session }: { readonly session: Session }) {
  return (
    <label class="half">
      Network between tabs
      <input
        type="text"
        id="network"
        value={session.settings.value.network ?? ''}
        placeholder="none: no network card"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        onInput={({ currentTarget }) => session.change({ network: currentTarget.value.trim() || undefined })}
      />
    </label>
  );
}
