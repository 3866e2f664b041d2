/**
 * OpenRouter's management of API keys. A key's value is shown when it is made; from then on it is known by its hash. Source: OpenRouter documentation,
 * "Management API Keys"; API reference, "API Keys".
 *
 * Actions for faults: `GET|POST /api/v1/keys`, `GET|PATCH|DELETE /api/v1/keys/{id}`. The admin secret is the management key as it is.
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Administration, AdministrationDeps } from './administration.ts';
import { type Answer, jsonAnswer } from './deliver.ts';
import type { SimulatedKey } from './simulated-keys.ts';
import { bearerIn } from './simulator.ts';

/** The list gives so many and takes an offset. */
const pageSize = 100;
const limits = {
  limit: z.number().min(0).nullish(),
  limit_reset: z.enum(['daily', 'weekly', 'monthly']).nullish(),
  include_byok_in_limit: z.boolean().optional(),
};
const createBody = z.object({ name: z.string().min(1), expires_at: z.iso.datetime().nullish(), ...limits });
const updateBody = z.object({ name: z.string().min(1).optional(), disabled: z.boolean().optional(), ...limits });
const offsetQuery = z.coerce.number().int().min(0);

const messages: Readonly<Record<number, string>> = {
  401: 'Invalid management key',
  404: 'API key not found',
  429: 'Rate limit exceeded',
};

function error(status: number, retryAfterSeconds = 1, message = messages[status] ?? 'The request was refused.'): Answer {
  return jsonAnswer(status, { error: { code: status, message } }, status === 429 ? { 'retry-after': String(retryAfterSeconds) } : {});
}

const newKey = (): string => `sk-or-v1-${randomBytes(32).toString('hex')}`;

export function createOpenRouterAdministration({ clock, keys, how }: AdministrationDeps): Administration {
  const managementKey = newKey();
  const about = new Map<string, { limit: number | null; updatedAt: string | null }>();
  const standing = (): readonly SimulatedKey[] => keys.all().filter(({ kind, status }) => kind === 'key' && status !== 'deleted');
  const byHash = (hash: string): SimulatedKey | undefined => standing().find(({ fingerprint }) => fingerprint === hash);
  const view = (key: SimulatedKey): object => {
    const { limit = null, updatedAt = null } = about.get(key.id) ?? {};
    return {
      hash: key.fingerprint,
      name: key.name,
      label: key.hint,
      disabled: key.status === 'inactive',
      limit,
      limit_remaining: limit,
      limit_reset: null,
      include_byok_in_limit: false,
      usage: 0,
      usage_daily: 0,
      usage_weekly: 0,
      usage_monthly: 0,
      created_at: key.createdAt,
      updated_at: updatedAt,
      expires_at: key.expiresAt ?? null,
    };
  };

  return {
    basePath: '/api/v1',
    routes: {
      'GET /api/v1/keys': (_ids, { query }) => {
        const offset = offsetQuery.safeParse(query.get('offset') ?? 0);
        if (!offset.success) return error(400);
        const withDisabled = query.get('include_disabled') === 'true';
        const found = standing().filter(({ status }) => withDisabled || status === 'active');
        return jsonAnswer(200, { data: found.slice(offset.data, offset.data + pageSize).map(view) });
      },
      'POST /api/v1/keys': (_ids, { body }) => {
        const parsed = createBody.safeParse(body);
        if (!parsed.success) return error(400, 1, 'name: Required');
        const { name, limit, expires_at } = parsed.data;
        const { maxKeys } = how();
        if (maxKeys !== undefined && standing().length >= maxKeys) return error(403, 1, 'API key limit reached');
        const expiresInSeconds = expires_at == null ? undefined : Math.floor((Date.parse(expires_at) - clock.now()) / 1000);
        const secret = newKey();
        const { key } = keys.create({ id: createHash('sha256').update(secret).digest('hex'), name, secret, expiresInSeconds });
        about.set(key.id, { limit: limit ?? null, updatedAt: null });
        return jsonAnswer(201, { data: view(key), key: secret });
      },
      'GET /api/v1/keys/{id}': ([hash = '']) => {
        const key = byHash(hash);
        return key === undefined ? error(404) : jsonAnswer(200, { data: view(key) });
      },
      'PATCH /api/v1/keys/{id}': ([hash = ''], { body }) => {
        const parsed = updateBody.safeParse(body);
        let key = byHash(hash);
        if (key === undefined) return error(404);
        if (!parsed.success) return error(400);
        const { name, disabled, limit } = parsed.data;
        if (name !== undefined) key = keys.rename(key.id, name) ?? key;
        if (disabled !== undefined) key = keys.setStatus(key.id, disabled ? 'inactive' : 'active') ?? key;
        const before = about.get(key.id)?.limit ?? null;
        about.set(key.id, { limit: limit === undefined ? before : limit, updatedAt: new Date(clock.now()).toISOString() });
        return jsonAnswer(200, { data: view(key) });
      },
      'DELETE /api/v1/keys/{id}': ([hash = '']) => {
        const key = byHash(hash);
        if (key === undefined) return error(404);
        keys.setStatus(key.id, 'deleted');
        return jsonAnswer(200, { deleted: true });
      },
    },
    presented: bearerIn,
    refusal: (secret) => (secret === managementKey ? undefined : error(401)),
    error,
    adminSecret: () => managementKey,
    plantedSecrets: () => [managementKey],
  };
}
