// A button that copies a text, and says whether it did.
import { useSignal } from '@preact/signals';
import { Icon } from './icon.tsx';

const SAID_MS = 2500;

/** `text`: asked for when it is pressed. */
export function CopyButton({
  label,
  text,
  icon = 'copy',
}: {
  readonly label: string;
  readonly text: () => string;
  readonly icon?: 'copy' | 'link';
}) {
  const said = useSignal('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      said.value = 'Copied';
    } catch {
      said.value = 'The browser does not let the page copy';
    }
    setTimeout(() => (said.value = ''), SAID_MS);
  };
  return (
    <span class="copy-button">
      <button type="button" onClick={() => void copy()}>
        <Icon name={icon} />
        <span class="label">{label}</span>
      </button>
      <span role="status" class="copy-said">
        {said}
      </span>
    </span>
  );
}
