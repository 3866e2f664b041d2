/** S3's buckets: made, deleted, their policies and Block Public Access. Source: Amazon S3 API Reference; Service Authorization Reference, "Amazon S3". */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { parseResourcePolicy } from './resource-policy.ts';
import { deniesOf, everythingBlocked, isPublic, type PublicAccessBlock, publicAccessBlock, statementsOf } from './s3-public-access.ts';
import { operation } from './typed-operation.ts';

export interface StoredObject {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly cacheControl: string | undefined;
  /** With its quotes. */
  readonly etag: string;
  /** Of the CRC-32, base64. */
  readonly checksum: string;
  readonly modifiedAt: Date;
}

export interface Bucket {
  readonly name: string;
  readonly arn: string;
  readonly accountId: string;
  readonly objects: Map<string, StoredObject>;
  /** `denies`: the part that is left of a public policy where it is restricted. Both keep their identity: compiled policies are cached by it. */
  policy?: { readonly text: string; readonly document: PolicyDocument; readonly denies: PolicyDocument; readonly isPublic: boolean };
  publicAccess: PublicAccessBlock;
}

/** Names are one space over all accounts. */
export type Buckets = Map<string, Bucket>;

export const bucketName = z.string().regex(/^(?!xn--)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/, 'InvalidBucketName');
const onBucket = z.strictObject({ Bucket: z.string() });

/** @throws AwsError NoSuchBucket: a name's existence is no secret in S3. */
export function bucketOf(buckets: Buckets, name: string): Bucket {
  const bucket = buckets.get(name);
  if (bucket === undefined) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
  return bucket;
}

/** On the bucket, or with `key` on an object in it. */
export function bucketNeed(bucket: Bucket, scope: Scope, action: string, key?: string, context: Need['context'] = {}): Need {
  const { policy, publicAccess, accountId } = bucket;
  const isRestricted = publicAccess.RestrictPublicBuckets && policy?.isPublic === true && scope.caller.accountId !== accountId;
  const isSigned = scope.caller.principal.kind !== 'anonymous';
  return {
    action: `s3:${action}`,
    resource: key === undefined ? bucket.arn : `${bucket.arn}/${key}`,
    resourceAccountId: accountId,
    context: {
      's3:ResourceAccount': accountId,
      // As `aws:SecureTransport`: loopback stands for TLS.
      's3:TlsVersion': '1.3',
      ...(isSigned ? { 's3:authType': 'REST-HEADER', 's3:signatureversion': 'AWS4-HMAC-SHA256' } : {}),
      ...context,
    },
    ...(policy === undefined
      ? {}
      : { resourcePolicy: { name: `bucket ${bucket.name}`, document: isRestricted ? policy.denies : policy.document } }),
  };
}

export function bucketOperations(buckets: Buckets): Record<string, Operation> {
  const need = (action: string) => (input: { Bucket: string }, scope: Scope) => [
    bucketNeed(bucketOf(buckets, input.Bucket), scope, action),
  ];
  const arnOf = (name: string): string => `arn:aws:s3:::${name}`;
  return {
    CreateBucket: operation(z.strictObject({ Bucket: bucketName }), {
      needs: ({ Bucket }) => [{ action: 's3:CreateBucket', resource: arnOf(Bucket) }],
      run({ Bucket: name }, { accountId }) {
        const existing = buckets.get(name);
        if (existing !== undefined && existing.accountId !== accountId)
          throw new AwsError('BucketAlreadyExists', 'The requested bucket name is not available.', 409);
        if (existing === undefined)
          buckets.set(name, { name, arn: arnOf(name), accountId, objects: new Map(), publicAccess: everythingBlocked });
        return { Location: `/${name}` };
      },
    }),
    HeadBucket: operation(onBucket, { needs: need('ListBucket'), run: () => ({}) }),
    DeleteBucket: operation(onBucket, {
      needs: need('DeleteBucket'),
      run({ Bucket }) {
        if (bucketOf(buckets, Bucket).objects.size > 0)
          throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
        buckets.delete(Bucket);
        return {};
      },
    }),
    PutBucketPolicy: operation(z.strictObject({ Bucket: z.string(), Policy: z.string().min(1).max(20_480) }), {
      needs: need('PutBucketPolicy'),
      run({ Bucket, Policy }) {
        const bucket = bucketOf(buckets, Bucket);
        const document = parseResourcePolicy(`bucket ${bucket.name}`, Policy, 'MalformedPolicy');
        refuseForeignResources(bucket, document);
        const policy = { text: Policy, document, denies: deniesOf(document), isPublic: isPublic(document) };
        if (policy.isPublic && bucket.publicAccess.BlockPublicPolicy) {
          const why = 'public policies are blocked by the BlockPublicPolicy block public access setting';
          throw new AwsError('AccessDenied', `User is not authorized to perform: s3:PutBucketPolicy because ${why}.`, 403);
        }
        bucket.policy = policy;
        return {};
      },
    }),
    GetBucketPolicy: operation(onBucket, {
      needs: need('GetBucketPolicy'),
      run({ Bucket }) {
        const { policy } = bucketOf(buckets, Bucket);
        if (policy === undefined) throw new AwsError('NoSuchBucketPolicy', 'The bucket policy does not exist', 404);
        return { Policy: policy.text };
      },
    }),
    DeleteBucketPolicy: operation(onBucket, {
      needs: need('DeleteBucketPolicy'),
      run({ Bucket }) {
        delete bucketOf(buckets, Bucket).policy;
        return {};
      },
    }),
    PutPublicAccessBlock: operation(z.strictObject({ Bucket: z.string(), PublicAccessBlockConfiguration: publicAccessBlock }), {
      needs: need('PutBucketPublicAccessBlock'),
      run({ Bucket, PublicAccessBlockConfiguration }) {
        bucketOf(buckets, Bucket).publicAccess = PublicAccessBlockConfiguration;
        return {};
      },
    }),
    GetPublicAccessBlock: operation(onBucket, {
      needs: need('GetBucketPublicAccessBlock'),
      run: ({ Bucket }) => ({ PublicAccessBlockConfiguration: bucketOf(buckets, Bucket).publicAccess }),
    }),
  };
}

/** @throws AwsError MalformedPolicy for a statement about anything but this bucket. */
function refuseForeignResources({ arn }: Bucket, document: PolicyDocument): void {
  for (const { Resource } of statementsOf(document)) {
    const resources = [Resource ?? []].flat();
    const isOwn = resources.length > 0 && resources.every((resource) => resource === arn || resource.startsWith(`${arn}/`));
    if (!isOwn) throw new AwsError('MalformedPolicy', 'Policy has invalid resource');
  }
}
