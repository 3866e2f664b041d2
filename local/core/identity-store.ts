/**
 * Who exists: users, roles, managed policies, access keys and sessions of every account. A plain store: rules about what may be stored are
 * the IAM and STS services', what a principal may do is `principals.ts`'.
 */
import { randomBytes } from 'node:crypto';
import type { PolicyDocument } from '../iam/policy.ts';

/** A policy as it was written, and parsed. The parsed document keeps its identity, because compiled policies are cached by it. */
export interface StoredPolicy {
  readonly text: string;
  readonly document: PolicyDocument;
}

export interface Identity {
  readonly kind: 'user' | 'role';
  readonly accountId: string;
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  /** AIDA… or AROA…: never used twice, so a principal that is made again under its old name is another one. */
  readonly uniqueId: string;
  readonly createdAt: Date;
  readonly tags: Map<string, string>;
  readonly inlinePolicies: Map<string, StoredPolicy>;
  readonly attachedPolicyArns: Set<string>;
  boundaryArn: string | undefined;
}

export interface UserIdentity extends Identity {
  readonly kind: 'user';
}

export interface RoleIdentity extends Identity {
  readonly kind: 'role';
  /** Principals of IAM stand in it by their unique ID. */
  trust: StoredPolicy;
  description: string | undefined;
  maxSessionSeconds: number;
}

export interface ManagedPolicy {
  readonly accountId: string;
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly policyId: string;
  readonly description: string | undefined;
  readonly createdAt: Date;
  updatedAt: Date;
  readonly tags: Map<string, string>;
  readonly versions: Map<string, StoredPolicy & { readonly createdAt: Date }>;
  defaultVersionId: string;
  nextVersion: number;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly user: UserIdentity;
  readonly createdAt: Date;
}

/** A long-term API key of a user for one service. It stays on record when it is deleted, because services may take it a while longer. */
export interface ServiceCredential {
  readonly id: string;
  readonly user: UserIdentity;
  readonly serviceName: string;
  /** The public part, which tells whose it is. */
  readonly alias: string;
  readonly secret: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  status: 'Active' | 'Inactive';
  /** When it was made inactive or deleted, ms since the epoch. */
  endedAt: number | undefined;
  deletedAt: number | undefined;
}

export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly role: RoleIdentity;
  readonly sessionName: string;
  /** Passed tags and inherited transitive tags, without the role's own. */
  readonly tags: Readonly<Record<string, string>>;
  /** The part of `tags` that goes on into roles assumed from here. */
  readonly transitiveTags: Readonly<Record<string, string>>;
  readonly sourceIdentity: string | undefined;
  /** The access key it was assumed with. */
  readonly assumedWith: string;
  readonly policies: readonly { readonly name: string; readonly document: PolicyDocument }[];
  /** Milliseconds since the epoch, the cloud's clock. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface IdentityAccount {
  readonly accountId: string;
  /** By lower-case name: names are unique without regard to case (IAM User Guide, "IAM and AWS STS quotas"). */
  readonly users: Map<string, UserIdentity>;
  readonly roles: Map<string, RoleIdentity>;
  /** By ARN. */
  readonly policies: Map<string, ManagedPolicy>;
}

export interface IdentityStore {
  readonly accounts: Map<string, IdentityAccount>;
  readonly keys: Map<string, AccessKey>;
  readonly sessions: Map<string, Session>;
  /** By their IDs, which stand for access keys where such a key is the caller's only credential. */
  readonly serviceCredentials: Map<string, ServiceCredential>;
  /** Rises with every change that can change a decision; caches compare it. */
  readonly version: number;
  changed(): void;
  account(accountId: string): IdentityAccount | undefined;
  addAccount(accountId: string): IdentityAccount;
  /** The role behind `arn:aws:iam::{account}:role/{path}{name}` if that very ARN exists. */
  roleByArn(arn: string): RoleIdentity | undefined;
  /** The user or role of that ARN, in any account. */
  identityByArn(arn: string): Identity | undefined;
  identityById(uniqueId: string): Identity | undefined;
  policyByArn(arn: string): ManagedPolicy | undefined;
  /** AWS's own managed policies. */
  awsPolicies(): readonly ManagedPolicy[];
  /** False when a role or user was deleted, also when another of the same name was made since. */
  exists(identity: Identity): boolean;
}

/** The user behind an access key or a service-specific credential. */
export function userBehind(store: IdentityStore, accessKeyId: string): UserIdentity | undefined {
  return (store.keys.get(accessKeyId) ?? store.serviceCredentials.get(accessKeyId))?.user;
}

const iamArn = /^arn:aws:iam::(\d{12}):(role|user)\/(?:.*\/)?([^/]+)$/;

export function createIdentityStore(awsManagedPolicies: ReadonlyMap<string, ManagedPolicy> = new Map()): IdentityStore {
  const accounts = new Map<string, IdentityAccount>();
  let version = 1;
  let byId: { version: number; identities: Map<string, Identity> } = { version: 0, identities: new Map() };

  const identityByArn = (arn: string): Identity | undefined => {
    const match = iamArn.exec(arn);
    const account = accounts.get(match?.[1] ?? '');
    const name = match?.[3]?.toLowerCase() ?? '';
    const found = match?.[2] === 'role' ? account?.roles.get(name) : account?.users.get(name);
    return found?.arn === arn ? found : undefined;
  };

  return {
    accounts,
    keys: new Map(),
    sessions: new Map(),
    serviceCredentials: new Map(),
    get version() {
      return version;
    },
    changed() {
      version += 1;
    },
    account: (accountId) => accounts.get(accountId),
    addAccount(accountId) {
      if (!/^\d{12}$/.test(accountId)) throw new RangeError(`an account ID has twelve digits; got ${accountId}`);
      const account = accounts.get(accountId) ?? { accountId, users: new Map(), roles: new Map(), policies: new Map() };
      accounts.set(accountId, account);
      return account;
    },
    roleByArn(arn) {
      const found = identityByArn(arn);
      return found !== undefined && isRole(found) ? found : undefined;
    },
    identityByArn,
    identityById(uniqueId) {
      if (byId.version !== version) {
        const all = [...accounts.values()].flatMap(({ users, roles }) => [...users.values(), ...roles.values()]);
        byId = { version, identities: new Map(all.map((identity) => [identity.uniqueId, identity])) };
      }
      return byId.identities.get(uniqueId);
    },
    policyByArn(arn) {
      const accountId = arn.split(':')[4] ?? '';
      return accounts.get(accountId)?.policies.get(arn) ?? awsManagedPolicies.get(arn);
    },
    awsPolicies: () => [...awsManagedPolicies.values()],
    exists(identity) {
      const account = accounts.get(identity.accountId);
      const named = identity.kind === 'role' ? account?.roles : account?.users;
      return named?.get(identity.name.toLowerCase()) === identity;
    },
  };
}

function isRole(identity: Identity): identity is RoleIdentity {
  return identity.kind === 'role';
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A unique ID as IAM makes them: a prefix that tells the kind (IAM User Guide, "IAM identifiers") and 16 (or `length`) base32 characters. */
export function newUniqueId(prefix: 'ACCA' | 'AIDA' | 'AROA' | 'ANPA' | 'AKIA' | 'ASIA', length = 16): string {
  return prefix + [...randomBytes(length)].map((byte) => base32.charAt(byte % 32)).join('');
}

/** 40 characters, as AWS's are. */
export function newSecretAccessKey(): string {
  return randomBytes(30).toString('base64');
}
