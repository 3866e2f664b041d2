/** What happens in lives. Each act asks for something and sees to it that it comes about; what should have come about and has not is a complaint. */
import { z } from 'zod';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import { itemsAt } from '../../support/revocation-facts.ts';
import { simulatorOf } from '../../support/rotations.ts';
import { call, handOver, type Sealed, seal } from './calls.ts';
import { isRefused, type LivingCredential, type LivingTenant, type Who } from './cast.ts';
import { type Life, minuteMs, pass, rest, tell } from './course.ts';
import { customerTrust } from './customer.ts';

/** As often is tried again what may fail for once. */
const patience = 6;

const asked = { reason: 'to see it done' };

export const userIdIn = ({ world }: Life, subject: string): string => userIdOf(world.test.cloud.oidc.issuer, subject);

/** What an event says of a credential. */
function specOf(life: Life, { tenantId }: LivingTenant, credential: LivingCredential): object {
  const { credentialId, provider, source, subject, environment } = credential;
  return {
    ...{ credentialId, provider, source, environment },
    ...(subject !== undefined && { userId: userIdIn(life, subject) }),
    ...(provider === 'azure-openai' && { settings: { resource: `cordon-${tenantId}` } }),
    ...(source === 'platform-issued' && { rotation: { everyDays: 90, graceHours: 1 } }),
  };
}

/** A new tenant with these credentials, each found by its environment. */
export async function onboard(life: Life, tenant: LivingTenant): Promise<void> {
  const { tenantId, tier, credentials } = tenant;
  life.tenants.push(tenant);
  if (credentials.some(({ provider }) => provider === 'azure-openai'))
    simulatorOf(life.world.test, 'azure-openai').makeAccount(`cordon-${tenantId}`);
  await tell(life, 'TenantOnboarded', {
    ...{ tenantId, tier, displayName: `Tenant ${tenantId}` },
    credentials: credentials.map((one) => specOf(life, tenant, one)),
    routing: credentials.map(({ provider, environment, credentialId: use }) => ({ match: { provider, environment }, use })),
  });
  await rest(life);
  await demandStatus(life, tenant, 'TENANT', ['active']);
}

async function demandStatus(life: Life, { tenantId }: LivingTenant, sk: string, wanted: readonly string[]): Promise<void> {
  const [item] = await itemsAt(life.world.test, tenantId, [sk]);
  const status = item === undefined ? 'not there' : String(item['status']);
  if (!wanted.includes(status)) life.complaints.add(`0 not done: ${sk} of ${tenantId} is ${status}, not ${wanted.join(' or ')}`);
}

/** A user with credentials of their own. */
export async function onboardUser(
  life: Life,
  tenant: LivingTenant,
  subject: string,
  credentials: readonly LivingCredential[],
): Promise<void> {
  const { tenantId } = tenant;
  const { issuer } = life.world.test.cloud.oidc;
  await tell(life, 'UserOnboarded', { tenantId, issuer, subject });
  await rest(life);
  for (const credential of credentials) {
    tenant.credentials.push(credential);
    await tell(life, 'CredentialRequested', { tenantId, credential: specOf(life, tenant, credential) });
    await rest(life);
  }
  // All rules are replaced: those of a connection, which are not the life's own, stay as they are. What is a user's own needs no rule, and may be in none.
  const { rules } = ruled.parse((await itemsAt(life.world.test, tenantId, ['TENANT']))[0]);
  await tell(life, 'RoutingRulesChanged', { tenantId, rules });
  await rest(life);
  await demandStatus(life, tenant, `USER#${userIdIn(life, subject)}`, ['active']);
}

const ruled = z.looseObject({ rules: z.array(z.unknown()) });

/** A use, tried again as an agent would. Whether it may succeed is known; that it uses nobody else's key, too. */
export async function use(life: Life, tenant: LivingTenant, credential: LivingCredential, who: Who = {}): Promise<void> {
  const { world } = life;
  const caller = { ...who, ...(credential.subject !== undefined && { subject: credential.subject }) };
  const refused = isRefused(tenant, credential, caller);
  const what = `${credential.provider} by ${credential.credentialId} of ${tenant.tenantId}`;
  for (let tries = 1; ; tries += 1) {
    const { status, code, shown } = await call(world, tenant, credential.provider, credential.environment, caller);
    for (const fingerprint of shown)
      if (!isOwnKey(life, tenant, credential, fingerprint))
        life.complaints.add(`1 cross-tenant access: a call for ${what} showed somebody else's key`);
    if (refused) {
      if (shown.length > 0 || (status >= 200 && status < 300))
        life.complaints.add(`4 revoked and usable: ${what} as ${JSON.stringify(caller)}`);
      return;
    }
    if (status === 200) return;
    if (tries === patience) return void life.complaints.add(`3 lost: ${what} cannot be used: ${status} ${code}`);
    await pass(life, 2 * minuteMs);
  }
}

