// What keys of the terminal do to the machine, other than to type.
import { DragomanError } from '../api/errors.ts';
import type { MachineHandle } from '../api/options.ts';
import type { States } from './states.ts';
import type { TerminalEvents } from './terminal.ts';

type Keyed = Pick<MachineHandle, 'state' | 'pause' | 'resume' | 'reset'>;

/**
 * `say`: to whoever sits at the terminal. `save`: saves the machine; undefined: there is nowhere to. It resolves with what is to be said of it. One key is done after the other.
 */
export function machineKeys(
  machine: Keyed,
  states: Pick<States, 'ask'>,
  say: (message: string) => void,
  save?: () => Promise<string>,
): Pick<TerminalEvents, 'state' | 'pause' | 'reset' | 'save'> {
  let queue = Promise.resolve();
  const key = (work: () => Promise<void>) => () => {
    queue = queue.then(work).catch((error: unknown) => {
      // The run may have ended meanwhile, which is told elsewhere.
      if (!(error instanceof DragomanError)) throw error;
      if (error.code !== 'ENDED' && error.code !== 'BAD_STATE') say(error.message);
    });
  };
  return {
    state: key(() => states.ask()),
    pause: key(async () => {
      if (machine.state === 'paused') {
        await machine.resume();
        return say('the machine goes on');
      }
      await machine.pause();
      say('the machine is paused: Ctrl-A p lets it go on');
    }),
    save: key(async () => say(save === undefined ? 'there is nowhere to save the machine: say it by --save FILE' : await save())),
    reset: key(async () => {
      await machine.reset();
      say('the machine was reset');
    }),
  };
}
