// Compiles the modules of a JSON file (base64) and prints the processor time of that in microseconds. Which of V8's compilers does it is said by the flags of
// the process.
import { readFileSync } from 'node:fs';

const modules: string[] = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const binaries = modules.map((text) => Buffer.from(text, 'base64'));
const before = process.cpuUsage();
const compiled = binaries.map((bytes) => new WebAssembly.Module(bytes));
const { user, system } = process.cpuUsage(before);
if (compiled.length === 0) throw new Error('no modules');
console.log(user + system);
