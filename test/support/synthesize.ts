import { synthesize } from '../../local/synthesize.ts';

const key = Symbol.for('cordon.test.synthesized');

/** Vitest `globalSetup`: synthesizes once per run, however many projects name it. Rejects, and so fails the run, when the app does not synthesize. */
export default async function setup(): Promise<void> {
  // Each project loads this module anew; what they share is the process.
  const known: unknown = Reflect.get(globalThis, key);
  const synthesized = known instanceof Promise ? known : synthesize();
  Reflect.set(globalThis, key, synthesized);
  await synthesized;
}
