/**
 * The OpenAI simulator's front: authentication, faults, the record of requests. It behaves as documented, with what goes wrong in practice:
 * keys that die late, rate limits, an answer lost after the work was done.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { createRateLimit } from './administration.ts';
import { deliver } from './deliver.ts';
import { createFederation, type Federation } from './federation.ts';
import { bearerOf, RequestError, readJson } from './http.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { answerAdmin } from './openai-admin.ts';
import { type ApiAnswer, type ApiRequest, errorAnswer, errorOfStatus, OpenAiError } from './openai-answer.ts';
import { asAnswer } from './openai-delivery.ts';
import { answerInference } from './openai-inference.ts';
import { type ApiKey, createOrganization, fingerprintOf, type OpenAiOrganization } from './openai-organization.ts';
import { createRequestLimit } from './request-limit.ts';
import { createRequestRecords } from './request-record.ts';
import { createKeys, type SimulatedKeys } from './simulated-keys.ts';
import type { Simulator, TakeFault } from './simulator.ts';

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

export interface OpenAiSimulator extends Simulator {
  readonly adminKey: string;
  readonly settings: { /** How long a deleted key is still accepted, in ms of the cloud's clock. */ deletionDelayMs: number };
  readonly organization: OpenAiOrganization;
  /** Whose identity tokens are exchanged for access tokens; a rule's ID is that of the identity provider. */
  readonly federation: Federation;
  keys(): readonly ProviderKey[];
}

const basePath = '/openai/v1';
/** Where tokens are given out: at `auth.openai.com`, in the world at the same base path. */
const tokenPath = 'oauth/token';
const tokenSeconds = 3600;
const exchangeBody = z.object({
  grant_type: z.literal('urn:ietf:params:oauth:grant-type:token-exchange'),
  subject_token: z.string(),
  subject_token_type: z.enum(['urn:ietf:params:oauth:token-type:jwt', 'urn:ietf:params:oauth:token-type:id_token']),
  identity_provider_id: z.string(),
  service_account_id: z.string(),
});
const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNone = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : iso(ms));

export function createOpenAi({ clock, takeFault }: { clock: Clock; takeFault: TakeFault }): OpenAiSimulator {
  let how: Misbehaviour = {};
  const settings = { deletionDelayMs: 0 };
  const organization = createOrganization(clock, {
    get deletionDelayMs() {
      return how.deletionDelayMs ?? settings.deletionDelayMs;
    },
    get maxKeys() {
      return how.maxKeys;
    },
  });
  const secondsToWait = createRateLimit(clock, () => how.adminPerMinute);
  const tokens = createKeys(clock, 'oat-');
  const federation = createFederation(clock);
  const countedFor = createRequestLimit(clock, () => how);
  const records = createRequestRecords(clock);

  const perform = async (apiRequest: ApiRequest, secret: string | undefined): Promise<ApiAnswer> => {
    try {
      const wait = apiRequest.segments[0] === 'organization' && secret === organization.adminKey ? secondsToWait() : undefined;
      if (wait !== undefined) return tooMany(wait);
      if (apiRequest.method === 'POST' && apiRequest.segments.join('/') === tokenPath)
        return await exchange(federation, tokens, apiRequest.body);
      return authenticateAndAnswer({ organization, tokens, countedFor }, apiRequest, secret, clock.now());
    } catch (error) {
      if (error instanceof OpenAiError) return errorAnswer(error);
      throw error;
    }
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://simulator');
    const segments = url.pathname.slice(basePath.length + 1).split('/');
    const secret = bearerOf(request);
    const record = (status: number, answerLost = false): { markAborted(): void } => {
      const keyFingerprint = secret === undefined ? undefined : fingerprintOf(secret);
      return records.add(request, { path: url.pathname, status, keyFingerprint, answerLost });
    };
    let body: unknown;
    try {
      body = await readJson(request);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      record(error.status);
      await deliver(response, asAnswer(errorAnswer(new OpenAiError(error.status, null, error.message))), {}, undefined);
      return;
    }
    const apiRequest: ApiRequest = { method: request.method ?? 'GET', segments, query: url.searchParams, body };
    const fault = takeFault('openai', actionOf(apiRequest));
    if (fault?.mode === 'delay') await delay(fault.delayMs ?? 1000);
    if (fault?.mode === 'duplicate') record((await perform(apiRequest, secret)).status);
    const answer = fault?.mode === 'before' ? errorAnswer(errorOfStatus(fault.status ?? 500)) : await perform(apiRequest, secret);
    const answerLost = fault?.mode === 'after' || fault?.mode === 'crash';
    const recorded = record(answer.status, answerLost);
    if (answerLost) request.socket.destroy();
    // Administration is left alone: what misbehaves is what a use goes through.
    else if ((await deliver(response, asAnswer(answer), segments[0] === 'organization' ? {} : how, secret)) === 'aborted')
      recorded.markAborted();
  };

  return {
    basePath,
    place: basePath,
    adminBasePath: basePath,
    adminSecret: organization.adminKey,
    adminKey: organization.adminKey,
    settings,
    organization,
    federation,
    handle,
    issueKey(name = 'made in the console') {
      const account = organization.createServiceAccount(organization.createProject('console').id, 'console');
      return organization.createKey(account, { name, origin: 'account' }).secret;
    },
    makeAccount() {
      throw new RangeError('There is nothing to make at openai.');
    },
    revokeKey(secret) {
      const key = organization.acceptedKey(secret);
      if (key !== undefined) organization.deleteKey(key);
      tokens.revoke(secret);
    },
    misbehave(wanted) {
      how = wanted;
    },
    keys: () => [...organization.keys.values()].map((key) => shownKey(organization, key)),
    liveKeys: (namePrefix = '') =>
      [...organization.keys.values()]
        .filter((key) => key.name.startsWith(namePrefix) && organization.isAccepted(key))
        .map(({ name, fingerprint }) => ({ name, fingerprint })),
    requests: () => records.all(),
    plantedSecrets: () => [...organization.plantedSecrets(), ...tokens.plantedSecrets()],
  };
}

