import { Command } from 'commander';
import { z } from 'zod';
import { canaryIds } from '../../functions/isolation/canaries.ts';
import { declarationOf } from '../../functions/isolation/declaration/declaration.ts';
import { type ScoredRun, scoreOf } from '../../functions/isolation/declaration/score.ts';
import { tenantFactsOf } from '../../functions/isolation/declaration/tenant-facts.ts';
import { fileIn, type VerificationReader } from '../../functions/isolation/verify/verification.ts';
import { createVerificationReader } from '../../functions/isolation/verify/verification-store.dynamodb.ts';
import { verifyResult } from '../../functions/isolation/verify/verify-result.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import type { TenantId } from '../../functions/shared/identifiers.ts';
import { CommandError } from '../command-error.ts';
import { createRegistryReader } from '../platform/registry-reader.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { declarationExitCode, declarationLines } from '../views/declaration-view.ts';

const input = z.object({ tenant: tenantId });
/** Runs of each kind that are looked at: a check that failed in one of them stands until it passes. */
const counted = 3;

export function declarationCommand(handle: Handle): Command {
  return new Command('declaration')
    .description('how a tenant is kept apart, and how much of that was shown; ends with 1 when a check failed, with 3 when one is missing')
    .requiredOption('--tenant <id>', 'whose')
    .action(handle(input, declare));
}

async function declare(context: Context, { tenant }: z.infer<typeof input>): Promise<Answer> {
  const cloud = await context.cloud();
  const registry = createRegistryReader(cloud);
  const item = await registry.tenant(tenant);
  if (item === undefined)
    throw new CommandError('TENANT_UNKNOWN', `There is no tenant ${tenant}: "cordon tenants list" says which there are.`);
  const reader = createVerificationReader({ client: cloud.dynamodb, table: cloud.isolationTable });
  const [credentials, own, daily, { now }] = await Promise.all([
    registry.credentials(tenant),
    newestOf(context, reader, tenant),
    newestOf(context, reader, canaryIds.a),
    cloud.caller(),
  ]);
  const declaration = declarationOf(tenantFactsOf(item, credentials));
  const score = scoreOf(declaration, [...own, ...daily], now);
  return { json: { declaration, score }, lines: declarationLines(declaration, score), exitCode: declarationExitCode(score) };
}

/** What the newest runs found, as far as it is as it was signed. */
async function newestOf({ note }: Context, reader: VerificationReader, id: TenantId): Promise<readonly ScoredRun[]> {
  const finished = (await reader.latest(id, counted)).filter(({ status }) => status === 'finished');
  const runs = await Promise.all(finished.map(({ verificationId }) => reader.run(id, verificationId)));
  return runs.flatMap((run) => {
    const file = run && fileIn(run);
    const { ok, result, problems } = verifyResult(JSON.stringify(file ?? {}));
    if (ok && result !== undefined) return [result];
    note(`The result of run ${run?.verificationId ?? 'unknown'} does not count, it is not as it was signed: ${problems.join('; ')}.`);
    return [];
  });
}
