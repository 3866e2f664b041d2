import { Command } from 'commander';
import { z } from 'zod';
import { canaryIds, canaryNames, canaryOnboarding } from '../../functions/isolation/canaries.ts';
import { isolationVerificationRequested } from '../../functions/isolation/events.ts';
import { verificationId } from '../../functions/isolation/verify/result.ts';
import { resultHtml } from '../../functions/isolation/verify/result-html.ts';
import { fileIn, type Verification } from '../../functions/isolation/verify/verification.ts';
import { createVerificationReader } from '../../functions/isolation/verify/verification-store.dynamodb.ts';
import { verifyResult } from '../../functions/isolation/verify/verify-result.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { displayText } from '../../functions/tenants/credential-spec.ts';
import { tenantOnboarded } from '../../functions/tenants/events.ts';
import { send, waiting, withRequester, withTimeout, withWaiting } from '../asking.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { readFile, saveFile } from '../files.ts';
import { throwIfFailed } from '../platform/event-log.ts';
import { createRegistryReader } from '../platform/registry-reader.ts';
import { until } from '../poll.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { checkLines, exitCodeOf, resultLines, runTable } from '../views/isolation-view.ts';
import { auditCommand } from './isolation-audit.ts';
import { declarationCommand } from './isolation-declaration.ts';

const requestedBy = displayText.optional();
const files = { html: z.string().min(1).optional(), file: z.string().min(1).optional() };
const prepared = z.object({ requestedBy, timeout: waiting.shape.timeout });
const asked = z.object({ tenant: tenantId, requestedBy, ...waiting.shape, ...files });
const shown = z.object({ tenant: tenantId, run: verificationId.optional(), ...files });
const checked = z.object({ file: z.string().min(1), publicKey: z.string().min(1).optional() });

export function isolationCommand(handle: Handle): Command {
  const command = new Command('isolation').description(
    'the isolation tests and the audit of policies: have them run, and see what they found',
  );
  const withFiles = (one: Command): Command =>
    one.option('--file <path>', 'write the signed result there (JSON)').option('--html <path>', 'write a page to read and to print there');
  withTimeout(withRequester(command.command('setup').description('onboard the two canaries that the tests are run with')), 300).action(
    handle(prepared, setup),
  );
  const verify = command
    .command('verify')
    .description('run the tests for a tenant; ends with 1 when a check failed, with 3 when one could not be made')
    .requiredOption('--tenant <id>', 'for whom');
  withFiles(withWaiting(withRequester(verify), 900)).action(handle(asked, runTests));
  withFiles(
    command
      .command('show')
      .description('runs of a tenant, and what the newest or the one named has found')
      .requiredOption('--tenant <id>', `whose; the daily runs are ${canaryIds.a}’s`)
      .option('--run <id>', 'which run'),
  ).action(handle(shown, show));
  command
    .command('check <file>')
    .description('check a signed result with nothing but its file: no AWS is asked')
    .option('--public-key <path>', 'PEM of the key that has to have signed it; without, the one in the file is used')
    .action(handle(checked, check));
  return command.addCommand(declarationCommand(handle)).addCommand(auditCommand(handle));
}

async function setup(context: Context, { requestedBy: by, timeout }: z.infer<typeof prepared>): Promise<Answer> {
  const cloud = await context.cloud();
  const registry = createRegistryReader(cloud);
  const states: Record<string, string> = {};
  for (const name of canaryNames) {
    const id = canaryIds[name];
    if ((await registry.tenant(id))?.status === 'active') {
      states[id] = 'active';
      continue;
    }
    const { requestedBy: _, ...detail } = canaryOnboarding(name, 'cordon');
    const sent = await send(cloud, { type: 'TenantOnboarded', schema: tenantOnboarded, detail }, by);
    context.note(`${id}: asked for`);
    const active = await until(context.io, timeout, async () => {
      await throwIfFailed(cloud, sent);
      const item = await registry.tenant(id);
      return item?.status === 'active' && item.announced ? item : undefined;
    });
    states[id] = active?.status ?? 'sent';
  }
  const exitCode = Object.values(states).every((state) => state === 'active') ? exitCodes.ok : exitCodes.timedOut;
  const lines = Object.entries(states).map(([id, state]) => `${id}  ${state}`);
  return { json: { canaries: states }, lines, exitCode };
}