function tooMany(seconds: number): ApiAnswer {
  const { status, message, type, param, code } = errorOfStatus(429);
  return { status, json: { error: { message, type, param, code } }, headers: { 'retry-after': String(seconds) } };
}

/** RFC 8693, as OpenAI takes it. Throws nothing; errors are OAuth's. */
async function exchange(federation: Federation, tokens: SimulatedKeys, body: unknown): Promise<ApiAnswer> {
  const parsed = exchangeBody.safeParse(body);
  if (!parsed.success) return { status: 400, json: { error: 'invalid_request', error_description: 'A parameter is missing.' } };
  if (!(await federation.accepts(parsed.data.identity_provider_id, parsed.data.subject_token)))
    return { status: 401, json: { error: 'invalid_grant', error_description: 'The subject token is not accepted.' } };
  const access_token = tokens.issue({ kind: 'token', expiresInSeconds: tokenSeconds });
  const issued_token_type = 'urn:ietf:params:oauth:token-type:access_token';
  return { status: 200, json: { access_token, issued_token_type, token_type: 'Bearer', expires_in: tokenSeconds } };
}

interface Gate {
  readonly organization: OpenAiOrganization;
  readonly tokens: SimulatedKeys;
  /** Counts a request of a project; what the answer's headers say of its limit. Undefined: it is used up. */
  readonly countedFor: (projectId: string) => Readonly<Record<string, string>> | undefined;
}

function authenticateAndAnswer(
  { organization, tokens, countedFor }: Gate,
  request: ApiRequest,
  secret: string | undefined,
  now: number,
): ApiAnswer {
  const admin = request.segments[0] === 'organization';
  if (secret === undefined) throw new OpenAiError(401, null, 'You did not provide an API key.');
  if (secret === organization.adminKey) {
    if (admin) return answerAdmin(organization, request);
    throw new OpenAiError(403, null, 'You have insufficient permissions for this operation. Admin keys serve only administration.');
  }
  if (!admin && tokens.accepted(secret) !== undefined) return answerInference({ scopes: undefined }, request, now);
  const key = organization.acceptedKey(secret);
  if (key === undefined) throw errorOfStatus(401);
  if (admin) throw new OpenAiError(403, null, 'You have insufficient permissions for this operation. An admin key is needed.');
  key.lastUsedAt = now;
  const limits = countedFor(key.projectId);
  if (limits === undefined) throw errorOfStatus(429);
  const answer = answerInference(key, request, now);
  return 'json' in answer ? { ...answer, headers: { ...answer.headers, ...limits } } : answer;
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
