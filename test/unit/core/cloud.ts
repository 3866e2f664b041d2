/** A kernel with IAM, STS and one made-up service, for tests of the core. */

import type { Clock } from '../../../local/core/clock.ts';
import { createClock } from '../../../local/core/clock.ts';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import { createKernel } from '../../../local/core/kernel.ts';
import type { Caller, LocalService } from '../../../local/core/service.ts';
import { createIam } from '../../../local/services/iam.ts';
import { createSts } from '../../../local/services/sts.ts';

export const platform = '111122223333';
export const customer = '444455556666';
export const otherCustomer = '777788889999';

export function startCloud(): { kernel: LocalKernel; clock: Clock; root: Caller; admin: Caller } {
  const clock = createClock();
  const kernel = createKernel({ clock, customerAccountIds: [customer, otherCustomer] });
  kernel.register(createIam(kernel));
  kernel.register(createSts(kernel));
  return { kernel, clock, root: kernel.rootCaller(platform), admin: callerOf(kernel, kernel.addAccount(platform).accessKeyId) };
}

export function callerOf(kernel: LocalKernel, accessKeyId: string): Caller {
  const caller = kernel.callerOf(accessKeyId);
  if (caller === undefined) throw new Error(`nobody is behind ${accessKeyId}`);
  return caller;
}

/** Stands for Secrets Manager: `GetSecretValue` answers what was asked for, so that a test can see that the work was done. */
export function echoService(
  more: Partial<LocalService> = {},
): LocalService & { readonly done: string[]; readonly needed: Record<string, string>[] } {
  const done: string[] = [];
  const needed: Record<string, string>[] = [];
  return {
    signingName: 'secretsmanager',
    protocol: 'json',
    targetPrefix: 'secretsmanager',
    done,
    needed,
    operations: {
      GetSecretValue: {
        needs: ({ SecretId }) => [{ action: 'secretsmanager:GetSecretValue', resource: String(SecretId) }],
        run: ({ SecretId }, scope) => {
          done.push(String(SecretId));
          return { ARN: SecretId, RequestId: scope.requestId, DeliverTwice: scope.deliverTwice === true };
        },
      },
    },
    ...more,
  };
}

export function policy(...statements: object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

export function allow(action: string | string[], resource: string | string[] = '*', more: object = {}): object {
  return { Effect: 'Allow', Action: action, Resource: resource, ...more };
}

export function trust(principal: object | string, more: object = {}, actions: string[] = ['sts:AssumeRole', 'sts:TagSession']): string {
  return policy({ Sid: 'Trust', Effect: 'Allow', Principal: principal, Action: actions, ...more });
}

/** Makes an IAM user with one inline policy and answers who it is. */
export async function makeUser(kernel: LocalKernel, name: string, document: string | undefined, accountId = platform): Promise<Caller> {
  const root = kernel.rootCaller(accountId);
  await kernel.call(root, 'iam', 'CreateUser', { UserName: name });
  if (document !== undefined) {
    await kernel.call(root, 'iam', 'PutUserPolicy', { UserName: name, PolicyName: 'Own', PolicyDocument: document });
  }
  const { AccessKey } = await kernel.call(root, 'iam', 'CreateAccessKey', { UserName: name });
  return callerOf(kernel, stringIn(AccessKey, 'AccessKeyId'));
}

/** Makes a role with one inline policy; answers its ARN. */
export async function makeRole(
  kernel: LocalKernel,
  name: string,
  trustPolicy: string,
  document?: string,
  more: object = {},
  accountId = platform,
): Promise<string> {
  const root = kernel.rootCaller(accountId);
  const { Role } = await kernel.call(root, 'iam', 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: trustPolicy, ...more });
  if (document !== undefined) {
    await kernel.call(root, 'iam', 'PutRolePolicy', { RoleName: name, PolicyName: 'Own', PolicyDocument: document });
  }
  return stringIn(Role, 'Arn');
}

export async function assume(kernel: LocalKernel, caller: Caller, RoleArn: string, more: object = {}): Promise<Caller> {
  const { Credentials } = await kernel.call(caller, 'sts', 'AssumeRole', { RoleArn, RoleSessionName: 'session', ...more });
  return callerOf(kernel, stringIn(Credentials, 'AccessKeyId'));
}

/** The string member `name` of a value; throws when it has none. */
export function stringIn(value: unknown, name: string): string {
  const member: unknown = typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
  if (typeof member !== 'string') throw new Error(`there is no string ${name} in ${JSON.stringify(value)}`);
  return member;
}
