/**
 * Google's API Keys API for Gemini: long-running creation, the key string apart, deletion that can be undone for thirty days. Sources: Google Cloud
 * documentation, API Keys API v2 REST reference (`projects.locations.keys`, `operations`), "Manage API keys" (at most 300 in a project), `google.rpc.Status`.
 *
 * A key that is being made is listed and accepted only when its operation is done: after `pendingPolls` polls or ten seconds, whether anybody asks or not.
 *
 * Actions for faults: `POST /token`, `GET|POST /v2/projects/{id}/locations/global/keys`, `GET|DELETE …/keys/{id}`, `GET …/keys/{id}/keyString`,
 * `POST …/keys/{id}:undelete`, `GET /v2/operations/{id}`. The admin secret is JSON `{projectNumber, clientEmail, privateKey, privateKeyId}`; tokens are given
 * at `/token`. Keys have the names that were given as display names.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Administration, AdministrationDeps } from './administration.ts';
import { type Answer, jsonAnswer } from './deliver.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import { bearerIn } from './simulator.ts';
import { createGoogleTokens } from './token-endpoints.ts';

const restrictions = z.looseObject({ apiTargets: z.array(z.looseObject({ service: z.string() })).optional() });
const keyBody = z.looseObject({
  displayName: z.string().max(63).default(''),
  annotations: z.record(z.string(), z.string()).optional(),
  restrictions: restrictions.optional(),
});
const keyIdPattern = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const listQuery = z.object({
  pageSize: z.coerce.number().int().min(0).max(300).default(50),
  pageToken: z.coerce.number().int().min(0).default(0),
  showDeleted: z.enum(['true', 'false']).default('false'),
});
const maxKeysDefault = 300;
const operationMs = 10_000;
const undeleteMs = 30 * 86_400_000;
const geminiService = 'generativelanguage.googleapis.com';

interface Made {
  readonly keyId: string;
  /** ID in the simulator's key table, once it is there. */
  id: string | undefined;
  readonly displayName: string;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly restrictions: z.infer<typeof restrictions> | undefined;
  readonly createdAt: number;
  deletedAt: number | undefined;
}

/** An operation. What it is about to create is there when it is done; a deletion is in force before. */
interface Pending {
  readonly key: Made;
  readonly startedAt: number;
  pollsLeft: number;
}

type ErrorAnswer = (status: number, message?: string, reason?: string, retryAfterSeconds?: number) => Answer;

export interface GeminiAdministration extends Administration {
  /** Whether a key is restricted so that it may be used for Gemini: others are refused. */
  allowsGemini(keyId: string): boolean;
}

