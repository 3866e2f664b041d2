/** The administration endpoints `/organization/…`. Source: OpenAI API reference, "Administration". */
import { z } from 'zod';
import { type ApiAnswer, type ApiRequest, OpenAiError, page } from './openai-answer.ts';
import type { ApiKey, OpenAiOrganization, Project, ServiceAccount } from './openai-organization.ts';

/** One year, the longest life that a key may be given. */
const maxKeySeconds = 31_536_000;
const expiry = z.int().min(1).max(maxKeySeconds).optional();
const projectBody = z.object({ name: z.string().min(1) });
const accountBody = z.object({ name: z.string().min(1), expires_in_seconds: expiry, create_service_account_only: z.boolean().optional() });
const keyBody = z.object({ name: z.string().min(1).optional(), scopes: z.array(z.string().min(1)).optional(), expires_in_seconds: expiry });

const seconds = (ms: number): number => Math.floor(ms / 1000);
const secondsOrNull = (ms: number | undefined): number | null => (ms === undefined ? null : seconds(ms));

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.join('.') ?? '';
  throw new OpenAiError(400, 'invalid_value', `Invalid '${param}': ${issue?.message ?? 'not valid'}.`, { param });
}

const projectView = (project: Project): object => ({
  id: project.id,
  object: 'organization.project',
  name: project.name,
  created_at: seconds(project.createdAt),
  archived_at: secondsOrNull(project.archivedAt),
  status: project.archivedAt === undefined ? 'active' : 'archived',
});

const accountView = (account: ServiceAccount): object => ({
  object: 'organization.project.service_account',
  id: account.id,
  name: account.name,
  role: 'member',
  created_at: seconds(account.createdAt),
});

const issuedKeyView = ({ key, secret }: { key: ApiKey; secret: string }): object => ({
  object: 'organization.project.service_account.api_key',
  id: key.id,
  value: secret,
  name: key.name,
  created_at: seconds(key.createdAt),
  expires_at: secondsOrNull(key.expiresAt),
});

/** Answers an admin request that is already authenticated. Throws OpenAiError (400, 404). */
export function answerAdmin(organization: OpenAiOrganization, request: ApiRequest): ApiAnswer {
  const [, area, projectId, collection, itemId, subCollection, ...rest] = request.segments;
  if (area !== 'projects' || rest.length > 0) throw unknownUrl(request);
  if (projectId === undefined) return projectsRoute(organization, request);
  const project = organization.projects.get(projectId);
  if (project === undefined) throw new OpenAiError(404, 'project_not_found', `No project found with id '${projectId}'.`);
  if (collection === undefined) return projectRoute(project, request);
  if (collection === 'archive' && itemId === undefined && request.method === 'POST') {
    organization.archiveProject(project);
    return { status: 200, json: projectView(project) };
  }
  if (request.method !== 'GET' && project.archivedAt !== undefined)
    throw new OpenAiError(400, 'project_archived', 'The project is archived.');
  if (collection === 'service_accounts') return accountsRoute(organization, project, itemId, subCollection, request);
  if (collection === 'api_keys' && subCollection === undefined) return keysRoute(organization, project, itemId, request);
  throw unknownUrl(request);
}

function projectsRoute(organization: OpenAiOrganization, request: ApiRequest): ApiAnswer {
  if (request.method === 'POST')
    return { status: 200, json: projectView(organization.createProject(parse(projectBody, request.body).name)) };
  if (request.method !== 'GET') throw unknownUrl(request);
  const withArchived = request.query.get('include_archived') === 'true';
  const projects = [...organization.projects.values()].filter((project) => withArchived || project.archivedAt === undefined);
  return page(projects, request.query, projectView);
}

function projectRoute(project: Project, request: ApiRequest): ApiAnswer {
  if (request.method === 'POST') project.name = parse(projectBody, request.body).name;
  else if (request.method !== 'GET') throw unknownUrl(request);
  return { status: 200, json: projectView(project) };
}

function refuseIfFull(organization: OpenAiOrganization, project: Project): void {
  if (organization.isFull(project.id))
    throw new OpenAiError(400, 'api_key_limit_reached', 'The project has as many API keys as it may have.');
}