/** Keys that Cordon has made carry their tenant's and their credential's name; of the customer's own it is known who has made them. */
function isOwnKey(
  { world }: Life,
  { tenantId }: LivingTenant,
  { credentialId, ownKeys, provider }: LivingCredential,
  fingerprint: string,
): boolean {
  if (ownKeys.some((key) => world.fingerprintOf(key) === fingerprint)) return true;
  const prefix = provider === 'azure-openai' ? `cordon-${tenantId}/` : `${tenantId}.${credentialId}.`;
  return world.namesOf(provider, fingerprint).some((name) => name.startsWith(prefix));
}

/**
 * The customer makes a key at the provider and hands it over; of one that is in force already, it is the next. What was not answered is sent again as it is: sealed
 * anew, it would be another key to Cordon (`docs/broker.md`).
 */
export async function supply(life: Life, tenant: LivingTenant, credential: LivingCredential): Promise<void> {
  const { world } = life;
  const { credentialId } = credential;
  const suppliedAt = async () =>
    supplied.parse((await itemsAt(world.test, tenant.tenantId, [`CREDENTIAL#${credentialId}`]))[0] ?? {}).suppliedAt;
  const before = await suppliedAt();
  const apiKey = world.test.cloud.world.issueKey(credential.provider);
  credential.ownKeys.push(apiKey);
  let sealed: Sealed | undefined;
  for (let tries = 1; ; tries += 1) {
    sealed ??= await seal(world, tenant, credentialId, apiKey);
    const { status, code } = sealed === undefined ? { status: 0, code: undefined } : await handOver(world, tenant, sealed);
    await rest(life);
    if (status === 200) break;
    if (code === 'SUPPLY_NONCE_REFUSED') {
      // It went through, and only the answer was lost; or the permit has ended meanwhile.
      if ((await suppliedAt()) !== before) break;
      sealed = undefined;
    }
    if (tries === patience)
      return void life.complaints.add(`0 not done: the door does not take a key of ${credentialId}: ${status} ${code}`);
    await pass(life, minuteMs);
  }
  await demandStatus(life, tenant, `CREDENTIAL#${credentialId}`, ['active']);
}
const supplied = z.looseObject({ suppliedAt: z.number().optional() });

const rotating = z.looseObject({
  secretVersionId: z.string().optional(),
  rotating: z.unknown().optional(),
  previous: z.unknown().optional(),
});

/** The next key, and the end of the one before. */
export async function rotate(life: Life, tenant: LivingTenant, credential: LivingCredential, emergency = false): Promise<void> {
  const sk = `CREDENTIAL#${credential.credentialId}`;
  const versionNow = async () => rotating.parse((await itemsAt(life.world.test, tenant.tenantId, [sk]))[0] ?? {});
  const { secretVersionId: before } = await versionNow();
  const { tenantId } = tenant;
  await tell(life, 'RotationRequested', {
    tenantId,
    credentialId: credential.credentialId,
    why: 'to see it done',
    ...(emergency && { emergency }),
  });
  await rest(life);
  // Its grace may be longer than what counts as rest.
  for (let hours = 0; hours < 24 && (await versionNow()).previous !== undefined; hours += 1) {
    await pass(life, 60 * minuteMs);
    await rest(life);
  }
  const after = await versionNow();
  if (after.secretVersionId === before || after.rotating !== undefined || after.previous !== undefined)
    life.complaints.add(
      `0 not done: ${sk} of ${tenant.tenantId} is not rotated: ${JSON.stringify({ ...after, secretVersionId: after.secretVersionId !== before })}`,
    );
}

const offered = z.looseObject({ roleName: z.string(), externalId: z.string(), status: z.string(), announced: z.boolean() });

/** The customer connects an AWS account of theirs, for Bedrock. */
export async function connect(life: Life, tenant: LivingTenant, accountId: string): Promise<void> {
  const { world } = life;
  const sk = `CONNECTION#${accountId}`;
  const connection = async () => offered.safeParse((await itemsAt(world.test, tenant.tenantId, [sk]))[0]).data;
  tenant.accounts.push({ accountId, isConnected: true });
  await tell(life, 'RoleConnectionRequested', {
    ...{ tenantId: tenant.tenantId, customerAccountId: accountId, services: ['bedrock'], regions: ['us-east-1'], environment: 'connected' },
  });
  for (let tries = 1; (await connection())?.announced !== true; tries += 1) {
    // A message whose worker has died comes again after minutes.
    if (tries === 5 * patience) return void life.complaints.add(`0 not done: no connection is offered to ${tenant.tenantId}`);
    await pass(life, minuteMs);
  }
  const found = await connection();
  if (found !== undefined) await customerTrust(world.test, accountId, found);
  for (let tries = 1; (await connection())?.status !== 'active'; tries += 1) {
    if (tries === 3 * patience)
      return void life.complaints.add(`0 not done: the connection of ${tenant.tenantId} is ${(await connection())?.status}`);
    await pass(life, 10 * minuteMs);
  }
  await rest(life);
}

