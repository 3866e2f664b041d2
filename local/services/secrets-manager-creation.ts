/** CreateSecret, PutSecretValue and UpdateSecret: the three that write a value, idempotent by ClientRequestToken. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { type Secret, type SecretStore, secretNeed, usableSecret } from './secrets-manager-store.ts';
import { fingerprintOf, type PlainValue, plainValue, sealValue, validateKeyAccess } from './secrets-manager-values.ts';
import { addVersion } from './secrets-manager-versions.ts';
import { requestTagContext, tagList, tagsOf } from './tagging-context.ts';
import { operation } from './typed-operation.ts';

const token = z.string().min(32).max(64).optional();
const value = { SecretString: z.string().max(65_536).optional(), SecretBinary: z.base64().optional(), ClientRequestToken: token };
const name = z.string().regex(/^[A-Za-z0-9/_+=.@!-]{1,512}$/, 'may contain alphanumeric characters and any of /_+=.@-');
const kmsKeyId = z.string().min(1).max(2048).optional();
const description = z.string().max(2048).optional();
const secretId = z.string().min(1).max(2048);

export function creationOperations(store: SecretStore): Record<string, Operation> {
  return { CreateSecret: createSecret(store), PutSecretValue: putSecretValue(store), UpdateSecret: updateSecret(store) };
}

function createSecret(store: SecretStore): Operation {
  // IAM is asked about the ARN that the secret is about to get, so the suffix is chosen before the work.
  const chosen = new WeakMap<Scope, string>();
  return operation(z.strictObject({ Name: name, Description: description, KmsKeyId: kmsKeyId, Tags: tagList.optional(), ...value }), {
    needs(input, scope) {
      const resource = store.newArn(scope.accountId, input.Name);
      chosen.set(scope, resource);
      const tags = requestTagContext(tagsOf(input.Tags));
      const context = {
        ...tags,
        'secretsmanager:Name': input.Name,
        'secretsmanager:Description': input.Description,
        'secretsmanager:KmsKeyId': input.KmsKeyId,
        'secretsmanager:KmsKeyArn': input.KmsKeyId === undefined ? undefined : kmsKeyArn(input.KmsKeyId, scope.accountId, scope),
      };
      const create: Need = { action: 'secretsmanager:CreateSecret', resource, context };
      return input.Tags === undefined || input.Tags.length === 0
        ? [create]
        : [create, { action: 'secretsmanager:TagResource', resource, context: tags }];
    },
    async run(input, scope) {
      const plain = plainValue(input);
      const versionId = input.ClientRequestToken ?? randomUUID();
      const before = existingAnswer(store, input.Name, versionId, plain, scope);
      if (before !== undefined) return before;
      if (input.KmsKeyId === undefined) {
        throw notImplemented(
          'CreateSecret without KmsKeyId: the default key aws/secretsmanager is shared by the whole account, so it separates no tenant from another',
        );
      }
      const arn = chosen.get(scope) ?? store.newArn(scope.accountId, input.Name);
      const keyArn = kmsKeyArn(input.KmsKeyId, scope.accountId, scope);
      await validateKeyAccess(scope, keyArn, arn);
      const sealed = plain === undefined ? undefined : await sealValue(scope, keyArn, arn, versionId, plain);
      // Another request may have made the secret while KMS was asked.
      const meanwhile = existingAnswer(store, input.Name, versionId, plain, scope);
      if (meanwhile !== undefined) return meanwhile;
      const now = scope.clock.now();
      const secret: Secret = {
        arn,
        name: input.Name,
        accountId: scope.accountId,
        createdAt: now,
        versions: new Map(),
        description: input.Description,
        kmsKeyId: input.KmsKeyId,
        kmsKeyArn: keyArn,
        tags: tagsOf(input.Tags),
        policyText: undefined,
        policy: undefined,
        changedAt: now,
        accessedAt: undefined,
        deletedAt: undefined,
        deletesAt: undefined,
      };
      if (sealed !== undefined) addVersion(secret, { id: versionId, createdAt: now, sealed }, ['AWSCURRENT']);
      store.add(secret);
      return { ARN: arn, Name: input.Name, ...(sealed === undefined ? {} : { VersionId: versionId }) };
    },
  });
}

function putSecretValue(store: SecretStore): Operation {
  const stages = z.array(z.string().min(1).max(256)).min(1).max(20).optional();
  return operation(z.strictObject({ SecretId: secretId, VersionStages: stages, ...value }), {
    needs: (input, scope) => [secretNeed(store, 'PutSecretValue', input.SecretId, scope)],
    async run(input, scope) {
      const plain = plainValue(input);
      if (plain === undefined) throw new AwsError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
      const secret = usableSecret(store, input.SecretId, scope);
      const versionId = await putVersion(
        scope,
        secret,
        input.ClientRequestToken ?? randomUUID(),
        plain,
        input.VersionStages ?? ['AWSCURRENT'],
      );
      return {
        ARN: secret.arn,
        Name: secret.name,
        VersionId: versionId,
        VersionStages: [...(secret.versions.get(versionId)?.stages ?? [])],
      };
    },
  });
}

function updateSecret(store: SecretStore): Operation {
  return operation(z.strictObject({ SecretId: secretId, Description: description, KmsKeyId: kmsKeyId, ...value }), {
    needs: (input, scope) => {
      const { accountId } = store.resolve(input.SecretId, scope.accountId);
      return [
        secretNeed(store, 'UpdateSecret', input.SecretId, scope, {
          'secretsmanager:Description': input.Description,
          'secretsmanager:KmsKeyId': input.KmsKeyId,
          'secretsmanager:KmsKeyArn': input.KmsKeyId === undefined ? undefined : kmsKeyArn(input.KmsKeyId, accountId, scope),
        }),
      ];
    },
    async run(input, scope) {
      const plain = plainValue(input);
      const secret = usableSecret(store, input.SecretId, scope);
      if (input.KmsKeyId !== undefined) {
        const keyArn = kmsKeyArn(input.KmsKeyId, secret.accountId, scope);
        await validateKeyAccess(scope, keyArn, secret.arn);
        // Existing versions stay readable with the key they were written under; only new ones use this one.
        secret.kmsKeyId = input.KmsKeyId;
        secret.kmsKeyArn = keyArn;
      }
      const versionId =
        plain === undefined ? undefined : await putVersion(scope, secret, input.ClientRequestToken ?? randomUUID(), plain, ['AWSCURRENT']);
      if (input.Description !== undefined) secret.description = input.Description;
      secret.changedAt = scope.clock.now();
      return { ARN: secret.arn, Name: secret.name, ...(versionId === undefined ? {} : { VersionId: versionId }) };
    },
  });
}

/** Writes a version unless the token has written it already; answers its ID. Throws ResourceExistsException when the token stands for another value. */
async function putVersion(scope: Scope, secret: Secret, versionId: string, plain: PlainValue, stages: readonly string[]): Promise<string> {
  if (isRepeat(secret, versionId, plain)) return versionId;
  const sealed = await sealValue(scope, secret.kmsKeyArn, secret.arn, versionId, plain);
  if (isRepeat(secret, versionId, plain)) return versionId;
  const now = scope.clock.now();
  addVersion(secret, { id: versionId, createdAt: now, sealed }, stages);
  secret.changedAt = now;
  return versionId;
}

