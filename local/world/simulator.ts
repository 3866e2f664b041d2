/** What all simulated providers share: reading, authentication, faults, records, and the sending of answers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { SignedBy } from './aws-access.ts';
import { type Answer, deliver } from './deliver.ts';
import { RequestError, readBody } from './http.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { fingerprintOf } from './openai-organization.ts';
import { createRequestRecords, type ProviderRequest } from './request-record.ts';
import { createKeys, type SimulatedKey, type SimulatedKeys } from './simulated-keys.ts';

/** Prompts with images and sounds are large. */
const maxBodyBytes = 32 * 1024 * 1024;

/** What an injected fault asks of one request. `status` applies to `before`: the error answered instead of a 500. */
export interface ProviderFault {
  readonly mode: 'before' | 'after' | 'delay' | 'duplicate' | 'crash';
  readonly delayMs?: number | undefined;
  readonly status?: number | undefined;
}

/** Looks up and uses up a fault for this call, e.g. `('openai', 'POST /organization/projects/{id}/archive')`. */
export type TakeFault = (service: string, action: string) => ProviderFault | undefined;

export interface SimulatorDeps {
  readonly clock: Clock;
  readonly takeFault: TakeFault;
}

/** A request below the simulator's base path. */
export interface SimulatedRequest {
  readonly method: string;
  /** Still encoded, with a leading slash. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Path and query as they were sent, base path included: what a signature covers. */
  readonly target: string;
  readonly bytes: Buffer;
  /** Undefined when the body is empty or no JSON. */
  readonly body: unknown;
}

export interface Simulator {
  /** Every path of the simulator starts with this. */
  readonly basePath: string;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** A key as a customer would make it in the provider's console; it is accepted at once. */
  issueKey(): string;
  /** As a customer would delete it there. */
  revokeKey(secret: string): void;
  keys(): readonly object[];
  requests(): readonly ProviderRequest[];
  /** How it behaves from now on; `{}` is well. */
  misbehave(how: Misbehaviour): void;
  /** Every secret ever issued, in plaintext: for tests in the same process, never over HTTP. */
  plantedSecrets(): readonly string[];
}

export interface Dialect {
  readonly name: string;
  readonly basePath: string;
  /** How its keys begin. */
  readonly keyPrefix: string;
  /** The secret presented, in the provider's own header; undefined when there is none. */
  presented(request: SimulatedRequest): string | undefined;
  /** Undefined when it is accepted; by the presented secret unless the dialect knows another way. */
  authenticate?(
    request: SimulatedRequest,
    secret: string | undefined,
    keys: SimulatedKeys,
  ): Answer | undefined | Promise<Answer | undefined>;
  /** Whose AWS credentials the request says it is signed with. */
  signedBy?(request: SimulatedRequest): SignedBy | undefined;
  /** The provider's own form of an error. */
  error(status: number): Answer;
  /** Paths answered without a key, e.g. a token exchange. */
  open?(request: SimulatedRequest, keys: SimulatedKeys): Promise<Answer | undefined>;
  /** Undefined for a path that is not served. */
  answer(request: SimulatedRequest, key: SimulatedKey | undefined): Answer | undefined;
}

export function createSimulator(deps: SimulatorDeps, dialect: Dialect): Simulator {
  const keys = createKeys(deps.clock, dialect.keyPrefix);
  const records = createRequestRecords(deps.clock);
  let how: Misbehaviour = {};

  async function perform(request: SimulatedRequest, secret: string | undefined): Promise<Answer> {
    const open = await dialect.open?.(request, keys);
    if (open !== undefined) return open;
    const key = secret === undefined ? undefined : keys.accepted(secret);
    const refusal =
      (await dialect.authenticate?.(request, secret, keys)) ?? (dialect.authenticate || key !== undefined ? undefined : dialect.error(401));
    return refusal ?? dialect.answer(request, key) ?? dialect.error(404);
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await requestOf(incoming, dialect.basePath);
    if (request instanceof RequestError) {
      records.add(incoming, { path: incoming.url ?? '', status: request.status, keyFingerprint: undefined });
      await deliver(response, dialect.error(request.status), {}, undefined);
      return;
    }
    const secret = dialect.presented(request);
    const path = `${dialect.basePath}${request.path}`;
    const keyFingerprint = secret === undefined ? undefined : fingerprintOf(secret);
    const known = { path, keyFingerprint, signedBy: dialect.signedBy?.(request) };
    const fault = deps.takeFault(dialect.name, `${request.method} ${request.path}`);
    if (fault?.mode === 'delay') await delay(fault.delayMs ?? 1000);
    if (fault?.mode === 'duplicate') records.add(incoming, { ...known, status: (await perform(request, secret)).status });
    const answer = fault?.mode === 'before' ? dialect.error(fault.status ?? 500) : await perform(request, secret);
    const answerLost = fault?.mode === 'after' || fault?.mode === 'crash';
    const record = records.add(incoming, { ...known, status: answer.status, answerLost });
    if (answerLost) incoming.socket.destroy();
    else if ((await deliver(response, answer, how, secret)) === 'aborted') record.markAborted();
  }

  return {
    basePath: dialect.basePath,
    handle,
    issueKey: () => keys.issue(),
    revokeKey: (secret) => keys.revoke(secret),
    keys: () => keys.all(),
    requests: () => records.all(),
    misbehave(wanted) {
      how = wanted;
    },
    plantedSecrets: () => keys.plantedSecrets(),
  };
}

async function requestOf(incoming: IncomingMessage, basePath: string): Promise<SimulatedRequest | RequestError> {
  try {
    const target = incoming.url ?? '/';
    const url = new URL(target, 'http://simulator');
    const bytes = await readBody(incoming, maxBodyBytes);
    return {
      method: incoming.method ?? 'GET',
      path: url.pathname.slice(basePath.length),
      query: url.searchParams,
      headers: incoming.headers,
      target,
      bytes,
      body: jsonOrNothing(bytes),
    };
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

function jsonOrNothing(bytes: Buffer): unknown {
  try {
    return bytes.length === 0 ? undefined : JSON.parse(bytes.toString('utf8'));
  } catch {
    // A multipart upload, or a mistake that the dialect answers.
    return undefined;
  }
}

/** A header that is there once. */
export function headerOf(request: Pick<SimulatedRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The token of `Authorization: Bearer …`. */
export function bearerIn(request: Pick<SimulatedRequest, 'headers'>): string | undefined {
  return /^Bearer (\S+)$/i.exec(headerOf(request, 'authorization') ?? '')?.[1];
}
