import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { customerTemplate } from '../../functions/byoc/probe/customer-template.ts';
import { createPublishTemplate } from '../../functions/byoc/publish-template.s3.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

let aws: LocalAws;
let s3: S3Client;
beforeAll(async () => {
  aws = await startLocalAws();
  const { accessKeyId, secretAccessKey } = aws.kernel.addAccount(aws.accountId);
  s3 = new S3Client({
    endpoint: aws.endpoint,
    region: aws.region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
  });
  await s3.send(new CreateBucketCommand({ Bucket: 'templates' }));
});
afterAll(async () => {
  s3.destroy();
  await aws.close();
});

it('the template lies under its version, and stays as it is when it is published again', async () => {
  const template = customerTemplate('Resources: {}\n');
  const publish = createPublishTemplate(s3, 'templates', template);
  expect(await publish()).toBe(template.version);
  expect(await publish()).toBe(template.version);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'templates', Key: template.key }));
  expect(await Body?.transformToString()).toBe('Resources: {}\n');
  // Another text under this key cannot be: what is there is not overwritten.
  await createPublishTemplate(s3, 'templates', { ...template, text: 'forged' })();
  const kept = await s3.send(new GetObjectCommand({ Bucket: 'templates', Key: template.key }));
  expect(await kept.Body?.transformToString()).toBe('Resources: {}\n');
});

it('a template that cannot be published is not offered', async () => {
  const publish = createPublishTemplate(s3, 'nowhere', customerTemplate('x'));
  await expect(publish()).rejects.toMatchObject({ code: 'AWS_REFUSED' });
  aws.kernel.faults.add({ service: 's3', action: 'PutObject', nth: 1, mode: 'before' });
  await expect(createPublishTemplate(s3, 'templates', customerTemplate('y'))()).rejects.toMatchObject({
    code: 'AWS_UNAVAILABLE',
    retryable: true,
  });
});
