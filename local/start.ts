/** `npm start`: onboards two tenants for real in the local cloud, and lets each try to reach the other. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { awsClients } from './aws-clients.ts';
import { type LocalCloud, startCloud } from './cloud.ts';
import { type AttemptResult, readAttempts, runAttempt } from './demo/attempts.ts';
import { attributedRead, auditedUses } from './demo/attribute-reads.ts';
import { type Cast, gatherCast, storedSecrets } from './demo/cast.ts';
import { playEvent, readExampleEvents } from './demo/play-events.ts';
import { createProgress, type Progress } from './demo/progress.ts';
import { paint, tableLines } from './demo/table.ts';
import { synthesize } from './synthesize.ts';

const usage = `Usage: npm start [-- --json]

Synthesizes the stack, starts it in the local cloud, onboards two tenants by events, and tries in every way to cross the line
between them. Ends with 0 only if each attempt came out as expected.

  --json  the attempts and their outcomes as JSON on stdout; progress goes to stderr
  --help  this text`;

const examples = resolve(import.meta.dirname, '..', 'examples', 'two-tenants');

async function onboard(cloud: LocalCloud, operator: ReturnType<typeof awsClients>, progress: Progress): Promise<void> {
  const { EventBusName: eventBusName = '', EventLogGroup: eventLogGroup = '' } = cloud.outputs;
  for (const event of readExampleEvents(examples, cloud.oidc.issuer)) {
    const outcome = await playEvent({ events: operator.events, logs: operator.logs, eventBusName, eventLogGroup }, event);
    progress.done(`${event.file}: ${event.detailType} → ${outcome.detailType} (${event.detail.tenantId})`);
  }
  progress.done('keys at the provider:');
  for (const key of cloud.openai.keys()) {
    progress.detail(`${key.projectName} / ${key.serviceAccountName} / ${key.name}  SHA-256 ${key.fingerprint.slice(0, 16)}…`);
  }
  progress.done('secrets in the vault:');
  for (const { name, tags } of await storedSecrets(cloud)) {
    const shown = ['TenantId', 'UserId', 'Provider', 'Tier', 'Environment'].flatMap((key) =>
      tags[key] === undefined ? [] : [`${key}=${tags[key]}`],
    );
    progress.detail(`${name}  ${shown.join(' ')}`);
  }
}

/** What Cordon's own code is refused, is on record as refused. Answers what went otherwise. */
async function attribute(cloud: LocalCloud, cast: Cast, progress: Progress): Promise<readonly string[]> {
  const reads = [
    { as: 'acme', tenantId: 'acme', credentialId: 'openai-main', expect: 'succeeded' },
    { as: 'acme', tenantId: 'acme-2', credentialId: 'openai-main', expect: 'ACCESS_REFUSED' },
    { as: 'acme', tenantId: 'acme', credentialId: 'openai-ana', expect: 'ACCESS_REFUSED' },
  ];
  const wrong: string[] = [];
  for (const { expect, ...read } of reads) {
    const ended = await attributedRead(cloud, cast.actor(read.as).clients, read);
    if (ended !== expect)
      wrong.push(`attributed read of ${read.tenantId}/${read.credentialId} by ${read.as}: ${ended} instead of ${expect}`);
  }
  const uses = await auditedUses(cloud, cast.actor('auditor of acme').clients, 'acme');
  const refused = uses.filter((use) => use.outcome.result === 'refused').length;
  progress.done(`attribution of acme, read by the operator as its auditor: ${uses.length} uses, ${refused} refused; the last of them:`);
  for (const { intent, outcome } of uses.slice(-4)) {
    const code = 'code' in outcome && outcome.code !== undefined ? ` ${outcome.code}` : '';
    progress.detail(
      `${intent.at}  ${intent.operation}  ${intent.context['secret'] ?? intent.credentialId ?? ''}  ${outcome.result}${code}`,
    );
  }
  if (refused < 2) wrong.push(`the attribution shows ${refused} refused uses instead of 2`);
  return wrong;
}

const columns = [
  { title: 'who', width: 17 },
  { title: 'tried what', width: 47 },
  { title: 'on whose', width: 9 },
  { title: 'outcome', width: 8 },
  { title: 'deciding statement', width: 47 },
];

function showTable(results: readonly AttemptResult[]): void {
  const rows = results.map(({ who, tries, on, outcome, held, statement }) => ({
    // A denial without a deciding statement is a sentence that goes on with action and resource: the row has named them.
    cells: [who, tries, on, held ? outcome : `${outcome} !`, outcome === 'error' ? statement : (statement.split(': ')[0] ?? '')],
    style: held ? (outcome === 'allowed' ? ('green' as const) : undefined) : ('red' as const),
  }));
  process.stdout.write(`\n${tableLines(columns, rows).join('\n')}\n\n`);
}

/** Answers whether every expectation held. */
async function run(json: boolean): Promise<boolean> {
  const progress = createProgress((line) => (json ? process.stderr : process.stdout).write(line));
  const templatePath = await synthesize();
  progress.done('synthesized the stack (cdk.out/Cordon.template.json)');
  const cloud = await startCloud({ templatePath });
  progress.done(`the local cloud runs it at ${cloud.endpoint} (${Object.keys(cloud.resources).length} resources)`);
  const operator = awsClients(cloud, cloud.operator);
  let cast: Cast | undefined;
  try {
    await onboard(cloud, operator, progress);
    cast = await gatherCast(cloud, operator);
    progress.done('sessions minted from tokens of the local issuer: acme, acme/ana, acme/ben, acme-2; the operator audits acme');
    const wrong = [...(await attribute(cloud, cast, progress))];
    const deps = { journal: cloud.journal, actor: cast.actor, value: cast.value };
    const results: AttemptResult[] = [];
    for (const attempt of readAttempts(join(examples, 'attempts.json'))) results.push(await runAttempt(deps, attempt));
    for (const { who, tries, on, outcome, expect, held, statement } of results) {
      if (!held) wrong.push(`${who} tried to ${tries} (${on}): ${outcome}, expected ${expect}: ${statement}`);
    }
    if (json)
      process.stdout.write(
        `${JSON.stringify({ held: wrong.length === 0, seconds: Number(progress.seconds()), attempts: results }, undefined, 2)}\n`,
      );
    else showTable(results);
    const denied = results.filter(({ outcome }) => outcome === 'denied').length;
    const allowed = results.filter(({ outcome }) => outcome === 'allowed').length;
    const write = (line: string): boolean => (json ? process.stderr : process.stdout).write(`${line}\n`);
    for (const line of wrong) write(paint('red', `NOT AS EXPECTED: ${line}`));
    const verdict =
      wrong.length === 0 ? paint('green', 'Every expectation held') : paint('red', `${wrong.length} expectations did not hold`);
    write(
      `${verdict}: ${results.length} attempts, ${allowed} allowed, ${denied} denied by IAM, ${cloud.journal.lastSeq} decisions; ${progress.seconds()} s.`,
    );
    return wrong.length === 0;
  } finally {
    cast?.close();
    operator.destroy();
    await cloud.close();
  }
}

let options: { json?: boolean | undefined; help?: boolean | undefined } | undefined;
try {
  options = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } }).values;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exitCode = 2;
}
if (options?.help === true) process.stdout.write(`${usage}\n`);
else if (options !== undefined) {
  try {
    if (!(await run(options.json === true))) process.exitCode = 1;
  } catch (error) {
    process.stderr.write(`${paint('red', 'npm start failed')}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
