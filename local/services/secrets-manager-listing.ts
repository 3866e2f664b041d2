/** ListSecrets and BatchGetSecretValue: the two that look across secrets, so IAM can bind neither to a resource or a tag. */
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Operation, Scope } from '../core/service.ts';
import { type Secret, type SecretStore, secretNeed, usableSecret } from './secrets-manager-store.ts';
import { openValue } from './secrets-manager-values.ts';
import { requestedVersion } from './secrets-manager-versions.ts';
import { tagListOf } from './tagging-context.ts';
import { operation } from './typed-operation.ts';

const dayMs = 86_400_000;

const filters = z.array(z.strictObject({ Key: z.string(), Values: z.array(z.string()).min(1).max(10) })).max(10);
type Filters = z.output<typeof filters>;
const page = { MaxResults: z.number().int().min(1).max(100).optional(), NextToken: z.string().regex(/^\d+$/).optional() };

export function listingOperations(store: SecretStore): Record<string, Operation> {
  return {
    ListSecrets: operation(z.strictObject({ Filters: filters.optional(), IncludePlannedDeletion: z.boolean().optional(), ...page }), {
      needs: () => [{ action: 'secretsmanager:ListSecrets', resource: '*' }],
      run(input, scope) {
        const found = store
          .all(scope.accountId)
          .filter(
            (secret) => (secret.deletesAt === undefined || input.IncludePlannedDeletion === true) && matches(secret, input.Filters ?? []),
          );
        const { items, next } = pageOf(found, input.NextToken, input.MaxResults ?? 100);
        return { SecretList: items.map(listed), ...next };
      },
    }),
    BatchGetSecretValue: operation(
      z.strictObject({ SecretIdList: z.array(z.string().min(1)).min(1).max(20).optional(), Filters: filters.optional(), ...page }),
      {
        needs: (input) => [
          { action: 'secretsmanager:BatchGetSecretValue', resource: '*' },
          ...(input.Filters === undefined ? [] : [{ action: 'secretsmanager:ListSecrets', resource: '*' }]),
        ],
        async run(input, scope) {
          if ((input.SecretIdList === undefined) === (input.Filters === undefined)) {
            throw new AwsError('InvalidParameterException', 'Either SecretIdList or Filters must be provided, but not both.');
          }
          const found = store
            .all(scope.accountId)
            .filter((secret) => secret.deletesAt === undefined && matches(secret, input.Filters ?? []));
          const { items, next } = pageOf(found, input.NextToken, input.MaxResults ?? 20);
          const ids = input.SecretIdList ?? items.map((secret) => secret.arn);
          const SecretValues: object[] = [];
          const Errors: object[] = [];
          for (const id of ids) {
            try {
              SecretValues.push(await readOne(store, id, scope));
            } catch (error) {
              // One refused secret does not spoil the others: the answer names it among the errors (API Reference, BatchGetSecretValue).
              if (!(error instanceof AwsError)) throw error;
              Errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message });
            }
          }
          return { SecretValues, Errors, ...(input.SecretIdList === undefined ? next : {}) };
        },
      },
    ),
  };
}

async function readOne(store: SecretStore, secretId: string, scope: Scope): Promise<object> {
  scope.authorize(secretNeed(store, 'GetSecretValue', secretId, scope, { 'secretsmanager:VersionStage': 'AWSCURRENT' }));
  const secret = usableSecret(store, secretId, scope);
  const version = requestedVersion(secret, undefined, undefined);
  const value = await openValue(scope, secret.arn, version.id, version.sealed);
  secret.accessedAt = scope.clock.now();
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    ...value,
    VersionStages: [...version.stages],
    CreatedDate: version.createdAt / 1000,
  };
}

/** All filters must match, each by any of its values: prefixes, turned round by a leading `!`. */
function matches(secret: Secret, wanted: Filters): boolean {
  return wanted.every(({ Key, Values }) => {
    const texts = filterable(secret, Key);
    return Values.some((value) =>
      value.startsWith('!') ? !texts.some((text) => text.startsWith(value.slice(1))) : texts.some((text) => text.startsWith(value)),
    );
  });
}

function filterable(secret: Secret, key: string): readonly string[] {
  if (key === 'name') return [secret.name];
  if (key === 'tag-key') return [...secret.tags.keys()];
  if (key === 'tag-value') return [...secret.tags.values()];
  throw notImplemented(`the Secrets Manager filter ${key}`);
}

/** ListSecrets names the versions member differently from DescribeSecret. */
function listed(secret: Secret): object {
  const { VersionIdsToStages, ...rest } = describe(secret);
  return { ...rest, SecretVersionsToStages: VersionIdsToStages };
}

function pageOf<Item>(
  all: readonly Item[],
  token: string | undefined,
  size: number,
): { items: readonly Item[]; next: { NextToken?: string } } {
  const start = Number(token ?? 0);
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? { NextToken: String(end) } : {} };
}

/** A secret as DescribeSecret and ListSecrets show it: everything but its values. */
export function describe(secret: Secret): { VersionIdsToStages: Readonly<Record<string, readonly string[]>> } & Record<string, unknown> {
  const labelled = [...secret.versions.values()].filter((version) => version.stages.size > 0);
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(secret.description === undefined ? {} : { Description: secret.description }),
    KmsKeyId: secret.kmsKeyId,
    LastChangedDate: secret.changedAt / 1000,
    // AWS keeps the day of the last access, not the time.
    ...(secret.accessedAt === undefined ? {} : { LastAccessedDate: (secret.accessedAt - (secret.accessedAt % dayMs)) / 1000 }),
    ...(secret.deletedAt === undefined ? {} : { DeletedDate: secret.deletedAt / 1000 }),
    Tags: tagListOf(secret.tags),
    VersionIdsToStages: Object.fromEntries(labelled.map((version) => [version.id, [...version.stages]])),
    CreatedDate: secret.createdAt / 1000,
  };
}
