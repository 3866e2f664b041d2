/** The broker's core with its ports as fakes that can be changed and made to fail in mid-call, and a real HTTP server as the provider. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import type { AttributionEntry } from '../../../functions/attribution/attribution-entry.ts';
import type { CredentialFacts, Rule } from '../../../functions/broker/catalogue.ts';
import type { ClientStream } from '../../../functions/broker/client-stream.ts';
import { type AssumeCustomerRole, createCustomerSessions, createTakeCustomerRole } from '../../../functions/broker/customer-session.ts';
import type { ConnectionStanding, GateReading } from '../../../functions/broker/gate.ts';
import { createObtainSecret, type ReadySecret } from '../../../functions/broker/obtain-secret.ts';
import { type CallContext, type ProxyDeps, proxyCall } from '../../../functions/broker/proxy-call.ts';
import type { ProxyCall } from '../../../functions/broker/proxy-event.ts';
import { createSecretCache } from '../../../functions/broker/secret-cache.ts';
import { createTellNamed } from '../../../functions/broker/tell-named.ts';
import { createTellThrottled } from '../../../functions/broker/tell-throttled.ts';
import { createTenantCatalogue } from '../../../functions/broker/tenant-catalogue.ts';
import { createOpenTenant } from '../../../functions/broker/tenant-environment.ts';
import type { Throttled, Violation } from '../../../functions/broker/tenant-session.ts';
import { createUpstream } from '../../../functions/broker/upstream.sockets.ts';
import { egressAdapterOf } from '../../../functions/providers/egress-adapters.ts';
import { createEgressGuard } from '../../../functions/providers/egress-guard.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { type UserId, userIdOf } from '../../../functions/shared/identifiers.ts';
import type { Log } from '../../../functions/shared/log.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

export const acme = tenantId.parse('acme');
export const issuer = 'https://idp.example.com';
export const ann = userIdOf(issuer, 'ann');
export const bob = userIdOf(issuer, 'bob');
export const main = credentialId.parse('main');

export function facts(over: Partial<CredentialFacts> = {}): CredentialFacts {
  return {
    credentialId: main,
    provider: 'openai',
    source: 'platform-issued',
    userId: undefined,
    environment: 'production',
    useCase: undefined,
    team: undefined,
    labels: {},
    dataClasses: [],
    settings: {},
    ...over,
  };
}

export function ruleTo(id: string, over: Partial<Rule['match']> = {}): Rule {
  return {
    match: { provider: 'openai', environment: 'production', useCase: undefined, team: undefined, labels: {}, ...over },
    use: credentialId.parse(id),
  };
}

/** What the registry of the fakes holds; tests change it in place. */
export interface State {
  tenant: { status: string; epoch: number };
  rulesVersion: number;
  rules: Rule[];
  credentials: CredentialFacts[];
  standing: Map<string, { status: string; epoch: number; version: number; secretVersionId: string | undefined; diverted?: boolean }>;
  users: Map<string, { status: string; epoch: number; version: number }>;
  connections: Map<string, ConnectionStanding>;
  revokedAgents: Set<string>;
  revokedSessions: Set<string>;
}

/** Called with the name of each call to a port, before it does its work: to count, to delay, to fail. */
export type Hook = (port: string) => void | Promise<void>;

