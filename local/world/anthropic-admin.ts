/**
 * Anthropic's Admin API for API keys: they are listed and disabled there, never made. Source: Claude API reference, "Admin API", "List API Keys", "Get API
 * Key", "Update API Key".
 *
 * Actions for faults: `GET|POST /v1/organizations/api_keys` (the latter is refused), `GET|POST /v1/organizations/api_keys/{id}`. The admin secret is the admin
 * key as it is.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Administration, AdministrationDeps } from './administration.ts';
import { type Answer, jsonAnswer } from './deliver.ts';
import type { SimulatedKey } from './simulated-keys.ts';
import { headerOf } from './simulator.ts';

const updateBody = z.strictObject({
  name: z.string().min(1).max(500).optional(),
  status: z.enum(['active', 'inactive', 'archived']).optional(),
});
const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  after_id: z.string().optional(),
  before_id: z.string().optional(),
  status: z.enum(['active', 'inactive', 'archived', 'expired']).optional(),
  workspace_id: z.string().optional(),
  created_by_user_id: z.string().optional(),
});
const createdBy = { id: 'user_01CordonSimulatedAdmin', type: 'user' };

/** `error` is the provider's own form of one. */
export function createAnthropicAdministration(
  { clock, keys }: AdministrationDeps,
  error: (status: number, message?: string, retryAfterSeconds?: number) => Answer,
): Administration {
  const adminKey = `sk-ant-admin01-${randomBytes(36).toString('base64url')}`;
  const statusOf = (key: SimulatedKey): string => {
    if (key.status !== 'active') return key.status === 'deleted' ? 'archived' : 'inactive';
    return key.expiresAt !== undefined && Date.parse(key.expiresAt) <= clock.now() ? 'expired' : 'active';
  };
  const view = (key: SimulatedKey): object => ({
    id: key.id,
    type: 'api_key',
    name: key.name,
    workspace_id: key.owner ?? null,
    created_at: key.createdAt,
    created_by: createdBy,
    expires_at: key.expiresAt ?? null,
    partial_key_hint: key.hint,
    status: statusOf(key),
  });
  const issued = (): readonly SimulatedKey[] => keys.all().filter(({ kind }) => kind === 'key');
  const found = (id: string): SimulatedKey | undefined => issued().find((key) => key.id === id);

  return {
    basePath: '',
    routes: {
      'GET /v1/organizations/api_keys': (_ids, { query }) => {
        const parsed = listQuery.safeParse(Object.fromEntries(query));
        if (!parsed.success) return error(400, `${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`);
        const { limit, after_id, before_id, status, workspace_id, created_by_user_id } = parsed.data;
        // Newest first.
        const all = [...issued()]
          .reverse()
          .filter(
            (key) =>
              (status === undefined || statusOf(key) === status) &&
              (workspace_id === undefined || key.owner === workspace_id) &&
              (created_by_user_id === undefined || created_by_user_id === createdBy.id),
          );
        const cursor = all.findIndex(({ id }) => id === (after_id ?? before_id));
        if ((after_id ?? before_id) !== undefined && cursor === -1) return error(400, 'The cursor is not in this list.');
        const end = before_id === undefined ? cursor + 1 + limit : cursor;
        const start = before_id === undefined ? cursor + 1 : Math.max(0, cursor - limit);
        const data = all.slice(start, end);
        const has_more = before_id === undefined ? end < all.length : start > 0;
        return jsonAnswer(200, { data: data.map(view), has_more, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
      },
      'POST /v1/organizations/api_keys': () => error(405, 'Method Not Allowed'),
      'GET /v1/organizations/api_keys/{id}': ([id = '']) => {
        const key = found(id);
        return key === undefined ? error(404, 'API key not found.') : jsonAnswer(200, view(key));
      },
      'POST /v1/organizations/api_keys/{id}': ([id = ''], { body }) => {
        const parsed = updateBody.safeParse(body ?? {});
        let key = found(id);
        if (key === undefined) return error(404, 'API key not found.');
        if (!parsed.success) return error(400, `${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`);
        const { name, status } = parsed.data;
        if (key.status === 'deleted' && status !== undefined && status !== 'archived') return error(400, 'The API key is archived.');
        if (name !== undefined) key = keys.rename(id, name) ?? key;
        if (status !== undefined) key = keys.setStatus(id, status === 'archived' ? 'deleted' : status) ?? key;
        return jsonAnswer(200, view(key));
      },
    },
    presented: (request) => headerOf(request, 'x-api-key'),
    refusal: (secret) => (secret === adminKey ? undefined : error(401, 'invalid x-api-key')),
    error: (status, retryAfterSeconds) => error(status, undefined, retryAfterSeconds),
    adminSecret: () => adminKey,
    plantedSecrets: () => [adminKey],
  };
}