async function runTests(context: Context, input: z.infer<typeof asked>): Promise<Answer> {
  const { tenant, wait, timeout } = input;
  const cloud = await context.cloud();
  const schema = isolationVerificationRequested;
  const sent = await send(cloud, { type: 'IsolationVerificationRequested', schema, detail: { tenantId: tenant } }, input.requestedBy);
  const { eventId } = sent;
  if (!wait) return { json: { tenantId: tenant, verificationId: eventId, status: 'sent' }, lines: [`Sent as ${eventId}.`] };
  context.note('asked for; it takes a minute or two, and waits for a run that is under way');
  const reader = readerOf(cloud);
  const finished = await until(context.io, timeout, async () => {
    const run = await reader.run(tenant, eventId);
    if (run === undefined || run.status === 'given-up') await throwIfFailed(cloud, sent);
    return run?.status === 'finished' ? run : undefined;
  });
  if (finished !== undefined) return answerOf(context, finished, input);
  context.note(
    `Not done after ${timeout} seconds; it goes on. Ask again with "cordon isolation show --tenant ${tenant} --run ${eventId}".`,
  );
  return {
    json: { tenantId: tenant, verificationId: eventId, status: 'sent' },
    lines: [`Sent as ${eventId}.`],
    exitCode: exitCodes.timedOut,
  };
}

async function show(context: Context, input: z.infer<typeof shown>): Promise<Answer> {
  const { tenant, run: named } = input;
  const reader = readerOf(await context.cloud());
  const runs = await reader.latest(tenant, 50);
  const id = named ?? runs.find(({ status }) => status === 'finished')?.verificationId;
  const run = id === undefined ? undefined : await reader.run(tenant, id);
  if (named !== undefined && run === undefined) throw new CommandError('VERIFICATION_UNKNOWN', `${tenant} has no run ${named}.`);
  if (run?.result === undefined) return { json: { tenantId: tenant, runs }, lines: runTable(runs), exitCode: exitCodes.unconfirmed };
  const answer = answerOf(context, run, input);
  return { ...answer, json: { ...answer.json, runs }, lines: [...runTable(runs), '', ...answer.lines] };
}

/** What a run has found, once its signature was checked; written to the files that were named. @throws CommandError RESULT_INVALID | NOT_WRITTEN */
function answerOf(
  { io }: Context,
  run: Verification,
  { html, file }: { readonly html?: string | undefined; readonly file?: string | undefined },
): Answer {
  const text = `${JSON.stringify(fileIn(run), undefined, 2)}\n`;
  if (file !== undefined) saveFile(io, file, text);
  if (html !== undefined) saveFile(io, html, resultHtml(text));
  const found = verifyResult(text);
  if (!found.ok || found.result === undefined)
    throw new CommandError(
      'RESULT_INVALID',
      `The result of run ${run.verificationId} is not as it was signed: ${found.problems.join('; ')}.`,
    );
  return { json: { ...found.result, file, html }, lines: resultLines(found.result), exitCode: exitCodeOf(found.result) };
}

async function check({ io, note }: Context, { file, publicKey }: z.infer<typeof checked>): Promise<Answer> {
  const found = verifyResult(readFile(io, file), { publicKey: publicKey === undefined ? undefined : readFile(io, publicKey) });
  for (const problem of found.problems) note(problem);
  const { ok, problems, key, result } = found;
  const exitCode = ok && result !== undefined ? exitCodeOf(result) : exitCodes.failed;
  return { json: { ok, problems, key, result: ok ? result : undefined }, lines: checkLines(found), exitCode };
}

function readerOf({ dynamodb: client, isolationTable: table }: Cloud) {
  return createVerificationReader({ client, table });
}
