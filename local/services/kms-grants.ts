/**
 * Grants: permission to use a key, given to one principal beside the key's policy. A grant counts like an Allow of the key's policy that names the principal; a Deny of that
 * policy stays above it. No retiring by token. Source: KMS Developer Guide, "Grants in AWS KMS"; API Reference, CreateGrant.
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Operation } from '../core/service.ts';
import type { PolicyDocument, PolicyStatement } from '../iam/policy.ts';
import { existingKey, type Key, type KeyStore, keyNeed, ownKey } from './kms-keys.ts';
import { operation } from './typed-operation.ts';

const grantable = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
] as const;
const constraints = z.strictObject({
  EncryptionContextEquals: z.record(z.string(), z.string()).optional(),
  EncryptionContextSubset: z.record(z.string(), z.string()).optional(),
});
const principal = z.string().min(1).max(256);
const createInput = z.strictObject({
  KeyId: z.string().min(1),
  GranteePrincipal: principal,
  RetiringPrincipal: principal.optional(),
  Operations: z.array(z.enum(grantable)).min(1),
  Constraints: constraints.optional(),
  Name: z.string().min(1).max(256).optional(),
});
const page = { Limit: z.number().int().min(1).max(100).optional(), Marker: z.string().optional() };

export interface Grant extends Omit<z.output<typeof createInput>, 'KeyId'> {
  readonly id: string;
  readonly createdAt: number;
}

export function grantOperations(store: KeyStore): Record<string, Operation> {
  return {
    CreateGrant: operation(createInput, {
      needs: (input, scope) => [
        keyNeed(store, 'CreateGrant', store.resolve(input.KeyId, scope.accountId), scope, {
          'kms:GrantOperations': input.Operations,
          'kms:GranteePrincipal': input.GranteePrincipal,
          'kms:RetiringPrincipal': input.RetiringPrincipal,
          'kms:GrantIsForAWSResource': 'false',
          ...(input.Constraints === undefined
            ? {}
            : {
                'kms:GrantConstraintType':
                  input.Constraints.EncryptionContextEquals === undefined ? 'EncryptionContextSubset' : 'EncryptionContextEquals',
              }),
        }),
      ],
      run({ KeyId, ...members }, scope) {
        const key = existingKey(store.resolve(KeyId, scope.accountId));
        const id = createHash('sha256').update(randomBytes(32)).digest('hex');
        key.grants.set(id, { ...members, id, createdAt: scope.clock.now() });
        return { GrantId: id, GrantToken: randomBytes(48).toString('base64') };
      },
    }),
    ListGrants: operation(z.strictObject({ KeyId: z.string().min(1), ...page }), {
      needs: (input, scope) => [keyNeed(store, 'ListGrants', store.resolve(input.KeyId, scope.accountId), scope)],
      run(input, scope) {
        const key = existingKey(store.resolve(input.KeyId, scope.accountId));
        const all = [...key.grants.values()];
        const start = Number(input.Marker ?? 0);
        const end = start + (input.Limit ?? 50);
        const Grants = all.slice(start, end).map(({ id, createdAt, ...members }) => ({
          ...members,
          GrantId: id,
          KeyId: key.arn,
          CreationDate: createdAt / 1000,
          IssuingAccount: `arn:aws:iam::${key.accountId}:root`,
        }));
        return end < all.length ? { Grants, Truncated: true, NextMarker: String(end) } : { Grants, Truncated: false };
      },
    }),
    RevokeGrant: operation(z.strictObject({ KeyId: z.string().min(1), GrantId: z.string().min(1) }), {
      needs: (input, scope) => [keyNeed(store, 'RevokeGrant', store.resolve(input.KeyId, scope.accountId), scope)],
      run(input, scope) {
        if (!ownKey(store.resolve(input.KeyId, scope.accountId), scope).grants.delete(input.GrantId))
          throw new AwsError('NotFoundException', `Grant ${input.GrantId} is not found.`);
        return {};
      },
    }),
  };
}

const documents = new WeakMap<PolicyDocument, { grants: string; document: PolicyDocument }>();

/** The key's policy, and its grants as what they come to. It stays the same object as long as neither changes: compiled policies are cached by it. */
export function policyWithGrants({ policy, grants }: Pick<Key, 'policy' | 'grants'>): PolicyDocument {
  if (grants.size === 0) return policy;
  const ids = [...grants.keys()].join();
  const known = documents.get(policy);
  if (known?.grants === ids) return known.document;
  const document = { ...policy, Statement: [policy.Statement].flat().concat([...grants.values()].map(asStatement)) };
  documents.set(policy, { grants: ids, document });
  return document;
}

function asStatement({ id, GranteePrincipal, Operations, Constraints }: Grant): PolicyStatement {
  const { EncryptionContextEquals: exactly, EncryptionContextSubset: atLeast } = Constraints ?? {};
  const values = { ...atLeast, ...exactly };
  const names = Object.keys(exactly ?? {});
  return {
    Sid: `Grant${id.slice(0, 8)}`,
    Effect: 'Allow',
    Principal: GranteePrincipal.endsWith('.amazonaws.com') ? { Service: GranteePrincipal } : { AWS: GranteePrincipal },
    Action: Operations.map((name) => `kms:${name}`),
    Resource: '*',
    ...(Object.keys(values).length > 0 && {
      Condition: {
        StringEquals: Object.fromEntries(Object.entries(values).map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
        ...(names.length > 0 && { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': names } }),
      },
    }),
  };
}