export function createBrokerWorld(options: { providerUrl?: string; watchEveryMs?: number; allowLoopback?: boolean } = {}) {
  const time = { now: Date.parse('2026-11-21T12:00:00Z') };
  const clock = (): number => time.now;
  const state: State = {
    tenant: { status: 'active', epoch: 0 },
    rulesVersion: 1,
    rules: [ruleTo('main')],
    credentials: [facts()],
    standing: new Map([['main', { status: 'active', epoch: 0, version: 1, secretVersionId: 'v1' }]]),
    users: new Map(),
    connections: new Map(),
    revokedAgents: new Set(),
    revokedSessions: new Set(),
  };
  const keys = new Map([
    ['main/v1', 'sk-canary-main-0001'],
    ['main/v2', 'sk-canary-main-0002'],
  ]);
  const calls: string[] = [];
  const hooks: Hook[] = [];
  const entries: AttributionEntry[] = [];
  const violations: Violation[] = [];
  const named: { token: string; names: readonly string[] }[] = [];
  const throttlings: (Throttled & { token: string })[] = [];
  const lines: { level: string; message: string; fields: unknown }[] = [];
  const port = async (name: string): Promise<void> => {
    calls.push(name);
    for (const hook of hooks) await hook(name);
  };
  const log: Log = {
    info: (message, fields) => void lines.push({ level: 'info', message, fields }),
    warn: (message, fields) => void lines.push({ level: 'warn', message, fields }),
    error: (message, error, fields) => void lines.push({ level: 'error', message, fields: { ...fields, error } }),
    with: () => log,
  };

  const readGate = (name: string) => ({
    async read(question: {
      userId: UserId;
      credentialId: string;
      agentId: string | undefined;
      sessionId: string | undefined;
      connectionId?: string | undefined;
    }): Promise<GateReading> {
      // The registry's answer is what stood when it was asked: a slow one is old when it arrives.
      const reading: GateReading = {
        tenant: { ...state.tenant, rulesVersion: state.rulesVersion },
        user: state.users.get(question.userId),
        credential: state.standing.get(question.credentialId),
        agentRevoked: question.agentId !== undefined && state.revokedAgents.has(question.agentId),
        sessionRevoked: question.sessionId !== undefined && state.revokedSessions.has(question.sessionId),
        connection: question.connectionId === undefined ? undefined : state.connections.get(question.connectionId),
      };
      await port(name);
      return structuredClone(reading);
    },
  });
  const secrets = createSecretCache<ReadySecret>();
  const vaultAs = (name: string) => ({
    async read(_tenant: string, id: string, versionId: string) {
      await port(name);
      const key = keys.get(`${id}/${versionId}`);
      if (key === undefined) throw new CordonError('SECRET_UNAVAILABLE', 'no such version', { retryable: true });
      return { kind: 'api-key' as const, apiKey: new SecretText(key) };
    },
  });
  const session = { endsInMs: 900_000, tenantId: acme };
  /** How customers' accounts answer; tests put another in its place. */
  const customer: { assume: AssumeCustomerRole; policies: string[] } = {
    policies: [],
    assume: async () => {
      const number = customer.policies.length;
      const [secretAccessKey, sessionToken] = [new SecretText(`customer-secret-${number}`), new SecretText(`customer-token-${number}`)];
      const expiresAt = time.now + 900_000;
      return { value: { kind: 'aws-session', accessKeyId: `ASIACUSTOMER${number}`, secretAccessKey, sessionToken }, expiresAt };
    },
  };
  const customerSessions = createCustomerSessions(clock);
  const guard = createEgressGuard({ allowLoopback: options.allowLoopback ?? options.providerUrl !== undefined });
  const deps: ProxyDeps = {
    log,
    clock,
    elapsed: () => performance.now(),
    nextId: createIds(clock),
    wait: async () => undefined,
    secrets,
    recent: new Map(),
    catalogue: createTenantCatalogue(clock),
    openTenant: createOpenTenant({
      clock,
      async mint() {
        await port('sessions');
        const credentials = { accessKeyId: 'ASIA1', secretAccessKey: 's', sessionToken: 't' };
        return { tenantId: session.tenantId, tier: 'pool', credentials, expiresAt: time.now + session.endsInMs };
      },
      openStores: (opened) => ({
        session: opened,
        gate: readGate('gate'),
        watch: readGate('watch'),
        catalogue: {
          async rules() {
            const answer = { rulesVersion: state.rulesVersion, rules: [...state.rules] };
            await port('rules');
            return answer;
          },
          async credentials() {
            const answer = [...state.credentials];
            await port('credentials');
            return answer;
          },
        },
        attribution: {
          async record(entry) {
            await port(entry.kind);
            entries.push(structuredClone(entry));
          },
        },
        obtain: createObtainSecret({
          tenantId: acme,
          cache: secrets,
          vault: vaultAs('secret'),
          vaultOf: async (userId) => {
            await port(`as ${userId}`);
            return vaultAs('own secret');
          },
          mintToken: () => Promise.reject(new CordonError('EGRESS_NOT_CONFIGURED', 'none')),
          takeCustomerRole: createTakeCustomerRole({
            tenantId: acme,
            sessions: customerSessions,
            assume: async (role, policy) => {
              await port('customer role');
              customer.policies.push(policy);
              return customer.assume(role, policy);
            },
          }),
        }),
      }),
    }),
    adapterOf: egressAdapterOf,
    baseUrls:
      options.providerUrl === undefined
        ? {}
        : { openai: `${options.providerUrl}/v1`, anthropic: options.providerUrl, bedrock: options.providerUrl, aws: options.providerUrl },
    guard,
    upstream: createUpstream({ lookup: guard.lookup, elapsed: () => performance.now() }),
    report: async (_token, violation) => {
      await port('report');
      violations.push(violation);
    },
    tellNamed: createTellNamed({
      clock,
      log,
      report: async (token, names) => {
        await port('named');
        named.push({ token, names });
      },
    }),
    tellThrottled: createTellThrottled({
      clock,
      log,
      report: async (token, told) => {
        await port('throttled');
        throttlings.push({ token, ...told });
      },
    }),
    limits: { maxBytes: 1024 * 1024, idleMs: 2000 },
    watchTimes: { everyMs: options.watchEveryMs ?? 3000, repeatMs: 10 },
  };

  function callOf(over: Partial<ProxyCall> = {}): ProxyCall {
    return {
      requestId: 'r-1',
      caller: {
        tenantId: acme,
        userId: ann,
        issuer,
        subject: 'ann',
        agentId: 'bot',
        sessionId: 's-1',
        role: undefined,
        expiresAt: time.now + 3_600_000,
      },
      token: 'jwt-of-ann',
      provider: 'openai',
      method: 'POST',
      path: 'v1/chat/completions',
      query: '',
      headers: { 'content-type': 'application/json', authorization: 'Bearer jwt-of-ann' },
      body: Buffer.from('{"model":"m"}'),
      ...over,
    };
  }

  async function run(over: Partial<ProxyCall> = {}, context: Partial<CallContext> = {}, client = createClient()) {
    await proxyCall(deps, callOf(over), { environmentTenantId: acme, remainingMs: 60_000, ...context }, client.stream);
    return client;
  }

  return { state, keys, calls, hooks, entries, violations, named, throttlings, lines, deps, time, session, customer, secrets, callOf, run };
}