function isRepeat(secret: Secret, versionId: string, plain: PlainValue): boolean {
  const existing = secret.versions.get(versionId);
  if (existing === undefined) return false;
  if (existing.sealed.fingerprint === fingerprintOf(plain)) return true;
  throw new AwsError('ResourceExistsException', `A version with the ClientRequestToken ${versionId} already exists with another value.`);
}

/** The answer to a repeated CreateSecret; undefined when the name is free. Throws when the name is taken by something else. */
function existingAnswer(
  store: SecretStore,
  secretName: string,
  versionId: string,
  plain: PlainValue | undefined,
  scope: Scope,
): object | undefined {
  const secret = store.byName(scope.accountId, secretName);
  if (secret === undefined) return undefined;
  if (secret.deletesAt !== undefined) {
    throw new AwsError(
      'InvalidRequestException',
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  }
  const version = secret.versions.get(versionId);
  if (version !== undefined && plain !== undefined && version.sealed.fingerprint === fingerprintOf(plain)) {
    return { ARN: secret.arn, Name: secret.name, VersionId: versionId };
  }
  throw new AwsError('ResourceExistsException', `The operation failed because the secret ${secretName} already exists.`);
}

/** What a key ID or alias means in the secret's account, whoever calls. */
function kmsKeyArn(keyId: string, accountId: string, scope: Scope): string {
  if (keyId.startsWith('arn:')) return keyId;
  return `arn:aws:kms:${scope.region}:${accountId}:${keyId.startsWith('alias/') ? keyId : `key/${keyId}`}`;
}
