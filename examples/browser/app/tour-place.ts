// Where somebody is in the guided tour: it can be left, and gone on with where it was, in this visit and the next ones.
import { computed, effect, type Signal, signal } from '@preact/signals';

/** How many steps it has; tour/steps.ts has them, which is loaded when the tour is first opened. */
export const STEPS = 8;
const KEY = 'dragoman.tour';

const isStep = (step: number): boolean => Number.isInteger(step) && step >= 1 && step <= STEPS;

function kept(): number {
  try {
    const step = Number(localStorage.getItem(KEY));
    return isStep(step) ? step : 1;
  } catch {
    // A browser may refuse its storage.
    return 1;
  }
}

/** The step where one is, or was, from 1 on. */
export const step: Signal<number> = signal(kept());
export const isOpen: Signal<boolean> = signal(false);
/** What was seen to happen, a sentence for each step that is done. */
export const done: Signal<ReadonlyMap<number, string>> = signal(new Map());
/** Of addresses (?tour=N); undefined: it is not open. */
export const shownStep = computed(() => (isOpen.value ? step.value : undefined));

export function goTo(next: number): void {
  if (isStep(next)) step.value = next;
}

export function isDone(at: number, sentence: string): void {
  done.value = new Map(done.value).set(at, sentence);
}

/** From now on the place is kept. */
export function followTour(): void {
  effect(() => {
    try {
      localStorage.setItem(KEY, `${step.value}`);
    } catch {}
  });
}
