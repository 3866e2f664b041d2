import {
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  type KMSClient,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms';
import { aws } from '../../functions/shared/aws-errors.ts';
import type { DedicatedPlan } from '../../functions/tenants/dedicated-plan.ts';
import { CommandError } from '../command-error.ts';
import type { Change } from './change.ts';
import { sameDocument } from './same-document.ts';

/**
 * What makes a tenant's key as it is planned; empty when it is.
 *
 * @param keyArn as the registry has it
 * @throws CommandError NOT_THE_TENANTS when the alias names another key, or the key does not carry the tenant's tags; CordonError as `aws`
 */
export async function keyChanges(kms: KMSClient, keyArn: string, { key, tags }: DedicatedPlan): Promise<readonly Change[]> {
  const KeyId = keyArn;
  const [{ KeyMetadata }, { Tags = [] }, { Policy = '{}' }, { KeyRotationEnabled }] = await aws(`reading the key ${key.alias}`, () =>
    Promise.all([
      kms.send(new DescribeKeyCommand({ KeyId: key.alias })),
      kms.send(new ListResourceTagsCommand({ KeyId })),
      kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' })),
      kms.send(new GetKeyRotationStatusCommand({ KeyId })),
    ]),
  );
  const found = new Map(Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
  if (KeyMetadata?.Arn !== keyArn || Object.entries(tags).some(([name, value]) => found.get(name) !== value))
    throw new CommandError(
      'NOT_THE_TENANTS',
      `The key ${keyArn} is not the one behind ${key.alias} with the tenant’s tags: nothing was changed.`,
    );
  const change = (what: string, apply: () => Promise<unknown>): Change => ({
    what: `${key.alias}: ${what}`,
    apply: () => aws(what, async () => void (await apply())),
  });
  return [
    ...(sameDocument(JSON.parse(Policy), key.policy)
      ? []
      : [change('policy', () => kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy: JSON.stringify(key.policy) })))]),
    ...(KeyRotationEnabled === true ? [] : [change('yearly rotation', () => kms.send(new EnableKeyRotationCommand({ KeyId })))]),
  ];
}
