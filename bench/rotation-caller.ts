/** An agent of a tenant who calls a provider through the broker as it is, in the same simulated time. */
import { createSignedAttributionStore } from '../functions/attribution/attribution-store.signed.ts';
import { createSignedCatalogueStore } from '../functions/broker/catalogue.dynamodb-signed.ts';
import { createSignedGate } from '../functions/broker/gate.dynamodb-signed.ts';
import { createObtainSecret, type ReadySecret } from '../functions/broker/obtain-secret.ts';
import { type PreparedUse, prepareUse } from '../functions/broker/prepare-use.ts';
import { createSecretCache } from '../functions/broker/secret-cache.ts';
import { createTenantCatalogue } from '../functions/broker/tenant-catalogue.ts';
import { createOpenTenant } from '../functions/broker/tenant-environment.ts';
import { createSignedVaultReader } from '../functions/broker/vault-reader.signed.ts';
import { egressAdapterOf } from '../functions/providers/egress-adapters.ts';
import { createEgressGuard } from '../functions/providers/egress-guard.ts';
import { createSignedSender } from '../functions/shared/aws-signed.ts';
import { createIds } from '../functions/shared/clock.ts';
import { type TenantId, userIdOf } from '../functions/shared/identifiers.ts';
import { log, type RotationWorld } from './rotation-world.ts';

const issuer = 'https://idp.example.com';
const timeoutMs = 2_000;

/** @returns everything of a call up to where it leaves for the provider; its environment is kept from call to call */
export function createCaller({ aws, time, provider }: RotationWorld, tenantId: TenantId): () => Promise<PreparedUse> {
  const clock = time.now;
  const send = createSignedSender({ region: aws.region, endpoint: aws.endpoint });
  const { accessKeyId, secretAccessKey } = aws.kernel.addAccount(aws.accountId);
  const credentials = { accessKeyId, secretAccessKey, sessionToken: undefined };
  const secrets = createSecretCache<ReadySecret>();
  const none = (): never => {
    throw new Error('not needed for an issued key');
  };
  const openTenant = createOpenTenant({
    clock,
    async mint() {
      time.called('sts', 'AssumeRole');
      return { tenantId, tier: 'pool', credentials, expiresAt: clock() + 900_000 };
    },
    openStores: (session) => {
      const registry = { send, credentials, table: aws.registryTable, timeoutMs };
      return {
        session,
        gate: createSignedGate(registry),
        watch: createSignedGate(registry),
        catalogue: createSignedCatalogueStore({ ...registry, tenantId }),
        attribution: createSignedAttributionStore({ send, credentials, table: aws.attributionTable, timeoutMs }),
        obtain: createObtainSecret({
          tenantId,
          cache: secrets,
          vault: createSignedVaultReader({ send, credentials, timeoutMs }),
          vaultOf: none,
          mintToken: none,
          takeCustomerRole: none,
        }),
      };
    },
  });
  const deps = {
    log,
    clock,
    nextId: createIds(clock),
    wait: async (ms: number) => time.pass(ms),
    elapsed: clock,
    openTenant,
    catalogue: createTenantCatalogue(clock),
    secrets,
    recent: new Map(),
    adapterOf: egressAdapterOf,
    baseUrls: { openai: provider.openAiBaseUrl },
    guard: createEgressGuard({ allowLoopback: true }),
  };
  return () => {
    const caller = {
      tenantId,
      userId: userIdOf(issuer, 'agent'),
      issuer,
      subject: 'agent',
      agentId: undefined,
      sessionId: undefined,
      role: undefined,
      expiresAt: clock() + 60_000,
    };
    const call = {
      requestId: 'bench',
      caller,
      token: 'jwt',
      provider: 'openai',
      method: 'POST',
      path: 'v1/chat/completions',
      query: '',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{}'),
    };
    return prepareUse(deps, call, tenantId, {});
  };
}
