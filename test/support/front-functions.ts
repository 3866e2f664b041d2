/** The functions that answer callers, in the test's own process: `sessions`, the door and the broker. */
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { createSignedAttributionStore } from '../../functions/attribution/attribution-store.signed.ts';
import { createSignedCatalogueStore } from '../../functions/broker/catalogue.dynamodb-signed.ts';
import { createAssumeCustomerRole } from '../../functions/broker/customer-session.sts-signed.ts';
import { createCustomerSessions, createTakeCustomerRole } from '../../functions/broker/customer-session.ts';
import { readBrokerEnv } from '../../functions/broker/env.ts';
import { createFederatedMint } from '../../functions/broker/federated-mint.ts';
import { createSignedGate } from '../../functions/broker/gate.dynamodb-signed.ts';
import { createIdentityToken } from '../../functions/broker/identity-token.sts-signed.ts';
import { createObtainSecret, type ReadySecret } from '../../functions/broker/obtain-secret.ts';
import { createHandler, type StreamingHandler } from '../../functions/broker/proxy-call.handler.ts';
import { createSecretCache } from '../../functions/broker/secret-cache.ts';
import { createTellNamed } from '../../functions/broker/tell-named.ts';
import { createTellThrottled } from '../../functions/broker/tell-throttled.ts';
import { createTenantCatalogue } from '../../functions/broker/tenant-catalogue.ts';
import { createOpenTenant } from '../../functions/broker/tenant-environment.ts';
import { createTenantSender } from '../../functions/broker/tenant-sender.ts';
import { createSessionsFunction } from '../../functions/broker/tenant-session.lambda-signed.ts';
import { createUpstream } from '../../functions/broker/upstream.sockets.ts';
import { createNarrowToUser } from '../../functions/broker/user-session.sts-signed.ts';
import { createSignedVaultReader } from '../../functions/broker/vault-reader.signed.ts';
import { watchReadMs, watchTimes } from '../../functions/broker/watch-gate.ts';
import { doorEnv } from '../../functions/credentials/env.ts';
import { createDoorOpeners } from '../../functions/credentials/open-door.aws.ts';
import { createHandler as createDoor, type DoorHandler } from '../../functions/credentials/supply-secret.handler.ts';
import { egressAdapterOf } from '../../functions/providers/egress-adapters.ts';
import { createEgressGuard } from '../../functions/providers/egress-guard.ts';
import { createFederatedTokens } from '../../functions/providers/federation.ts';
import { createValidateKey } from '../../functions/providers/validate-key.ts';
import { sessionsEnv, type TrustedIssuer } from '../../functions/sessions/env.ts';
import { createHandler as createSessions, type MintHandler } from '../../functions/sessions/mint-session.handler.ts';
import { createTokenVerifier } from '../../functions/sessions/token-verifier.jose.ts';
import type { VerifyIdentity } from '../../functions/sessions/token-verifier.ts';
import { createAnnouncer } from '../../functions/shared/announcer.eventbridge.ts';
import { createSignedSender, type SendSigned } from '../../functions/shared/aws-signed.ts';
import { inSession } from '../../functions/shared/client-session.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import { createSessionClients } from '../../functions/shared/session-clients.ts';
import { createRegistry } from '../../functions/tenants/registry.dynamodb.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import { bodyWith, bytesOf } from './answer-bodies.ts';
import type { Craft } from './worker-craft.ts';
import type { WorkerHouse } from './worker-house.ts';

/** Checks tokens by these keys of the issuer, without asking for them. */
export function verifierBy(keys: JSONWebKeySet, issuers: readonly TrustedIssuer[], clock: Clock): VerifyIdentity {
  return createTokenVerifier({ issuers, clock, keysOf: () => createLocalJWKSet(keys) });
}

