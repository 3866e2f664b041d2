import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DuplicateItemException,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  InvalidCiphertextException,
  KMSClient,
} from '@aws-sdk/client-kms';
import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalServer, startServer } from '../../../local/core/server.ts';
import { platform } from '../core/cloud.ts';
import { startDataCloud } from './data-cloud.ts';

let server: LocalServer;
let secrets: SecretsManagerClient;
let kms: KMSClient;
let dynamodb: DynamoDBClient;
let tagging: ResourceGroupsTaggingAPIClient;

beforeAll(async () => {
  const { kernel } = await startDataCloud();
  server = await startServer(kernel, { port: 0 });
  const config = { endpoint: server.endpoint, region: 'us-east-1', credentials: kernel.addAccount(platform), maxAttempts: 1 };
  secrets = new SecretsManagerClient(config);
  kms = new KMSClient(config);
  dynamodb = new DynamoDBClient(config);
  tagging = new ResourceGroupsTaggingAPIClient(config);
});
afterAll(async () => {
  for (const client of [secrets, kms, dynamodb, tagging]) client.destroy();
  await server.close();
});

describe('stock AWS clients', () => {
  it('encrypt and decrypt, and get the error class of a wrong context', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Tags: [{ TagKey: 'TenantId', TagValue: 'acme' }] }));
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/cordon/acme', TargetKeyId: KeyMetadata?.KeyId }));
    const { KeyMetadata: described } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/cordon/acme' }));
    expect(described?.CreationDate).toBeInstanceOf(Date);
    const EncryptionContext = { TenantId: 'acme' };
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: described?.Arn, Plaintext: Buffer.from('hello'), EncryptionContext }),
    );
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('hello');
    await expect(kms.send(new DecryptCommand({ CiphertextBlob }))).rejects.toBeInstanceOf(InvalidCiphertextException);
  });

  it('vault, stage, promote and find a secret by its tag', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const Tags = [{ Key: 'TenantId', Value: 'acme' }];
    const Name = 'cordon/acme/openai';
    const created = await secrets.send(new CreateSecretCommand({ Name, SecretString: 'one', KmsKeyId: KeyMetadata?.Arn, Tags }));
    const put = await secrets.send(
      new PutSecretValueCommand({ SecretId: Name, SecretBinary: Buffer.from('two'), VersionStages: ['AWSPENDING'] }),
    );
    await secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId: Name,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: put.VersionId,
        RemoveFromVersionId: created.VersionId,
      }),
    );
    const current = await secrets.send(new GetSecretValueCommand({ SecretId: Name }));
    expect(Buffer.from(current.SecretBinary ?? []).toString()).toBe('two');
    expect(current.CreatedDate).toBeInstanceOf(Date);
    const previous = await secrets.send(new GetSecretValueCommand({ SecretId: Name, VersionStage: 'AWSPREVIOUS' }));
    expect(previous.SecretString).toBe('one');
    expect(await secrets.send(new DescribeSecretCommand({ SecretId: Name }))).toMatchObject({ ARN: created.ARN, Tags });
    const found = await tagging.send(
      new GetResourcesCommand({ ResourceTypeFilters: ['secretsmanager:secret'], TagFilters: [{ Key: 'TenantId', Values: ['acme'] }] }),
    );
    expect(found.ResourceTagMappingList).toEqual([{ ResourceARN: created.ARN, Tags }]);
    await secrets.send(new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true }));
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: Name }))).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  it('write, query and transact, and get the error classes with their members', async () => {
    const TableName = 'registry';
    await dynamodb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    );
    await waitUntilTableExists({ client: dynamodb, maxWaitTime: 30 }, { TableName });
    const Key = { pk: { S: 'TENANT#acme#' }, sk: { S: 'TENANT' } };
    const insert = (): Promise<unknown> =>
      dynamodb.send(
        new ExecuteStatementCommand({
          Statement: `INSERT INTO "${TableName}" VALUE {'pk': ?, 'sk': ?, 'blob': ?}`,
          Parameters: [Key.pk, Key.sk, { B: Buffer.from('x') }],
        }),
      );
    await insert();
    await expect(insert()).rejects.toBeInstanceOf(DuplicateItemException);
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    expect(Buffer.from(Item?.blob?.B ?? []).toString()).toBe('x');
    const guarded = {
      TableName,
      Item: Key,
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    } as const;
    const failed: unknown = await dynamodb.send(new PutItemCommand(guarded)).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ConditionalCheckFailedException);
    expect(failed).toMatchObject({ Item: Key });
    const cancelled: unknown = await dynamodb
      .send(new TransactWriteItemsCommand({ TransactItems: [{ Put: guarded }] }))
      .catch((error: unknown) => error);
    expect(cancelled).toBeInstanceOf(TransactionCanceledException);
    expect(cancelled).toMatchObject({ CancellationReasons: [{ Code: 'ConditionalCheckFailed', Item: Key }] });
    const values = { ':t': { S: 'TENANT#acme#' } };
    const query = new QueryCommand({ TableName, KeyConditionExpression: 'pk = :t', ExpressionAttributeValues: values });
    expect(await dynamodb.send(query)).toMatchObject({ Count: 1 });
  });
});