function accountsRoute(
  organization: OpenAiOrganization,
  project: Project,
  accountId: string | undefined,
  sub: string | undefined,
  request: ApiRequest,
): ApiAnswer {
  if (accountId === undefined) {
    if (request.method === 'GET') {
      const accounts = [...organization.serviceAccounts.values()].filter((account) => account.projectId === project.id);
      return page(accounts, request.query, accountView);
    }
    if (request.method !== 'POST') throw unknownUrl(request);
    const body = parse(accountBody, request.body);
    const withKey = body.create_service_account_only !== true;
    if (withKey) refuseIfFull(organization, project);
    const account = organization.createServiceAccount(project.id, body.name);
    const issued = withKey
      ? issuedKeyView(organization.createKey(account, { name: 'Secret Key', origin: 'account', ...expiresIn(body.expires_in_seconds) }))
      : null;
    return { status: 200, json: { ...accountView(account), api_key: issued } };
  }
  const account = organization.serviceAccounts.get(accountId);
  if (account === undefined || account.projectId !== project.id)
    throw new OpenAiError(404, null, `No service account found with id '${accountId}'.`);
  if (sub === 'api_keys' && request.method === 'POST') {
    const body = parse(keyBody, request.body);
    refuseIfFull(organization, project);
    const scopes = body.scopes === undefined ? {} : { scopes: body.scopes };
    const issued = organization.createKey(account, {
      name: body.name ?? 'Secret Key',
      origin: 'additional',
      ...scopes,
      ...expiresIn(body.expires_in_seconds),
    });
    return { status: 200, json: issuedKeyView(issued) };
  }
  if (sub !== undefined) throw unknownUrl(request);
  if (request.method === 'GET') return { status: 200, json: accountView(account) };
  if (request.method !== 'DELETE') throw unknownUrl(request);
  organization.deleteServiceAccount(account);
  return { status: 200, json: { object: 'organization.project.service_account.deleted', id: account.id, deleted: true } };
}

const expiresIn = (value: number | undefined): { expiresInSeconds?: number } => (value === undefined ? {} : { expiresInSeconds: value });

function keysRoute(organization: OpenAiOrganization, project: Project, keyId: string | undefined, request: ApiRequest): ApiAnswer {
  const live = [...organization.keys.values()].filter((key) => key.projectId === project.id && key.deletedAt === undefined);
  const view = (key: ApiKey): object => ({
    object: 'organization.project.api_key',
    id: key.id,
    name: key.name,
    redacted_value: key.redacted,
    created_at: seconds(key.createdAt),
    last_used_at: secondsOrNull(key.lastUsedAt),
    expires_at: secondsOrNull(key.expiresAt),
    owner: { type: 'service_account', service_account: accountOf(organization, key) },
  });
  if (keyId === undefined) {
    if (request.method !== 'GET') throw unknownUrl(request);
    // Documented: without this parameter the list may leave out enabled keys. The simulator always leaves out the ones made one by one.
    const all = request.query.get('owner_project_access') === 'any';
    return page(
      live.filter((key) => all || key.origin === 'account'),
      request.query,
      view,
    );
  }
  const key = live.find((candidate) => candidate.id === keyId);
  if (key === undefined) throw new OpenAiError(404, null, `No API key found with id '${keyId}'.`);
  if (request.method === 'GET') return { status: 200, json: view(key) };
  if (request.method !== 'DELETE') throw unknownUrl(request);
  organization.deleteKey(key);
  return { status: 200, json: { object: 'organization.project.api_key.deleted', id: key.id, deleted: true } };
}

function accountOf(organization: OpenAiOrganization, key: ApiKey): object | null {
  const account = organization.serviceAccounts.get(key.serviceAccountId);
  return account === undefined ? null : accountView(account);
}

export function unknownUrl(request: ApiRequest): OpenAiError {
  return new OpenAiError(
    404,
    'unknown_url',
    `Unknown request URL: ${request.method} /${request.segments.join('/')}. The simulator covers only what Cordon calls.`,
  );
}
