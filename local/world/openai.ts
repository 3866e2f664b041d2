/**
 * The OpenAI simulator's front: authentication, faults, the record of requests. It behaves as documented, with what goes wrong in practice:
 * keys that die late, rate limits, an answer lost after the work was done.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { bearerOf, RequestError, readJson, sendJson } from './http.ts';
import { answerAdmin } from './openai-admin.ts';
import { type ApiAnswer, type ApiRequest, errorAnswer, errorOfStatus, OpenAiError } from './openai-answer.ts';
import { answerInference } from './openai-inference.ts';
import { type ApiKey, createOrganization, fingerprintOf, type OpenAiOrganization } from './openai-organization.ts';

/** What an injected fault asks of one request. `status` applies to `before`: the error answered instead of a 500. */
export interface ProviderFault {
  readonly mode: 'before' | 'after' | 'delay' | 'duplicate' | 'crash';
  readonly delayMs?: number | undefined;
  readonly status?: number | undefined;
}

/** Looks up and uses up a fault for this call, e.g. `('openai', 'POST /organization/projects/{id}/archive')`. */
export type TakeFault = (service: string, action: string) => ProviderFault | undefined;

/** One request as it is shown outside: no header, no body, no secret. */
interface ProviderRequest {
  readonly seq: number;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** SHA-256 of the key presented, hex; undefined when none was. */
  readonly keyFingerprint: string | undefined;
  /** The work was done and recorded with `status`, but the caller never got the answer. */
  readonly answerLost: boolean;
}

/** One key as it is shown outside. */
interface ProviderKey {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly projectName: string | undefined;
  readonly serviceAccountId: string;
  readonly serviceAccountName: string | undefined;
  readonly fingerprint: string;
  readonly createdAt: string;
  readonly expiresAt: string | undefined;
  readonly lastUsedAt: string | undefined;
  readonly deletedAt: string | undefined;
}

export interface OpenAiSimulator {
  /** Every path of the simulator starts with this. */
  readonly basePath: string;
  readonly adminKey: string;
  readonly settings: { /** How long a deleted key is still accepted, in ms of the cloud's clock. */ deletionDelayMs: number };
  readonly organization: OpenAiOrganization;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  keys(): readonly ProviderKey[];
  requests(): readonly ProviderRequest[];
  /** Every secret ever issued, in plaintext: for tests in the same process, never over HTTP. */
  plantedSecrets(): readonly string[];
}

const basePath = '/openai/v1';
const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNone = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : iso(ms));

export function createOpenAi({ clock, takeFault }: { clock: Clock; takeFault: TakeFault }): OpenAiSimulator {
  const settings = { deletionDelayMs: 0 };
  const organization = createOrganization(clock, settings);
  const requests: ProviderRequest[] = [];

  const perform = (apiRequest: ApiRequest, secret: string | undefined): ApiAnswer => {
    try {
      return authenticateAndAnswer(organization, apiRequest, secret, clock.now());
    } catch (error) {
      if (error instanceof OpenAiError) return errorAnswer(error);
      throw error;
    }
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://simulator');
    const method = request.method ?? 'GET';
    const segments = url.pathname.slice(basePath.length + 1).split('/');
    const secret = bearerOf(request);
    const record = (status: number, answerLost = false): void => {
      const keyFingerprint = secret === undefined ? undefined : fingerprintOf(secret);
      requests.push({ seq: requests.length + 1, at: iso(clock.now()), method, path: url.pathname, status, keyFingerprint, answerLost });
    };
    let body: unknown;
    try {
      body = await readJson(request);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      record(error.status);
      send(response, errorAnswer(new OpenAiError(error.status, null, error.message)));
      return;
    }
    const apiRequest: ApiRequest = { method, segments, query: url.searchParams, body };
    const fault = takeFault('openai', actionOf(apiRequest));
    if (fault?.mode === 'delay') await delay(fault.delayMs ?? 1000);
    if (fault?.mode === 'before') {
      const answer = errorAnswer(errorOfStatus(fault.status ?? 500));
      record(fault.status ?? 500);
      send(response, answer);
      return;
    }
    if (fault?.mode === 'duplicate') record(perform(apiRequest, secret).status);
    const answer = perform(apiRequest, secret);
    const answerLost = fault?.mode === 'after' || fault?.mode === 'crash';
    record(answer.status, answerLost);
    if (answerLost) request.socket.destroy();
    else send(response, answer);
  };

  return {
    basePath,
    adminKey: organization.adminKey,
    settings,
    organization,
    handle,
    keys: () => [...organization.keys.values()].map((key) => shownKey(organization, key)),
    requests: () => [...requests],
    plantedSecrets: () => organization.plantedSecrets(),
  };
}

function authenticateAndAnswer(organization: OpenAiOrganization, request: ApiRequest, secret: string | undefined, now: number): ApiAnswer {
  const admin = request.segments[0] === 'organization';
  if (secret === undefined) throw new OpenAiError(401, null, 'You did not provide an API key.');
  if (secret === organization.adminKey) {
    if (admin) return answerAdmin(organization, request);
    throw new OpenAiError(403, null, 'You have insufficient permissions for this operation. Admin keys serve only administration.');
  }
  const key = organization.acceptedKey(secret);
  if (key === undefined) throw errorOfStatus(401);
  if (admin) throw new OpenAiError(403, null, 'You have insufficient permissions for this operation. An admin key is needed.');
  key.lastUsedAt = now;
  return answerInference(key, request, now);
}

/** The name a fault is addressed by: method and path with IDs replaced, e.g. `DELETE /organization/projects/{id}/api_keys/{id}`. */
function actionOf({ method, segments }: ApiRequest): string {
  const isProjectPath = segments[0] === 'organization' && segments[1] === 'projects';
  return `${method} /${segments.map((segment, index) => (isProjectPath && (index === 2 || index === 4) ? '{id}' : segment)).join('/')}`;
}

function shownKey(organization: OpenAiOrganization, key: ApiKey): ProviderKey {
  return {
    id: key.id,
    name: key.name,
    projectId: key.projectId,
    projectName: organization.projects.get(key.projectId)?.name,
    serviceAccountId: key.serviceAccountId,
    serviceAccountName: organization.serviceAccounts.get(key.serviceAccountId)?.name,
    fingerprint: key.fingerprint,
    createdAt: iso(key.createdAt),
    expiresAt: isoOrNone(key.expiresAt),
    lastUsedAt: isoOrNone(key.lastUsedAt),
    deletedAt: isoOrNone(key.deletedAt),
  };
}

function send(response: ServerResponse, answer: ApiAnswer): void {
  if ('json' in answer) {
    sendJson(response, answer.status, answer.json, answer.headers);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  for (const event of answer.events) response.write(`data: ${event}\n\n`);
  response.end();
}