export function createGeminiAdministration({ clock, keys, how, place }: AdministrationDeps, error: ErrorAnswer): GeminiAdministration {
  const projectNumber = String(100_000_000_000 + (randomBytes(4).readUInt32BE() % 900_000_000));
  const tokens = createGoogleTokens(clock, () => `${place()}/token`, 'cordon-simulated');
  const made = new Map<string, Made>();
  const operations = new Map<string, Pending>();

  const isDone = ({ pollsLeft, startedAt }: Pending): boolean => pollsLeft <= 0 || clock.now() >= startedAt + operationMs;
  /** Lets what has been pending come to be. */
  const settle = (): void => {
    for (const operation of operations.values()) {
      const { key } = operation;
      if (key.id === undefined && isDone(operation))
        key.id = keys.create({
          name: key.displayName,
          owner: projectNumber,
          secret: `AIzaSy${randomBytes(24).toString('base64url')}`,
        }).key.id;
    }
  };
  const standing = (): readonly Made[] => [...made.values()].filter(({ deletedAt }) => deletedAt === undefined);
  const iso = (ms: number): string => new Date(ms).toISOString();
  const nameOf = (key: Made): string => `projects/${projectNumber}/locations/global/keys/${key.keyId}`;
  const view = (key: Made): object => ({
    name: nameOf(key),
    uid: key.keyId,
    displayName: key.displayName,
    createTime: iso(key.createdAt),
    updateTime: iso(key.deletedAt ?? key.createdAt),
    ...(key.deletedAt !== undefined && { deleteTime: iso(key.deletedAt) }),
    ...(key.annotations && { annotations: key.annotations }),
    ...(key.restrictions && { restrictions: key.restrictions }),
    etag: `W/"${Buffer.from(key.keyId).toString('base64')}"`,
  });
  const operationOn = (key: Made): Answer => {
    const id = `akmf.p7-${projectNumber}-${randomUUID()}`;
    operations.set(id, { key, startedAt: clock.now(), pollsLeft: how().pendingPolls ?? 0 });
    settle();
    return jsonAnswer(200, { name: `operations/${id}` });
  };
  const done = (id: string, key: Made): object => ({
    name: `operations/${id}`,
    done: true,
    response: { '@type': 'type.googleapis.com/google.api.apikeys.v2.Key', ...view(key) },
  });
  const denied = (): Answer => error(403, 'Permission denied on resource project.');
  const missing = (): Answer => error(404, 'Requested entity was not found.');
  const inProject =
    (run: (request: SimulatedRequest, keyId: string) => Answer) =>
    ([project, keyId = '']: readonly string[], request: SimulatedRequest): Answer => {
      settle();
      return project === projectNumber ? run(request, keyId) : denied();
    };
  const onKey = (run: (key: Made) => Answer) =>
    inProject((_request, keyId) => {
      const key = made.get(keyId);
      return key?.id === undefined ? missing() : run(key);
    });

  const below = '/v2/projects/{id}/locations/global/keys';
  return {
    basePath: '',
    open: { 'POST /token': (ids, request) => tokens.exchange(request, ids) },
    routes: {
      [`GET ${below}`]: inProject(({ query }) => {
        const parsed = listQuery.safeParse(Object.fromEntries(query));
        if (!parsed.success) return error(400, 'Request contains an invalid argument.');
        const { pageSize, pageToken, showDeleted } = parsed.data;
        const size = pageSize === 0 ? 50 : pageSize;
        const all = [...made.values()].filter(
          ({ id, deletedAt }) => id !== undefined && (deletedAt === undefined || showDeleted === 'true'),
        );
        const page = all.slice(pageToken, pageToken + size);
        const next = pageToken + size < all.length ? { nextPageToken: String(pageToken + size) } : {};
        return jsonAnswer(200, page.length === 0 ? {} : { keys: page.map(view), ...next });
      }),
      [`POST ${below}`]: inProject(({ body, query }) => {
        const parsed = keyBody.safeParse(body ?? {});
        const keyId = query.get('keyId') ?? randomUUID();
        if (!parsed.success || (query.has('keyId') && !keyIdPattern.test(keyId)))
          return error(400, 'Request contains an invalid argument.');
        if (made.has(keyId)) return error(409, `Key ${keyId} already exists.`);
        const { maxKeys = maxKeysDefault } = how();
        if (standing().length >= maxKeys)
          return error(400, 'The maximum number of API keys of the project is reached.', 'KEY_LIMIT_EXCEEDED');
        const { displayName, annotations, restrictions: given } = parsed.data;
        const key: Made = {
          keyId,
          id: undefined,
          displayName,
          annotations,
          restrictions: given,
          createdAt: clock.now(),
          deletedAt: undefined,
        };
        made.set(keyId, key);
        return operationOn(key);
      }),
      [`GET ${below}/{id}`]: onKey((key) => jsonAnswer(200, view(key))),
      [`GET ${below}/{id}/keyString`]: onKey((key) =>
        key.deletedAt === undefined ? jsonAnswer(200, { keyString: keys.secretOf(key.id ?? '') }) : missing(),
      ),
      [`DELETE ${below}/{id}`]: onKey((key) => {
        if (key.deletedAt !== undefined) return missing();
        key.deletedAt = clock.now();
        keys.setStatus(key.id ?? '', 'deleted');
        return operationOn(key);
      }),
      [`POST ${below}/{id}:undelete`]: onKey((key) => {
        if (key.deletedAt === undefined) return error(400, 'The key is not deleted.');
        if (clock.now() >= key.deletedAt + undeleteMs) return missing();
        key.deletedAt = undefined;
        keys.setStatus(key.id ?? '', 'active');
        return operationOn(key);
      }),
      'GET /v2/operations/{id}': ([id = '']) => {
        settle();
        const operation = operations.get(id);
        if (operation === undefined) return missing();
        if (isDone(operation)) return jsonAnswer(200, done(id, operation.key));
        operation.pollsLeft -= 1;
        return jsonAnswer(200, { name: `operations/${id}` });
      },
    },
    settle,
    presented: bearerIn,
    refusal: (token) =>
      tokens.accepts(token) ? undefined : error(401, 'Request had invalid authentication credentials.', 'ACCESS_TOKEN_TYPE_UNSUPPORTED'),
    error: (status, retryAfterSeconds) => error(status, undefined, undefined, retryAfterSeconds),
    adminSecret: () => JSON.stringify({ projectNumber, ...tokens.serviceAccount() }),
    plantedSecrets: () => tokens.plantedSecrets(),
    allowsGemini(id) {
      settle();
      const key = [...made.values()].find((one) => one.id === id);
      // Made in the console for Gemini, or here with a target.
      return key === undefined || key.restrictions?.apiTargets?.some(({ service }) => service === geminiService) === true;
    },
  };
}
