/**
 * What IAM knows of a caller: finds the principal behind an access key, its policies, and the condition keys that come with it.
 * Sources: IAM User Guide, "AWS global condition context keys", "Policy evaluation logic", "Passing session tags in AWS STS".
 */

import type { CompiledPolicy } from '../iam/evaluate.ts';
import { compilePolicy } from '../iam/evaluate.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import type { Clock } from './clock.ts';
import { type Identity, type IdentityStore, type Session, userBehind } from './identity-store.ts';
import type { Caller } from './service.ts';

interface PrincipalPolicies {
  readonly identity: readonly CompiledPolicy[];
  readonly boundary?: CompiledPolicy;
  readonly session?: readonly CompiledPolicy[];
}

type ContextEntries = Record<string, string | readonly string[] | undefined>;

export interface Principals {
  /** Undefined when the key is unknown or deleted, or its session has expired. */
  callerOf(accessKeyId: string): Caller | undefined;
  rootCaller(accountId: string): Caller;
  serviceCaller(host: string, accountId: string, context?: Readonly<Record<string, string>>): Caller;
  /** Whoever sends a request without signature. */
  anonymousCaller(): Caller;
  /** The caller's policies as they are now; undefined when its access key is no longer good. */
  policiesOf(caller: Caller): PrincipalPolicies | undefined;
  /** The condition keys of the caller itself; `region` is the one the request is for. */
  contextOf(caller: Caller, region: string): ContextEntries;
}

/** Root may do everything in its account and is subject to no boundary; across accounts the resource's policy still decides. */
const rootDocument: PolicyDocument = {
  Version: '2012-10-17',
  Statement: { Sid: 'RootUser', Effect: 'Allow', Action: '*', Resource: '*' },
};
/** Stands where a boundary's policy has gone: nothing is within it. */
const nothingDocument: PolicyDocument = {
  Version: '2012-10-17',
  Statement: { Sid: 'BoundaryIsGone', Effect: 'Deny', Action: '*', Resource: '*' },
};
/** A session outlives its role, but nothing is allowed to it, also not by a resource policy that names a new role of the same ARN. */
const goneDocument: PolicyDocument = {
  Version: '2012-10-17',
  Statement: { Sid: 'RoleIsGone', Effect: 'Deny', Action: '*', Resource: '*' },
};
const rootKey = 'ROOT:';
const serviceKey = 'SERVICE:';

export function createPrincipals(store: IdentityStore, clock: Clock): Principals {
  const callers = new Map<string, { version: number; caller: Caller }>();
  const policies = new Map<string, { version: number; policies: PrincipalPolicies }>();
  const root: PrincipalPolicies = { identity: [compilePolicy('AccountRoot', 'identity', rootDocument)] };
  const none: PrincipalPolicies = { identity: [] };
  const gone: PrincipalPolicies = { identity: [compilePolicy('DeletedPrincipal', 'identity', goneDocument)] };

  const liveSession = (accessKeyId: string): Session | undefined => {
    const session = store.sessions.get(accessKeyId);
    return session !== undefined && session.expiresAt > clock.now() ? session : undefined;
  };

  const identityPolicies = (identity: Identity): PrincipalPolicies => {
    if (!store.exists(identity)) return gone;
    const compiled: CompiledPolicy[] = [];
    for (const arn of identity.attachedPolicyArns) {
      const policy = store.policyByArn(arn);
      const document = policy?.versions.get(policy.defaultVersionId)?.document;
      if (policy !== undefined && document !== undefined) compiled.push(compilePolicy(policy.name, 'identity', document));
    }
    for (const [name, { document }] of identity.inlinePolicies) compiled.push(compilePolicy(name, 'identity', document));
    if (identity.boundaryArn === undefined) return { identity: compiled };
    const boundary = store.policyByArn(identity.boundaryArn);
    const document = boundary?.versions.get(boundary.defaultVersionId)?.document ?? nothingDocument;
    return { identity: compiled, boundary: compilePolicy(boundary?.name ?? identity.boundaryArn, 'boundary', document) };
  };

  const makeCaller = (accessKeyId: string): Caller | undefined => {
    const user = userBehind(store, accessKeyId);
    if (user !== undefined) {
      return {
        accountId: user.accountId,
        principal: { kind: 'user', accountId: user.accountId, arn: user.arn },
        tags: Object.fromEntries(user.tags),
        accessKeyId,
      };
    }
    const session = liveSession(accessKeyId);
    if (session === undefined) return undefined;
    const { role } = session;
    return {
      accountId: role.accountId,
      principal: { kind: 'role-session', accountId: role.accountId, arn: sessionArn(session), roleArn: role.arn },
      tags: sessionTagsOverRoleTags(role.tags, session.tags),
      accessKeyId,
    };
  };

  return {
    callerOf(accessKeyId) {
      const known = callers.get(accessKeyId);
      const isGood = userBehind(store, accessKeyId) !== undefined || liveSession(accessKeyId) !== undefined;
      if (!isGood) {
        callers.delete(accessKeyId);
        policies.delete(accessKeyId);
        return undefined;
      }
      if (known?.version === store.version) return known.caller;
      const caller = makeCaller(accessKeyId);
      if (caller !== undefined) callers.set(accessKeyId, { version: store.version, caller });
      return caller;
    },
    rootCaller(accountId) {
      if (store.account(accountId) === undefined) throw new RangeError(`there is no account ${accountId}`);
      const principal = { kind: 'root', accountId, arn: `arn:aws:iam::${accountId}:root` } as const;
      return { accountId, principal, tags: {}, accessKeyId: rootKey + accountId };
    },
    serviceCaller(host, accountId, context) {
      const principal = { kind: 'service', accountId, arn: host } as const;
      return { accountId, principal, tags: {}, accessKeyId: serviceKey + host, ...(context === undefined ? {} : { context }) };
    },
    anonymousCaller() {
      return { accountId: '', principal: { kind: 'anonymous', accountId: '', arn: 'anonymous' }, tags: {}, accessKeyId: 'ANONYMOUS:' };
    },
    policiesOf(caller) {
      if (caller.principal.kind === 'root') return root;
      if (caller.principal.kind === 'service' || caller.principal.kind === 'anonymous') return none;
      const user = userBehind(store, caller.accessKeyId);
      const session = user === undefined ? liveSession(caller.accessKeyId) : undefined;
      const identity = user ?? session?.role;
      if (identity === undefined) return undefined;
      const known = policies.get(caller.accessKeyId);
      if (known?.version === store.version) return known.policies;
      const own = identityPolicies(identity);
      const hasSessionPolicies = session !== undefined && session.policies.length > 0;
      const withSession = hasSessionPolicies
        ? { ...own, session: session.policies.map(({ name, document }) => compilePolicy(name, 'session', document)) }
        : own;
      policies.set(caller.accessKeyId, { version: store.version, policies: withSession });
      return withSession;
    },
    contextOf(caller, region) {
      const now = clock.now();
      const entries: ContextEntries = {
        // The transport is loopback and stands for TLS: the cloud has no other listener.
        'aws:SecureTransport': 'true',
        'aws:CurrentTime': new Date(now).toISOString(),
        'aws:EpochTime': String(Math.floor(now / 1000)),
        'aws:RequestedRegion': region,
        'aws:ViaAWSService': 'false',
        'aws:PrincipalIsAWSService': caller.principal.kind === 'anonymous' ? undefined : String(caller.principal.kind === 'service'),
      };
      for (const [key, value] of Object.entries(caller.tags)) entries[`aws:PrincipalTag/${key}`] = value;
      const all: ContextEntries = { ...entries, ...identityContext(store, caller), ...caller.context };
      // A call that a service makes on somebody's behalf does not come from that somebody's address.
      if ('aws:CalledVia' in all) delete all['aws:SourceIp'];
      return all;
    },
  };
}

