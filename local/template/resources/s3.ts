import { z } from 'zod';
import { policyDocument, type ResourceHandlers, resource, unlessGone } from '../resource-handler.ts';

/** Text in a template, a truth value in a synthesized one. */
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).default(false);
const gone = 'NoSuchBucket';

export const s3Resources: ResourceHandlers = {
  'AWS::S3::Bucket': resource(
    z.strictObject({
      BucketName: z.string().optional(),
      PublicAccessBlockConfiguration: z
        .strictObject({ BlockPublicAcls: flag, IgnorePublicAcls: flag, BlockPublicPolicy: flag, RestrictPublicBuckets: flag })
        .optional(),
    }),
    {
      BucketEncryption: 'the local objects live in memory',
      LifecycleConfiguration: 'the local cloud is thrown away before anything is old',
      OwnershipControls: 'there are no ACLs here: the owner owns every object',
      Tags: 'nothing is decided by the tags of a bucket',
      VersioningConfiguration: 'an old version cannot be asked for here',
    },
    async ({ BucketName, PublicAccessBlockConfiguration }, { region, call, physicalName, made }) => {
      const Bucket = BucketName ?? physicalName(63).toLowerCase();
      await call('s3', 'CreateBucket', { Bucket });
      const domain = `${Bucket}.s3.amazonaws.com`;
      const RegionalDomainName = `${Bucket}.s3.${region}.amazonaws.com`;
      const created = { physicalId: Bucket, attributes: { Arn: `arn:aws:s3:::${Bucket}`, DomainName: domain, RegionalDomainName } };
      made(created);
      if (PublicAccessBlockConfiguration !== undefined)
        await call('s3', 'PutPublicAccessBlock', { Bucket, PublicAccessBlockConfiguration });
      return created;
    },
    { remove: (_, { physicalId: Bucket }, { call }) => unlessGone(call('s3', 'DeleteBucket', { Bucket }), gone) },
  ),
  'AWS::S3::BucketPolicy': resource(
    z.strictObject({ Bucket: z.string(), PolicyDocument: policyDocument }),
    {},
    async ({ Bucket, PolicyDocument }, { call }) => {
      await call('s3', 'PutBucketPolicy', { Bucket, Policy: JSON.stringify(PolicyDocument) });
      return { physicalId: Bucket, attributes: {} };
    },
    { remove: ({ Bucket }, _, { call }) => unlessGone(call('s3', 'DeleteBucketPolicy', { Bucket }), gone) },
  ),
};
