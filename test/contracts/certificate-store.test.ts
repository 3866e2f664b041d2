import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateStore } from '../../functions/revocation/certificate/certificate-store.dynamodb.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { acme, certificateStoreContract, newCertificate, newPart } from './certificate-store.suite.ts';
import { createMemoryCertificateStore } from './fakes/memory-certificate-store.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const clock = (): number => Date.now();
const nextId = createIds(clock);

certificateStoreContract('memory', async () => createMemoryCertificateStore({ clock, nextId }));

describe('on the local cloud', () => {
  let aws: LocalAws;
  beforeAll(async () => {
    aws = await startLocalAws();
  });
  afterAll(() => aws.close());

  const storeOn = (table: string) => createCertificateStore({ client: aws.admin.dynamodb, table, clock, nextId });
  // Each test its own table: certificates have the same IDs in all of them.
  certificateStoreContract('DynamoDB', async () => storeOn(await aws.makeTable()));

  it('takes a repetition of its own write for the success it was', async () => {
    const store = storeOn(await aws.makeTable());
    aws.kernel.faults.add({ service: 'dynamodb', action: 'PutItem', nth: 1, mode: 'duplicate' });
    await store.addPart(newPart(1));
    aws.kernel.faults.add({ service: 'dynamodb', action: 'PutItem', nth: 1, mode: 'duplicate' });
    expect(await store.addCertificate(newCertificate())).toMatchObject({ version: 1, signature: 'MEUC' });
  });

  it('says so when an item is of a form it does not know', async () => {
    const table = await aws.makeTable();
    const { certificateId } = newCertificate();
    const Item = { pk: { S: 'TENANT#acme#' }, sk: { S: `CERTIFICATE#${certificateId}` }, kind: { S: 'CERTIFICATE' }, parts: { N: '0' } };
    await aws.admin.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
    await expect(storeOn(table).certificate(acme, certificateId)).rejects.toMatchObject({ code: 'ITEM_NOT_UNDERSTOOD', retryable: true });
  });
});
