/** The local KMS: symmetric and signing keys, their policies, aliases and tags. Source: AWS KMS API Reference. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, LocalService, Need, Operation, Scope } from '../core/service.ts';
import { aliasOperations } from './kms-aliases.ts';
import { cryptoOperations } from './kms-crypto.ts';
import { grantOperations } from './kms-grants.ts';
import { keyPairOperations } from './kms-key-pairs.ts';
import { createKeyStore, existingKey, type Key, type KeyStore, keyNeed, ownKey } from './kms-keys.ts';
import { checkedPolicy, defaultPolicy, policyOperations, policyText } from './kms-policies.ts';
import { purposeMembers, purposeOf, purposeShown } from './kms-purpose.ts';
import { signingOperations } from './kms-signing.ts';
import { refusedOperation } from './refused-operation.ts';
import { type ConditionContext, kmsTagList, requestTagContext, tagKeys, tagsOf, withoutTags, withTags } from './tagging-context.ts';
import { operation } from './typed-operation.ts';

const dayMs = 86_400_000;
const keyId = z.string().min(1).max(2048);
const onlyKey = z.strictObject({ KeyId: keyId });
/** Operations on one key that nothing here uses: decided by IAM, then not implemented. */
const refused = [
  'RetireGrant',
  'GenerateMac',
  'VerifyMac',
  'ImportKeyMaterial',
  'ReplicateKey',
  'RotateKeyOnDemand',
  'UpdateKeyDescription',
  'ListKeyPolicies',
];

/** KMS for every account of the cloud. Keys of another account are reached by ARN, when both sides allow it. */
export function createKms(kernel: Kernel): LocalService {
  const store = createKeyStore(kernel);
  return {
    signingName: 'kms',
    protocol: 'json',
    targetPrefix: 'TrentService',
    operations: {
      ...keyOperations(store),
      ...policyOperations(store),
      ...grantOperations(store),
      ...stateOperations(store),
      ...aliasOperations(store),
      ...cryptoOperations(store),
      ...keyPairOperations(store),
      ...signingOperations(store),
      ...refusedOperations(store),
    },
  };
}

function keyOperations(store: KeyStore): Record<string, Operation> {
  const need = (action: string, id: string, scope: Scope, context?: ConditionContext): Need =>
    keyNeed(store, action, store.resolve(id, scope.accountId), scope, context);
  // IAM is asked about the ARN that the key is about to get, so the ID is chosen before the work.
  const chosen = new WeakMap<Scope, string>();
  return {
    CreateKey: operation(
      z.strictObject({
        Policy: policyText.optional(),
        Description: z.string().max(8192).optional(),
        ...purposeMembers,
        Origin: z.literal('AWS_KMS').optional(),
        MultiRegion: z.literal(false).optional(),
        BypassPolicyLockoutSafetyCheck: z.boolean().optional(),
        Tags: kmsTagList.optional(),
      }),
      {
        needs: (input, scope) => {
          const id = store.newKeyId();
          chosen.set(scope, id);
          const { spec, usage } = purposeOf(input);
          const tags = requestTagContext(keyTags(input.Tags));
          const context: ConditionContext = {
            ...tags,
            'kms:CallerAccount': scope.caller.accountId,
            'kms:KeySpec': spec,
            'kms:KeyUsage': usage,
            'kms:KeyOrigin': 'AWS_KMS',
            'kms:MultiRegion': 'false',
            'kms:BypassPolicyLockoutSafetyCheck': String(input.BypassPolicyLockoutSafetyCheck ?? false),
          };
          const create = { action: 'kms:CreateKey', resource: '*', context };
          if (input.Tags === undefined || input.Tags.length === 0) return [create];
          return [
            create,
            {
              action: 'kms:TagResource',
              resource: store.keyArn(scope.accountId, id),
              context: { ...tags, 'kms:CallerAccount': scope.caller.accountId },
            },
          ];
        },
        run: (input, scope) => {
          const id = chosen.get(scope) ?? store.newKeyId();
          // A repeated run of one request (a duplicated call) makes a second key, as it would in AWS.
          chosen.delete(scope);
          const text = input.Policy ?? defaultPolicy(scope.accountId);
          const policy = checkedPolicy(text, store.keyArn(scope.accountId, id), scope, input.BypassPolicyLockoutSafetyCheck);
          const key = store.add(scope.accountId, id, text, policy, purposeOf(input));
          key.description = input.Description ?? '';
          key.tags = keyTags(input.Tags);
          return { KeyMetadata: metadata(key) };
        },
      },
    ),
    DescribeKey: operation(onlyKey, {
      needs: (input, scope) => [need('DescribeKey', input.KeyId, scope)],
      run: (input, scope) => ({ KeyMetadata: metadata(existingKey(store.resolve(input.KeyId, scope.accountId))) }),
    }),
    ListKeys: operation(z.strictObject({ Limit: z.number().int().min(1).max(1000).optional(), Marker: z.string().optional() }), {
      needs: () => [{ action: 'kms:ListKeys', resource: '*' }],
      run: (input, scope) => {
        const all = store.keys(scope.accountId);
        const start = input.Marker === undefined ? 0 : Number(input.Marker);
        const end = start + (input.Limit ?? 100);
        const page = all.slice(start, end).map((key) => ({ KeyId: key.id, KeyArn: key.arn }));
        return end < all.length ? { Keys: page, Truncated: true, NextMarker: String(end) } : { Keys: page, Truncated: false };
      },
    }),
    ListResourceTags: operation(onlyKey, {
      needs: (input, scope) => [need('ListResourceTags', input.KeyId, scope)],
      run(input, scope) {
        const { tags } = ownKey(store.resolve(input.KeyId, scope.accountId), scope);
        return { Tags: [...tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })), Truncated: false };
      },
    }),
    TagResource: operation(z.strictObject({ KeyId: keyId, Tags: kmsTagList.min(1) }), {
      needs: (input, scope) => [need('TagResource', input.KeyId, scope, requestTagContext(keyTags(input.Tags)))],
      run: (input, scope) => {
        const key = ownKey(store.resolve(input.KeyId, scope.accountId), scope);
        key.tags = withTags(key.tags, keyTags(input.Tags), 'LimitExceededException');
        return {};
      },
    }),
    UntagResource: operation(z.strictObject({ KeyId: keyId, TagKeys: tagKeys.min(1) }), {
      needs: (input, scope) => [need('UntagResource', input.KeyId, scope, { 'aws:TagKeys': input.TagKeys })],
      run: (input, scope) => {
        const key = ownKey(store.resolve(input.KeyId, scope.accountId), scope);
        key.tags = withoutTags(key.tags, input.TagKeys);
        return {};
      },
    }),
  };
}

