import { beforeAll, describe, expect, it } from 'vitest';
import { allow, makeRole, platform, trust } from '../core/cloud.ts';
import { type DataCloud, refusal, startDataCloud, text } from './data-cloud.ts';

let cloud: DataCloud;
const arns: Record<string, string> = {};
beforeAll(async () => {
  cloud = await startDataCloud();
  for (const tenant of ['acme', 'globex']) {
    const { KeyMetadata } = await cloud.kms(cloud.root, 'CreateKey', { Tags: [{ TagKey: 'TenantId', TagValue: tenant }] });
    arns[`key ${tenant}`] = text(KeyMetadata, 'Arn');
    const Tags = [
      { Key: 'TenantId', Value: tenant },
      { Key: 'Tier', Value: 'pool' },
    ];
    arns[`secret ${tenant}`] = text(
      await cloud.secrets(cloud.root, 'CreateSecret', { Name: `cordon/${tenant}/a`, SecretString: 'x', KmsKeyId: cloud.keyArn, Tags }),
      'ARN',
    );
  }
  arns.role = await makeRole(cloud.kernel, 'TenantAgent-acme', trust({ AWS: `arn:aws:iam::${platform}:root` }), undefined, {
    Tags: [{ Key: 'TenantId', Value: 'acme' }],
  });
});

async function find(input: object): Promise<string[]> {
  const { ResourceTagMappingList } = await cloud.kernel.call(cloud.root, 'tagging', 'GetResources', input);
  return Array.isArray(ResourceTagMappingList) ? ResourceTagMappingList.map((found: unknown) => text(found, 'ResourceARN')).sort() : [];
}

describe('GetResources', () => {
  it('finds what carries a tenant’s tag, of every kind', async () => {
    const mine = [arns['key acme'], arns['secret acme'], arns.role].sort();
    expect(await find({ TagFilters: [{ Key: 'TenantId', Values: ['acme'] }] })).toEqual(mine);
  });

  it('narrows by resource type and by several filters, and leaves out what has no tags', async () => {
    expect(await find({ ResourceTypeFilters: ['kms:key'], TagFilters: [{ Key: 'TenantId', Values: ['acme'] }] })).toEqual([
      arns['key acme'],
    ]);
    expect(await find({ TagFilters: [{ Key: 'TenantId' }, { Key: 'Tier', Values: ['pool', 'dedicated'] }] })).toEqual(
      [arns['secret acme'], arns['secret globex']].sort(),
    );
    expect(await find({ ResourceTypeFilters: ['kms'] })).not.toContain(cloud.keyArn);
    expect(await find({ TagFilters: [{ Key: 'TenantId', Values: ['acme-2'] }] })).toEqual([]);
  });

  it('hands out long lists in pages', async () => {
    const first = await cloud.kernel.call(cloud.root, 'tagging', 'GetResources', {
      ResourceTypeFilters: ['secretsmanager:secret'],
      ResourcesPerPage: 1,
    });
    const PaginationToken = text(first, 'PaginationToken');
    const second = await cloud.kernel.call(cloud.root, 'tagging', 'GetResources', {
      ResourceTypeFilters: ['secretsmanager:secret'],
      ResourcesPerPage: 1,
      PaginationToken,
    });
    expect(
      [text(first, 'ResourceTagMappingList', 0, 'ResourceARN'), text(second, 'ResourceTagMappingList', 0, 'ResourceARN')].sort(),
    ).toEqual([arns['secret acme'], arns['secret globex']].sort());
    expect(text(second, 'PaginationToken')).toBe('');
  });

  it('needs tag:GetResources, and refuses a type it cannot look into', async () => {
    const acme = await cloud.tenant('acme', allow('kms:*'));
    expect(await refusal(cloud.kernel.call(acme, 'tagging', 'GetResources', {}))).toMatchObject({ code: 'AccessDeniedException' });
    expect(await refusal(cloud.kernel.call(cloud.root, 'tagging', 'GetResources', { ResourceTypeFilters: ['s3'] }))).toMatchObject({
      code: 'NotImplemented',
    });
  });
});
