/**
 * Mistral's Admin API: users, workspaces, API keys. A key's value is shown when it is made and never again. Sources: Mistral AI documentation,
 * "Authentication and Admin API keys", "Manage Workspaces with the Admin API"; API reference, "Beta Admin Api Keys", "Beta Admin Workspaces". What they do
 * not say: the body of a deletion's answer (none here), the largest page (1,000 here).
 *
 * Actions for faults: `GET /api/admin/users`, `GET|POST /api/admin/workspaces`, `DELETE /api/admin/workspaces/{id}`, `GET|POST /api/admin/api-keys`,
 * `DELETE /api/admin/api-keys/{id}`. The admin secret is the admin key as it is.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Administration, AdministrationDeps } from './administration.ts';
import { type Answer, jsonAnswer } from './deliver.ts';
import type { SimulatedKey } from './simulated-keys.ts';
import { bearerIn, headerOf } from './simulator.ts';

interface Workspace {
  readonly uuid: string;
  readonly name: string;
  readonly description: string;
  readonly icon: string;
  readonly is_default: boolean;
  isArchived: boolean;
}

const workspaceBody = z.object({
  name: z.string().min(1).max(255),
  admin_user_id: z.uuid(),
  description: z.string().default(''),
  icon: z.string().default(''),
  add_all_org_members: z.boolean().default(false),
});
const keyBody = z.object({
  name: z.string().nullish(),
  expiration: z.iso.date().nullish(),
  user_id: z.uuid().nullish(),
  workspace_uuid: z.uuid().nullish(),
});
const pageQuery = z.object({
  page: z.coerce.number().int().min(1).default(1),
  page_size: z.coerce.number().int().min(1).max(1000).default(50),
});
const offsetQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).default(0),
});

const noContent: Answer = { status: 204, headers: {}, pieces: [] };
const details: Readonly<Record<number, string>> = { 401: 'Unauthorized', 404: 'Not Found', 429: 'Requests rate limit exceeded' };

function error(status: number, retryAfterSeconds = 1): Answer {
  const headers: Record<string, string> = status === 429 ? { 'retry-after': String(retryAfterSeconds) } : {};
  return jsonAnswer(status, { detail: details[status] ?? 'The request was refused.' }, headers);
}

class Invalid extends Error {
  override readonly name = 'Invalid';
  readonly answer: Answer;

  constructor(loc: readonly PropertyKey[], msg: string) {
    super(msg);
    this.answer = jsonAnswer(422, { detail: [{ type: 'value_error', loc, msg }] });
  }
}

function parse<T>(where: 'body' | 'query', schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Invalid([where, ...(issue?.path ?? [])], issue?.message ?? 'not valid');
}

export function createMistralAdministration({ clock, keys, how }: AdministrationDeps): Administration {
  const adminKey = randomBytes(24).toString('base64url');
  const adminUser = {
    uuid: randomUUID(),
    email: 'admin@cordon.example',
    first_name: 'Cordon',
    last_name: 'Admin',
    role_names: ['organization_admin'],
  };
  const workspaces = new Map<string, Workspace>();
  const addWorkspace = (values: Omit<Workspace, 'uuid' | 'isArchived'>): Workspace => {
    const workspace = { uuid: randomUUID(), isArchived: false, ...values };
    workspaces.set(workspace.uuid, workspace);
    return workspace;
  };
  const first = addWorkspace({ name: 'Default workspace', description: '', icon: '', is_default: true });
  const shown = ({ isArchived: _, ...workspace }: Workspace): object => workspace;
  const keyShown = (key: SimulatedKey, secret: string | null): object => ({
    key_id: key.id,
    name: key.name === '' ? null : key.name,
    hidden_key: key.hint,
    key: secret,
    created_at: key.createdAt,
    expiration_date: key.expiresAt?.slice(0, 10) ?? null,
  });
  const paged = (items: readonly object[], query: URLSearchParams): Answer => {
    const { page, page_size } = parse('query', pageQuery, Object.fromEntries(query));
    const shownItems = items.slice((page - 1) * page_size, page * page_size);
    return jsonAnswer(200, { object: 'list', items: shownItems, page, page_size, total: items.length });
  };
  const standing = (): readonly SimulatedKey[] => keys.all().filter(({ kind, status }) => kind === 'key' && status !== 'deleted');

  const routes: Administration['routes'] = {
    'GET /api/admin/users': (_ids, { query }) => paged([adminUser], query),
    'GET /api/admin/workspaces': (_ids, { query }) => {
      const archived = query.get('is_archived') === 'true';
      const search = query.get('search')?.toLowerCase() ?? '';
      const found = [...workspaces.values()].filter(
        ({ isArchived, name }) => isArchived === archived && name.toLowerCase().includes(search),
      );
      return paged(found.map(shown), query);
    },
    'POST /api/admin/workspaces': (_ids, { body }) => {
      const { name, description, icon, admin_user_id } = parse('body', workspaceBody, body);
      if (admin_user_id !== adminUser.uuid) throw new Invalid(['body', 'admin_user_id'], 'User not found');
      return jsonAnswer(200, {
        ...shown(addWorkspace({ name, description, icon, is_default: false })),
        members_count: 1,
        raw_roles: ['A'],
      });
    },
    'DELETE /api/admin/workspaces/{id}': ([id = '']) => {
      const workspace = workspaces.get(id);
      if (workspace === undefined || workspace.isArchived) return error(404);
      workspace.isArchived = true;
      for (const key of standing()) if (key.owner === id) keys.setStatus(key.id, 'deleted');
      return noContent;
    },
    'GET /api/admin/api-keys': (_ids, { query }) => {
      const { limit, offset } = parse('query', offsetQuery, Object.fromEntries(query));
      const listed = standing().slice(offset, offset + limit);
      const more = (owner: string | undefined): object => {
        const workspace = workspaces.get(owner ?? first.uuid);
        return {
          product: 'API',
          workspace_id: workspace?.uuid ?? null,
          workspace_name: workspace?.name ?? null,
          last_used: null,
          actions: {},
        };
      };
      return jsonAnswer(200, { keys: listed.map((key) => ({ ...keyShown(key, null), ...more(key.owner) })) });
    },
    'POST /api/admin/api-keys': (_ids, { body }) => {
      const { name, expiration, workspace_uuid } = parse('body', keyBody, body);
      const owner = workspace_uuid ?? first.uuid;
      if (workspaces.get(owner)?.isArchived !== false) throw new Invalid(['body', 'workspace_uuid'], 'Workspace not found');
      const { maxKeys } = how();
      if (maxKeys !== undefined && standing().filter((key) => key.owner === owner).length >= maxKeys)
        return jsonAnswer(400, { detail: 'The maximum number of API keys is reached.' });
      // Good through the day that is named.
      const ends = expiration == null ? undefined : Math.floor((Date.parse(`${expiration}T00:00:00Z`) + 86_400_000 - clock.now()) / 1000);
      if (ends !== undefined && ends <= 0) throw new Invalid(['body', 'expiration'], 'The date is in the past');
      const made = keys.create({ id: randomUUID(), name: name ?? '', owner, expiresInSeconds: ends, secret: newKey() });
      return jsonAnswer(200, keyShown(made.key, made.secret));
    },
    'DELETE /api/admin/api-keys/{id}': ([id = '']) => {
      if (!standing().some((key) => key.id === id)) return error(404);
      keys.setStatus(id, 'deleted');
      return noContent;
    },
  };

  return {
    basePath: '/api/admin',
    routes: Object.fromEntries(
      Object.entries(routes).map(([action, route]) => [
        action,
        async (ids, request) => {
          try {
            return await route(ids, request);
          } catch (thrown) {
            if (thrown instanceof Invalid) return thrown.answer;
            throw thrown;
          }
        },
      ]),
    ),
    // The guide says `x-api-key`, the reference's examples say Bearer.
    presented: (request) => headerOf(request, 'x-api-key') ?? bearerIn(request),
    refusal: (secret) => (secret === adminKey ? undefined : error(401)),
    error,
    adminSecret: () => adminKey,
    plantedSecrets: () => [adminKey],
  };
}

/** 32 letters and digits. */
function newKey(): string {
  return [...randomBytes(32)].map((byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'.charAt(byte % 62)).join('');
}
