/**
 * The state behind the OpenAI simulator: one organization with projects, service accounts and API keys.
 * Source: OpenAI API reference, "Administration" (projects, project service accounts, project API keys).
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';

export interface Project {
  readonly id: string;
  name: string;
  readonly createdAt: number;
  archivedAt: number | undefined;
}

export interface ServiceAccount {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly createdAt: number;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly serviceAccountId: string;
  /** SHA-256 of the secret, hex: what a key is found and shown by. */
  readonly fingerprint: string;
  readonly redacted: string;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly scopes: readonly string[] | undefined;
  /** `account`: came with its service account. `additional`: made by POST …/api_keys, which a plain list leaves out. */
  readonly origin: 'account' | 'additional';
  lastUsedAt: number | undefined;
  /** Since when it is deleted; it may still be accepted for `deletionDelayMs`. */
  deletedAt: number | undefined;
}

export interface OpenAiOrganization {
  readonly projects: Map<string, Project>;
  readonly serviceAccounts: Map<string, ServiceAccount>;
  readonly keys: Map<string, ApiKey>;
  readonly adminKey: string;
  createProject(name: string): Project;
  archiveProject(project: Project): void;
  createServiceAccount(projectId: string, name: string): ServiceAccount;
  deleteServiceAccount(account: ServiceAccount): void;
  /** The secret is in the answer once; only its fingerprint is kept for use. */
  createKey(
    account: ServiceAccount,
    options: { name: string; origin: ApiKey['origin']; scopes?: readonly string[]; expiresInSeconds?: number },
  ): { key: ApiKey; secret: string };
  deleteKey(key: ApiKey): void;
  /** The key behind a bearer token, if the provider still accepts it. */
  acceptedKey(secret: string): ApiKey | undefined;
  isAccepted(key: ApiKey): boolean;
  /** Whether the project may have no further key. */
  isFull(projectId: string): boolean;
  /** Every secret ever issued, the admin key included: for searches of canaries in tests of the same process. */
  plantedSecrets(): readonly string[];
}

export function fingerprintOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

const newId = (prefix: string): string => `${prefix}_${randomBytes(12).toString('hex')}`;
const newSecret = (prefix: string): string => `${prefix}-${randomBytes(36).toString('base64url')}`;

/**
 * Settings are read at each use: `deletionDelayMs`, how long, by the injected clock, a deleted key is still accepted; `maxKeys`, how many a project may have.
 */
export function createOrganization(
  clock: Clock,
  settings: { readonly deletionDelayMs: number; readonly maxKeys?: number | undefined },
): OpenAiOrganization {
  const projects = new Map<string, Project>();
  const serviceAccounts = new Map<string, ServiceAccount>();
  const keys = new Map<string, ApiKey>();
  const byFingerprint = new Map<string, ApiKey>();
  const adminKey = newSecret('sk-admin');
  const planted = [adminKey];
  const deleteKey = (key: ApiKey): void => {
    key.deletedAt ??= clock.now();
  };
  const isAccepted = (key: ApiKey): boolean => {
    const now = clock.now();
    if (key.expiresAt !== undefined && now >= key.expiresAt) return false;
    if (key.deletedAt !== undefined && now >= key.deletedAt + settings.deletionDelayMs) return false;
    return projects.get(key.projectId)?.archivedAt === undefined;
  };
  return {
    projects,
    serviceAccounts,
    keys,
    adminKey,
    createProject(name) {
      const project: Project = { id: newId('proj'), name, createdAt: clock.now(), archivedAt: undefined };
      projects.set(project.id, project);
      return project;
    },
    archiveProject(project) {
      project.archivedAt ??= clock.now();
    },
    createServiceAccount(projectId, name) {
      const account: ServiceAccount = { id: newId('svc_acct'), projectId, name, createdAt: clock.now() };
      serviceAccounts.set(account.id, account);
      return account;
    },
    deleteServiceAccount(account) {
      serviceAccounts.delete(account.id);
      for (const key of keys.values()) if (key.serviceAccountId === account.id) deleteKey(key);
    },
    createKey(account, { name, origin, scopes, expiresInSeconds }) {
      const secret = newSecret('sk-svcacct');
      planted.push(secret);
      const createdAt = clock.now();
      const key: ApiKey = {
        id: newId('key'),
        name,
        projectId: account.projectId,
        serviceAccountId: account.id,
        fingerprint: fingerprintOf(secret),
        redacted: `${secret.slice(0, 14)}***${secret.slice(-4)}`,
        createdAt,
        expiresAt: expiresInSeconds === undefined ? undefined : createdAt + expiresInSeconds * 1000,
        scopes,
        origin,
        lastUsedAt: undefined,
        deletedAt: undefined,
      };
      keys.set(key.id, key);
      byFingerprint.set(key.fingerprint, key);
      return { key, secret };
    },
    deleteKey,
    acceptedKey(secret) {
      const key = byFingerprint.get(fingerprintOf(secret));
      return key !== undefined && isAccepted(key) ? key : undefined;
    },
    isAccepted,
    isFull(projectId) {
      const standing = [...keys.values()].filter((key) => key.projectId === projectId && key.deletedAt === undefined);
      return settings.maxKeys !== undefined && standing.length >= settings.maxKeys;
    },
    plantedSecrets: () => [...planted],
  };
}
