import type { TenantId } from '../../shared/identifiers.ts';
import type { ForbiddenAttempt } from './attempt.ts';
import { assumption } from './forbidden-sessions.ts';
import { attributionPartition, keyOf, type Places, registryPartition, secretName } from './places.ts';

/** No tenant has anything of this name: should a wall be down, nothing of the tenant's is read, and IAM is known to have let it through. */
const nothing = 'isolation-test-no-such-thing';

/**
 * What a canary tries on the tenant that asked. Only names that lead to nothing, and nothing that changes anything: the answer has to be a refusal, and never that there is
 * no such thing.
 */
export function forbiddenToAsked(places: Places, canary: TenantId, asked: TenantId, now: number): readonly ForbiddenAttempt[] {
  const make =
    (service: ForbiddenAttempt['service'], of: ForbiddenAttempt['for']) =>
    (id: string, what: string, operation: string, input: object): ForbiddenAttempt => ({
      ...{ id: `vault-access-scope/asked-${id}`, test: 'vault-access-scope', for: of, service, operation, input },
      what: `${what} of ${asked}, as a canary`,
    });
  const vault = make('secretsmanager', 'vault');
  const items = make('dynamodb', 'registry');
  const log = make('dynamodb', 'attribution');
  const role = make('sts', 'sessions');
  const SecretId = secretName(asked, nothing);
  const context = { EncryptionContext: { TenantId: asked } };
  return [
    vault('read-secret', 'read a secret', 'GetSecretValue', { SecretId }),
    vault('describe-secret', 'describe a secret', 'DescribeSecret', { SecretId }),
    vault('list-versions', 'list the versions of a secret', 'ListSecretVersionIds', { SecretId }),
    items('read-item', 'read a registry item', 'GetItem', {
      ...{ TableName: places.registryTable, Key: keyOf(registryPartition(asked), nothing) },
    }),
    log('read-log', 'read an entry of the attribution log', 'GetItem', {
      ...{ TableName: places.attributionTable, Key: keyOf(attributionPartition(asked, now), nothing) },
    }),
    make('kms', 'keys')('data-key', 'get a data key in the name', 'GenerateDataKey', {
      ...{ KeyId: places.tenantKeyArn, KeySpec: 'AES_256', ...context },
    }),
    role('become', 'take the session', 'AssumeRole', assumption(places, 'TenantReader', asked, canary)),
    role('become-dedicated', 'take the role', 'AssumeRole', assumption(places, `TenantAgent-${asked}`, asked, canary)),
    make('sts', 'customer-roles')('connect', 'take the connecting role in the name', 'AssumeRole', {
      ...assumption(places, 'ByocConnector', asked, canary),
    }),
  ];
}
