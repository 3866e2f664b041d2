import { beforeEach, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { allow, customer, makeUser, policy, startCloud, stringIn } from '../core/cloud.ts';

let kernel: LocalKernel;
let root: Caller;
let advance: (ms: number) => void;
beforeEach(async () => {
  const cloud = startCloud();
  ({ kernel, root } = cloud);
  advance = (ms) => cloud.clock.advance(ms);
  await iam('CreateUser', { UserName: 'cordon.acme', Path: '/cordon/tenants/' });
});

const iam = (operation: string, input: object, caller = root) => kernel.call(caller, 'iam', operation, input);
const ServiceName = 'bedrock.amazonaws.com';
const user = { UserName: 'cordon.acme' };
const create = async (more: object = {}, caller = root) =>
  (await iam('CreateServiceSpecificCredential', { ...user, ServiceName, ...more }, caller)).ServiceSpecificCredential;
const idOf = (credential: unknown) => ({ ...user, ServiceSpecificCredentialId: stringIn(credential, 'ServiceSpecificCredentialId') });
const list = async (input: object = user) => (await iam('ListServiceSpecificCredentials', input)).ServiceSpecificCredentials;
const gone = { code: 'NoSuchEntity', status: 404 };
const userArn = 'arn:aws:iam::111122223333:user/cordon/tenants/cordon.acme';

describe('service-specific credentials', () => {
  it('are shown with their secret once', async () => {
    const made = await create();
    expect(made).toMatchObject({
      ...user,
      ServiceName,
      Status: 'Active',
      ServiceCredentialAlias: expect.stringMatching(/^cordon\.acme\+1-at-111122223333$/),
      ServiceCredentialSecret: expect.stringMatching(/^ABSK/),
      ServiceSpecificCredentialId: expect.stringMatching(/^ACCA[A-Z2-7]{17}$/),
      CreateDate: expect.any(Date),
    });
    const [listed] = Object(await list());
    expect(listed).toMatchObject(idOf(made));
    expect(listed).not.toHaveProperty('ServiceCredentialSecret');
  });

  it('are two at most for a user, also when one is inactive', async () => {
    const first = await create();
    await iam('UpdateServiceSpecificCredential', { ...idOf(first), Status: 'Inactive' });
    await create();
    await expect(create()).rejects.toMatchObject({ code: 'LimitExceeded', status: 409 });
    await iam('CreateUser', { UserName: 'other' });
    await create({ UserName: 'other' });
    await iam('DeleteServiceSpecificCredential', idOf(first));
    await expect(create()).resolves.toMatchObject({ ServiceCredentialAlias: 'cordon.acme+3-at-111122223333' });
  });

  it('are listed by user and service, and of all users when asked', async () => {
    await create();
    await create();
    await iam('CreateUser', { UserName: 'other' });
    await create({ UserName: 'other' });
    expect(await list()).toHaveLength(2);
    expect(await list({ ...user, ServiceName: 'codecommit.amazonaws.com' })).toEqual([]);
    expect(await list({ AllUsers: 'true' })).toHaveLength(3);
    const page = await iam('ListServiceSpecificCredentials', { ...user, MaxItems: '1' });
    expect(page).toMatchObject({ IsTruncated: true, ServiceSpecificCredentials: { length: 1 } });
    const next = await iam('ListServiceSpecificCredentials', { ...user, MaxItems: '1', Marker: page.Marker });
    expect(next).toMatchObject({ IsTruncated: false, ServiceSpecificCredentials: { length: 1 } });
    await expect(list({ ...user, AllUsers: 'true' })).rejects.toMatchObject({ code: 'ValidationError' });
  });

  it('are gone when they are deleted', async () => {
    const made = await create();
    await iam('DeleteServiceSpecificCredential', idOf(made));
    expect(await list()).toEqual([]);
    await expect(iam('DeleteServiceSpecificCredential', idOf(made))).rejects.toMatchObject(gone);
    await expect(iam('UpdateServiceSpecificCredential', { ...idOf(made), Status: 'Active' })).rejects.toMatchObject(gone);
  });

  it('are their user’s, and keep it from being deleted', async () => {
    const made = await create();
    await iam('CreateUser', { UserName: 'other' });
    await expect(iam('DeleteServiceSpecificCredential', { ...idOf(made), UserName: 'other' })).rejects.toMatchObject(gone);
    await expect(iam('DeleteServiceSpecificCredential', idOf(made), kernel.rootCaller(customer))).rejects.toMatchObject(gone);
    await expect(iam('DeleteUser', user)).rejects.toMatchObject({ code: 'DeleteConflict' });
    await iam('DeleteServiceSpecificCredential', idOf(made));
    await expect(iam('DeleteUser', user)).resolves.toEqual({});
  });

  it('expire when they were told to, within a hundred years', async () => {
    const made = await create({ CredentialAgeDays: '30' });
    const { CreateDate, ExpirationDate } = Object(made);
    expect(ExpirationDate - CreateDate).toBe(30 * 86_400_000);
    advance(31 * 86_400_000);
    expect(await list()).toMatchObject([{ ExpirationDate }]);
    for (const CredentialAgeDays of ['0', '36601', 'x'])
      await expect(create({ CredentialAgeDays })).rejects.toMatchObject({ code: 'ValidationError' });
  });

  it('need the permission on the user, and say which service and for how long', async () => {
    const conditioned = { Condition: { StringEquals: { 'iam:ServiceSpecificCredentialServiceName': ServiceName } } };
    const admin = await makeUser(kernel, 'key-maker', policy(allow('iam:CreateServiceSpecificCredential', userArn, conditioned)));
    await expect(create({}, admin)).resolves.toMatchObject(user);
    await iam('CreateUser', { UserName: 'other' });
    await expect(create({ UserName: 'other' }, admin)).rejects.toMatchObject({ code: 'AccessDenied' });
    for (const operation of ['UpdateServiceSpecificCredential', 'DeleteServiceSpecificCredential'])
      await expect(
        iam(
          operation,
          { ...user, ServiceSpecificCredentialId: `ACCA${'A'.repeat(17)}`, ...(operation[0] === 'U' && { Status: 'Inactive' }) },
          admin,
        ),
      ).rejects.toMatchObject({
        code: 'AccessDenied',
      });
    const short = { Condition: { NumericLessThanEquals: { 'iam:ServiceSpecificCredentialAgeDays': '90' } } };
    const careful = await makeUser(kernel, 'careful', policy(allow('iam:CreateServiceSpecificCredential', userArn, short)));
    await expect(create({ CredentialAgeDays: '91' }, careful)).rejects.toMatchObject({ code: 'AccessDenied' });
    await expect(create({ CredentialAgeDays: '90' }, careful)).resolves.toMatchObject(user);
  });

  it('are for Bedrock only, here', async () => {
    await expect(create({ ServiceName: 'codecommit.amazonaws.com' })).rejects.toMatchObject(gone);
    await expect(iam('ResetServiceSpecificCredential', user)).rejects.toMatchObject({ code: 'NotImplemented' });
  });
});
