/**
 * Runs the integration tests and writes down which requests IAM allowed, as `test/fixtures/needs.json`: what the policies are for. One request of each kind is kept.
 *
 *   npm run needs [-- test/integration/some.test.ts …]     runs these alone, and adds to what is written down
 *   npm run needs -- recorded.jsonl                        takes what a run with RECORD_NEEDS=recorded.jsonl has left
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Need, needs } from '../fixtures/need.ts';
import { readStack, type Stack } from '../proofs/model/stack.ts';
import { askerOf, needsPath, readNeeds, saidByAsker } from '../support/needs.ts';
import { concernedIn, decideIn } from '../support/stack-decisions.ts';
import { templatePath } from '../support/template.ts';

/** What differs from run to run and from test to test, and no policy tells apart: the names of secrets, numbers, dates and hashes. */
const drawn =
  /(?<=:secret:cordon\/acme\/).*|(?<=cordon\.acme\.).*|(?<=\d{4}-\d\d-\d\d)#.*|[0-9A-Z]{26}|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|\d+/g;

const args = process.argv.slice(2);
const [given] = args;
const found = given?.endsWith('.jsonl') === true ? recordedIn(given) : recordedBy(args);
const stack = await readStack(JSON.parse(readFileSync(templatePath, 'utf8')));
const kept = oneOfEachKind([...(args.length > 0 && found.length > 0 ? readNeeds() : []), ...found], stack);
writeFileSync(needsPath, `[\n${kept.map((need) => `  ${JSON.stringify(need)}`).join(',\n')}\n]\n`);
console.log(`${kept.length} requests in ${needsPath}, of ${found.length}`);

function recordedBy(files: readonly string[]): Need[] {
  const directory = mkdtempSync(join(tmpdir(), 'needs-'));
  try {
    const recorded = join(directory, 'needs.jsonl');
    const env = { ...process.env, RECORD_NEEDS: recorded };
    spawnSync('vitest', ['run', '--project', 'integration', ...files], { stdio: 'inherit', env });
    return recordedIn(recorded);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function recordedIn(file: string): Need[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return needs.parse(lines.map((line) => JSON.parse(line)));
}

/** Those that the stack itself allows: what a test planted to let somebody in is no need. */
function oneOfEachKind(found: readonly Need[], stack: Stack): Need[] {
  const policies = JSON.stringify([...stack.policies.values()]).toLowerCase();
  const isSpokenOf = (key: string): boolean => policies.includes(`"${key}"`) || policies.includes(`\${${key}`);
  const kinds = new Map<string, Need>();
  for (const one of found) {
    const need = {
      ...one,
      context: Object.fromEntries(Object.entries(one.context).filter(([key]) => isSpokenOf(key) && !saidByAsker.has(key))),
    };
    const kind = JSON.stringify(need, (_, value) => (typeof value === 'string' ? value.replaceAll(drawn, '#') : value));
    if (kinds.has(kind)) continue;
    const asker = askerOf(need);
    const concerned = concernedIn(stack, asker);
    if (concerned !== undefined && decideIn(stack, asker, concerned).allowed) kinds.set(kind, need);
  }
  return [...kinds].sort(([one], [another]) => (one < another ? -1 : 1)).map(([, need]) => need);
}
