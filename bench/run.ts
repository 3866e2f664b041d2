/** `npm run bench`: every figure in one run, so that they can be set in relation to each other. Ends with 1 when a goal is missed. */
import { synthesize } from '../local/synthesize.ts';
import { rowOf } from './figures.ts';

await synthesize();
const { broker } = await import('./broker.ts');
const { coldStart } = await import('./cold-start.ts');
const { evaluator } = await import('./evaluator.ts');
const { localCloud } = await import('./local-cloud.ts');
const { onboarding } = await import('./onboarding.ts');
const { revocation } = await import('./revocation.ts');
const { rotation } = await import('./rotation.ts');

let missed = 0;
for (const bench of [evaluator, broker, coldStart, localCloud, onboarding, rotation, revocation]) {
  process.stdout.write(`\n${bench.name}\n`);
  for (const figure of await bench.run()) {
    if (figure.goal?.met === false) missed += 1;
    process.stdout.write(`${rowOf(figure)}\n`);
  }
}
process.stdout.write(missed === 0 ? '\nEvery goal is met.\n' : `\n${missed} goals are missed.\n`);
process.exitCode = missed === 0 ? 0 : 1;
