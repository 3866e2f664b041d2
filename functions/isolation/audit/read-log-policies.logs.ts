import {
  type CloudWatchLogsClient,
  DescribeResourcePoliciesCommand,
  type DescribeResourcePoliciesCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import { aws } from '../../shared/aws-errors.ts';
import { CordonError } from '../../shared/errors.ts';
import type { Looked } from './deployed.ts';
import { existence } from './fact.ts';
import { globOf } from './glob.ts';
import { read } from './identity-facts.ts';
import { parsePolicy, statementsOf } from './policy-document.ts';
import { arnOfResource, type DeployedStack } from './resolve-reference.ts';
import { document, nameOf } from './thing.ts';

/**
 * Policies of the account's logs are not those of one log group: each says itself which groups it is about. Of others than the stack's own those count that reach a log
 * group of the stack.
 */
export async function readLogPolicies(client: CloudWatchLogsClient, stack: DeployedStack): Promise<Looked> {
  const own = [...stack.resources.values()].flatMap(({ type, physicalId }) => (type === 'AWS::Logs::ResourcePolicy' ? [physicalId] : []));
  try {
    return await policiesReaching(client, stack, new Set(own));
  } catch (error) {
    if (!(error instanceof CordonError)) throw error;
    return { facts: [], unread: own.map((name) => ({ of: nameOf('AWS::Logs::ResourcePolicy', name), why: error.message })) };
  }
}

/** @throws CordonError as `aws` */
async function policiesReaching(client: CloudWatchLogsClient, stack: DeployedStack, own: ReadonlySet<string>): Promise<Looked> {
  const groups = [...stack.resources]
    .filter(([, { type }]) => type === 'AWS::Logs::LogGroup')
    .map(([, its]) => arnOfResource(its, '/', stack.cell));
  const looked: Looked[] = [];
  let nextToken: string | undefined;
  do {
    const page: DescribeResourcePoliciesCommandOutput = await aws('listing the policies of the logs', () =>
      client.send(new DescribeResourcePoliciesCommand({ ...(nextToken !== undefined && { nextToken }) })),
    );
    for (const { policyName = '', policyDocument = '' } of page.resourcePolicies ?? []) {
      const of = nameOf('AWS::Logs::ResourcePolicy', policyName);
      looked.push(
        read(of, () => {
          const its = parsePolicy(policyDocument);
          const concerns = own.has(policyName) || statementsOf(its).some(({ Resource }) => reaches(Resource, groups));
          return concerns ? [existence(of), { of, aspect: 'policy', value: document(its, 'RESOURCE_POLICY') }] : [];
        }),
      );
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return { facts: looked.flatMap(({ facts }) => facts), unread: looked.flatMap(({ unread }) => unread) };
}

/** A statement without resources is taken to be about all. */
function reaches(resource: unknown, groups: readonly string[]): boolean {
  if (resource === undefined) return true;
  return [resource].flat().some((pattern) => {
    // With or without the `:*` that stands for the streams of a group.
    const globs = [globOf(String(pattern)), globOf(`${String(pattern)}:*`)];
    return groups.some((group) => globs.some((glob) => glob.test(group)));
  });
}
