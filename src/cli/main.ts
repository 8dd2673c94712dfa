// The start of the `dragoman` command: sees that what V8 makes of our sources is kept from run to run, and loads the rest, of which that is true.
import { keepCompiled } from './compiled.ts';

keepCompiled(process.argv.slice(2));
await import('./command.ts');