/** A use of Bedrock in the customer's account. */
export async function useAccount(life: Life, tenant: LivingTenant): Promise<void> {
  const isOpen = tenant.status === 'active' && tenant.accounts.some(({ isConnected }) => isConnected);
  const own = new Set(tenant.accounts.map(({ accountId }) => accountId));
  for (let tries = 1; ; tries += 1) {
    const { status, code, shown } = await call(life.world, tenant, 'bedrock', 'connected');
    if (shown.some((account) => !own.has(account)))
      life.complaints.add(`1 cross-tenant access: ${tenant.tenantId} has used an account of somebody else`);
    if (!isOpen && (shown.length > 0 || status === 200)) life.complaints.add(`4 revoked and usable: the account of ${tenant.tenantId}`);
    if (!isOpen || status === 200) return;
    if (tries === patience) return void life.complaints.add(`3 lost: the account of ${tenant.tenantId} cannot be used: ${status} ${code}`);
    await pass(life, 2 * minuteMs);
  }
}

export async function disconnect(life: Life, tenant: LivingTenant, accountId: string): Promise<void> {
  await tell(life, 'RoleDisconnectionRequested', { tenantId: tenant.tenantId, customerAccountId: accountId });
  for (const account of tenant.accounts) if (account.accountId === accountId) account.isConnected = false;
  await rest(life);
}

/** One credential with all that it has. */
export async function revokeCredential(life: Life, tenant: LivingTenant, credential: LivingCredential): Promise<void> {
  const { tenantId } = tenant;
  await tell(life, 'RevocationRequested', { ...asked, tenantId, scope: 'credential', credentialId: credential.credentialId });
  credential.isRevoked = true;
  await rest(life);
  await demandStatus(life, tenant, `CREDENTIAL#${credential.credentialId}`, ['revoked']);
}

/** The version in force: the next one takes its place. */
export async function revokeVersion(life: Life, tenant: LivingTenant, credential: LivingCredential): Promise<void> {
  const { tenantId } = tenant;
  const { credentialId } = credential;
  const [item] = await itemsAt(life.world.test, tenantId, [`CREDENTIAL#${credentialId}`]);
  const versionId = rotating.parse(item ?? {}).secretVersionId;
  if (versionId === undefined) return void life.complaints.add(`0 not done: ${credentialId} of ${tenantId} has no version to revoke`);
  await tell(life, 'RevocationRequested', { ...asked, tenantId, scope: 'version', credentialId, versionId });
  await rest(life);
}

export async function revokeAgent(life: Life, tenant: LivingTenant, agentId: string): Promise<void> {
  await tell(life, 'RevocationRequested', { ...asked, tenantId: tenant.tenantId, scope: 'agent', agentId });
  tenant.refused.add(`agent ${agentId}`);
  await rest(life);
}

export async function revokeSession(life: Life, tenant: LivingTenant, sessionId: string): Promise<void> {
  await tell(life, 'RevocationRequested', { ...asked, tenantId: tenant.tenantId, scope: 'session', sessionId });
  tenant.refused.add(`session ${sessionId}`);
  await rest(life);
}

export async function offboardUser(life: Life, tenant: LivingTenant, subject: string): Promise<void> {
  const { issuer } = life.world.test.cloud.oidc;
  await tell(life, 'UserOffboarded', { ...asked, tenantId: tenant.tenantId, issuer, subject });
  tenant.refused.add(`user ${subject}`);
  for (const credential of tenant.credentials) if (credential.subject === subject) credential.isRevoked = true;
  await rest(life);
  await demandStatus(life, tenant, `USER#${userIdIn(life, subject)}`, ['offboarded']);
}

export async function suspend(life: Life, tenant: LivingTenant): Promise<void> {
  await tell(life, 'AccessSuspended', { ...asked, tenantId: tenant.tenantId, scope: 'tenant' });
  tenant.status = 'suspended';
  await rest(life);
  await demandStatus(life, tenant, 'TENANT', ['suspended']);
}

export async function reinstate(life: Life, tenant: LivingTenant): Promise<void> {
  // What was asked for in the same second counts as asked for before.
  await pass(life, minuteMs);
  await tell(life, 'AccessReinstated', { ...asked, tenantId: tenant.tenantId, scope: 'tenant' });
  await rest(life);
  tenant.status = 'active';
  await demandStatus(life, tenant, 'TENANT', ['active']);
}

/** The end of a life. */
export async function offboard(life: Life, tenant: LivingTenant): Promise<void> {
  await tell(life, 'TenantOffboarded', { ...asked, tenantId: tenant.tenantId });
  tenant.status = 'offboarded';
  for (const credential of tenant.credentials) credential.isRevoked = true;
  for (const account of tenant.accounts) account.isConnected = false;
  await rest(life);
  await demandStatus(life, tenant, 'TENANT', ['offboarded']);
}
