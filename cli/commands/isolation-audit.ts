import { Command } from 'commander';
import { z } from 'zod';
import { outboundEvents, policyAuditRequested } from '../../functions/isolation/audit/events.ts';
import { failure } from '../../functions/shared/failure-event.ts';
import { displayText } from '../../functions/tenants/credential-spec.ts';
import { send, waiting, withRequester, withWaiting } from '../asking.ts';
import { CommandError, type ExitCode, exitCodes } from '../command-error.ts';
import { type Published, publishedAbout } from '../platform/event-log.ts';
import { until } from '../poll.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { tableLines } from '../table.ts';

const asked = z.object({ requestedBy: displayText.optional(), ...waiting.shape });
const audited = outboundEvents.PoliciesAudited;
/** The audit itself has ten minutes. */
const patienceSeconds = 700;

export function auditCommand(handle: Handle): Command {
  const command = new Command('audit').description(
    'compare the deployed policies with the synthesized ones; ends with 1 when one differs, with 3 when one could not be looked at',
  );
  return withWaiting(withRequester(command), patienceSeconds).action(handle(asked, audit));
}

async function audit(context: Context, { requestedBy, wait, timeout }: z.infer<typeof asked>): Promise<Answer> {
  const cloud = await context.cloud();
  const sent = await send(cloud, { type: 'PolicyAuditRequested', schema: policyAuditRequested, detail: {} }, requestedBy);
  const { eventId } = sent;
  if (!wait) return { json: { eventId, status: 'sent' }, lines: [`Sent as ${eventId}.`] };
  const told = await until(context.io, timeout, async () => {
    const events = await publishedAbout(cloud, eventId, sent.at);
    const end = events.find(({ type }) => type === 'PoliciesAudited');
    demandNotFailed(events);
    return end === undefined ? undefined : { ...audited.parse(end.detail), events };
  });
  if (told === undefined) {
    context.note(`Not done after ${timeout} seconds; it goes on, and what it finds alarms.`);
    return { json: { eventId, status: 'sent' }, lines: [`Sent as ${eventId}.`], exitCode: exitCodes.timedOut };
  }
  const found = told.events.flatMap(({ type, detail }) => (type === 'IsolationViolationDetected' ? [failure.parse(detail).reason] : []));
  const summary = `${told.compared} facts compared; ${found.length === 0 ? 'all are as synthesized' : `${found.length} finding(s)`}`;
  return {
    json: { eventId, status: 'done', auditId: told.auditId, compared: told.compared, counts: told.findings, findings: found },
    lines: [
      ...(found.length === 0
        ? []
        : tableLines(
            ['CODE', 'FINDING'],
            found.map(({ code, message }) => [code, message]),
          )),
      summary,
    ],
    exitCode: exitCodeOf(found.map(({ code }) => code)),
  };
}

/** A finding is told in the same form as a failure, and is none: only the audit's own failure ends the command. */
function demandNotFailed(events: readonly Published[]): void {
  const failed = events.find(({ type }) => type === 'PolicyAuditFailed');
  if (failed === undefined) return;
  const { code, message } = failure.parse(failed.detail).reason;
  throw new CommandError(code, `${code}: ${message}. The request lies in a dead-letter queue: see \`cordon dlq list\`.`);
}

function exitCodeOf(codes: readonly string[]): ExitCode {
  if (codes.some((code) => code !== 'AUDIT_INCOMPLETE')) return exitCodes.failed;
  return codes.length === 0 ? exitCodes.ok : exitCodes.unconfirmed;
}
