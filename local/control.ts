/** The control endpoint: what a test may do to the local cloud that no AWS API offers. Loopback only, behind a bearer token. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { CustomerAccount, LocalCloud } from './cloud.ts';
import { type Fault, faultModes } from './core/faults.ts';
import { bearerOf, listen, RequestError, readJson, sendJson } from './world/http.ts';
import { misbehaviour } from './world/misbehaviour.ts';
import type { Simulator } from './world/simulator.ts';

export interface Control {
  /** E.g. `http://127.0.0.1:41235`. */
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

/** What of a cloud the endpoint reaches. */
export type ControlledCloud = Pick<
  LocalCloud,
  | 'addAccount'
  | 'clock'
  | 'customers'
  | 'endpoint'
  | 'faults'
  | 'functionCredentials'
  | 'idle'
  | 'journal'
  | 'oidc'
  | 'operator'
  | 'providers'
  | 'world'
>;

export interface ControlDeps {
  readonly cloud: () => ControlledCloud;
  /** Replaces the cloud by a fresh one; resolves when it is ready and `cloud()` answers it. */
  readonly reset: () => Promise<void>;
}

/** Takes the parsed body (`{}` when there is none); `status` is 200 when left out. */
type Route = (deps: ControlDeps, body: unknown, url: URL) => Promise<{ status?: number; json: unknown }>;

class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const record = z.record(z.string(), z.unknown());
const tokenBody = z.strictObject({
  tenantId: z.string(),
  userId: z.string().optional(),
  agentId: z.string().optional(),
  sessionId: z.string().optional(),
  role: z.string().optional(),
  claims: record.optional(),
  header: record.optional(),
  expiresIn: z.number().optional(),
});
const clockBody = z.strictObject({ advanceMs: z.int().min(0) });
const accountBody = z.strictObject({
  accountId: z
    .string()
    .regex(/^\d{12}$/, 'twelve digits')
    .optional(),
});
const faultFields = {
  service: z.string().min(1),
  action: z.string().min(1),
  nth: z.int().min(1),
  mode: z.enum(faultModes),
  delayMs: z.int().min(0).optional(),
  status: z.int().min(400).max(599).optional(),
  code: z
    .string()
    .regex(/^[A-Za-z.]{1,64}$/, 'letters and dots')
    .optional(),
};
const faultBody = z.strictObject(faultFields).extend({ nth: faultFields.nth.default(1) });
const faultMatch = z.strictObject(faultFields).partial();
const providerAccountBody = z.strictObject({ name: z.string().min(1) });
const providerKeyBody = z.strictObject({ name: z.string().min(1).optional() });
const idleBody = z.strictObject({ timeoutMs: z.int().min(0).max(600_000).default(30_000) });
const callsQuery = z.strictObject({ since: z.coerce.number().int().min(0).default(0) });

const routes: Readonly<Record<string, Route>> = {
  'POST /tokens': async ({ cloud }, body) => ({ json: { jwt: await cloud().oidc.mint(parse(tokenBody, body)) } }),
  'POST /clock': async ({ cloud }, body) => {
    cloud().clock.advance(parse(clockBody, body).advanceMs);
    return { json: { now: new Date(cloud().clock.now()).toISOString() } };
  },
  'POST /accounts': async ({ cloud }, body) => ({ status: 201, json: addAccount(cloud(), parse(accountBody, body).accountId) }),
  'POST /faults': async ({ cloud }, body) => {
    const fault = parse(faultBody, body);
    const provider = cloud().providers[fault.service];
    if ((fault.status !== undefined || fault.code !== undefined) && fault.mode !== 'before')
      throw invalid("'status' and 'code' apply to faults with mode 'before'");
    if (fault.code !== undefined && provider !== undefined)
      throw invalid("'code' applies to AWS services; a provider answers in its own form");
    if (provider !== undefined && fault.mode === 'crash')
      throw invalid("mode 'crash' applies to AWS services; a provider loses its answer with 'after'");
    cloud().faults.add(fault);
    return { status: 201, json: fault };
  },
  'DELETE /faults': async ({ cloud }, body) => ({
    json: { removed: cloud().faults.remove(parse(faultMatch, body) satisfies Partial<Fault>) },
  }),
  'GET /calls': async ({ cloud }, _body, url) => {
    const { since } = parse(callsQuery, Object.fromEntries(url.searchParams));
    const calls = cloud().journal.since(since);
    return { json: calls.map(({ requestId: _, ...call }) => call) };
  },
  'POST /idle': async ({ cloud }, body) => {
    const { timeoutMs } = parse(idleBody, body);
    if (await cloud().idle(timeoutMs)) return { json: { idle: true } };
    throw new ControlError(504, 'NOT_IDLE', `Work is still in progress after ${timeoutMs} ms.`);
  },
  'POST /reset': async ({ cloud, reset }) => {
    await reset();
    const { endpoint, operator, customers } = cloud();
    return { json: { endpoint, principals: { operator, functions: await cloud().functionCredentials() }, customers } };
  },
};

