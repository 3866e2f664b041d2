import { isDeepStrictEqual } from 'node:util';
import {
  CreatePolicyVersionCommand,
  DeletePolicyVersionCommand,
  GetPolicyVersionCommand,
  type IAMClient,
  ListPolicyVersionsCommand,
  type PolicyVersion,
} from '@aws-sdk/client-iam';
import { aws } from '../../shared/aws-errors.ts';
import { CordonError } from '../../shared/errors.ts';
import type { RevokedPolicyStore } from './revoked-policy-store.ts';

/** A managed policy has five at most. Source: IAM User Guide, "IAM and AWS STS quotas". */
const maxVersions = 5;

/**
 * IAM has no conditional write, and its answers may be older than the last one: what it says of the version in force is believed only so far that nothing is written twice.
 *
 * @param deps.client with the credentials of the writer's own role
 */
export function createRevokedPolicyStore({ client, policyArn }: { client: IAMClient; policyArn: string }): RevokedPolicyStore {
  return {
    put: (document) =>
      aws('writing the policy of what is cut off', async () => {
        // All five are on one page.
        const { Versions = [] } = await client.send(new ListPolicyVersionsCommand({ PolicyArn: policyArn }));
        const inForce = Versions.find(({ IsDefaultVersion }) => IsDefaultVersion)?.VersionId;
        if (inForce !== undefined && isDeepStrictEqual(await documentOf(inForce), document)) return inForce;
        if (Versions.length >= maxVersions) {
          const VersionId = Versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion).toSorted(byAge)[0]?.VersionId;
          await client.send(new DeletePolicyVersionCommand({ PolicyArn: policyArn, VersionId }));
        }
        const { PolicyVersion: made } = await client.send(
          new CreatePolicyVersionCommand({ PolicyArn: policyArn, PolicyDocument: JSON.stringify(document), SetAsDefault: true }),
        );
        if (made?.VersionId === undefined) throw new CordonError('AWS_UNAVAILABLE', 'IAM answered without a version', { retryable: true });
        return made.VersionId;
      }),
  };

  /** Percent-encoded by RFC 3986 (IAM API Reference, PolicyVersion). Undefined when it is no JSON, which somebody else wrote. */
  async function documentOf(VersionId: string): Promise<unknown> {
    const { PolicyVersion: found } = await client.send(new GetPolicyVersionCommand({ PolicyArn: policyArn, VersionId }));
    try {
      return JSON.parse(decodeURIComponent(found?.Document ?? ''));
    } catch {
      return undefined;
    }
  }
}

function byAge(a: PolicyVersion, b: PolicyVersion): number {
  return numberOf(a) - numberOf(b);
}

/** `v12` is after `v9`. */
function numberOf({ VersionId = '' }: PolicyVersion): number {
  return Number(VersionId.slice(1));
}
