import { z } from 'zod';
import { policyDocument, type ResourceHandlers, resource, tagList, textOf } from '../resource-handler.ts';

export const kmsResources: ResourceHandlers = {
  'AWS::KMS::Key': resource(
    z.strictObject({
      Description: z.string().optional(),
      KeyPolicy: policyDocument.optional(),
      KeySpec: z.string().optional(),
      KeyUsage: z.string().optional(),
      EnableKeyRotation: z.boolean().default(false),
      Tags: tagList,
    }),
    { PendingWindowInDays: 'the local cloud deletes no stack' },
    async ({ KeyPolicy, EnableKeyRotation, Tags, ...properties }, { call }) => {
      const answer = await call('kms', 'CreateKey', {
        ...properties,
        ...(KeyPolicy === undefined ? {} : { Policy: JSON.stringify(KeyPolicy) }),
        ...(Tags === undefined ? {} : { Tags: Tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })) }),
      });
      const KeyId = textOf(answer, 'KeyMetadata', 'KeyId');
      if (EnableKeyRotation) await call('kms', 'EnableKeyRotation', { KeyId });
      return { physicalId: KeyId, attributes: { KeyId, Arn: textOf(answer, 'KeyMetadata', 'Arn') } };
    },
  ),
  'AWS::KMS::Alias': resource(z.strictObject({ AliasName: z.string(), TargetKeyId: z.string() }), {}, async (properties, { call }) => {
    await call('kms', 'CreateAlias', properties);
    return { physicalId: properties.AliasName, attributes: {} };
  }),
};
