/** What one more tenant costs in AWS calls and IAM resources: the same at 10, 100 and 1,000 tenants. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { awsClients } from '../local/aws-clients.ts';
import { type LocalCloud, startCloud } from '../local/cloud.ts';
import { templatePath } from '../test/support/template.ts';
import { type Bench, exactly, type Figure } from './figures.ts';

const sizes = [10, 100, 1_000];

/** Calls of the function and of the sessions it mints: queue polling and logs come by the batch, and are counted apart. */
const perBatch = new Set(['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes', 'CreateLogStream', 'PutLogEvents']);

async function onboard(cloud: LocalCloud, from: number, to: number): Promise<void> {
  const operator = awsClients(cloud, cloud.operator);
  const { EventBusName } = cloud.outputs;
  for (let first = from; first < to; first += 10) {
    const Entries = Array.from({ length: Math.min(10, to - first) }, (_, index) => ({
      EventBusName,
      Source: 'cordon.platform',
      DetailType: 'TenantOnboarded',
      Detail: JSON.stringify({
        version: 1,
        tenantId: `bench-${first + index}`,
        displayName: `Bench ${first + index}`,
        tier: 'pool',
        requestedBy: 'bench',
        credentials: [{ credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' }],
      }),
    }));
    await operator.events.send(new PutEventsCommand({ Entries }));
  }
  // Idle is told for the moment; the keys at the provider tell when all are done.
  for (const deadline = Date.now() + 300_000; cloud.openai.keys().length < to || !(await cloud.idle(1_000)); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`${cloud.openai.keys().length} of ${to} tenants after five minutes`);
  }
  operator.destroy();
}

function callsOf(cloud: LocalCloud, since: number): number {
  const requests = new Set<string>();
  for (const { service, operation, requestId, principal } of cloud.journal.since(since)) {
    if (perBatch.has(operation)) continue;
    if (/assumed-role\/(Tenant(Writer|Provisioner)|Cordon-TenantsFunction)/.test(principal))
      requests.add(`${service} ${operation} ${requestId}`);
  }
  return requests.size;
}

const rolesOf = (cloud: LocalCloud): number => cloud.kernel.identities.account(cloud.accountId)?.roles.size ?? Number.NaN;

export const onboarding: Bench = {
  name: 'Onboarding pool tenants, one issued credential each',
  async run() {
    const cloud = await startCloud({ templatePath: resolve(templatePath) });
    try {
      const roles = rolesOf(cloud);
      const figures: Figure[] = [];
      let done = 0;
      let perTenant: number | undefined;
      for (const size of sizes) {
        const since = cloud.journal.lastSeq;
        const start = performance.now();
        await onboard(cloud, done, size);
        // Whole calls: a worker also reads the provider's admin key when it starts, whatever the number of tenants.
        const calls = Math.round(callsOf(cloud, since) / (size - done));
        const each = (performance.now() - start) / (size - done);
        perTenant ??= calls;
        figures.push(exactly(`AWS calls for one more tenant, up to ${size} tenants`, calls, 'calls', perTenant));
        figures.push({ what: `time for one more tenant, up to ${size} tenants`, value: each, unit: 'ms' });
        done = size;
      }
      figures.push(exactly('IAM roles added', rolesOf(cloud) - roles, 'roles', 0));
      return figures;
    } finally {
      await cloud.close();
    }
  },
};
