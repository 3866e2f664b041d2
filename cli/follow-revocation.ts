import type { Revocation } from '../functions/revocation/revocation.ts';
import type { TenantId } from '../functions/shared/identifiers.ts';
import type { Waiting } from './asking.ts';
import type { Cloud } from './cloud/cloud.ts';
import { exitCodes } from './command-error.ts';
import { type Sent, throwIfFailed } from './platform/event-log.ts';
import { createRegistryReader } from './platform/registry-reader.ts';
import { until } from './poll.ts';
import type { Answer, Context } from './runner.ts';
import { revocationLines, revocationView, subjectOf } from './views/revocation-view.ts';
import { timeOf } from './views/times.ts';

/**
 * Follows a revocation, an offboarding, a suspension or a reinstatement until nothing is left of it but what a provider does not confirm, and says how far it is as
 * it goes.
 *
 * @throws CommandError with the reason's code when it was refused
 */
export async function followRevocation(
  context: Context,
  cloud: Cloud,
  { tenantId, sent, wait, timeout }: Waiting & { readonly tenantId: TenantId; readonly sent: Sent },
): Promise<Answer> {
  const { eventId } = sent;
  if (!wait) return sentAnswer(tenantId, eventId);
  const registry = createRegistryReader(cloud);
  const told = createTelling(context);
  let known: Revocation | undefined;
  const ended = await until(context.io, timeout, async () => {
    known = await registry.revocation(tenantId, eventId);
    // What is refused gets no item; what was applied before it arrived here neither.
    if (known === undefined) await throwIfFailed(cloud, sent);
    else told(known);
    return known === undefined || known.status === 'open' ? undefined : known;
  });
  const item = ended ?? known;
  if (item === undefined) {
    context.note(
      `After ${timeout} seconds nothing is known of ${eventId} yet: ask again with "cordon revocations show ${tenantId} ${eventId}".`,
    );
    return { ...sentAnswer(tenantId, eventId), exitCode: exitCodes.timedOut };
  }
  const view = revocationView(item, await registry.credentials(tenantId));
  if (item.status === 'open')
    context.note(
      `In force, but not done after ${timeout} seconds; it goes on. Ask again with "cordon revocations show ${tenantId} ${eventId}".`,
    );
  const exitCode = { done: exitCodes.ok, unconfirmed: exitCodes.unconfirmed, open: exitCodes.timedOut }[item.status];
  return { json: view, lines: revocationLines(view), exitCode };
}

function sentAnswer(tenantId: TenantId, eventId: string): Answer {
  return { json: { tenantId, revocationId: eventId, status: 'sent' }, lines: [`Sent as ${eventId}.`] };
}

/** Notes what is new since it was last looked at, and nothing twice. */
function createTelling({ note }: Context): (item: Revocation) => void {
  const said = new Set<string>();
  const say = (text: string): void => {
    if (said.has(text)) return;
    said.add(text);
    note(text);
  };
  return (item) => {
    say(`${item.action} ${subjectOf(item)}: in force since ${timeOf(item.inForceAt)}`);
    if (item.cutOff?.appliedAt !== undefined) say(`sessions from before are cut off since ${timeOf(item.cutOff.appliedAt)}`);
    const { credentials, versions, confirmed } = item.counts;
    if (credentials > 0) say(`${credentials} credential(s) ended; ${confirmed} of ${versions} key(s) confirmed dead`);
  };
}
