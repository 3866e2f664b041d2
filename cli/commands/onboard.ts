import type { Command } from 'commander';
import { z } from 'zod';
import { providerName } from '../../functions/providers/provider-name.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { type TenantOnboarded, tenantOnboarded } from '../../functions/tenants/events.ts';
import { decideOnboarding } from '../../functions/tenants/onboarding-decision.ts';
import type { TenantItem } from '../../functions/tenants/registry.ts';
import { send, waiting, withRequester, withWaiting } from '../asking.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError, exitCodes, usageError } from '../command-error.ts';
import { readFile } from '../files.ts';
import type { Io } from '../io.ts';
import { type Sent, throwIfFailed } from '../platform/event-log.ts';
import { createRegistryReader, type RegistryReader } from '../platform/registry-reader.ts';
import { until } from '../poll.ts';
import { membersOf } from '../problems.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { fieldLines } from '../table.ts';
import { credentialTable, credentialView } from '../views/credential-view.ts';

const pairs = z.array(z.string()).optional();
const given = z.object({
  tenant: tenantId.optional(),
  file: z.string().optional(),
  name: z.string().optional(),
  tier: z.string().optional(),
  credential: pairs,
  route: pairs,
  requestedBy: z.string().optional(),
  ...waiting.shape,
});
type Given = z.infer<typeof given>;

const usage = `
From a file: the detail of a TenantOnboarded event (schemas/events/TenantOnboarded.v1.json). "version" and "requestedBy" may be left out.

From flags:
  cordon tenants onboard acme --name "Acme Ltd" \\
    --credential id=openai-main,provider=openai,source=platform-issued,environment=production \\
    --route provider=openai,environment=production,use=openai-main`;

export function addOnboard(tenants: Command, handle: Handle): void {
  const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  const command = tenants
    .command('onboard [tenant]')
    .description('a new tenant, with the credentials it starts with')
    .option('--file <path>', 'JSON file')
    .option('--name <text>', 'what people call the tenant')
    .option('--tier <tier>', 'pool or dedicated')
    .option('--credential <pairs>', 'id, provider, source, environment, and if wanted useCase, team; once for each', several)
    .option('--route <pairs>', 'provider, environment, use, and if wanted useCase, team, backup; once for each', several)
    .addHelpText('after', usage);
  withWaiting(withRequester(command), 300).action(handle(given, onboard));
}

async function onboard(context: Context, input: Given): Promise<Answer> {
  const asked = input.file === undefined ? detailOf(input) : fileDetail(context, input, input.file);
  // Checked before anything is asked of AWS, and again when it is sent, under its sender's name.
  const parsed = tenantOnboarded.safeParse({ version: 1, requestedBy: 'cordon', ...asked });
  if (!parsed.success) throw usageError(`The tenant cannot be onboarded like this:\n${membersOf(parsed.error)}`);
  const cloud = await context.cloud();
  const registry = createRegistryReader(cloud);
  const known = await registry.tenant(parsed.data.tenantId);
  if (isDone(known, parsed.data)) {
    context.note(`${parsed.data.tenantId} is onboarded already: nothing was sent.`);
    return answerOf(registry, known);
  }
  const sent = await send(cloud, { type: 'TenantOnboarded', schema: tenantOnboarded, detail: asked }, input.requestedBy);
  if (!input.wait)
    return { json: { tenantId: parsed.data.tenantId, eventId: sent.eventId, status: 'sent' }, lines: [`Sent as ${sent.eventId}.`] };
  return follow(context, cloud, parsed.data, sent, input.timeout);
}

/**
 * True when a repetition would change nothing. The worker decides again; what it can only refuse is not even sent.
 *
 * @throws CommandError with the refusal's code
 */
