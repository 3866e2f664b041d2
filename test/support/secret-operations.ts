/** Every operation of Secrets Manager that names a secret, for tests that try them all. */
import * as secrets from '@aws-sdk/client-secrets-manager';
import type { Call } from './decisions.ts';

type Client = secrets.SecretsManagerClient;

/** A resource policy that lets `Principal` do everything with the secret. */
export const resourcePolicyFor = (Principal: unknown): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: 'Planted', Effect: 'Allow', Principal, Action: 'secretsmanager:*', Resource: '*' }],
  });

const operations: Readonly<Record<string, (c: Client, SecretId: string) => Promise<unknown>>> = {
  GetSecretValue: (c, SecretId) => c.send(new secrets.GetSecretValueCommand({ SecretId })),
  DescribeSecret: (c, SecretId) => c.send(new secrets.DescribeSecretCommand({ SecretId })),
  ListSecretVersionIds: (c, SecretId) => c.send(new secrets.ListSecretVersionIdsCommand({ SecretId })),
  GetResourcePolicy: (c, SecretId) => c.send(new secrets.GetResourcePolicyCommand({ SecretId })),
  PutResourcePolicy: (c, SecretId) => c.send(new secrets.PutResourcePolicyCommand({ SecretId, ResourcePolicy: resourcePolicyFor('*') })),
  DeleteResourcePolicy: (c, SecretId) => c.send(new secrets.DeleteResourcePolicyCommand({ SecretId })),
  ValidateResourcePolicy: (c, SecretId) =>
    c.send(new secrets.ValidateResourcePolicyCommand({ SecretId, ResourcePolicy: resourcePolicyFor('*') })),
  PutSecretValue: (c, SecretId) => c.send(new secrets.PutSecretValueCommand({ SecretId, SecretString: 'planted' })),
  UpdateSecret: (c, SecretId) => c.send(new secrets.UpdateSecretCommand({ SecretId, SecretString: 'planted' })),
  UpdateSecretVersionStage: (c, SecretId) => c.send(new secrets.UpdateSecretVersionStageCommand({ SecretId, VersionStage: 'MINE' })),
  TagResource: (c, SecretId) => c.send(new secrets.TagResourceCommand({ SecretId, Tags: [{ Key: 'TenantId', Value: 'someone' }] })),
  UntagResource: (c, SecretId) => c.send(new secrets.UntagResourceCommand({ SecretId, TagKeys: ['TenantId'] })),
  DeleteSecret: (c, SecretId) => c.send(new secrets.DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true })),
  RestoreSecret: (c, SecretId) => c.send(new secrets.RestoreSecretCommand({ SecretId })),
  RotateSecret: (c, SecretId) => c.send(new secrets.RotateSecretCommand({ SecretId })),
  CancelRotateSecret: (c, SecretId) => c.send(new secrets.CancelRotateSecretCommand({ SecretId })),
  ReplicateSecretToRegions: (c, SecretId) =>
    c.send(new secrets.ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: [{ Region: 'eu-west-1' }] })),
  RemoveRegionsFromReplication: (c, SecretId) =>
    c.send(new secrets.RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: ['eu-west-1'] })),
  StopReplicationToReplica: (c, SecretId) => c.send(new secrets.StopReplicationToReplicaCommand({ SecretId })),
};
export const secretOperations: readonly string[] = Object.keys(operations);

/** One of them on the secret that `id` names when the call is made. Rejects when there is no such operation. */
export function operate(name: string, id: () => string): Call {
  return ({ secretsmanager }) => operations[name]?.(secretsmanager, id()) ?? Promise.reject(new Error(`There is no operation ${name}.`));
}
