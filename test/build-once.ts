// Before any test runs: the compiled engine is up to date.
import { build } from '../scripts/build.ts';

export default () => build({ wasmOnly: true });
