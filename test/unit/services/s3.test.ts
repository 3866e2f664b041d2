import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import aws4 from 'aws4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import { type LocalServer, startServer } from '../../../local/core/server.ts';
import { createS3 } from '../../../local/services/s3.ts';
import { allow, customer, makeUser, platform, policy, startCloud } from '../core/cloud.ts';

let kernel: LocalKernel;
let server: LocalServer;
let s3: S3Client;
let foreign: S3Client;
const clients: S3Client[] = [];

const clientOf = (credentials: { accessKeyId: string; secretAccessKey: string }): S3Client => {
  const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  clients.push(client);
  return client;
};
const keysOf = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: kernel.secretOf(accessKeyId)?.secretAccessKey ?? '' });
const arn = (Bucket: string, key = '') => `arn:aws:s3:::${Bucket}${key === '' ? '' : `/${key}`}`;
const readableByAll = (Bucket: string, prefix = '*') => allow('s3:GetObject', arn(Bucket, prefix), { Sid: 'Everyone', Principal: '*' });

let buckets = 0;
/** A bucket of the platform without Block Public Access, with a policy when statements are given. */
async function makeBucket(statements: (name: string) => object[] = () => [], blocked = false): Promise<string> {
  const Bucket = `bucket-${++buckets}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  if (!blocked) await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { BlockPublicPolicy: false } }));
  const Statement = statements(Bucket);
  if (Statement.length > 0) await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policy(...Statement) }));
  return Bucket;
}
const put = (Bucket: string, Key: string, Body = 'text', more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const read = async (client: S3Client, Bucket: string, Key: string): Promise<string | undefined> =>
  await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();

beforeAll(async () => {
  ({ kernel } = startCloud());
  kernel.register(createS3());
  server = await startServer(kernel, { port: 0 });
  s3 = clientOf(kernel.addAccount(platform));
  foreign = clientOf(kernel.addAccount(customer));
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await server.close();
});

describe('S3 with the stock client', () => {
  it('keeps what was put, with its type and checksum, until it is deleted', async () => {
    const Bucket = await makeBucket();
    const Key = "customer-role/a b+c'(1).yaml";
    const { ETag } = await put(Bucket, Key, 'Resources: {}\n', { ContentType: 'application/yaml', CacheControl: 'immutable' });
    const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(await answer.Body?.transformToString()).toBe('Resources: {}\n');
    expect(answer).toMatchObject({ ETag, ContentType: 'application/yaml', CacheControl: 'immutable', ContentLength: 14 });
    expect(answer.LastModified).toBeInstanceOf(Date);
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({ ETag, ContentLength: 14 });
    await expect(s3.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await expect(read(s3, Bucket, Key)).rejects.toMatchObject({ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: 'NotFound' });
    await s3.send(new DeleteBucketCommand({ Bucket }));
    await expect(s3.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('puts an object only once with If-None-Match', async () => {
    const Bucket = await makeBucket();
    await put(Bucket, 'once', 'first', { IfNoneMatch: '*' });
    await expect(put(Bucket, 'once', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(await read(s3, Bucket, 'once')).toBe('first');
    await put(Bucket, 'once', 'third');
    expect(await read(s3, Bucket, 'once')).toBe('third');
  });

  it('refuses a body that is not what its checksum says', async () => {
    const Bucket = await makeBucket();
    await expect(put(Bucket, 'x', 'text', { ChecksumCRC32: 'AAAAAA==' })).rejects.toMatchObject({ name: 'BadDigest' });
  });

  it('says of what it does not know that it is not implemented', async () => {
    const Bucket = await makeBucket();
    await put(Bucket, 'x');
    const unknown = { name: 'NotImplemented' };
    await expect(s3.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject(unknown);
    await expect(put(Bucket, 'x', 'text', { ACL: 'public-read' })).rejects.toMatchObject(unknown);
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'x', VersionId: 'v1' }))).rejects.toMatchObject(unknown);
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'x', Range: 'bytes=0-1' }))).rejects.toMatchObject(unknown);
  });

  it('takes a signature over an unsigned payload, and none made with another key', async () => {
    const Bucket = await makeBucket();
    await put(Bucket, 'dir/ä b', 'text');
    const { host } = new URL(server.endpoint);
    const fetchSigned = async (credentials: { accessKeyId: string; secretAccessKey: string }): Promise<Response> => {
      const path = `/${Bucket}/dir/%C3%A4%20b`;
      const { headers = {} } = aws4.sign({ service: 's3', region: 'us-east-1', host, path, method: 'GET' }, credentials);
      const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
      return await fetch(`${server.endpoint}${path}`, { headers: sent });
    };
    const admin = kernel.addAccount(platform);
    expect(await (await fetchSigned(admin)).text()).toBe('text');
    const forged = await fetchSigned({ ...admin, secretAccessKey: 'guessed' });
    expect(forged.status).toBe(403);
    expect(await forged.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});

describe('S3 permissions', () => {
  it('come from the identity policies within the account, and from both sides across accounts', async () => {
    const Bucket = await makeBucket((name) => [allow('s3:GetObject', arn(name, 'shared/*'), { Principal: { AWS: customer } })], true);
    await put(Bucket, 'shared/x', 'shared');
    await put(Bucket, 'private', 'private');
    const reader = await makeUser(kernel, 'reader', policy(allow('s3:GetObject', arn(Bucket, 'shared/*'))));
    const own = clientOf(keysOf(reader.accessKeyId));
    expect(await read(own, Bucket, 'shared/x')).toBe('shared');
    await expect(read(own, Bucket, 'private')).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    await expect(own.send(new PutObjectCommand({ Bucket, Key: 'shared/x', Body: 'x' }))).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(await read(foreign, Bucket, 'shared/x')).toBe('shared');
    await expect(read(foreign, Bucket, 'private')).rejects.toMatchObject({ name: 'AccessDenied' });
    const idle = clientOf(keysOf((await makeUser(kernel, 'idle', undefined, customer)).accessKeyId));
    await expect(read(idle, Bucket, 'shared/x')).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('hide from those who may not list the bucket whether an object is missing', async () => {
    const Bucket = await makeBucket();
    const reader = await makeUser(kernel, 'blind', policy(allow('s3:GetObject', arn(Bucket, '*'))));
    await expect(read(clientOf(keysOf(reader.accessKeyId)), Bucket, 'missing')).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('let nobody in without a signature but by a policy that names everyone', async () => {
    const Bucket = await makeBucket((name) => [
      readableByAll(name, 'customer-role/*'),
      {
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [arn(name), arn(name, '*')],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ]);
    await put(Bucket, 'customer-role/1.yaml', 'public');
    await put(Bucket, 'private', 'private');
    const unsigned = { status: 400, text: expect.stringContaining('MissingAuthenticationToken') };
    const plain = async (path: string, method = 'GET') => {
      const answer = await fetch(`${server.endpoint}/${path}`, { method });
      return { status: answer.status, text: await answer.text() };
    };
    expect(await plain(`${Bucket}/customer-role/1.yaml`)).toEqual({ status: 200, text: 'public' });
    expect(await plain(`${Bucket}/private`)).toMatchObject({ status: 403, text: expect.stringContaining('<Code>AccessDenied</Code>') });
    expect(await plain(`${Bucket}/customer-role/2.yaml`)).toMatchObject({ status: 403 });
    expect(await plain(`${Bucket}/customer-role/1.yaml`, 'PUT')).toMatchObject(unsigned);
    expect(await plain(`${Bucket}/customer-role/1.yaml`, 'DELETE')).toMatchObject(unsigned);
    expect(await plain(`${Bucket}?policy`)).toMatchObject(unsigned);
    expect(await plain('no-such-bucket/x')).toMatchObject(unsigned);
    expect(await plain(`${Bucket}/customer-role/1.yaml?X-Amz-Signature=00`)).toMatchObject(unsigned);
    expect(await plain(`${Bucket}/customer-role/1.yaml?versionId=1`)).toMatchObject({ status: 501 });
    const record = kernel.journal.since().findLast(({ resource }) => resource === arn(Bucket, 'private'));
    expect(record).toMatchObject({ principal: 'anonymous', decision: 'deny', action: 's3:GetObject' });
  });

  it('are not opened to nobody by a policy for accounts, or by a Deny that does not apply', async () => {
    const Bucket = await makeBucket((name) => [
      allow('s3:GetObject', arn(name, '*'), { Principal: { AWS: [platform, customer] } }),
      allow('s3:GetObject', arn(name, '*'), { Principal: '*', Condition: { StringEquals: { 'aws:PrincipalAccount': customer } } }),
    ]);
    await put(Bucket, 'x');
    expect((await fetch(`${server.endpoint}/${Bucket}/x`)).status).toBe(403);
  });
});

describe('Block Public Access', () => {
  it('is on for a new bucket, and refuses a public policy', async () => {
    const Bucket = await makeBucket(() => [], true);
    const Policy = policy(readableByAll(Bucket));
    await expect(s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))).rejects.toMatchObject({ name: 'AccessDenied' });
    const PublicAccessBlockConfiguration = { BlockPublicAcls: true, IgnorePublicAcls: true };
    await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy);
  });

  it('keeps other accounts and nobody out of a public bucket that is restricted', async () => {
    const Bucket = await makeBucket((name) => [readableByAll(name)]);
    await put(Bucket, 'x', 'text');
    expect(await read(foreign, Bucket, 'x')).toBe('text');
    await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } }));
    await expect(read(foreign, Bucket, 'x')).rejects.toMatchObject({ name: 'AccessDenied' });
    expect((await fetch(`${server.endpoint}/${Bucket}/x`)).status).toBe(403);
    expect(await read(s3, Bucket, 'x')).toBe('text');
  });

  it.each<[what: string, isPublic: boolean, condition: object]>([
    ['narrowed to an organization', false, { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } }],
    ['narrowed to an account by a pattern', true, { StringLike: { 'aws:SourceAccount': '*' } }],
    ['with a condition that narrows nobody', true, { Bool: { 'aws:SecureTransport': 'true' } }],
  ])('counts a policy for everyone %s as public: %s', async (_, isPublic, Condition) => {
    const Bucket = await makeBucket(() => [], true);
    const Policy = policy({ ...readableByAll(Bucket), Condition });
    const putting = s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    if (isPublic) await expect(putting).rejects.toMatchObject({ name: 'AccessDenied' });
    else await putting;
  });

  it.each<[string, object]>([
    ['about another bucket', allow('s3:GetObject', arn('other', '*'), { Principal: { AWS: customer } })],
    ['without principal', allow('s3:GetObject', arn('bucket', '*'))],
    ['with an unknown key', allow('s3:GetObject', arn('bucket', '*'), { Principal: '*', Condition: { Bool: { 'aws:Secure': 'true' } } })],
  ])('takes no policy %s', async (_, statement) => {
    const Bucket = await makeBucket();
    const Policy = policy(statement).replaceAll('arn:aws:s3:::bucket/', `${arn(Bucket)}/`);
    await expect(s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))).rejects.toMatchObject({ name: 'MalformedPolicy' });
  });
});
