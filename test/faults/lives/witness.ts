/** Who looks on during a life: whatever may never happen is seen when it does. */
import { z } from 'zod';
import type { LocalCloud } from '../../../local/cloud.ts';
import type { Asked } from '../../../local/core/kernel.ts';
import { asRoot } from '../../support/ground-truth.ts';

/** On whose behalf something is done at this moment. */
export interface Occasion {
  readonly tenantId: string | undefined;
  /** Of a call through the broker. */
  readonly requestId?: string;
}

export interface Witness {
  /** What was seen since the last `forget`. */
  readonly seen: ReadonlySet<string>;
  forget(): void;
  /** From here on it is on this behalf. */
  begins(occasion: Occasion): void;
  /** Something is about to be asked for; looks at what that needs to have happened before. */
  watch(point: { readonly service: string; readonly action: string }): Promise<void>;
  close(): void;
}

/** How a name tells whose a thing is. */
const ownerships = [
  /\bcordon\/([a-z0-9-]+)\//g,
  /\bTENANT#([a-z0-9-]+)#/g,
  /\bTenantAgent-([a-z0-9-]+)/g,
  /\brole\/cordon\.([a-z0-9-]+)\./g,
];
const entries = z.object({
  Items: z.array(
    z.looseObject({
      sk: z.object({ S: z.string() }),
      provider: z.object({ S: z.string() }).optional(),
      context: z.object({ M: z.record(z.string(), z.looseObject({ S: z.string().optional() })) }).optional(),
    }),
  ),
});

/** Roles of all tenants, which are no tenant's: `cordon/TenantReader` has no slash after it, and these have. */
const nobodys: ReadonlySet<string> = new Set(['platform']);

export function createWitness(cloud: LocalCloud): Witness {
  const seen = new Set<string>();
  let occasion: Occasion = { tenantId: undefined };

  /** What IAM has allowed to a session of a tenant is that tenant's. */
  function look({ caller, need, context, decision }: Asked): void {
    const { TenantId: own } = caller.tags;
    if (!decision.allowed || own === undefined) return;
    const keys = ['dynamodb:leadingkeys', 'aws:resourcetag/tenantid', 'aws:requesttag/tenantid', 'kms:encryptioncontext:tenantid'];
    const named = keys.flatMap((key) => context.get(key) ?? []);
    const owners = [need.resource, ...named].flatMap((text) => [
      ...ownerships.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name)),
    ]);
    const tags = keys.slice(1).flatMap((key) => context.get(key) ?? []);
    for (const owner of [...owners, ...tags]) {
      if (owner === own || nobodys.has(owner)) continue;
      seen.add(`1 cross-tenant access: a session of ${own} was allowed ${need.action} on ${need.resource} of ${owner}`);
    }
  }
  const stop = cloud.kernel.onDecision(look);

  async function intentsOf(tenantId: string): Promise<z.infer<typeof entries>['Items']> {
    const day = new Date(cloud.clock.now()).toISOString().slice(0, 10);
    const answer = await asRoot(cloud, 'dynamodb', 'Query', {
      TableName: cloud.outputs['AttributionTable'],
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: `TENANT#${tenantId}#${day}` } },
      ConsistentRead: true,
    });
    return entries.parse(answer).Items;
  }

  /** A use of a credential, or of the power over one, has an intent on record that nothing is known of yet. */
  async function demandIntent(service: string, action: string): Promise<void> {
    const { tenantId, requestId } = occasion;
    if (tenantId === undefined) return void seen.add(`2 use without intent: ${service} ${action} on nobody's behalf`);
    const items = await intentsOf(tenantId);
    const closed = new Set(items.flatMap(({ sk: { S } }) => (S.endsWith('#OUTCOME') ? [S.slice(0, -'#OUTCOME'.length)] : [])));
    const open = items.filter(({ sk: { S } }) => S.endsWith('#INTENT') && !closed.has(S.slice(0, -'#INTENT'.length)));
    const isIts = ({ provider, context }: (typeof open)[number]): boolean =>
      requestId === undefined ? provider?.S === service : context?.M['requestId']?.S === requestId;
    if (!open.some(isIts)) seen.add(`2 use without intent: ${service} ${action} for ${tenantId}`);
  }

  return {
    seen,
    forget: () => seen.clear(),
    begins(next) {
      occasion = next;
    },
    async watch({ service, action }) {
      if (!Object.hasOwn(cloud.world.simulators, service)) return;
      // Tokens for the administration are nobody's credential, and a look at keys uses none.
      if (action !== 'use' && (/^GET /.test(action) || /login|token/.test(action))) return;
      await demandIntent(service, action);
    },
    close: stop,
  };
}