/** The keys that depend on what kind of principal asks ("Principal key values" in the IAM User Guide). */
function identityContext(store: IdentityStore, caller: Caller): ContextEntries {
  const { principal } = caller;
  if (principal.kind === 'service') return { 'aws:PrincipalServiceName': principal.arn, 'aws:PrincipalServiceNamesList': [principal.arn] };
  if (principal.kind === 'anonymous') return { 'aws:PrincipalType': 'Anonymous', 'aws:userid': 'anonymous', 'aws:SourceIp': '127.0.0.1' };
  const common = { 'aws:PrincipalAccount': principal.accountId, 'aws:SourceIp': '127.0.0.1' };
  if (principal.kind === 'root') {
    return { ...common, 'aws:PrincipalArn': principal.arn, 'aws:PrincipalType': 'Account', 'aws:userid': principal.accountId };
  }
  const user = userBehind(store, caller.accessKeyId);
  if (user !== undefined) {
    return { ...common, 'aws:PrincipalArn': user.arn, 'aws:PrincipalType': 'User', 'aws:userid': user.uniqueId, 'aws:username': user.name };
  }
  const session = store.sessions.get(caller.accessKeyId);
  if (session === undefined) return common;
  return {
    ...common,
    'aws:PrincipalArn': session.role.arn,
    'aws:PrincipalType': 'AssumedRole',
    'aws:userid': `${session.role.uniqueId}:${session.sessionName}`,
    // Whole seconds ("AWS global condition context keys").
    'aws:TokenIssueTime': `${new Date(session.issuedAt).toISOString().slice(0, 19)}Z`,
    'aws:MultiFactorAuthPresent': 'false',
    'aws:SourceIdentity': session.sourceIdentity,
  };
}

/** `arn:aws:sts::{account}:assumed-role/{role name without path}/{session name}`. */
export function sessionArn(session: Pick<Session, 'role' | 'sessionName'>): string {
  return `arn:aws:sts::${session.role.accountId}:assumed-role/${session.role.name}/${session.sessionName}`;
}

/** Tag keys compare without case: a session tag `tenantid` takes the place of a role tag `TenantId` ("Passing session tags in AWS STS"). */
function sessionTagsOverRoleTags(
  roleTags: ReadonlyMap<string, string>,
  sessionTags: Readonly<Record<string, string>>,
): Record<string, string> {
  const passed = new Set(Object.keys(sessionTags).map((key) => key.toLowerCase()));
  const kept = [...roleTags].filter(([key]) => !passed.has(key.toLowerCase()));
  return { ...Object.fromEntries(kept), ...sessionTags };
}