function stateOperations(store: KeyStore): Record<string, Operation> {
  const change = (name: string, work: (key: Key) => object): Operation =>
    operation(onlyKey, {
      needs: (input, scope) => [keyNeed(store, name, store.resolve(input.KeyId, scope.accountId), scope)],
      run: (input, scope) => work(ownKey(store.resolve(input.KeyId, scope.accountId), scope)),
    });
  const switchTo = (key: Key, state: 'Enabled' | 'Disabled'): object => {
    notPendingDeletion(key);
    key.state = state;
    return {};
  };
  const rotate = (key: Key, rotates: boolean): object => {
    notPendingDeletion(key);
    if (key.purpose.spec !== 'SYMMETRIC_DEFAULT')
      throw new AwsError('UnsupportedOperationException', `${key.arn} is an asymmetric key: AWS KMS does not rotate its material.`);
    key.rotates = rotates;
    return {};
  };
  return {
    EnableKey: change('EnableKey', (key) => switchTo(key, 'Enabled')),
    DisableKey: change('DisableKey', (key) => switchTo(key, 'Disabled')),
    EnableKeyRotation: change('EnableKeyRotation', (key) => rotate(key, true)),
    DisableKeyRotation: change('DisableKeyRotation', (key) => rotate(key, false)),
    GetKeyRotationStatus: change('GetKeyRotationStatus', (key) => ({
      KeyId: key.arn,
      KeyRotationEnabled: key.rotates,
      ...(key.rotates ? { RotationPeriodInDays: 365 } : {}),
    })),
    CancelKeyDeletion: change('CancelKeyDeletion', (key) => {
      if (key.state !== 'PendingDeletion') throw new AwsError('KMSInvalidStateException', `${key.arn} is not pending deletion.`);
      key.state = 'Disabled';
      key.deletesAt = undefined;
      return { KeyId: key.arn };
    }),
    ScheduleKeyDeletion: operation(z.strictObject({ KeyId: keyId, PendingWindowInDays: z.number().int().min(7).max(30).optional() }), {
      needs: (input, scope) => [
        keyNeed(store, 'ScheduleKeyDeletion', store.resolve(input.KeyId, scope.accountId), scope, {
          'kms:ScheduleKeyDeletionPendingWindowInDays': String(input.PendingWindowInDays ?? 30),
        }),
      ],
      run: (input, scope) => {
        const key = ownKey(store.resolve(input.KeyId, scope.accountId), scope);
        notPendingDeletion(key);
        key.state = 'PendingDeletion';
        key.deletesAt = scope.clock.now() + (input.PendingWindowInDays ?? 30) * dayMs;
        return {
          KeyId: key.arn,
          DeletionDate: key.deletesAt / 1000,
          KeyState: key.state,
          PendingWindowInDays: input.PendingWindowInDays ?? 30,
        };
      },
    }),
  };
}

function refusedOperations(store: KeyStore): Record<string, Operation> {
  const onNamedKey = (action: string, id: unknown, scope: Scope): Need =>
    typeof id === 'string' ? keyNeed(store, action, store.resolve(id, scope.accountId), scope) : { action: `kms:${action}`, resource: '*' };
  return {
    ReEncrypt: refusedOperation('KMS ReEncrypt', (input, scope) => [
      onNamedKey('ReEncryptFrom', input.SourceKeyId, scope),
      onNamedKey('ReEncryptTo', input.DestinationKeyId, scope),
    ]),
    GenerateRandom: refusedOperation('KMS GenerateRandom', () => [{ action: 'kms:GenerateRandom', resource: '*' }]),
    ...Object.fromEntries(
      refused.map((name) => [name, refusedOperation(`KMS ${name}`, (input, scope) => [onNamedKey(name, input.KeyId, scope)])]),
    ),
  };
}

function keyTags(list: readonly { TagKey: string; TagValue: string }[] | undefined): ReadonlyMap<string, string> {
  return tagsOf(list?.map((tag) => ({ Key: tag.TagKey, Value: tag.TagValue })));
}

function notPendingDeletion(key: Key): void {
  if (key.state === 'PendingDeletion') throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
}

function metadata(key: Key): object {
  return {
    AWSAccountId: key.accountId,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: key.createdAt / 1000,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyState: key.state,
    ...(key.deletesAt === undefined ? {} : { DeletionDate: key.deletesAt / 1000 }),
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    ...purposeShown(key.purpose),
    MultiRegion: false,
  };
}
