import { createHash } from 'node:crypto';
import { DeleteSecretCommand, DescribeSecretCommand, GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import type { CredentialId, TenantId } from '../shared/identifiers.ts';
import { isAboutKey } from './customer-key.ts';
import type { RevocationVault } from './revocation-vault.ts';
import type { RotationVaultClients } from './rotation-vault.secrets-manager.ts';
import { secretOfText } from './stored-secret.ts';
import { type StagingLabel, secretName } from './vault.ts';
import { createVersionLabels } from './version-labels.secrets-manager.ts';

/** What stands where the key was. No reader of Cordon's takes it for a key: it has neither member that holds one. */
const marker = JSON.stringify({ revoked: true });
/** The labels of a secret's versions are at most 20 in all; three of them are Secrets Manager's own. Source: User Guide, "AWS Secrets Manager quotas". */
const mostLabels = 15;

/** Follows from the credential, so that the marker is one version, however often it is stored. */
export function markerVersionId(tenantId: TenantId, credentialId: CredentialId): string {
  return createHash('sha256').update(`revoked|${tenantId}|${credentialId}`).digest('hex');
}

/** @param clients of sessions of one tenant, as a rotation has them; the writer may delete too */
export function createRevocationVault({ writer, reader }: RotationVaultClients): RevocationVault {
  const { labels, move, unlabel, versions } = createVersionLabels(writer);
  const holderOf = async (name: string, label: string): Promise<string | undefined> =>
    [...(await labels(name))].find(([, held]) => held.includes(label))?.[0];

  /** Puts the marker in the place of the current version; false when the customer's key does not let it. */
  async function mark(name: string, markerId: string, customerKey: boolean): Promise<boolean> {
    const current: StagingLabel = 'AWSCURRENT';
    if ((await holderOf(name, current)) === markerId) return true;
    try {
      const input = { SecretId: name, SecretString: marker, ClientRequestToken: markerId, VersionStages: [current] };
      await writer.send(new PutSecretValueCommand(input));
    } catch (error) {
      if (customerKey && isAboutKey(error)) return false;
      throw error;
    }
    // Storing it once more moves no label: a version that was stored in between by somebody else's call would stay the current one.
    const from = await holderOf(name, current);
    if (from !== markerId) await move(name, current, { to: markerId, from }, (holder) => holder === markerId);
    return true;
  }

  return {
    versions: (tenantId, credentialId) =>
      aws('listing versions', async () => {
        const name = secretName(tenantId, credentialId);
        try {
          const { DeletedDate } = await writer.send(new DescribeSecretCommand({ SecretId: name }));
          if (DeletedDate !== undefined) return undefined;
          const markerId = markerVersionId(tenantId, credentialId);
          return (await versions(name)).filter(({ versionId }) => versionId !== markerId);
        } catch (error) {
          if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
          throw error;
        }
      }),

    readVersion: (tenantId, credentialId, versionId) =>
      aws('reading a version', async () => {
        const input = { SecretId: secretName(tenantId, credentialId), VersionId: versionId };
        try {
          return secretOfText((await reader.send(new GetSecretValueCommand(input))).SecretString);
        } catch (error) {
          if (isAboutKey(error))
            throw new CordonError('CUSTOMER_KEY_REFUSED', 'the KMS key that a version lies under cannot be used', { cause: error });
          if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
          throw error;
        }
      }),

    takeOut: (tenantId, credentialId, { versionIds, customerKey }) =>
      aws('taking versions out of use', async () => {
        const name = secretName(tenantId, credentialId);
        const markerId = markerVersionId(tenantId, credentialId);
        await mark(name, markerId, customerKey);
        const there = new Map((await versions(name)).map((one) => [one.versionId, one.labels]));
        const known = versionIds.filter((versionId) => there.has(versionId));
        for (const [index, versionId] of known.entries()) {
          const held = there.get(versionId) ?? [];
          const own = `REVOKED-${versionId.slice(0, 16)}`;
          if (index < mostLabels && !held.includes(own)) await move(name, own, { to: versionId }, (holder) => holder === versionId);
          await unlabel(
            name,
            versionId,
            held.filter((label) => label !== own && label !== ('AWSCURRENT' satisfies StagingLabel)),
          );
        }
      }),

    close: (tenantId, credentialId) =>
      aws('having a secret deleted', async () => {
        const SecretId = secretName(tenantId, credentialId);
        const isClosed = async (): Promise<boolean> =>
          (await writer.send(new DescribeSecretCommand({ SecretId }))).DeletedDate !== undefined;
        try {
          // The shortest window there is: what is in it is dead.
          if (!(await isClosed())) await writer.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
        } catch (error) {
          if (isAwsError(error, 'ResourceNotFoundException')) return;
          // Somebody else has closed it in between.
          if (!isAwsError(error, 'InvalidRequestException') || !(await isClosed())) throw error;
        }
      }),

    erase: (tenantId, credentialId) =>
      aws('deleting a secret', async () => {
        try {
          await writer.send(new DeleteSecretCommand({ SecretId: secretName(tenantId, credentialId), ForceDeleteWithoutRecovery: true }));
        } catch (error) {
          if (!isAwsError(error, 'ResourceNotFoundException')) throw error;
        }
      }),
  };
}
