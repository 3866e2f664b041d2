/** What a revocation costs: every call that the cloud sees from its event until nothing moves any more, by who made it. */
import { userIdOf } from '../../functions/shared/identifiers.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import type { JournalEntry } from '../../local/core/journal.ts';
import { openAiMain, openAiTenant } from './broker-calls.ts';
import type { TestCloud } from './cloud.ts';
import { put } from './revocations.ts';
import { stateOf } from './rotations.ts';
import { pause } from './settle.ts';

/** By who, service and operation, e.g. `TenantRevoker dynamodb UpdateItem`. */
export type CallCounts = Readonly<Record<string, number>>;

/** Queues are polled and logs written by the batch, whatever there is to do. */
const perBatch: ReadonlySet<string> = new Set([
  ...['ReceiveMessage', 'DeleteMessage', 'DeleteMessageBatch', 'GetQueueAttributes', 'ChangeMessageVisibility'],
  ...['CreateLogStream', 'PutLogEvents'],
]);

/** What an environment does when it starts, and again once in a while: its own session, the key of a provider's administration, the public key of certificates. */
const perEnvironment: ReadonlySet<string> = new Set(['GetSecretValue', 'Decrypt', 'GetPublicKey']);
const isOfEnvironment = ({ principal, operation }: Pick<JournalEntry, 'principal' | 'operation'>): boolean =>
  principal === 'lambda.amazonaws.com' || (principal.includes('FunctionRole') && perEnvironment.has(operation));

