import { randomBytes } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { JWK } from 'jose';
import type { DatabaseAddress } from '../../../functions/credentials/connection-string.ts';
import type { DoorDeps } from '../../../functions/credentials/door-deps.ts';
import { type SecretToSeal, sealSecret } from '../../../functions/credentials/seal-secret.ts';
import { createHandler } from '../../../functions/credentials/supply-secret.handler.ts';
import type { VaultOwner } from '../../../functions/credentials/vault.ts';
import { observedEvents } from '../../../functions/isolation/honey/events.ts';
import type { KeyVerdict } from '../../../functions/providers/validate-key.ts';
import type { VerifiedIdentity } from '../../../functions/sessions/token-verifier.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import type { Log, LogFields } from '../../../functions/shared/log.ts';
import { outboundEvents } from '../../../functions/tenants/events.ts';
import type { NewCredential, NewTenant } from '../../../functions/tenants/registry.ts';
import { createFaults } from './faults.ts';
import { createMemoryAttributionStore } from './memory-attribution-store.ts';
import { createMemoryDoorStore } from './memory-door-store.ts';
import { createMemoryKeyPairs } from './memory-key-pairs.ts';
import { createMemoryRegistry } from './memory-registry.ts';
import { createMemoryVault } from './memory-vault.ts';

const announcedEvents = { ...outboundEvents, ...observedEvents };

const issuer = 'https://idp.example.com';
export const poolKeyArn = 'arn:aws:kms:us-east-1:111122223333:key/pool';
export const dedicatedKeyArn = 'arn:aws:kms:us-east-1:111122223333:key/globex';

/** Whoever may hold a token here: `{subject}@{tenant}` with a role of the same name as the subject's first part. */
function identityOf(token: string): VerifiedIdentity {
  if (token === 'down') throw new CordonError('PROVIDER_UNAVAILABLE', 'no keys', { retryable: true });
  const [, subject, tenant] = /^(\w+)-at-([a-z0-9-]+)$/.exec(token) ?? [];
  if (!subject || !tenant) throw new CordonError('TOKEN_REFUSED', 'the token was not valid');
  const of = { tenantId: tenantId.parse(tenant), userId: userIdOf(issuer, subject), issuer, subject, expiresAt: 0 };
  return {
    ...of,
    ...(subject.startsWith('admin') && { role: 'admin' }),
    ...(subject.startsWith('bot') && { agentId: subject, role: 'admin' }),
  };
}

export interface KeyOffer {
  readonly keys: readonly JWK[];
  readonly nonce: { readonly value: string; readonly expiresAt: string };
}

