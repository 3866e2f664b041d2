import { Command } from 'commander';
import { z } from 'zod';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { honeyRequested, outboundEvents } from '../../functions/tenants/events.ts';
import { send, withRequester, withTimeout } from '../asking.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { publishedAbout, throwIfFailed } from '../platform/event-log.ts';
import { createRegistryReader } from '../platform/registry-reader.ts';
import { until } from '../poll.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { unknownTenant } from './tenants.ts';

const planted = outboundEvents.HoneyPlanted;
const input = z.object({ tenant: tenantId, requestedBy: z.string().optional(), timeout: z.string().transform(Number) });

const after = `
Plant these lines where nobody but an intruder looks: in the environment and the settings of an agent's sandbox, in a repository, in a wiki. Nothing of yours may ever read
them. They are the same each time they are asked for.`;

export function honeyCommand(handle: Handle): Command {
  const command = new Command('honey')
    .description('decoys of a tenant, to be planted: whoever names one is told of, and their sessions end')
    .requiredOption('--tenant <id>', 'whose')
    .addHelpText('after', after);
  return withTimeout(withRequester(command), 60).action(handle(input, ask));
}

async function ask(context: Context, { tenant, requestedBy, timeout }: z.infer<typeof input>): Promise<Answer> {
  const cloud = await context.cloud();
  if ((await createRegistryReader(cloud).tenant(tenant)) === undefined) throw unknownTenant(tenant);
  const sent = await send(cloud, { type: 'HoneyRequested', schema: honeyRequested, detail: { tenantId: tenant } }, requestedBy);
  const found = await until(context.io, timeout, async () => {
    await throwIfFailed(cloud, sent);
    const told = await publishedAbout(cloud, tenant, sent.at);
    const mine = told.flatMap(({ type, detail }) => (type === 'HoneyPlanted' ? [planted.parse(detail)] : []));
    return mine.findLast((one) => one.tenantId === tenant);
  });
  if (found === undefined)
    throw new CommandError('TIMED_OUT', `No decoys after ${timeout} seconds; the event is ${sent.eventId}.`, {
      exitCode: exitCodes.timedOut,
    });
  const { decoys } = found;
  return {
    json: { tenantId: tenant, decoys },
    lines: decoys.flatMap(({ credentialId, provider, secretName }) => {
      const name = provider.toUpperCase().replaceAll('-', '_');
      return [`${name}_SECRET_ID=${secretName}`, `${name}_CORDON_USE_CASE=${credentialId}`];
    }),
  };
}
