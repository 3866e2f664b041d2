/** Key policies: the wall that stands before IAM's. Source: KMS Developer Guide, "Key policies in AWS KMS". */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Operation, Scope } from '../core/service.ts';
import { compilePolicy, evaluate, requestContext } from '../iam/evaluate.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { type KeyStore, keyNeed, ownKey } from './kms-keys.ts';
import { parseResourcePolicy } from './resource-policy.ts';
import { operation } from './typed-operation.ts';

const keyId = z.string().min(1).max(2048);
export const policyText = z.string().min(1).max(32_768);

export function policyOperations(store: KeyStore): Record<string, Operation> {
  const policyName = z.literal('default').optional();
  return {
    GetKeyPolicy: operation(z.strictObject({ KeyId: keyId, PolicyName: policyName }), {
      needs: (input, scope) => [keyNeed(store, 'GetKeyPolicy', store.resolve(input.KeyId, scope.accountId), scope)],
      run: (input, scope) => ({ Policy: ownKey(store.resolve(input.KeyId, scope.accountId), scope).policyText, PolicyName: 'default' }),
    }),
    PutKeyPolicy: operation(
      z.strictObject({ KeyId: keyId, PolicyName: policyName, Policy: policyText, BypassPolicyLockoutSafetyCheck: z.boolean().optional() }),
      {
        needs: (input, scope) => [
          keyNeed(store, 'PutKeyPolicy', store.resolve(input.KeyId, scope.accountId), scope, {
            'kms:BypassPolicyLockoutSafetyCheck': String(input.BypassPolicyLockoutSafetyCheck ?? false),
          }),
        ],
        run: (input, scope) => {
          const key = ownKey(store.resolve(input.KeyId, scope.accountId), scope);
          key.policy = checkedPolicy(input.Policy, key.arn, scope, input.BypassPolicyLockoutSafetyCheck);
          key.policyText = input.Policy;
          return {};
        },
      },
    ),
  };
}

/**
 * Parses a key policy and refuses one that would shut its author out for good: the policy must let the caller put the next policy, by itself or
 * by handing the decision to the account's IAM policies. Source: KMS Developer Guide, "Default key policy"; API Reference, PutKeyPolicy.
 */
export function checkedPolicy(text: string, keyArn: string, scope: Scope, bypass: boolean | undefined): PolicyDocument {
  const document = parseResourcePolicy('key policy', text, 'MalformedPolicyDocumentException');
  if (bypass === true) return document;
  const { caller } = scope;
  const everything: PolicyDocument = { Statement: { Sid: 'Everything', Effect: 'Allow', Action: '*', Resource: '*' } };
  const tags = Object.fromEntries(Object.entries(caller.tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value]));
  const decision = evaluate({
    principal: caller.principal,
    action: 'kms:PutKeyPolicy',
    resource: keyArn,
    context: requestContext({
      ...caller.context,
      ...tags,
      'aws:PrincipalArn': caller.principal.roleArn ?? caller.principal.arn,
      'aws:PrincipalAccount': caller.accountId,
      'kms:CallerAccount': caller.accountId,
    }),
    identity: [compilePolicy('identity policies of the caller', 'identity', everything)],
    resourcePolicy: compilePolicy('key policy', 'resource', document),
    resourceAccountId: scope.accountId,
    resourcePolicyRequired: true,
  });
  if (!decision.allowed) {
    throw new AwsError('MalformedPolicyDocumentException', 'The new key policy will not allow you to update the key policy in the future.');
  }
  return document;
}

/** Source: KMS Developer Guide, "Default key policy": the account decides by its IAM policies. */
export function defaultPolicy(accountId: string): string {
  const Statement = [
    {
      Sid: 'Enable IAM User Permissions',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ];
  return JSON.stringify({ Version: '2012-10-17', Id: 'key-default-1', Statement });
}
