/** What all simulated providers share: reading, authentication, faults, records, and the sending of answers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { type Administration, type AdministrationDeps, type AdminRoute, adminRouteOf, createRateLimit } from './administration.ts';
import type { SignedBy } from './aws-access.ts';
import { type Answer, deliver } from './deliver.ts';
import { RequestError, readBody } from './http.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { fingerprintOf } from './openai-organization.ts';
import { createRequestRecords, type ProviderRequest } from './request-record.ts';
import { createKeys, type LiveKey, type SimulatedKey, type SimulatedKeys } from './simulated-keys.ts';
import type { SimulatedRequest } from './simulated-request.ts';

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
  /** E.g. `http://127.0.0.1:41234`; known once the world listens. */
  readonly origin?: () => string;
}

export interface Simulator {
  /** Every path of its inference side starts with this. */
  readonly basePath: string;
  /** Every path of it starts with this, e.g. `/mistral`. */
  readonly place: string;
  /** Where its administration is; undefined where keys cannot be administered over HTTP. */
  readonly adminBasePath: string | undefined;
  /** What the stack's admin secret has to hold: text, or JSON. Undefined where there is none. */
  readonly adminSecret: string | undefined;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** A key as a customer would make it in the provider's console; it is accepted at once. */
  issueKey(name?: string): string;
  /** Makes what the platform's people make there by hand, e.g. a tenant's Azure OpenAI resource. Throws RangeError where there is nothing to make. */
  makeAccount(name: string): void;
  /** As a customer would delete it there. */
  revokeKey(secret: string): void;
  keys(): readonly object[];
  /** The keys that it accepts at this moment, also those that were revoked and die late. */
  liveKeys(namePrefix?: string): readonly LiveKey[];
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
  /** Without it keys cannot be administered. */
  administration?(deps: AdministrationDeps): Administration;
}

export function createSimulator(deps: SimulatorDeps, dialect: Dialect): Simulator {
  let how: Misbehaviour = {};
  const keys = createKeys(deps.clock, dialect.keyPrefix, () => how.deletionDelayMs ?? 0);
  const records = createRequestRecords(deps.clock);
  const place = `/${dialect.name}`;
  const administration = dialect.administration?.({
    clock: deps.clock,
    keys,
    how: () => how,
    place: () => `${deps.origin?.() ?? ''}${place}`,
  });
  const secondsToWait = createRateLimit(deps.clock, () => how.adminPerMinute);

  async function perform(request: SimulatedRequest, secret: string | undefined): Promise<Answer> {
    const open = await dialect.open?.(request, keys);
    if (open !== undefined) return open;
    const key = secret === undefined ? undefined : keys.accepted(secret);
    const refusal =
      (await dialect.authenticate?.(request, secret, keys)) ?? (dialect.authenticate || key !== undefined ? undefined : dialect.error(401));
    return refusal ?? dialect.answer(request, key) ?? dialect.error(404);
  }

  async function administer(
    asked: Administration,
    route: AdminRoute,
    request: SimulatedRequest,
    secret: string | undefined,
  ): Promise<Answer> {
    if (!route.isOpen) {
      const refusal = asked.refusal(secret);
      if (refusal !== undefined) return refusal;
      const wait = secondsToWait();
      if (wait !== undefined) return asked.error(429, wait);
    }
    return route.answer(request);
  }

  /** What of the simulator a request is for. */
  function sideOf(target: string, method: string) {
    const path = new URL(target, 'http://simulator').pathname;
    const route = administration && adminRouteOf(administration, method, path.slice(place.length));
    if (administration !== undefined && route !== undefined) {
      return {
        root: place,
        action: route.action,
        // What misbehaves is what a use goes through.
        behaviour: {},
        error: administration.error,
        presented: administration.presented,
        perform: (request: SimulatedRequest, secret: string | undefined) => administer(administration, route, request, secret),
      };
    }
    const root = path.startsWith(`${dialect.basePath}/`) ? dialect.basePath : undefined;
    return {
      root: root ?? '',
      action: `${method} ${path.slice(root?.length ?? 0)}`,
      behaviour: how,
      error: dialect.error,
      presented: dialect.presented,
      perform: root === undefined ? async () => dialect.error(404) : perform,
    };
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const side = sideOf(incoming.url ?? '/', incoming.method ?? 'GET');
    const request = await requestOf(incoming, side.root);
    if (request instanceof RequestError) {
      records.add(incoming, { path: incoming.url ?? '', status: request.status, keyFingerprint: undefined });
      await deliver(response, side.error(request.status), {}, undefined);
      return;
    }
    const secret = side.presented(request);
    const path = `${side.root}${request.path}`;
    const keyFingerprint = secret === undefined ? undefined : fingerprintOf(secret);
    const known = { path, keyFingerprint, signedBy: dialect.signedBy?.(request) };
    const fault = deps.takeFault(dialect.name, side.action);
    if (fault?.mode === 'delay') await delay(fault.delayMs ?? 1000);
    if (fault?.mode === 'duplicate') records.add(incoming, { ...known, status: (await side.perform(request, secret)).status });
    const answer = fault?.mode === 'before' ? side.error(fault.status ?? 500) : await side.perform(request, secret);
    const answerLost = fault?.mode === 'after' || fault?.mode === 'crash';
    const record = records.add(incoming, { ...known, status: answer.status, answerLost });
    if (answerLost) incoming.socket.destroy();
    else if ((await deliver(response, answer, side.behaviour, secret)) === 'aborted') record.markAborted();
  }

  return {
    basePath: dialect.basePath,
    place,
    adminBasePath: administration && `${place}${administration.basePath}`,
    get adminSecret() {
      return administration?.adminSecret();
    },
    handle,
    issueKey: (name) => keys.issue({ name }),
    makeAccount: (name) => {
      if (administration?.makeAccount === undefined) throw new RangeError(`There is nothing to make at ${dialect.name}.`);
      administration.makeAccount(name);
    },
    revokeKey: (secret) => keys.revoke(secret),
    keys: () => keys.all().map(({ hint: _, ...key }) => key),
    liveKeys(namePrefix) {
      administration?.settle?.();
      return keys.live(namePrefix);
    },
    requests: () => records.all(),
    misbehave(wanted) {
      how = wanted;
    },
    plantedSecrets: () => [...keys.plantedSecrets(), ...(administration?.plantedSecrets() ?? [])],
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
