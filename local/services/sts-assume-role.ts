/**
 * AssumeRole: who may, with which tags, for how long. Sources: STS API Reference, "AssumeRole"; IAM User Guide, "Passing session tags in AWS STS",
 * "Monitor and control actions taken with assumed roles" (source identity), "Roles terms and concepts" (role chaining).
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { IdentityStore, RoleIdentity, Session } from '../core/identity-store.ts';
import { newSecretAccessKey, newUniqueId } from '../core/identity-store.ts';
import { sessionArn } from '../core/principals.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { resourceTags } from './iam-needs.ts';
import { effectiveTrust } from './iam-trust.ts';
import { queryOperation } from './query-operation.ts';
import { packedSize, sessionPolicies } from './sts-session-policies.ts';
import { passedTags, sessionTag, withInherited } from './sts-session-tags.ts';

const namePattern = /^[\w+=,.@-]+$/;
/** Named instead of ignored: the virtual MFA device of a user does not exist here. */
const assumeRole = z.strictObject({
  RoleArn: z.string().min(20).max(2048),
  RoleSessionName: z.string().min(2).max(64).regex(namePattern),
  DurationSeconds: z.coerce.number().int().min(900).max(43_200).optional(),
  ExternalId: z
    .string()
    .min(2)
    .max(1224)
    .regex(/^[\w+=,.@:/-]+$/)
    .optional(),
  SourceIdentity: z
    .string()
    .min(2)
    .max(64)
    .regex(namePattern)
    .refine((value) => !value.startsWith('aws:'))
    .optional(),
  Policy: z.string().min(1).optional(),
  PolicyArns: z
    .array(z.strictObject({ arn: z.string().min(20).max(2048) }))
    .max(10)
    .optional(),
  Tags: z.array(sessionTag).max(50).optional(),
  TransitiveTagKeys: z.array(z.string().min(1).max(128)).max(50).optional(),
});
type AssumeRoleInput = z.output<typeof assumeRole>;

const defaultSeconds = 3600;
const maxChainedSeconds = 3600;
/** A session ended this long ago is forgotten: its token is then unknown instead of expired. */
const forgetAfterMs = 24 * 60 * 60 * 1000;

export function assumeRoleOperation(store: IdentityStore): Record<string, Operation> {
  const callerSession = (scope: Scope): Session | undefined => store.sessions.get(scope.caller.accessKeyId);
  return queryOperation(
    'AssumeRole',
    assumeRole,
    (input, scope) => needsOf(input, scope, store.roleByArn(input.RoleArn), callerSession(scope), store),
    (input, scope) => {
      // Without the role nothing was allowed, so it exists here.
      const role = store.roleByArn(input.RoleArn);
      if (role === undefined)
        throw new AwsError('AccessDenied', `Not authorized to perform: sts:AssumeRole on resource: ${input.RoleArn}`, 403);
      const from = callerSession(scope);
      const session = newSession(store, role, input, from, scope);
      forgetOld(store, scope.clock.now());
      store.sessions.set(session.accessKeyId, session);
      return {
        Credentials: {
          AccessKeyId: session.accessKeyId,
          SecretAccessKey: session.secretAccessKey,
          SessionToken: session.sessionToken,
          Expiration: new Date(session.expiresAt),
        },
        AssumedRoleUser: { AssumedRoleId: `${role.uniqueId}:${session.sessionName}`, Arn: sessionArn(session) },
        PackedPolicySize: packedSizeOf(input),
        SourceIdentity: session.sourceIdentity,
      };
    },
  );
}

function needsOf(
  input: AssumeRoleInput,
  scope: Scope,
  role: RoleIdentity | undefined,
  from: Session | undefined,
  store: IdentityStore,
): readonly Need[] {
  if (scope.caller.principal.kind === 'root') throw new AwsError('AccessDenied', 'Roles may not be assumed by root accounts.', 403);
  const tags = passedTags(input.Tags);
  const sourceIdentity = input.SourceIdentity ?? from?.sourceIdentity;
  const context: Need['context'] = {
    'sts:ExternalId': input.ExternalId,
    'sts:RoleSessionName': input.RoleSessionName,
    'sts:SourceIdentity': sourceIdentity,
    'sts:DurationSeconds': input.DurationSeconds === undefined ? undefined : String(input.DurationSeconds),
    'sts:TransitiveTagKeys': input.TransitiveTagKeys,
    ...Object.fromEntries([...tags].map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': [...tags.keys()],
    ...(role === undefined ? {} : resourceTags(role.tags)),
  };
  const onRole = {
    resource: input.RoleArn,
    context,
    resourceAccountId: role?.accountId ?? input.RoleArn.split(':')[4] ?? '',
    resourcePolicyRequired: true,
    ...(role === undefined ? {} : { resourcePolicy: effectiveTrust(store, role) }),
  };
  const isTagged = tags.size > 0 || Object.keys(from?.transitiveTags ?? {}).length > 0;
  return [
    { action: 'sts:AssumeRole', ...onRole },
    ...(isTagged ? [{ action: 'sts:TagSession', ...onRole }] : []),
    ...(sourceIdentity === undefined ? [] : [{ action: 'sts:SetSourceIdentity', ...onRole }]),
  ];
}

/** Throws AwsError: ValidationError, AccessDenied (source identity), InvalidParameterValue (tags), PackedPolicyTooLarge, MalformedPolicyDocument. */
function newSession(store: IdentityStore, role: RoleIdentity, input: AssumeRoleInput, from: Session | undefined, scope: Scope): Session {
  const now = scope.clock.now();
  const { tags, transitiveTags } = withInherited(passedTags(input.Tags), input.TransitiveTagKeys ?? [], from?.transitiveTags ?? {});
  if (from?.sourceIdentity !== undefined && input.SourceIdentity !== undefined && input.SourceIdentity !== from.sourceIdentity) {
    throw new AwsError('AccessDenied', 'The source identity of a session cannot be changed in a role assumed from it.', 403);
  }
  if (packedSizeOf(input) > 100) {
    throw new AwsError(
      'PackedPolicyTooLarge',
      `Packed size of session tags and policies consumes ${packedSizeOf(input)}% of the allotted space.`,
    );
  }
  return {
    accessKeyId: newUniqueId('ASIA'),
    secretAccessKey: newSecretAccessKey(),
    sessionToken: randomBytes(96).toString('base64'),
    role,
    sessionName: input.RoleSessionName,
    tags,
    transitiveTags,
    sourceIdentity: input.SourceIdentity ?? from?.sourceIdentity,
    assumedWith: scope.caller.accessKeyId,
    policies: sessionPolicies(store, role, input.Policy, input.PolicyArns ?? []),
    issuedAt: now,
    expiresAt: now + secondsOf(input, role, from) * 1000,
  };
}

function secondsOf({ DurationSeconds }: AssumeRoleInput, role: RoleIdentity, from: Session | undefined): number {
  const asked = DurationSeconds ?? defaultSeconds;
  if (from !== undefined && asked > maxChainedSeconds) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  }
  if (asked > role.maxSessionSeconds) {
    throw new AwsError('ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return asked;
}

function packedSizeOf(input: AssumeRoleInput): number {
  return packedSize(input.Policy, input.PolicyArns ?? [], passedTags(input.Tags));
}

/** Sessions are in the order of their making; looking stops at the first that is still of interest for long. */
function forgetOld(store: IdentityStore, now: number): void {
  for (const [accessKeyId, { expiresAt }] of store.sessions) {
    if (expiresAt + forgetAfterMs > now) break;
    store.sessions.delete(accessKeyId);
  }
}
