import type { SessionCredentials } from '../../shared/tenant-sessions.ts';
import type { ServiceName } from '../service-name.ts';
import type { ProbeDeps, ProbeInput, SimulatedUse } from './probe.ts';

/** What the role's own policies say about what it is for. Nothing is read, called or sent: IAM's policy simulator answers. */
export interface DryCheck {
  /** Asked for and not allowed, for people, e.g. `dynamodb:Query on arn:…:table/cordon-dry-check`. */
  readonly missing: readonly string[];
  /** Allowed although a role for these services has no use for it. */
  readonly excessive: readonly string[];
}

interface NeededUse extends SimulatedUse {
  /** How the resources are called when none of them is allowed. */
  readonly resourceName: string;
}

/**
 * An action counts as allowed when it is on one of these: a customer may well keep to the models of one vendor.
 * Source: Amazon Bedrock User Guide, "Supported foundation models in Amazon Bedrock".
 */
const sampleModels = [
  'anthropic.claude-sonnet-4-20250514-v1:0',
  'amazon.nova-lite-v1:0',
  'meta.llama3-1-8b-instruct-v1:0',
  'mistral.mistral-large-2407-v1:0',
];

/** Names nothing that exists: the template grants by prefix. */
const sampleName = 'cordon-dry-check';

const neededBy: Readonly<Record<ServiceName, (region: string, accountId: string) => Omit<NeededUse, 'region'>>> = {
  bedrock: (region) => ({
    actions: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
    resources: sampleModels.map((model) => `arn:aws:bedrock:${region}::foundation-model/${model}`),
    resourceName: `foundation models in ${region}`,
  }),
  dynamodb: (region, accountId) =>
    one(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'], `arn:aws:dynamodb:${region}:${accountId}:table/${sampleName}`),
  s3: (region) => ({ ...one(['s3:GetObject'], `arn:aws:s3:::${sampleName}/object`), resourceName: `buckets cordon-* in ${region}` }),
  sqs: (region, accountId) => one(['sqs:SendMessage', 'sqs:GetQueueUrl'], `arn:aws:sqs:${region}:${accountId}:${sampleName}`),
};

function one(actions: readonly string[], resource: string): Omit<NeededUse, 'region'> {
  return { actions, resources: [resource], resourceName: resource };
}

/** Signs of an administrator: no service that Cordon is asked for needs any of them. */
function excessiveUses(roleArn: string): readonly SimulatedUse[] {
  return [
    { actions: ['iam:CreateUser', 'sts:AssumeRole', 'secretsmanager:GetSecretValue'], resources: ['*'] },
    { actions: ['s3:GetObject'], resources: ['arn:aws:s3:::*/*'] },
    // A role that can change itself can become anything.
    { actions: ['iam:PutRolePolicy', 'iam:AttachRolePolicy', 'iam:UpdateAssumeRolePolicy'], resources: [roleArn] },
  ];
}

/**
 * Asks the simulator about the role itself, in the role's own session.
 *
 * @throws as `ProbeDeps.simulate` does
 *
 * Source: IAM API Reference, SimulatePrincipalPolicy.
 */
export async function dryCheck(
  { simulate }: Pick<ProbeDeps, 'simulate'>,
  session: SessionCredentials,
  roleArn: string,
  { services, regions, customerAccountId }: Pick<ProbeInput, 'services' | 'regions' | 'customerAccountId'>,
): Promise<DryCheck> {
  const missing: string[] = [];
  for (const service of services) {
    for (const region of regions) {
      const need: NeededUse = { ...neededBy[service](region, customerAccountId), region };
      const allowed = new Set((await simulate(session, roleArn, need)).map(({ action }) => action.toLowerCase()));
      missing.push(
        ...need.actions.filter((action) => !allowed.has(action.toLowerCase())).map((action) => `${action} on ${need.resourceName}`),
      );
    }
  }
  const excessive: string[] = [];
  // The Region is given here too: a grant that holds in the connection's Region only is still too wide.
  for (const use of excessiveUses(roleArn))
    for (const { action, resource } of await simulate(session, roleArn, { ...use, region: regions[0] }))
      excessive.push(`${action} on ${resource}`);
  return { missing, excessive };
}
