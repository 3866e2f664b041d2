import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DataCloud, refusal, startDataCloud } from './data-cloud.ts';

const tokenA = 'a'.repeat(32);
const tokenB = 'b'.repeat(32);
const tokenC = 'c'.repeat(32);

let cloud: DataCloud;
let count = 0;
beforeAll(async () => {
  cloud = await startDataCloud();
});

async function makeSecret(value = 'sk-value'): Promise<{ name: string }> {
  const name = `cordon/acme/credential${++count}`;
  await cloud.secrets(cloud.root, 'CreateSecret', { Name: name, SecretString: value, KmsKeyId: cloud.keyArn, ClientRequestToken: tokenA });
  return { name };
}

/** Labels by version ID. */
async function labelsOf(name: string): Promise<Record<string, readonly string[]>> {
  const { VersionIdsToStages } = await cloud.secrets(cloud.root, 'DescribeSecret', { SecretId: name });
  return z.record(z.string(), z.array(z.string())).parse(VersionIdsToStages);
}

describe('versions and staging labels', () => {
  it('answers a repeated creation alike, and refuses the same token with another value', async () => {
    const input = { Name: `cordon/acme/again${++count}`, SecretString: 'one', KmsKeyId: cloud.keyArn, ClientRequestToken: tokenA };
    const first = await cloud.secrets(cloud.root, 'CreateSecret', input);
    expect(await cloud.secrets(cloud.root, 'CreateSecret', input)).toEqual(first);
    expect(await refusal(cloud.secrets(cloud.root, 'CreateSecret', { ...input, SecretString: 'two' }))).toMatchObject({
      code: 'ResourceExistsException',
    });
    expect(await refusal(cloud.secrets(cloud.root, 'CreateSecret', { ...input, ClientRequestToken: tokenB }))).toMatchObject({
      code: 'ResourceExistsException',
    });
  });

  it('makes one secret of two creations at the same time', async () => {
    const input = { Name: `cordon/acme/race${++count}`, SecretString: 'one', KmsKeyId: cloud.keyArn, ClientRequestToken: tokenA };
    const [one, other] = await Promise.all([
      cloud.secrets(cloud.root, 'CreateSecret', input),
      cloud.secrets(cloud.root, 'CreateSecret', input),
    ]);
    expect(one).toEqual(other);
  });

  it('moves AWSCURRENT to a new value and AWSPREVIOUS to the old one', async () => {
    const { name } = await makeSecret('one');
    await cloud.secrets(cloud.root, 'PutSecretValue', { SecretId: name, SecretString: 'two', ClientRequestToken: tokenB });
    await cloud.secrets(cloud.root, 'PutSecretValue', { SecretId: name, SecretString: 'three', ClientRequestToken: tokenC });
    expect(await cloud.secrets(cloud.root, 'GetSecretValue', { SecretId: name })).toMatchObject({ SecretString: 'three' });
    expect(await cloud.secrets(cloud.root, 'GetSecretValue', { SecretId: name, VersionStage: 'AWSPREVIOUS' })).toMatchObject({
      SecretString: 'two',
    });
    expect(await cloud.secrets(cloud.root, 'GetSecretValue', { SecretId: name, VersionId: tokenA })).toMatchObject({
      SecretString: 'one',
      VersionStages: [],
    });
  });

  it('leaves AWSCURRENT alone when a value is staged as AWSPENDING, and promotes it only from the version named', async () => {
    const { name } = await makeSecret('one');
    const pending = { SecretId: name, SecretString: 'two', ClientRequestToken: tokenB, VersionStages: ['AWSPENDING'] };
    await cloud.secrets(cloud.root, 'PutSecretValue', pending);
    expect(await cloud.secrets(cloud.root, 'GetSecretValue', { SecretId: name })).toMatchObject({ SecretString: 'one' });
    const promote = { SecretId: name, VersionStage: 'AWSCURRENT', MoveToVersionId: tokenB };
    expect(await refusal(cloud.secrets(cloud.root, 'UpdateSecretVersionStage', promote))).toMatchObject({
      code: 'InvalidParameterException',
    });
    expect(await refusal(cloud.secrets(cloud.root, 'UpdateSecretVersionStage', { ...promote, RemoveFromVersionId: tokenB }))).toMatchObject(
      { code: 'InvalidParameterException' },
    );
    await cloud.secrets(cloud.root, 'UpdateSecretVersionStage', { ...promote, RemoveFromVersionId: tokenA });
    const { VersionIdsToStages } = await cloud.secrets(cloud.root, 'DescribeSecret', { SecretId: name });
    expect(VersionIdsToStages).toEqual({ [tokenA]: ['AWSPREVIOUS'], [tokenB]: ['AWSPENDING', 'AWSCURRENT'] });
    const takeAway = { SecretId: name, VersionStage: 'AWSCURRENT', RemoveFromVersionId: tokenB };
    expect(await refusal(cloud.secrets(cloud.root, 'UpdateSecretVersionStage', takeAway))).toMatchObject({
      code: 'InvalidParameterException',
    });
    await cloud.secrets(cloud.root, 'UpdateSecretVersionStage', { ...takeAway, VersionStage: 'AWSPENDING' });
    const { Versions } = await cloud.secrets(cloud.root, 'ListSecretVersionIds', { SecretId: name });
    expect(Versions).toHaveLength(2);
  });

  it('moves a label only from the version that has it: who names another one is late, also when the label is where it should go', async () => {
    const { name } = await makeSecret('one');
    const before = await labelsOf(name);
    const [current = ''] = Object.keys(before);
    await cloud.secrets(cloud.root, 'PutSecretValue', {
      ...{ SecretId: name, SecretString: 'two', ClientRequestToken: tokenB, VersionStages: ['AWSPENDING'] },
    });
    const promote = { SecretId: name, VersionStage: 'AWSCURRENT', MoveToVersionId: tokenB, RemoveFromVersionId: current };
    await cloud.secrets(cloud.root, 'UpdateSecretVersionStage', promote);
    expect(await refusal(cloud.secrets(cloud.root, 'UpdateSecretVersionStage', promote))).toMatchObject({
      code: 'InvalidParameterException',
    });
    const takeOff = { SecretId: name, VersionStage: 'AWSPENDING', RemoveFromVersionId: current };
    expect(await refusal(cloud.secrets(cloud.root, 'UpdateSecretVersionStage', takeOff))).toMatchObject({
      code: 'InvalidParameterException',
    });
    expect(await labelsOf(name)).toEqual({ [current]: ['AWSPREVIOUS'], [tokenB]: ['AWSPENDING', 'AWSCURRENT'] });
  });

  it('goes back with AWSPREVIOUS on the version that AWSCURRENT left', async () => {
    const { name } = await makeSecret('one');
    const [first = ''] = Object.keys(await labelsOf(name));
    await cloud.secrets(cloud.root, 'PutSecretValue', { SecretId: name, SecretString: 'two', ClientRequestToken: tokenB });
    await cloud.secrets(cloud.root, 'UpdateSecretVersionStage', {
      ...{ SecretId: name, VersionStage: 'AWSCURRENT', MoveToVersionId: first, RemoveFromVersionId: tokenB },
    });
    expect(await labelsOf(name)).toEqual({ [first]: ['AWSCURRENT'], [tokenB]: ['AWSPREVIOUS'] });
  });

  it('holds a version without labels to be out of use: described no more, readable by its ID until it goes', async () => {
    const { name } = await makeSecret('one');
    const [first = ''] = Object.keys(await labelsOf(name));
    await cloud.secrets(cloud.root, 'PutSecretValue', { SecretId: name, SecretString: 'two', ClientRequestToken: tokenB });
    await cloud.secrets(cloud.root, 'UpdateSecretVersionStage', {
      SecretId: name,
      VersionStage: 'AWSPREVIOUS',
      RemoveFromVersionId: first,
    });
    expect(await labelsOf(name)).toEqual({ [tokenB]: ['AWSCURRENT'] });
    expect(await cloud.secrets(cloud.root, 'ListSecretVersionIds', { SecretId: name, IncludeDeprecated: true })).toMatchObject({
      Versions: [{ VersionId: first, VersionStages: [] }, { VersionId: tokenB }],
    });
    expect(await cloud.secrets(cloud.root, 'GetSecretValue', { SecretId: name, VersionId: first })).toMatchObject({ SecretString: 'one' });
  });

  it('takes twenty labels on all versions of a secret together, and changes nothing when one is too many', async () => {
    const { name } = await makeSecret('one');
    const [first = ''] = Object.keys(await labelsOf(name));
    const label = (VersionStage: string, MoveToVersionId: string) =>
      cloud.secrets(cloud.root, 'UpdateSecretVersionStage', { SecretId: name, VersionStage, MoveToVersionId });
    await cloud.secrets(cloud.root, 'PutSecretValue', {
      ...{ SecretId: name, SecretString: 'two', ClientRequestToken: tokenB, VersionStages: ['AWSPENDING'] },
    });
    for (let n = 0; n < 9; n += 1) await Promise.all([label(`ours-${n}`, first), label(`theirs-${n}`, tokenB)]);
    expect(await refusal(label('one-more', first))).toMatchObject({ code: 'LimitExceededException' });
    // AWSCURRENT that moves would bring AWSPREVIOUS, the twenty-first.
    const third = { SecretId: name, SecretString: 'three', ClientRequestToken: tokenC };
    expect(await refusal(cloud.secrets(cloud.root, 'PutSecretValue', third))).toMatchObject({ code: 'LimitExceededException' });
    const labels = await labelsOf(name);
    expect(Object.keys(labels)).toEqual([first, tokenB]);
    expect(Object.values(labels).flat()).toHaveLength(20);
    await cloud.secrets(cloud.root, 'PutSecretValue', { ...third, VersionStages: ['AWSPENDING'] });
    expect((await labelsOf(name))[tokenC]).toEqual(['AWSPENDING']);
  });

  it('writes a value once per token and refuses the token with another value', async () => {
    const { name } = await makeSecret('one');
    const put = { SecretId: name, SecretString: 'two', ClientRequestToken: tokenB };
    await cloud.secrets(cloud.root, 'PutSecretValue', put);
    expect(await cloud.secrets(cloud.root, 'PutSecretValue', put)).toMatchObject({ VersionId: tokenB, VersionStages: ['AWSCURRENT'] });
    expect(await refusal(cloud.secrets(cloud.root, 'PutSecretValue', { ...put, SecretString: 'three' }))).toMatchObject({
      code: 'ResourceExistsException',
    });
  });

  it('keeps a hundred versions and drops the oldest unlabelled one only after a day', async () => {
    const { name } = await makeSecret('one');
    for (let n = 1; n < 100; n++) await cloud.secrets(cloud.root, 'PutSecretValue', { SecretId: name, SecretString: `value ${n}` });
    expect(await refusal(cloud.secrets(cloud.root, 'PutSecretValue', { SecretId: name, SecretString: 'more' }))).toMatchObject({
      code: 'LimitExceededException',
    });
    cloud.clock.advance(86_400_000);
    await cloud.secrets(cloud.root, 'PutSecretValue', { SecretId: name, SecretString: 'more' });
    expect(await refusal(cloud.secrets(cloud.root, 'GetSecretValue', { SecretId: name, VersionId: tokenA }))).toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('takes 64 KiB and not a byte more', async () => {
    const { name } = await makeSecret();
    await cloud.secrets(cloud.root, 'PutSecretValue', { SecretId: name, SecretString: 'x'.repeat(65_536) });
    expect(await refusal(cloud.secrets(cloud.root, 'PutSecretValue', { SecretId: name, SecretString: 'é'.repeat(32_769) }))).toMatchObject({
      code: 'ValidationException',
    });
  });
});
