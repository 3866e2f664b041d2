/**
 * Service-specific credentials of IAM users: here, long-term API keys of Amazon Bedrock. Two at most for a user; the secret is shown when it is made. Sources:
 * IAM API Reference, CreateServiceSpecificCredential, ListServiceSpecificCredentials, UpdateServiceSpecificCredential, DeleteServiceSpecificCredential;
 * Amazon Bedrock User Guide, "How Amazon Bedrock API keys work".
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import { type IdentityStore, newUniqueId, type ServiceCredential } from '../core/identity-store.ts';
import type { Operation, Scope } from '../core/service.ts';
import { flag, page, paged, userName } from './iam-members.ts';
import { accountOf, limitExceeded, notFound, userNeed, userOf } from './iam-needs.ts';
import { queryOperation } from './query-operation.ts';

const bedrock = 'bedrock.amazonaws.com';
const maxPerUserAndService = 2;
const dayMs = 86_400_000;
const credentialId = z.string().regex(/^[\w]{20,128}$/, 'The specified value for serviceSpecificCredentialId is invalid');
const one = { UserName: userName.optional(), ServiceSpecificCredentialId: credentialId };

export function serviceCredentialOperations(store: IdentityStore): Record<string, Operation> {
  const callerName = (scope: Scope): string => {
    const own = store.keys.get(scope.caller.accessKeyId)?.user.name;
    if (own === undefined) throw new AwsError('ValidationError', 'Must specify userName when calling with non-User credentials');
    return own;
  };
  const standing = (scope: Scope): ServiceCredential[] =>
    [...store.serviceCredentials.values()].filter(({ user, deletedAt }) => user.accountId === scope.accountId && deletedAt === undefined);
  const found = (scope: Scope, name: string | undefined, id: string): ServiceCredential => {
    const user = userOf(store, scope, name ?? callerName(scope));
    const credential = store.serviceCredentials.get(id);
    return credential?.user === user && credential.deletedAt === undefined
      ? credential
      : notFound(`The service specific credential ${id} cannot be found.`);
  };

  return {
    ...queryOperation(
      'CreateServiceSpecificCredential',
      z.strictObject({
        UserName: userName,
        ServiceName: z.string().min(1),
        CredentialAgeDays: z.coerce.number().int().min(1).max(36_600).optional(),
      }),
      ({ UserName, ServiceName, CredentialAgeDays }, scope) => [
        userNeed(store, scope, 'CreateServiceSpecificCredential', UserName, {
          'iam:ServiceSpecificCredentialServiceName': ServiceName,
          'iam:ServiceSpecificCredentialAgeDays': CredentialAgeDays === undefined ? undefined : String(CredentialAgeDays),
        }),
      ],
      ({ UserName, ServiceName, CredentialAgeDays }, scope) => {
        const user = userOf(store, scope, UserName);
        if (ServiceName !== bedrock)
          throw new AwsError('NoSuchEntity', `The service ${ServiceName} has no service specific credentials in the local cloud.`, 404);
        if (standing(scope).filter((credential) => credential.user === user).length >= maxPerUserAndService)
          throw limitExceeded(`Cannot exceed quota for ServiceSpecificCredentialsPerUser: ${maxPerUserAndService}`);
        const now = scope.clock.now();
        const count = [...store.serviceCredentials.values()].filter((credential) => credential.user === user).length;
        const alias = `${user.name}+${count + 1}-at-${scope.accountId}`;
        const credential: ServiceCredential = {
          id: newUniqueId('ACCA', 17),
          user,
          serviceName: ServiceName,
          alias,
          secret: `ABSK${Buffer.from(`${alias}:${randomBytes(33).toString('base64')}`).toString('base64')}`,
          createdAt: new Date(now),
          expiresAt: CredentialAgeDays === undefined ? undefined : new Date(now + CredentialAgeDays * dayMs),
          status: 'Active',
          endedAt: undefined,
          deletedAt: undefined,
        };
        store.serviceCredentials.set(credential.id, credential);
        return { ServiceSpecificCredential: { ...shown(credential), ServiceCredentialSecret: credential.secret } };
      },
    ),
    ...queryOperation(
      'ListServiceSpecificCredentials',
      z.strictObject({ UserName: userName.optional(), ServiceName: z.string().optional(), AllUsers: flag.optional(), ...page }),
      ({ UserName, AllUsers }, scope) =>
        AllUsers === true
          ? [{ action: 'iam:ListServiceSpecificCredentials', resource: `arn:aws:iam::${scope.accountId}:user/*` }]
          : [userNeed(store, scope, 'ListServiceSpecificCredentials', UserName ?? callerName(scope))],
      ({ UserName, ServiceName, AllUsers, ...marker }, scope) => {
        if (AllUsers === true && UserName !== undefined)
          throw new AwsError('ValidationError', 'UserName and AllUsers cannot be given together');
        const user = AllUsers === true ? undefined : userOf(store, scope, UserName ?? callerName(scope));
        const all = standing(scope).filter(
          (credential) =>
            (user === undefined || credential.user === user) && (ServiceName === undefined || credential.serviceName === ServiceName),
        );
        const { items, ...rest } = paged(all, ({ id }) => id, marker);
        return { ServiceSpecificCredentials: items.map(shown), ...rest };
      },
    ),
    ...queryOperation(
      'UpdateServiceSpecificCredential',
      z.strictObject({ ...one, Status: z.enum(['Active', 'Inactive']) }),
      ({ UserName }, scope) => [userNeed(store, scope, 'UpdateServiceSpecificCredential', UserName ?? callerName(scope))],
      ({ UserName, ServiceSpecificCredentialId, Status }, scope) => {
        const credential = found(scope, UserName, ServiceSpecificCredentialId);
        credential.status = Status;
        credential.endedAt = Status === 'Active' ? undefined : (credential.endedAt ?? scope.clock.now());
        return {};
      },
    ),
    ...queryOperation(
      'DeleteServiceSpecificCredential',
      z.strictObject(one),
      ({ UserName }, scope) => [userNeed(store, scope, 'DeleteServiceSpecificCredential', UserName ?? callerName(scope))],
      ({ UserName, ServiceSpecificCredentialId }, scope) => {
        const credential = found(scope, UserName, ServiceSpecificCredentialId);
        credential.deletedAt = scope.clock.now();
        credential.endedAt ??= credential.deletedAt;
        return {};
      },
    ),
  };
}

/** Whether a user has credentials that keep it from being deleted. Throws NoSuchEntity. */
export function hasServiceCredentials(store: IdentityStore, scope: Scope, name: string): boolean {
  const user = accountOf(store, scope).users.get(name.toLowerCase());
  return [...store.serviceCredentials.values()].some((credential) => credential.user === user && credential.deletedAt === undefined);
}

function shown(credential: ServiceCredential): object {
  return {
    UserName: credential.user.name,
    Status: credential.status,
    ServiceName: credential.serviceName,
    ServiceCredentialAlias: credential.alias,
    ServiceSpecificCredentialId: credential.id,
    CreateDate: credential.createdAt,
    ExpirationDate: credential.expiresAt,
  };
}
