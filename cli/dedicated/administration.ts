import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { aws } from '../../functions/shared/aws-errors.ts';
import { type DedicatedTierSettings, dedicatedTierSettings } from '../../functions/tenants/dedicated-plan.ts';
import { tenantsEnv } from '../../functions/tenants/env.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError } from '../command-error.ts';

/** What only whoever deploys may do; an operator's credentials are refused each of these. */
export interface Administration {
  readonly iam: IAMClient;
  readonly kms: KMSClient;
  readonly lambda: LambdaClient;
  close(): void;
}

export function openAdministration({ ownConfig }: Pick<Cloud, 'ownConfig'>): Administration {
  const clients = { iam: new IAMClient(ownConfig), kms: new KMSClient(ownConfig), lambda: new LambdaClient(ownConfig) };
  return {
    ...clients,
    close() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

/**
 * What the function that makes dedicated tenants is configured with: so that what is brought up to date is what it would make now.
 *
 * @throws CommandError OTHER_VERSION; CordonError as `aws`
 */
export async function deployedSettings(
  { lambda }: Pick<Administration, 'lambda'>,
  { tenantsFunctionArn }: Pick<Cloud, 'tenantsFunctionArn'>,
): Promise<DedicatedTierSettings> {
  const { Environment } = await aws('reading how the function tenants is configured', () =>
    lambda.send(new GetFunctionConfigurationCommand({ FunctionName: tenantsFunctionArn })),
  );
  const env = tenantsEnv.safeParse(Environment?.Variables);
  if (!env.success)
    throw new CommandError(
      'OTHER_VERSION',
      'The stack was deployed from another version than this command: deploy first, and run it from the same checkout.',
      { cause: env.error },
    );
  return dedicatedTierSettings(env.data);
}
