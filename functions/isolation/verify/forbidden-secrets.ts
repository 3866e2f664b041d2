import type { TenantId } from '../../shared/identifiers.ts';
import type { ForbiddenAttempt } from './attempt.ts';
import { secretName } from './places.ts';

/** The secret that is not the session's own, as its owner sees it. */
export interface OtherSecret {
  readonly name: string;
  readonly arn: string;
  readonly versionId: string;
}

/** A policy that would open the secret to its whole account. */
const openPolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: 'secretsmanager:GetSecretValue', Resource: '*' }],
});

/**
 * Everything that Secrets Manager can do, tried by one canary on the other's secret. What changes something stands last: should the walls be down, the first to know is
 * a check that has changed nothing, and all that is harmed is a canary.
 */
export function forbiddenSecretCalls(own: TenantId, other: TenantId, secret: OtherSecret): readonly ForbiddenAttempt[] {
  const { name, arn, versionId } = secret;
  const whose = 'of the other canary';
  const by = (id: string, what: string, operation: string, input: object): ForbiddenAttempt => ({
    ...{ id: `vault-access-scope/${id}`, test: 'vault-access-scope', for: 'vault', what },
    ...{ service: 'secretsmanager', operation, input },
  });
  const on = (id: string, what: string, operation: string, input: object = {}): ForbiddenAttempt =>
    by(id, `${what} the secret ${whose}`, operation, { SecretId: name, ...input });
  const token = '11111111-1111-4111-8111-111111111111';
  return [
    on('read-secret', 'read', 'GetSecretValue'),
    by('read-secret-by-arn', `read the secret ${whose} by its ARN`, 'GetSecretValue', { SecretId: arn }),
    by('read-secret-version', `read a version of the secret ${whose}`, 'GetSecretValue', { SecretId: name, VersionId: versionId }),
    by('read-secret-label', `read the secret ${whose} by a label`, 'GetSecretValue', { SecretId: name, VersionStage: 'AWSPREVIOUS' }),
    by('read-unknown-secret', `find out whether the other canary has a secret of a certain name`, 'GetSecretValue', {
      SecretId: secretName(other, 'no-such-credential'),
    }),
    by('read-secret-by-prefix', `read a secret of a tenant whose name begins with the own one`, 'GetSecretValue', {
      SecretId: secretName(own, 'x').replace(`${own}/`, `${own}-2/`),
    }),
    on('describe-secret', 'describe', 'DescribeSecret'),
    on('list-versions', 'list the versions of', 'ListSecretVersionIds'),
    on('get-policy', 'read the resource policy of', 'GetResourcePolicy'),
    by('create-secret', 'make a secret on the path of the other canary', 'CreateSecret', {
      ...{ Name: secretName(other, 'made-by-a-test'), SecretString: '{}', ClientRequestToken: token },
      Tags: [{ Key: 'TenantId', Value: own }],
    }),
    by('create-secret-with-tag', 'make a secret that carries the tag of the other canary', 'CreateSecret', {
      ...{ Name: secretName(own, 'made-by-a-test'), SecretString: '{}', ClientRequestToken: token },
      Tags: [{ Key: 'TenantId', Value: other }],
    }),
    on('cancel-rotation', 'cancel a rotation of', 'CancelRotateSecret'),
    on('restore-secret', 'restore', 'RestoreSecret'),
    on('rotate-secret', 'have rotated', 'RotateSecret', { ClientRequestToken: token }),
    on('replicate-secret', 'replicate', 'ReplicateSecretToRegions', { AddReplicaRegions: [{ Region: 'eu-west-1' }] }),
    on('tag-secret', 'put the own tag on', 'TagResource', { Tags: [{ Key: 'TenantId', Value: own }] }),
    on('untag-secret', 'take the tag off', 'UntagResource', { TagKeys: ['TenantId'] }),
    on('put-policy', 'put a resource policy on', 'PutResourcePolicy', { ResourcePolicy: openPolicy }),
    on('delete-policy', 'delete the resource policy of', 'DeleteResourcePolicy'),
    on('move-label', 'move a label of', 'UpdateSecretVersionStage', {
      ...{ VersionStage: 'MADE-BY-A-TEST', MoveToVersionId: versionId },
    }),
    on('put-value', 'put a value into', 'PutSecretValue', {
      SecretString: '{}',
      ClientRequestToken: token,
      VersionStages: ['MADE-BY-A-TEST'],
    }),
    on('update-secret', 'update', 'UpdateSecret', { Description: 'changed by a test' }),
    on('delete-secret', 'delete', 'DeleteSecret', { RecoveryWindowInDays: 30 }),
  ];
}

/** The session's own walls: what would move them is refused on its own secret too. */
export function forbiddenOnOwnSecret(own: string, other: TenantId): readonly ForbiddenAttempt[] {
  const on = (id: string, what: string, operation: string, input: object): ForbiddenAttempt => ({
    ...{ id: `vault-access-scope/${id}`, test: 'vault-access-scope', for: 'vault', what: `${what} its own secret` },
    ...{ service: 'secretsmanager', operation, input: { SecretId: own, ...input } },
  });
  return [
    on('open-own-secret', 'put a resource policy on', 'PutResourcePolicy', { ResourcePolicy: openPolicy }),
    on('untag-own-secret', 'take the tenant off', 'UntagResource', { TagKeys: ['TenantId'] }),
    on('retag-own-secret', 'write another tenant on', 'TagResource', { Tags: [{ Key: 'TenantId', Value: other }] }),
  ];
}