export const sessionsCraft = (keys: JSONWebKeySet): Craft<MintHandler> => ({
  functionName: 'sessions',
  start(variables, { clientConfig, clock, nextId, log, sessions }) {
    const env = sessionsEnv.parse(variables);
    const registries = createSessionClients({
      ...{ sessions, clock, capacity: 500 },
      make: (credentials) =>
        createRegistry({ client: inSession(new DynamoDBClient({ credentials }), credentials), table: env.REGISTRY_TABLE, clock, nextId }),
    });
    return createSessions({
      ...{ log, clock, sessions },
      verify: verifierBy(keys, env.TRUSTED_ISSUERS, clock),
      announcer: createAnnouncer(new EventBridgeClient(clientConfig), env.EVENT_BUS_NAME),
      openRegistry: (tenantId) => registries({ roleArn: env.TENANT_READER_ROLE_ARN, tenantId, role: 'shared' }),
      readerRoleArn: env.TENANT_READER_ROLE_ARN,
      dedicatedRoleArnPrefix: env.DEDICATED_ROLE_ARN_PREFIX,
    });
  },
});

export const doorCraft = (keys: JSONWebKeySet): Craft<DoorHandler> => ({
  functionName: 'door',
  start(variables, { clientConfig, clock, nextId, log, sessions, sendEgress }) {
    const env = doorEnv.parse(variables);
    return createDoor({
      ...{ clock, nextId, log, allowLoopback: true },
      randomBytes: () => randomBytes(24),
      verify: verifierBy(keys, env.TRUSTED_ISSUERS, clock),
      announcer: createAnnouncer(new EventBridgeClient(clientConfig), env.EVENT_BUS_NAME),
      supplierRoles: new Set(env.SUPPLIER_ROLES),
      poolKeyArn: env.TENANT_KEY_ARN,
      validateKey: createValidateKey({ baseUrls: env.PROVIDER_BASE_URLS, allowLoopback: true, send: sendEgress }),
      checkDatabase: () => Promise.reject(new Error('There are no databases here.')),
      ...createDoorOpeners({ sessions, clock, nextId, env }),
    });
  },
});

/** What a caller of the broker gets. */
export interface BrokerAnswer {
  readonly status: number;
  readonly body: string;
}
/** @param event as API Gateway hands it over */
export type AskBroker = (event: object, tenantId: string) => Promise<BrokerAnswer>;

interface BrokerPlace {
  readonly cloud: LocalCloud;
  readonly house: Pick<WorkerHouse, 'handOver' | 'pass'>;
  /** Counts a request that is on its way. */
  underWay<Answer>(request: Promise<Answer>): Promise<Answer>;
}

const remainingMs = 300_000;