/** Whole calls: one that needs several permissions has several entries. */
export function callsSince(cloud: LocalCloud, since: number): CallCounts {
  const requests = new Map<string, string>();
  for (const entry of cloud.journal.since(since)) {
    const { service, operation, requestId, principal, resource } = entry;
    if (perBatch.has(operation) || isOfEnvironment(entry)) continue;
    // How often it is looked whether IAM has the cut-off is a matter of seconds, not of what there is.
    if (operation === 'GetItem' && resource === tableArn(cloud, 'CutOffsTable')) continue;
    requests.set(`${requestId} ${service} ${operation}`, `${nameOf(principal)} ${service} ${operation}`);
  }
  const counts: Record<string, number> = {};
  for (const name of [...requests.values()].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function tableArn(cloud: LocalCloud, output: string): string {
  return `arn:aws:dynamodb:${cloud.region}:${cloud.accountId}:table/${cloud.outputs[output] ?? ''}`;
}

/** The role's name, without what was chosen at random. */
function nameOf(principal: string): string {
  const [, role = principal] = /assumed-role\/([^/]+)\//.exec(principal) ?? [];
  return role.replace(/-[0-9a-f]{8,}$/i, '').replace(/[0-9A-F]{8}-?\w*$/, '');
}

export const totalOf = (counts: CallCounts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

export interface Asked {
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Each way to end or suspend access of the tenant of `tenantOfTwo`, by its name. */
export const revocations: Readonly<Record<string, (test: TestCloud, tenantId: string) => Promise<Asked>>> = {
  'tenant revoked': async () => revoked({ scope: 'tenant' }),
  'tenant offboarded': async () => ({ detailType: 'TenantOffboarded', detail: {} }),
  'tenant suspended': async () => ({ detailType: 'AccessSuspended', detail: { scope: 'tenant' } }),
  'user revoked': async (test) => revoked({ scope: 'user', userId: anasId(test) }),
  'user offboarded': async (test) => ({ detailType: 'UserOffboarded', detail: { userId: anasId(test) } }),
  'agent revoked': async () => revoked({ scope: 'agent', agentId: 'agent-1' }),
  'session revoked': async () => revoked({ scope: 'session', sessionId: 'session-1' }),
  'credential revoked': async () => revoked({ scope: 'credential', credentialId: openAiMain.credentialId }),
  'version revoked': async (test, tenantId) => {
    const { credentialId } = openAiMain;
    return revoked({ scope: 'version', credentialId, versionId: (await stateOf(test, { tenantId, credentialId })).secretVersionId });
  },
};
const revoked = (detail: Asked['detail']): Asked => ({ detailType: 'RevocationRequested', detail });
const anasId = ({ cloud }: TestCloud): string => userIdOf(cloud.oidc.issuer, 'ana');

/** A tenant with so many credentials of its own. */
async function tenantOf(test: TestCloud, count: number): Promise<string> {
  const credentials = Array.from({ length: count }, (_, n) => ({ ...openAiMain, credentialId: `openai-${n}`, useCase: `use-${n}` }));
  const { tenantId, outcome } = await test.onboard({ credentials, routing: [] });
  if (outcome.detailType !== 'TenantProvisioned') throw new Error(`The tenant was not provisioned: ${JSON.stringify(outcome)}`);
  await pause(test.cloud);
  return tenantId;
}

/** A tenant with a credential of its own and one of its user's. */
export async function tenantOfTwo(test: TestCloud): Promise<string> {
  const tenantId = await openAiTenant(test);
  const user = { version: 1, tenantId, issuer: test.cloud.oidc.issuer, subject: 'ana', requestedBy: 'test' };
  await test.putEvents({ detailType: 'UserOnboarded', detail: user });
  await test.outcome(['UserProvisioned'], tenantId);
  const credential = { ...openAiMain, credentialId: 'ana-own', useCase: 'ana', userId: anasId(test) };
  await test.putEvents({ detailType: 'CredentialRequested', detail: { version: 1, tenantId, requestedBy: 'test', credential } });
  await test.outcome(['CredentialProvisioned'], tenantId);
  await pause(test.cloud);
  return tenantId;
}

/** The schedules come every minute of real time too: what they do is counted by itself. */
const ticksIn = (counts: CallCounts): number =>
  Object.entries(counts).reduce((sum, [name, count]) => sum + (/ScheduleRole .* Invoke$/.test(name) ? count : 0), 0);
const schedules = 2;
/** After so many nothing is due any more of what was measured. */
const settledMinutes = 5;
const maxTries = 5;

/** Measures until no more ticks were in between than `ticks`. */
async function undisturbed(ticks: number, measure: () => Promise<CallCounts>): Promise<CallCounts> {
  for (let tries = 1; ; tries += 1) {
    const counts = await measure();
    if (ticksIn(counts) === ticks) return counts;
    if (tries === maxTries) throw new Error(`The schedules came in between each time: ${JSON.stringify(counts)}`);
  }
}

/** What it costs, as far as it goes before the clock does, to ask this of the tenant. */
async function costOnce(test: TestCloud, tenantId: string, { detailType, detail }: Asked): Promise<CallCounts> {
  await pause(test.cloud);
  const since = test.cloud.journal.lastSeq;
  await put(test, detailType, { tenantId, ...detail });
  await pause(test.cloud);
  return callsSince(test.cloud, since);
}

/** What a revocation of this name costs, of a tenant of two credentials. */
export function costOf(test: TestCloud, name: string): Promise<CallCounts> {
  return undisturbed(0, async () => {
    const tenantId = await tenantOfTwo(test);
    const asked = await revocations[name]?.(test, tenantId);
    if (asked === undefined) throw new Error(`Nothing is known of ${name}.`);
    return costOnce(test, tenantId, asked);
  });
}

/** What offboarding a tenant of so many credentials costs. */
export function costOfOffboarding(test: TestCloud, credentials: number): Promise<CallCounts> {
  return undisturbed(0, async () => costOnce(test, await tenantOf(test, credentials), { detailType: 'TenantOffboarded', detail: {} }));
}

/** What a minute brings about in which nothing is left to do: the sweep, the writer of the cut-off. */
export async function costOfMinute(test: TestCloud): Promise<CallCounts> {
  // What waits for its next minute has come to its end then, e.g. what is known of a revoked version.
  for (let minute = 0; minute < settledMinutes; minute += 1) {
    test.cloud.clock.advance(61_000);
    await pause(test.cloud);
  }
  return undisturbed(schedules, async () => {
    const since = test.cloud.journal.lastSeq;
    test.cloud.clock.advance(60_000);
    await pause(test.cloud);
    return callsSince(test.cloud, since);
  });
}

/** So that every function has started, and IAM has as many versions of the policy as it keeps. */
export async function warmUp(test: TestCloud): Promise<void> {
  for (const name of ['tenant offboarded', 'user offboarded', 'tenant suspended', 'user revoked', 'tenant revoked', 'version revoked'])
    await costOf(test, name);
}
