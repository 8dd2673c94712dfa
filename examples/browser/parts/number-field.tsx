// A field for a number: what is typed counts as soon as it is a number that may be. What may not is in the field alone, until it is left.
import { useSignal } from '@preact/signals';

interface Props {
  readonly id?: string;
  /** Where no label is around it. */
  readonly 'aria-label'?: string;
  readonly min: number;
  readonly max?: number;
  /** Default: whole numbers. */
  readonly step?: 'any';
  /** Undefined: none, which only a field may have that says by `placeholder` what that means. */
  readonly value: number | undefined;
  readonly placeholder?: string;
  readonly disabled?: boolean;
}

/** One that must have a number. */
interface Required extends Props {
  readonly value: number;
  readonly placeholder?: never;
  readonly onNumber: (value: number) => void;
}
interface Optional extends Props {
  readonly placeholder: string;
  readonly onNumber: (value: number | undefined) => void;
}

export function NumberField({ value, placeholder, step, onNumber, ...rest }: Required | Optional) {
  /** What is in the field and may not be. */
  const wrong = useSignal<string | undefined>(undefined);
  return (
    <input
      type="number"
      {...rest}
      step={step ?? 1}
      placeholder={placeholder}
      required={placeholder === undefined}
      value={wrong.value ?? value ?? ''}
      onInput={({ currentTarget: field }) => {
        wrong.value = field.validity.valid ? undefined : field.value;
        // A required one is not empty where it is valid.
        if (field.validity.valid) (onNumber as (value: number | undefined) => void)(field.value === '' ? undefined : field.valueAsNumber);
      }}
      onBlur={({ currentTarget: field }) => {
        wrong.value = undefined;
        // The browser has its own idea of what stands there.
        field.value = `${value ?? ''}`;
      }}
    />
  );
}
