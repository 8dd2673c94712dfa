// The whole page takes files that are dropped onto it.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import './drop-target.css';

export function DropTarget({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }) {
  const over = useSignal(false);
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
    const drag = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      over.value = true;
    };
    const leave = (event: DragEvent) => {
      // To outside of the window, not to another element.
      if (event.relatedTarget === null) over.value = false;
    };
    const drop = (event: DragEvent) => {
      over.value = false;
      if (!hasFiles(event)) return;
      event.preventDefault();
      onFiles([...event.dataTransfer!.files]);
    };
    const all = { dragenter: drag, dragover: drag, dragleave: leave, drop };
    for (const [name, listener] of Object.entries(all)) addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(all)) removeEventListener(name, listener as EventListener);
    };
  }, [onFiles, over]);
  return over.value ? <div class="drop-target">Drop a kernel, an initrd, disks; or a snapshot</div> : null;
}