/** One environment of the broker, which is one tenant's. */
export const brokerCraft = ({ cloud, house, underWay }: BrokerPlace): Craft<AskBroker> => ({
  functionName: 'broker',
  start(variables, { worker, clientConfig: { credentials: own }, clock, nextId, log, sendEgress, pause }) {
    const env = readBrokerEnv({
      ...variables,
      ...{ AWS_REGION: cloud.region, AWS_ENDPOINT_URL: cloud.endpoint },
      ...{ AWS_ACCESS_KEY_ID: own.accessKeyId, AWS_SECRET_ACCESS_KEY: own.secretAccessKey, AWS_SESSION_TOKEN: own.sessionToken },
    });
    const sender = createSignedSender({ region: env.region, endpoint: env.awsEndpoint });
    const sendAs: SendSigned = (...asked) => underWay(sender(...asked));
    const function_ = { send: sendAs, credentials: env.credentials, functionName: env.sessionsFunctionName, timeoutMs: 10_000 };
    const sessions = createSessionsFunction(function_);
    const guard = createEgressGuard({ allowLoopback: true });
    const tokens = createFederatedTokens({ clock, send: sendEgress, baseUrls: env.providerBaseUrls });
    const secrets = createSecretCache<ReadySecret>();
    const customerSessions = createCustomerSessions(clock);
    const askUpstream = createUpstream({ lookup: guard.lookup, elapsed: clock });
    const openTenant = createOpenTenant({
      clock,
      async mint(...asked) {
        const session = await sessions.mint(...asked);
        // From here on what is done in it is the broker's doing, and no more that of whoever has assumed the role.
        house.handOver(session.credentials.accessKeyId, worker);
        return session;
      },
      openStores(session, renew) {
        const { credentials, tenantId } = session;
        const sendRenewed = createTenantSender({ send: sendAs, session, renew });
        const send = sendRenewed(10_000);
        const registry = { send, credentials, table: env.registryTable };
        const vaultWith = (of: typeof credentials) => createSignedVaultReader({ send, credentials: of, timeoutMs: 3000 });
        const narrowToUser = createNarrowToUser({
          ...{ send, tenantReaderRoleArn: env.tenantReaderRoleArn, dedicatedRoleArnPrefix: env.dedicatedRoleArnPrefix, timeoutMs: 3000 },
        });
        return {
          session,
          gate: createSignedGate({ ...registry, timeoutMs: 2000 }),
          watch: createSignedGate({ ...registry, send: sendRenewed(watchReadMs), timeoutMs: watchReadMs }),
          catalogue: createSignedCatalogueStore({ ...registry, tenantId, timeoutMs: 2000 }),
          attribution: createSignedAttributionStore({ send, credentials, table: env.attributionTable, timeoutMs: 2000 }),
          obtain: createObtainSecret({
            ...{ tenantId, cache: secrets, vault: vaultWith(credentials) },
            vaultOf: async (userId) => vaultWith(await narrowToUser(session, userId)),
            mintToken: createFederatedMint({
              ...{ tokens, session },
              identityToken: createIdentityToken({ send, credentials, tenantId, timeoutMs: 3000 }),
            }),
            takeCustomerRole: createTakeCustomerRole({
              ...{ tenantId, sessions: customerSessions },
              assume: createAssumeCustomerRole({
                send,
                credentials,
                tenantId,
                connectorRoleArn: env.byocConnectorRoleArn,
                timeoutMs: 3000,
              }),
            }),
          }),
        };
      },
    });
    const handle: StreamingHandler = createHandler(
      {
        ...{ log, clock, elapsed: clock, nextId, openTenant, secrets, guard, watchTimes, report: sessions.report },
        wait: (ms) => pause(ms),
        tellNamed: createTellNamed({ report: sessions.reportNamed, clock, log }),
        tellThrottled: createTellThrottled({ report: sessions.reportThrottled, clock, log }),
        catalogue: createTenantCatalogue(clock),
        recent: new Map(),
        adapterOf: egressAdapterOf,
        baseUrls: env.providerBaseUrls,
        upstream: (request) =>
          house.pass(worker, {
            ...{ service: new URL(request.url).pathname.split('/')[1] ?? '', action: 'use' },
            async send() {
              const { body, ...answer } = await askUpstream(request);
              return { ...answer, body: bodyWith(await bytesOf(body)) };
            },
            refused: () => ({ status: 500, headers: { 'content-type': 'application/json' }, body: bodyWith(Buffer.from('{}')) }),
            lost: () => new CordonError('UPSTREAM_BROKEN', "The provider's answer broke off."),
          }),
        limits: { maxBytes: 100 * 1024 * 1024, idleMs: 290_000 },
      },
      (stream, { statusCode }) => Object.assign(stream, { statusCode }),
    );
    return async (event, tenantId) => {
      const { stream, answer } = listener();
      await handle(event, stream, { tenantId, getRemainingTimeInMillis: () => remainingMs });
      return answer();
    };
  },
});

/** Takes an answer as Lambda does. */
function listener(): { readonly stream: Writable; answer(): BrokerAnswer } {
  const chunks: Buffer[] = [];
  const stream = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(Buffer.from(chunk));
        done();
      },
    }),
    { statusCode: 0 },
  );
  return { stream, answer: () => ({ status: stream.statusCode, body: Buffer.concat(chunks).toString('utf8') }) };
}
