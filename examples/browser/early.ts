// What takes longest until the page's machine runs, begun before the page's own script has come, which is long: its engine is fetched and compiled, and its threads begin.
import { prepareMachine } from '../../src/api/prepare.ts';
import { usualCpus } from '../serai/cpus.ts';

const address = new URL(location.href).searchParams;
/** As settings.ts has it: what an address says wrong does not count there either. */
const said = Number(address.get('cpus') ?? '');
const cpus = Number.isInteger(said) && said > 0 ? said : usualCpus(navigator.hardwareConcurrency);
const hasThreads = crossOriginIsolated && !address.has('seed') && !address.has('reverse');
// What is wrong whoever makes the machine says.
if (hasThreads) prepareMachine({ cpus, engine: address.get('engine') === 'interpreter' ? 'interpreter' : 'jit' }).catch(() => {});
