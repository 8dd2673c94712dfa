// A field for an image that a machine starts from: a file of somebody's, or, where the address says so, one that is fetched.
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Image } from '../app/settings.ts';
import { Icon } from '../parts/icon.tsx';

interface Props {
  readonly id: string;
  readonly label: string;
  readonly image: Image | undefined;
  /** A file was chosen; undefined: none any more. */
  readonly onChange: (file: File | undefined) => void;
}

/** The field shows a file that came another way. */
function showFile(input: HTMLInputElement, file: File | undefined): void {
  if (input.files?.[0] === file) return;
  const transfer = new DataTransfer();
  if (file !== undefined) transfer.items.add(file);
  input.files = transfer.files;
}

export function FileField({ id, label, image, onChange }: Props) {
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => showFile(input.current!, image instanceof File ? image : undefined), [image]);
  return (
    <div class="half">
      <label for={id}>
        {label}
        <input type="file" id={id} ref={input} onChange={({ currentTarget }) => onChange(currentTarget.files?.[0])} />
      </label>
      {image !== undefined && (
        <span class="from">
          {image instanceof URL && <span>from {image.href}</span>}
          <button type="button" class="quiet" onClick={() => onChange(undefined)}>
            <Icon name="close" />
            <span>
              Remove <span class="for-readers">the {label.toLowerCase()}</span>
            </span>
          </button>
        </span>
      )}
    </div>
  );
}
