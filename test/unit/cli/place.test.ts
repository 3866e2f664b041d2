import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLocalProfile } from '../../../cli/cloud/local-profile.ts';
import { placeOf } from '../../../cli/cloud/stack-outputs.ts';
import { emptyDirectory } from './fake-io.ts';

const outputs = {
  EventBusName: 'bus',
  EventLogGroup: 'log',
  RegistryTable: 'registry',
  AttributionTable: 'attribution',
  IsolationTable: 'isolation',
  TenantAuditorRoleArn: 'arn:aws:iam::111122223333:role/cordon/TenantAuditor',
  FunctionTenantsArn: 'arn:aws:lambda:us-east-1:111122223333:function:tenants',
  QueueTenantsUrl: 'https://sqs/tenants',
  QueueTenantsDlqUrl: 'https://sqs/tenants-dlq',
  QueueCutOffUrl: 'https://sqs/cut-off',
  QueueCutOffDlqUrl: 'https://sqs/cut-off-dlq',
  QueueLonelyDlqUrl: 'https://sqs/lonely-dlq',
};

describe('P3 a deployed stack', () => {
  it('is known by its outputs, with each worker’s pair of queues', () => {
    expect(placeOf('Cordon', outputs)).toMatchObject({
      label: 'the stack Cordon',
      registryTable: 'registry',
      queues: {
        tenants: { url: 'https://sqs/tenants', dlqUrl: 'https://sqs/tenants-dlq' },
        cutOff: { url: 'https://sqs/cut-off', dlqUrl: 'https://sqs/cut-off-dlq' },
      },
    });
    expect(Object.keys(placeOf('Cordon', outputs).queues)).toEqual(['tenants', 'cutOff']);
  });

  it('is refused by name when it is another one', () => {
    const { RegistryTable: _missing, ...others } = outputs;
    expect(() => placeOf('Shop', others)).toThrow(
      expect.objectContaining({ code: 'STACK_UNKNOWN', message: expect.stringMatching(/Shop.*RegistryTable/) }),
    );
  });
});

describe('P3 the local cloud', () => {
  const connection = {
    schemaVersion: 1,
    endpoint: 'http://127.0.0.1:4566',
    region: 'us-east-1',
    ...{
      eventBusName: 'bus',
      eventLogGroup: 'log',
      registryTable: 'registry',
      attributionTable: 'attribution',
      isolationTable: 'isolation',
    },
    roles: { TenantAuditor: 'arn:auditor', TenantWriter: 'arn:writer' },
    functionArns: { tenants: 'arn:tenants', broker: 'arn:broker' },
    queues: { tenants: { url: 'http://q', dlqUrl: 'http://d' } },
    principals: {
      operator: { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'operators' },
      functions: { tenants: { accessKeyId: 'ASIATENANTS', secretAccessKey: 'tenants', sessionToken: 'token' } },
    },
    control: { url: 'http://127.0.0.1:1', token: 'control-token' },
  };
  const written = (content: string): string => {
    const directory = emptyDirectory();
    mkdirSync(join(directory, '.cordon'));
    writeFileSync(join(directory, '.cordon', 'local.json'), content);
    return directory;
  };

  it('is used as its operator; the other credentials of the file are not even read', () => {
    const profile = readLocalProfile(written(JSON.stringify(connection)));
    expect(profile.credentials).toEqual(connection.principals.operator);
    expect(profile.place.auditorRoleArn).toBe('arn:auditor');
    expect(JSON.stringify(profile)).not.toMatch(/ASIATENANTS|control-token|arn:writer/);
  });

  it.each([
    ['is not JSON', '{'],
    ['is of another version', JSON.stringify({ ...connection, schemaVersion: 2 })],
    ['lacks a member', JSON.stringify({ ...connection, registryTable: undefined })],
  ])('is not there when its file %s', (_, content) => {
    expect(() => readLocalProfile(written(content))).toThrow(
      expect.objectContaining({ code: 'NO_LOCAL_CLOUD', message: expect.stringContaining('npm run local') }),
    );
  });
});
