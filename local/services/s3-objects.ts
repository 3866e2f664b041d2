/** S3's objects: put, read, deleted. Source: Amazon S3 API Reference. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Operation, Scope } from '../core/service.ts';
import { type Bucket, type Buckets, bucketNeed, bucketOf, type StoredObject } from './s3-buckets.ts';
import { operation } from './typed-operation.ts';

const onObject = z.strictObject({
  Bucket: z.string(),
  Key: z
    .string()
    .min(1)
    .refine((key) => Buffer.byteLength(key) <= 1024, 'KeyTooLongError'),
});
/** What is answered always carries its checksum. */
const readObject = onObject.extend({ ChecksumMode: z.literal('ENABLED').optional() });
const putObject = onObject.extend({
  Body: z.union([z.instanceof(Uint8Array), z.string()]).default(''),
  ContentType: z.string().default('binary/octet-stream'),
  CacheControl: z.string().optional(),
  ContentMD5: z.string().optional(),
  ChecksumAlgorithm: z.literal('CRC32').optional(),
  ChecksumCRC32: z.string().optional(),
  IfNoneMatch: z.literal('*').optional(),
});

export function objectOperations(buckets: Buckets): Record<string, Operation> {
  const need =
    (action: string) =>
    ({ Bucket: name, Key }: { Bucket: string; Key: string }, scope: Scope) => [bucketNeed(bucketOf(buckets, name), scope, action, Key)];
  const read = operation(readObject, {
    needs: need('GetObject'),
    run({ Bucket: name, Key }, scope) {
      const bucket = bucketOf(buckets, name);
      return shown(bucket.objects.get(Key) ?? missing(bucket, scope));
    },
  });
  return {
    GetObject: read,
    HeadObject: read,
    PutObject: operation(putObject, {
      needs: ({ Bucket: name, Key, IfNoneMatch }, scope) => [
        bucketNeed(bucketOf(buckets, name), scope, 'PutObject', Key, { 's3:if-none-match': IfNoneMatch }),
      ],
      run(input, scope) {
        const { objects } = bucketOf(buckets, input.Bucket);
        const body = typeof input.Body === 'string' ? Buffer.from(input.Body) : input.Body;
        const md5 = createHash('md5').update(body);
        const checksum = checksumOf(body);
        if (input.ContentMD5 !== undefined && input.ContentMD5 !== md5.copy().digest('base64')) throw badDigest('Content-MD5');
        if (input.ChecksumCRC32 !== undefined && input.ChecksumCRC32 !== checksum) throw badDigest('CRC32');
        if (input.IfNoneMatch === '*' && objects.has(input.Key))
          throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
        const etag = `"${md5.digest('hex')}"`;
        objects.set(input.Key, {
          // A copy: the caller may go on using its buffer.
          body: Uint8Array.from(body),
          contentType: input.ContentType,
          cacheControl: input.CacheControl,
          etag,
          checksum,
          modifiedAt: new Date(scope.clock.now()),
        });
        return { ETag: etag, ChecksumCRC32: checksum };
      },
    }),
    /** Succeeds for what is not there, too. */
    DeleteObject: operation(onObject, {
      needs: need('DeleteObject'),
      run({ Bucket: name, Key }) {
        bucketOf(buckets, name).objects.delete(Key);
        return {};
      },
    }),
  };
}

/** Who may not list the bucket does not learn what is not in it ("GetObject", Permissions). */
function missing(bucket: Bucket, scope: Scope): never {
  scope.authorize(bucketNeed(bucket, scope, 'ListBucket'));
  throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
}

function shown({ body, contentType, cacheControl, etag, checksum, modifiedAt }: StoredObject): object {
  return {
    Body: body,
    ContentLength: body.length,
    ContentType: contentType,
    ...(cacheControl === undefined ? {} : { CacheControl: cacheControl }),
    ETag: etag,
    ChecksumCRC32: checksum,
    LastModified: modifiedAt,
  };
}

function checksumOf(body: Uint8Array): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}

function badDigest(which: string): AwsError {
  return new AwsError('BadDigest', `The ${which} you specified did not match what we received.`);
}