/** The door with everything it works with in memory, and faults. */
export async function createDoorWorld() {
  let now = Date.parse('2026-11-21T12:00:00Z');
  const clock = (): number => now;
  const nextId = createIds(clock);
  const faults = createFaults();
  const registry = createMemoryRegistry({ clock, nextId });
  const attribution = createMemoryAttributionStore();
  const vault = createMemoryVault();
  const door = createMemoryDoorStore(registry);
  const keyPairs = createMemoryKeyPairs();
  const announced: { type: string; detail: object }[] = [];
  const lines: string[] = [];
  const vaultOwners: VaultOwner[] = [];
  const asked: string[] = [];
  let silent = false;
  let verdict: KeyVerdict | CordonError = 'valid';

  const log = (always: LogFields): Log => ({
    info: (message, fields) => void lines.push(JSON.stringify({ message, ...always, ...fields })),
    warn: (message, fields) => void lines.push(JSON.stringify({ message, ...always, ...fields })),
    error: (message, error, fields) =>
      void lines.push(
        JSON.stringify({ message, ...always, ...fields, error: String(error), cause: String(error instanceof Error && error.cause) }),
      ),
    with: (fields) => log({ ...always, ...fields }),
  });

  const ports = {
    registry: faults.through('registry', registry),
    attribution: faults.through('attribution', attribution),
    vault: faults.through('vault', vault),
    door: faults.through('door', door),
    keyPairs: faults.through('keyPairs', keyPairs),
    announcer: faults.through<DoorDeps['announcer']>('announcer', {
      async announce(type, detail) {
        if (silent) throw new CordonError('AWS_UNAVAILABLE', 'the bus does not answer', { retryable: true });
        announcedEvents[type].parse(JSON.parse(JSON.stringify(detail)));
        announced.push({ type, detail: { ...detail } });
      },
    }),
    database: faults.through('database', {
      async check({ user, host, port, database, password, secure }: DatabaseAddress): Promise<void> {
        asked.push(`${user} ${password.reveal()} ${host}:${port} ${database} ${secure ? 'TLS' : 'plain'}`);
        if (verdict instanceof CordonError) throw verdict;
      },
    }),
    provider: faults.through('provider', {
      async validateKey(provider: string, apiKey: string): Promise<KeyVerdict> {
        asked.push(`${provider} ${apiKey}`);
        if (verdict instanceof CordonError) throw verdict;
        return verdict;
      },
    }),
  };

  const handler = createHandler({
    clock,
    nextId,
    randomBytes: () => randomBytes(24),
    log: log({}),
    verify: async (token) => identityOf(token),
    announcer: ports.announcer,
    supplierRoles: new Set(['admin']),
    poolKeyArn,
    validateKey: (provider, _settings, secret) => ports.provider.validateKey(provider, secret.reveal()),
    checkDatabase: ports.database.check,
    allowLoopback: false,
    openStores: async () => ({ registry: ports.registry, attribution: ports.attribution, door: ports.door, keyPairs: ports.keyPairs }),
    openVault: async (owner) => {
      vaultOwners.push(owner);
      return ports.vault;
    },
  });

  async function addTenant(id: string, over: Partial<NewTenant> = {}): Promise<void> {
    await registry.addTenant({
      kind: 'TENANT',
      tenantId: tenantId.parse(id),
      displayName: id,
      requestedBy: 'op',
      tier: 'pool',
      status: 'active',
      epoch: 0,
      announced: true,
      attempt: 1,
      leaseUntil: 0,
      accounts: {},
      plan: [],
      rules: [],
      rulesVersion: 0,
      rulesEventIds: [],
      rulesAnnounced: true,
      ...over,
    });
  }

  async function addCredential(tenant: string, id: string, over: Partial<NewCredential> = {}): Promise<void> {
    const owner = over.userId;
    if (owner !== undefined && !(await registry.user(tenantId.parse(tenant), owner))) {
      await registry.addUser({
        ...{ kind: 'USER', tenantId: tenantId.parse(tenant), userId: owner, status: 'active', issuer, subject: 'owner' },
        ...{ requestedBy: 'op', epoch: 0, announced: true },
      });
    }
    await registry.addCredential({
      kind: 'CREDENTIAL',
      tenantId: tenantId.parse(tenant),
      credentialId: credentialId.parse(id),
      provider: 'anthropic',
      source: 'customer-supplied',
      environment: 'production',
      tier: 'pool',
      status: 'awaiting',
      requestedBy: 'op',
      epoch: 3,
      announced: true,
      attempt: 0,
      leaseUntil: 0,
      secretMayExist: false,
      ...over,
    });
  }

  const call = (event: object, token: string): Promise<APIGatewayProxyResult> =>
    handler(
      {
        resource: '',
        httpMethod: 'GET',
        headers: { Authorization: `Bearer ${token}` },
        pathParameters: null,
        body: null,
        isBase64Encoded: false,
        requestContext: { requestId: 'r-1' },
        ...event,
      },
      { getRemainingTimeInMillis: () => 30_000 },
    );
  const getKey = (token: string): Promise<APIGatewayProxyResult> => call({ resource: '/credentials/public-key' }, token);
  const post = (token: string, id: string, body: string | object, over: object = {}): Promise<APIGatewayProxyResult> =>
    call(
      {
        resource: '/credentials/{credentialId}/secret',
        httpMethod: 'POST',
        pathParameters: { credentialId: id },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...over,
      },
      token,
    );
  const offer = async (token: string): Promise<KeyOffer> => JSON.parse((await getKey(token)).body);
  /** A ciphertext as a client makes it; a text is a provider's key. */
  async function seal(token: string, id: string, given: string | SecretToSeal['secret']): Promise<string> {
    const { keys, nonce } = await offer(token);
    const [publicKey = {}] = keys;
    const secret = typeof given === 'string' ? { apiKey: given } : given;
    return sealSecret({ publicKey, tenantId: identityOf(token).tenantId, credentialId: id, nonce: nonce.value, secret });
  }

  await addTenant('acme');
  await addTenant('acme-2');
  await addTenant('globex', { tier: 'dedicated', keyArn: dedicatedKeyArn });
  await addCredential('acme', 'anthropic-own');
  await addCredential('acme-2', 'theirs');
  await addCredential('globex', 'anthropic-own', { tier: 'dedicated' });

  return {
    ...{ clock, nextId, registry, attribution, vault, door, faults, announced, lines, vaultOwners, asked },
    ...{ addTenant, addCredential, call, getKey, post, offer, seal },
    credential: (tenant: string, id: string) => registry.credential(tenantId.parse(tenant), credentialId.parse(id)),
    userIdOf: (subject: string) => userIdOf(issuer, subject),
    answers(next: KeyVerdict | CordonError) {
      verdict = next;
    },
    /** Whether the bus fails, each time. */
    silence(next: boolean) {
      silent = next;
    },
    advance(ms: number) {
      now += ms;
    },
  };
}
export type DoorWorld = Awaited<ReturnType<typeof createDoorWorld>>;