/** The way back to the caller, remembered. */
export function createClient(options: { slow?: boolean } = {}) {
  const gone = new AbortController();
  const seen = {
    status: 0,
    headers: {} as Readonly<Record<string, string>>,
    /** As they were handed over: whoever hands over memory that is used again is found out. */
    chunks: [] as Uint8Array[],
    ended: false,
    broken: undefined as Error | undefined,
  };
  const listeners: ((text: string) => void)[] = [];
  let full = false;
  const stream: ClientStream = {
    gone: gone.signal,
    answer(status, headers, body) {
      if (seen.status !== 0) throw new Error('begun twice');
      Object.assign(seen, { status, headers, ended: true });
      seen.chunks.push(bytesIn(body));
    },
    begin(status, headers) {
      if (seen.status !== 0) throw new Error('begun twice');
      Object.assign(seen, { status, headers });
    },
    write(chunk) {
      if (seen.status === 0 || seen.ended || full) throw new Error('not the time to write');
      const bytes = bytesIn(chunk);
      const text = Buffer.from(bytes).toString('latin1');
      seen.chunks.push(bytes);
      for (const listener of listeners) listener(text);
      if (options.slow !== true) return undefined;
      full = true;
      return new Promise((resolve) =>
        setTimeout(() => {
          full = false;
          resolve();
        }, 1),
      );
    },
    end: () => void Object.assign(seen, { ended: true }),
    break: (error) => void Object.assign(seen, { broken: error }),
  };
  return {
    stream,
    seen,
    onChunk: (listener: (text: string) => void) => void listeners.push(listener),
    leave: () => gone.abort(new CordonError('CLIENT_GONE', 'the caller went away')),
    get text() {
      return Buffer.concat(seen.chunks).toString('latin1');
    },
    get error(): { code?: string; message?: string; requestId?: string } {
      return JSON.parse(Buffer.concat(seen.chunks).toString('latin1')).error;
    },
  };
}

const bytesIn = (chunk: string | Uint8Array): Uint8Array => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk);

export interface TestProvider {
  readonly url: string;
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }[];
  /** Resolves when the connection of the request under way is closed. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** A real HTTP server that answers as told. */
export async function startProvider(
  answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void,
): Promise<TestProvider> {
  const requests: TestProvider['requests'] = [];
  const closed = Promise.withResolvers<void>();
  const server: Server = createServer((request, response) => {
    const body = new PassThrough();
    const chunks: Buffer[] = [];
    request.pipe(body);
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.on('end', () => {
      const whole = Buffer.concat(chunks);
      requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: whole });
      response.on('close', () => closed.resolve());
      answer(request, response, whole);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    closed: closed.promise,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