function isDone(known: TenantItem | undefined, asked: TenantOnboarded): known is TenantItem {
  if (known === undefined) return false;
  const users = new Set(asked.credentials.flatMap(({ userId }) => (userId === undefined ? [] : [userId])));
  // Which users there are, and what can be issued, only the worker knows.
  const decision = decideOnboarding(known, asked, { users, issuable: new Set(providerName.options), now: 0 });
  if (decision.next === 'refuse') throw new CommandError(decision.error.code, `${decision.error.message}. Nothing was sent.`);
  return decision.next === 'nothing';
}

async function follow(context: Context, cloud: Cloud, { tenantId: tenant }: TenantOnboarded, sent: Sent, seconds: number): Promise<Answer> {
  const registry = createRegistryReader(cloud);
  let told = '';
  const active = await until(context.io, seconds, async () => {
    await throwIfFailed(cloud, sent);
    const item = await registry.tenant(tenant);
    const credentials = item === undefined ? [] : await registry.credentials(tenant);
    const progress =
      item === undefined
        ? ''
        : [`${tenant} is ${item.status}`, ...credentials.map((one) => `${one.credentialId} ${one.status}`)].join(', ');
    if (progress !== told) context.note(progress);
    told = progress;
    return item?.status === 'active' && item.announced ? item : undefined;
  });
  if (active !== undefined) return answerOf(registry, active);
  context.note(`Not done after ${seconds} seconds; it goes on. "cordon tenants show ${tenant}" says how far it is.`);
  return {
    json: { tenantId: tenant, eventId: sent.eventId, status: 'sent' },
    lines: [`Sent as ${sent.eventId}.`],
    exitCode: exitCodes.timedOut,
  };
}

async function answerOf(registry: RegistryReader, { tenantId: tenant, displayName, tier, status }: TenantItem): Promise<Answer> {
  const credentials = (await registry.credentials(tenant)).map(credentialView);
  return {
    json: { tenantId: tenant, displayName, tier, status, credentials },
    lines: [...fieldLines({ tenant, name: displayName, tier, status }), '', ...credentialTable(credentials)],
  };
}

function detailOf({ tenant, name, tier = 'pool', credential = [], route = [] }: Given): object {
  return {
    tenantId: tenant,
    displayName: name,
    tier,
    credentials: credential.map((text) => {
      const { id, user, ...rest } = pairsOf(text, '--credential');
      return { credentialId: id, ...(user !== undefined && { userId: user }), ...rest };
    }),
    ...(route.length > 0 && {
      routing: route.map((text) => {
        const { use, backup, ...match } = pairsOf(text, '--route');
        return { match, use, ...(backup !== undefined && { backup }) };
      }),
    }),
  };
}

/** `a=1,b=2` @throws CommandError USAGE */
function pairsOf(text: string, option: string): Readonly<Record<string, string>> {
  const entries = text.split(',').map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw usageError(`${option} is a list such as id=openai-main,provider=openai, with no space after the comma.`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(entries);
}

const fileContent = z.union([
  // As the example's files have it: an event with its type.
  z.object({ detailType: z.literal('TenantOnboarded'), detail: z.record(z.string(), z.unknown()) }).transform(({ detail }) => detail),
  z.record(z.string(), z.unknown()),
]);

function fileDetail({ io }: Context, { tenant, name, tier, credential, route }: Given, file: string): object {
  if ([name, tier, credential, route].some((one) => one !== undefined)) throw usageError('--file says it all: leave the other flags out.');
  const parsed = fileContent.safeParse(jsonOf(io, file));
  if (!parsed.success) throw usageError(`${file} holds no JSON object.`);
  const detail = parsed.data;
  if (tenant !== undefined && detail['tenantId'] !== undefined && detail['tenantId'] !== tenant)
    throw usageError(`${file} is about another tenant than ${tenant}.`);
  return tenant === undefined ? detail : { ...detail, tenantId: tenant };
}

function jsonOf(io: Io, name: string): unknown {
  const text = readFile(io, name);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message would quote the file.
    throw usageError(`${name} is not JSON.`);
  }
}
