import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  type ListSecretVersionIdsResponse,
  PutSecretValueCommand,
  type SecretsManagerClient,
  type SecretVersionsListEntry,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import type { RotationVault } from './rotation-vault.ts';
import { secretOfText, storedText, storedVersion, tellingOfKey } from './stored-secret.ts';
import { type StagingLabel, secretName } from './vault.ts';

export interface RotationVaultClients {
  /** Of a session of one tenant that may store and label its secrets. */
  readonly writer: SecretsManagerClient;
  /** Of one that may read them: of a dedicated tenant, that is another role. */
  readonly reader: SecretsManagerClient;
}

interface Move {
  readonly to?: string;
  readonly from: string;
}

/** Every operation takes a number of calls that depends on nothing but the labels it finds. */
export function createRotationVault({ writer, reader }: RotationVaultClients): RotationVault {
  /** Labels by version ID; versions without a label are not in it. */
  const labels = async (SecretId: string): Promise<ReadonlyMap<string, readonly string[]>> =>
    new Map(Object.entries((await writer.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages ?? {}));

  /**
   * Moves a label, or takes it away. Secrets Manager refuses when the label is not on `from`: then it was moved before, by us or by somebody else, and `isDone` tells
   * from the labels which. Source: API Reference, UpdateSecretVersionStage, RemoveFromVersionId.
   */
  async function move(
    SecretId: string,
    VersionStage: string,
    { to, from }: Move,
    isDone: (holder: string | undefined) => boolean,
  ): Promise<void> {
    const input = { SecretId, VersionStage, MoveToVersionId: to, RemoveFromVersionId: from };
    try {
      await writer.send(new UpdateSecretVersionStageCommand(input));
    } catch (error) {
      if (!isAwsError(error, 'InvalidParameterException')) throw error;
      const holder = [...(await labels(SecretId))].find(([, held]) => held.includes(VersionStage))?.[0];
      if (!isDone(holder)) throw overtaken(error);
    }
  }

  async function unlabel(SecretId: string, versionId: string, held: readonly string[]): Promise<void> {
    for (const label of held) await move(SecretId, label, { from: versionId }, (holder) => holder !== versionId);
  }

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

    versions: (tenantId, credentialId) =>
      aws('listing versions', async () => {
        const SecretId = secretName(tenantId, credentialId);
        const found: SecretVersionsListEntry[] = [];
        let NextToken: string | undefined;
        do {
          const page: ListSecretVersionIdsResponse = await writer.send(
            new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated: true, ...(NextToken !== undefined && { NextToken }) }),
          );
          found.push(...(page.Versions ?? []));
          NextToken = page.NextToken;
        } while (NextToken !== undefined);
        return found
          .flatMap(({ VersionId: versionId, VersionStages = [], CreatedDate }) =>
            versionId === undefined ? [] : [{ versionId, labels: VersionStages, createdAt: CreatedDate?.getTime() ?? 0 }],
          )
          .sort((a, b) => a.createdAt - b.createdAt);
      }),
  };
}

function isCurrent(held: readonly string[]): boolean {
  return held.includes('AWSCURRENT' satisfies StagingLabel);
}

function overtaken(cause: unknown): CordonError {
  return new CordonError('CONFLICT', 'another version has become the current one meanwhile', { retryable: true, cause });
}
