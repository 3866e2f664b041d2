import { GetSecretValueCommand, PutSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { aws } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import type { RotationVault } from './rotation-vault.ts';
import { secretOfText, storedText, storedVersion, tellingOfKey } from './stored-secret.ts';
import { type StagingLabel, secretName } from './vault.ts';
import { createVersionLabels } from './version-labels.secrets-manager.ts';

export interface RotationVaultClients {
  /** Of a session of one tenant that may store and label its secrets. */
  readonly writer: SecretsManagerClient;
  /** Of one that may read them: of a dedicated tenant, that is another role. */
  readonly reader: SecretsManagerClient;
}

/** Every operation takes a number of calls that depends on nothing but the labels it finds. */
export function createRotationVault({ writer, reader }: RotationVaultClients): RotationVault {
  const { labels, move, unlabel, versions } = createVersionLabels(writer);
  return {
    stage: (place, secret, versionId) =>
      aws('staging a secret', async () => {
        const input = {
          SecretId: secretName(place.tenantId, place.credentialId),
          SecretString: storedText(place.provider, secret),
          ClientRequestToken: versionId,
          VersionStages: ['AWSPENDING' satisfies StagingLabel],
        };
        try {
          return storedVersion(await writer.send(new PutSecretValueCommand(input)));
        } catch (error) {
          throw tellingOfKey(place, error);
        }
      }),

    promote: (tenantId, credentialId, { to, from }) =>
      aws('promoting a version', async () => {
        const name = secretName(tenantId, credentialId);
        await move(name, 'AWSCURRENT', { to, from }, (holder) => holder === to);
        await move(name, 'AWSPENDING', { from: to }, (holder) => holder !== to);
      }),

    drop: (tenantId, credentialId, versionId) =>
      aws('dropping a version', async () => {
        const name = secretName(tenantId, credentialId);
        const held = (await labels(name)).get(versionId) ?? [];
        if (isCurrent(held)) throw new CordonError('CONFLICT', 'a version that is the current one is not dropped', { retryable: true });
        await unlabel(name, versionId, held);
      }),

    dropAllBut: (tenantId, credentialId, kept) =>
      aws('dropping versions', async () => {
        const name = secretName(tenantId, credentialId);
        const strays = [...(await labels(name))].filter(([versionId, held]) => !isCurrent(held) && !kept.includes(versionId));
        for (const [versionId, held] of strays) await unlabel(name, versionId, held);
        return strays.map(([versionId]) => versionId);
      }),

    readVersion: (tenantId, credentialId, versionId) =>
      aws('reading a version', async () => {
        const input = { SecretId: secretName(tenantId, credentialId), VersionId: versionId };
        return secretOfText((await reader.send(new GetSecretValueCommand(input))).SecretString);
      }),

    versions: (tenantId, credentialId) => aws('listing versions', () => versions(secretName(tenantId, credentialId))),
  };
}

function isCurrent(held: readonly string[]): boolean {
  return held.includes('AWSCURRENT' satisfies StagingLabel);
}
