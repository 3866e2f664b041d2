import {
  DescribeSecretCommand,
  ListSecretVersionIdsCommand,
  type ListSecretVersionIdsResponse,
  type SecretsManagerClient,
  type SecretVersionsListEntry,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { isAwsError } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import type { VersionListing } from './rotation-vault.ts';

/** From where a label goes to where: nowhere, when it is taken away; from nowhere, when no version has it. */
export interface Move {
  readonly to?: string;
  readonly from?: string | undefined;
}

/** The labels of secrets' versions, as SDK calls. What AWS answers is not translated here, but for CONFLICT. */
export interface VersionLabels {
  /** Labels by version ID; versions without a label are not in it. */
  labels(secretId: string): Promise<ReadonlyMap<string, readonly string[]>>;
  /**
   * Moves a label, or takes it away. Secrets Manager refuses when the label is not where the request says: then it was moved before, by us or by somebody else, and
   * `isDone` tells from its holder which. Source: API Reference, UpdateSecretVersionStage, RemoveFromVersionId.
   */
  move(secretId: string, label: string, move: Move, isDone: (holder: string | undefined) => boolean): Promise<void>;
  /** Takes these labels off a version. */
  unlabel(secretId: string, versionId: string, held: readonly string[]): Promise<void>;
  /** All versions, oldest first, also those without a label. */
  versions(secretId: string): Promise<readonly VersionListing[]>;
}

/** @param client of a session of one tenant that may label its secrets' versions */
export function createVersionLabels(client: SecretsManagerClient): VersionLabels {
  const labels: VersionLabels['labels'] = async (SecretId) =>
    new Map(Object.entries((await client.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages ?? {}));

  const move: VersionLabels['move'] = async (SecretId, VersionStage, { to, from }, isDone) => {
    const input = { SecretId, VersionStage, MoveToVersionId: to, RemoveFromVersionId: from };
    try {
      await client.send(new UpdateSecretVersionStageCommand(input));
    } catch (error) {
      if (!isAwsError(error, 'InvalidParameterException')) throw error;
      const holder = [...(await labels(SecretId))].find(([, held]) => held.includes(VersionStage))?.[0];
      if (!isDone(holder)) throw overtaken(error);
    }
  };

  return {
    labels,
    move,
    async unlabel(secretId, versionId, held) {
      for (const label of held) await move(secretId, label, { from: versionId }, (holder) => holder !== versionId);
    },
    async versions(SecretId) {
      const found: SecretVersionsListEntry[] = [];
      let NextToken: string | undefined;
      do {
        const page: ListSecretVersionIdsResponse = await client.send(
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
    },
  };
}

function overtaken(cause: unknown): CordonError {
  return new CordonError('CONFLICT', 'another version has become the current one meanwhile', { retryable: true, cause });
}