/** Below `/providers/{name}/`. */
const providerRoutes: Readonly<Record<string, (simulator: Simulator, body: unknown) => { status?: number; json: unknown }>> = {
  'GET keys': (simulator) => ({ json: simulator.keys() }),
  'POST keys': (simulator, body) => ({ status: 201, json: { apiKey: simulator.issueKey(parse(providerKeyBody, body).name) } }),
  'GET live': (simulator) => ({ json: simulator.liveKeys() }),
  'POST accounts': (simulator, body) => ({ status: 201, json: makeAccount(simulator, parse(providerAccountBody, body).name) }),
  'GET requests': (simulator) => ({ json: simulator.requests() }),
  'POST misbehaviour': (simulator, body) => {
    const how = parse(misbehaviour, body);
    simulator.misbehave(how);
    return { json: how };
  },
  'DELETE misbehaviour': (simulator) => {
    simulator.misbehave({});
    return { json: {} };
  },
};

function providerRoute(method: string | undefined, path: string): Route | undefined {
  const [, name = '', rest] = /^\/providers\/([a-z-]+)\/([a-z]+)$/.exec(path) ?? [];
  const route = providerRoutes[`${method} ${rest}`];
  if (route === undefined) return undefined;
  return async ({ cloud }, body) => {
    const { simulators } = cloud().world;
    const simulator = Object.hasOwn(simulators, name) ? simulators[name] : undefined;
    if (simulator === undefined)
      throw new ControlError(404, 'NOT_FOUND', `There is no provider ${name}. There are: ${Object.keys(simulators).join(', ')}.`);
    return route(simulator, body);
  };
}

/** Serves on a loopback port of its own. The token is made here and is to reach its user by the connection file only. */
export async function startControl(deps: ControlDeps): Promise<Control> {
  const token = randomBytes(32).toString('base64url');
  const listening = await listen((request, response) => {
    answer(deps, token, request, response).catch((error: unknown) => sendError(response, error));
  });
  return { url: listening.origin, token, close: () => listening.close() };
}

async function answer(deps: ControlDeps, token: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const presented = bearerOf(request);
  if (presented === undefined || !isSame(presented, token))
    throw new ControlError(401, 'UNAUTHORIZED', 'The bearer token of the connection file (control.token) is needed.');
  const url = new URL(request.url ?? '/', 'http://control');
  const route = routes[`${request.method} ${url.pathname}`] ?? providerRoute(request.method, url.pathname);
  if (route === undefined) {
    const below = Object.keys(providerRoutes).map((key) => key.replace(' ', ' /providers/{name}/'));
    const offered = [...Object.keys(routes), ...below].join(', ');
    throw new ControlError(404, 'NOT_FOUND', `${request.method} ${url.pathname} is not served here. What is: ${offered}.`);
  }
  const { status, json } = await route(deps, (await readJson(request)) ?? {}, url);
  sendJson(response, status ?? 200, json);
}

/** Compares digests, so that neither content nor length shows in the time it takes. */
function isSame(presented: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(presented), digest(expected));
}

function addAccount(cloud: ControlledCloud, accountId: string | undefined): CustomerAccount {
  try {
    return cloud.addAccount(accountId);
  } catch (error) {
    if (error instanceof RangeError) throw new ControlError(409, 'ACCOUNT_EXISTS', error.message);
    throw error;
  }
}

function makeAccount(simulator: Simulator, name: string): { name: string } {
  try {
    simulator.makeAccount(name);
    return { name };
  } catch (error) {
    if (error instanceof RangeError) throw invalid(error.message.replace(/\.$/, ''));
    throw error;
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`).join('; '));
}

function invalid(message: string): ControlError {
  return new ControlError(400, 'INVALID_REQUEST', `${message}.`);
}

function sendError(response: ServerResponse, error: unknown): void {
  if (error instanceof ControlError) sendJson(response, error.status, { error: { code: error.code, message: error.message } });
  else if (error instanceof RequestError) sendJson(response, error.status, { error: { code: 'INVALID_REQUEST', message: error.message } });
  else sendJson(response, 500, { error: { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) } });
}
