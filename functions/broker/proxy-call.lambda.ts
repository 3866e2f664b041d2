import { setTimeout as wait } from 'node:timers/promises';
import { monotonicFactory } from 'ulid';
import { createSignedAttributionStore } from '../attribution/attribution-store.signed.ts';
import { egressAdapterOf } from '../providers/egress-adapters.ts';
import { createEgressGuard } from '../providers/egress-guard.ts';
import { createSendEgress } from '../providers/egress-request.ts';
import { createFederatedTokens } from '../providers/federation.ts';
import { createSignedSender } from '../shared/aws-signed.ts';
import { createSignedCatalogueStore } from './catalogue.dynamodb-signed.ts';
import type { FromResponseStream } from './client-stream.response-stream.ts';
import { createConsoleLog } from './console-log.ts';
import { createAssumeCustomerRole } from './customer-session.sts-signed.ts';
import { createCustomerSessions, createTakeCustomerRole } from './customer-session.ts';
import { readBrokerEnv } from './env.ts';
import { createFederatedMint } from './federated-mint.ts';
import { createSignedGate } from './gate.dynamodb-signed.ts';
import { createIdentityToken } from './identity-token.sts-signed.ts';
import { createObtainSecret, type ReadySecret } from './obtain-secret.ts';
import { createPooledRandomness } from './pooled-randomness.ts';
import { createHandler, type StreamingHandler } from './proxy-call.handler.ts';
import { createSecretCache } from './secret-cache.ts';
import { createTellNamed } from './tell-named.ts';
import { createTellThrottled } from './tell-throttled.ts';
import { createTenantCatalogue } from './tenant-catalogue.ts';
import { createOpenTenant } from './tenant-environment.ts';
import { createTenantSender } from './tenant-sender.ts';
import { createSessionsFunction } from './tenant-session.lambda-signed.ts';
import { createUpstream } from './upstream.sockets.ts';
import { createNarrowToUser } from './user-session.sts-signed.ts';
import { createSignedVaultReader } from './vault-reader.signed.ts';
import { watchReadMs, watchTimes } from './watch-gate.ts';

/** Provided by the Lambda runtime. Source: Lambda Developer Guide, "Writing response streaming-enabled Lambda functions". */
declare const awslambda: {
  streamifyResponse(handler: StreamingHandler): unknown;
  readonly HttpResponseStream: { readonly from: FromResponseStream };
};

const env = readBrokerEnv(process.env);
const log = createConsoleLog('broker');
const clock = (): number => Date.now();
const elapsed = (): number => performance.now();
const nextUlid = monotonicFactory(createPooledRandomness());
const sendAs = createSignedSender({ region: env.region, endpoint: env.awsEndpoint });
const mintMs = 10_000;
const sessions = createSessionsFunction({
  send: sendAs,
  credentials: env.credentials,
  functionName: env.sessionsFunctionName,
  timeoutMs: mintMs,
});
const secrets = createSecretCache<ReadySecret>();
const customerSessions = createCustomerSessions(clock);
const guard = createEgressGuard({ allowLoopback: env.allowLoopbackEgress });
const tokens = createFederatedTokens({
  clock,
  send: createSendEgress({ allowLoopback: env.allowLoopbackEgress, guard }),
  baseUrls: env.providerBaseUrls,
});

const openTenant = createOpenTenant({
  mint: sessions.mint,
  clock,
  openStores: (session, renew) => {
    const { credentials, tenantId } = session;
    const sendRenewed = createTenantSender({ send: sendAs, session, renew });
    const send = sendRenewed(mintMs);
    const registry = { send, credentials, table: env.registryTable };
    const vaultWith = (own: typeof credentials) => createSignedVaultReader({ send, credentials: own, timeoutMs: 3000 });
    const narrowToUser = createNarrowToUser({
      send,
      tenantReaderRoleArn: env.tenantReaderRoleArn,
      dedicatedRoleArnPrefix: env.dedicatedRoleArnPrefix,
      timeoutMs: 3000,
    });
    return {
      session,
      gate: createSignedGate({ ...registry, timeoutMs: 2000 }),
      watch: createSignedGate({ ...registry, send: sendRenewed(watchReadMs), timeoutMs: watchReadMs }),
      catalogue: createSignedCatalogueStore({ ...registry, tenantId, timeoutMs: 2000 }),
      attribution: createSignedAttributionStore({ send, credentials, table: env.attributionTable, timeoutMs: 2000 }),
      obtain: createObtainSecret({
        tenantId,
        cache: secrets,
        vault: vaultWith(credentials),
        vaultOf: async (userId) => vaultWith(await narrowToUser(session, userId)),
        mintToken: createFederatedMint({
          tokens,
          session,
          identityToken: createIdentityToken({ send, credentials, tenantId, timeoutMs: 3000 }),
        }),
        takeCustomerRole: createTakeCustomerRole({
          tenantId,
          sessions: customerSessions,
          assume: createAssumeCustomerRole({ send, credentials, tenantId, connectorRoleArn: env.byocConnectorRoleArn, timeoutMs: 3000 }),
        }),
      }),
    };
  },
});

export const handler = awslambda.streamifyResponse(
  createHandler(
    {
      log,
      clock,
      elapsed,
      nextId: () => nextUlid(clock()),
      wait,
      openTenant,
      catalogue: createTenantCatalogue(clock),
      secrets,
      recent: new Map(),
      adapterOf: egressAdapterOf,
      baseUrls: env.providerBaseUrls,
      guard,
      upstream: createUpstream({ lookup: guard.lookup, elapsed }),
      report: sessions.report,
      tellNamed: createTellNamed({ report: sessions.reportNamed, clock, log }),
      tellThrottled: createTellThrottled({ report: sessions.reportThrottled, clock, log }),
      limits: { maxBytes: 100 * 1024 * 1024, idleMs: 290_000 },
      watchTimes,
    },
    awslambda.HttpResponseStream.from,
  ),
);
