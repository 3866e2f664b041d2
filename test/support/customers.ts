/** Connecting a customer's AWS account: the wish, the link, the sweep, and what the tenant sees of it. */
import { CloudFormationClient, CreateStackCommand, DeleteStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import type { TestCloud } from './cloud.ts';
import { type Customer, newCustomer } from './customer-account.ts';
import { nextSweep } from './schedules.ts';
import { pause } from './settle.ts';

export interface Wish {
  readonly tenantId: string;
  readonly customerAccountId: string;
  readonly services?: readonly string[];
  readonly regions?: readonly string[];
  readonly environment?: string;
}

const reason = z.object({ code: z.string(), message: z.string(), nextStep: z.string() });
const seen = z.object({
  customerAccountId: z.string(),
  status: z.enum(['pending', 'active', 'rejected', 'suspended', 'expired', 'disconnected']),
  reason: reason.optional(),
  services: z.array(z.string()),
  regions: z.array(z.string()),
  roleName: z.string(),
  roleArn: z.string().optional(),
  quickCreateUrl: z.url().optional(),
  findings: z.array(z.object({ code: z.string(), message: z.string() })),
  verifiedAt: z.iso.datetime().optional(),
  probedAt: z.iso.datetime().optional(),
});
/** A connection as `GET /v1/connections` shows it. */
export type SeenConnection = z.infer<typeof seen>;
const answer = z.object({ connections: z.array(seen), credentials: z.array(z.looseObject({ credentialId: z.string() })) });

/** What an offer holds: the link and what it names. */
export interface Offer {
  readonly url: string;
  readonly roleName: string;
  readonly externalId: string;
}

/** A pool tenant with these credentials and rules, none when left out. Rejects when it is refused. */
export async function tenantWith(test: TestCloud, detail: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { tenantId, outcome } = await test.onboard({ credentials: [], ...detail });
  if (outcome.detailType !== 'TenantProvisioned') throw new Error(`The tenant was not provisioned: ${JSON.stringify(outcome)}`);
  return tenantId;
}

/** The event by which the platform asks for a connection: Bedrock in us-east-1 when nothing else is said. */
export const requested = ({ services = ['bedrock'], regions = ['us-east-1'], ...wish }: Wish) => ({
  detailType: 'RoleConnectionRequested',
  detail: { version: 1, requestedBy: 'test', ...wish, services, regions },
});

/** A token of the tenant's admin, or of somebody with another role. */
export function tokenOf(test: TestCloud, tenantId: string, role = 'admin'): Promise<string> {
  return test.cloud.oidc.mint({ tenantId, userId: `${role}@${tenantId}`, role });
}

/** `/v1/connections` and what follows it. */
export function askConnections(
  test: TestCloud,
  token: string,
  { method = 'GET', path = '', body }: { readonly method?: string; readonly path?: string; readonly body?: object } = {},
): Promise<Response> {
  return fetch(`${test.cloud.brokerUrl}/v1/connections${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** What the API shows to a token. Rejects when it refuses. */
export async function connectionsSeen(test: TestCloud, token: string): Promise<z.infer<typeof answer>> {
  const response = await askConnections(test, token);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`The connections are not shown: ${response.status} ${text}`);
  return answer.parse(JSON.parse(text));
}

/** The tenant's connection as its admin sees it. Rejects when there is none. */
export async function connectionOf(test: TestCloud, { tenantId, customerAccountId }: Wish): Promise<SeenConnection> {
  const { connections } = await connectionsSeen(test, await tokenOf(test, tenantId));
  const found = connections.find((connection) => connection.customerAccountId === customerAccountId);
  if (found === undefined) throw new Error(`${tenantId} has no connection to ${customerAccountId}.`);
  return found;
}

/** What the link fills in, by name. */
export function linkOf(url: string): {
  readonly templateUrl: string;
  readonly stackName: string;
  readonly parameters: Record<string, string>;
} {
  const [, query = ''] = new URL(url).hash.split('?');
  const given = new Map(
    query.split('&').map((pair) => {
      const [name = '', value = ''] = pair.split('=').map(decodeURIComponent);
      return [name, value];
    }),
  );
  const parameters = [...given].flatMap(([name, value]) =>
    name.startsWith('param_') ? [[name.slice('param_'.length), value] as const] : [],
  );
  return {
    templateUrl: given.get('templateURL') ?? '',
    stackName: given.get('stackName') ?? '',
    parameters: Object.fromEntries(parameters),
  };
}

/** Asks for a connection by the event and waits until its link is shown to the admin. */
export async function offerOf(test: TestCloud, wish: Wish): Promise<Offer> {
  await test.putEvents(requested(wish));
  await pause(test.cloud);
  const { quickCreateUrl: url = '', roleName, status } = await connectionOf(test, wish);
  const { ExternalId: externalId } = url === '' ? {} : linkOf(url).parameters;
  if (externalId === undefined) throw new Error(`No link is shown: the connection is ${status}.`);
  return { url, roleName, externalId };
}

/** The customer follows the link as it is and creates the stack. Answers the stack's status when it stands still. */
export async function followLink(test: TestCloud, { credentials }: Customer, url: string): Promise<string> {
  const { templateUrl, stackName, parameters } = linkOf(url);
  return withCloudFormation(test, credentials, async (cloudFormation) => {
    await cloudFormation.send(
      new CreateStackCommand({
        StackName: stackName,
        TemplateURL: templateUrl,
        Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
        Capabilities: ['CAPABILITY_NAMED_IAM'],
      }),
    );
    await pause(test.cloud);
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stackName }));
    return `${Stacks[0]?.StackStatus}${Stacks[0]?.StackStatusReason === undefined ? '' : `: ${Stacks[0].StackStatusReason}`}`;
  });
}

/** The customer deletes the stack that the link has made. */
export async function deleteStack(test: TestCloud, { credentials }: Customer, url: string): Promise<void> {
  await withCloudFormation(test, credentials, (cloudFormation) =>
    cloudFormation.send(new DeleteStackCommand({ StackName: linkOf(url).stackName })),
  );
  await pause(test.cloud);
}

async function withCloudFormation<Answer>(
  { cloud: { endpoint, region } }: TestCloud,
  credentials: AwsCredentials,
  call: (client: CloudFormationClient) => Promise<Answer>,
): Promise<Answer> {
  const client = new CloudFormationClient({ endpoint, region, credentials, maxAttempts: 1 });
  try {
    return await call(client);
  } finally {
    client.destroy();
  }
}

/**
 * Moves the clock by so many minutes, none when left out, and on to the sweep's next run; waits until that and what it set going are through. The run after it is
 * a minute of real time away, so it comes in between nothing that a test does next.
 */
export async function sweep(test: TestCloud, minutes = 0): Promise<void> {
  const { clock } = test.cloud;
  const now = clock.now();
  clock.advance((await nextSweep(test.cloud, now + minutes * 60_000 + 1000)) - now);
  await pause(test.cloud);
}

/** Sweeps until the connection has one of these statuses. Rejects after so many runs, a minute each. */
export async function connectionThatIs(
  test: TestCloud,
  wish: Wish,
  statuses: readonly SeenConnection['status'][],
  runs = 20,
): Promise<SeenConnection> {
  for (let left = runs; ; left -= 1) {
    const found = await connectionOf(test, wish);
    if (statuses.includes(found.status)) return found;
    if (left === 0) throw new Error(`The connection is not ${statuses.join(' or ')} after ${runs} runs: ${JSON.stringify(found)}`);
    await sweep(test);
  }
}

/** A connection that waits for its role. */
export async function announced(test: TestCloud): Promise<Offer & { tenantId: string; customer: Customer; wish: Wish }> {
  const tenantId = await tenantWith(test);
  const customer = newCustomer(test);
  const wish = { tenantId, customerAccountId: customer.accountId };
  return { tenantId, customer, wish, ...(await offerOf(test, wish)) };
}

export interface Connected {
  readonly tenantId: string;
  readonly customer: Customer;
  readonly wish: Wish;
  readonly offer: Offer;
  readonly connection: SeenConnection;
}

/** A tenant whose customer followed the link, verified. `wish`: what else to ask for than Bedrock in us-east-1. */
export async function connect(
  test: TestCloud,
  { tenantId, customer = newCustomer(test), ...asked }: { readonly tenantId: string; readonly customer?: Customer } & Partial<Wish>,
): Promise<Connected> {
  const wish = { tenantId, customerAccountId: customer.accountId, ...asked };
  const offer = await offerOf(test, wish);
  const status = await followLink(test, customer, offer.url);
  if (status !== 'CREATE_COMPLETE') throw new Error(`The stack is ${status}.`);
  return { tenantId, customer, wish, offer, connection: await connectionThatIs(test, wish, ['active']) };
}
