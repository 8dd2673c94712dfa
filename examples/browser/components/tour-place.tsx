// Where the guided tour is on the page; it is loaded when it is first opened.
import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { reportOf, type Session } from '../app/session.ts';
import { isOpen } from '../app/tour-place.ts';
import { ErrorBlock } from '../parts/error-block.tsx';
import type { TourProps } from '../tour/tour.tsx';

interface Props {
  readonly session: Session;
  readonly onPanel: (id: string) => void;
}

export function TourPlace({ session, onPanel }: Props) {
  const loaded = useSignal<ComponentType<TourProps> | undefined>(undefined);
  const failed = useSignal<unknown>(undefined);
  useSignalEffect(() => {
    if (!isOpen.value || loaded.peek() !== undefined) return;
    import('../tour/tour.tsx').then(
      (module) => (loaded.value = module.default),
      (error: unknown) => (failed.value = error),
    );
  });
  if (!isOpen.value) return null;
  if (failed.value !== undefined)
    return <ErrorBlock report={reportOf('The tour cannot be loaded', failed.value)} onClose={() => (isOpen.value = false)} />;
  const Tour = loaded.value;
  return Tour === undefined ? null : <Tour session={session} onPanel={onPanel} />;
}
