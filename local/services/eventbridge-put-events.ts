/** `PutEvents`: each entry is authorised, checked, matched and sent on its way by itself. Source: Amazon EventBridge API Reference. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, Operation, Scope } from '../core/service.ts';
import type { Deliveries } from './eventbridge-delivery.ts';
import type { EventStore } from './eventbridge-store.ts';
import { operation } from './typed-operation.ts';

/** "Total size of the entries in a PutEvents request must be less than 1 MB". */
const requestLimit = 1_048_576;

const entry = z.strictObject({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().optional(),
  Resources: z.array(z.string()).optional(),
  /** Epoch seconds. */
  Time: z.number().optional(),
  TraceHeader: z.string().optional(),
});
type Entry = z.output<typeof entry>;

export function putEvents(kernel: Kernel, store: EventStore, deliveries: Deliveries): Operation {
  const put = (one: Entry, scope: Scope): { EventId: string } | { ErrorCode: string; ErrorMessage: string } => {
    const problem = problemOf(one);
    if (problem !== undefined) return problem;
    const bus = store.findBus(scope, one.EventBusName ?? 'default');
    if (bus === undefined) return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `Event bus ${one.EventBusName} does not exist.` };
    const id = randomUUID();
    const envelope = {
      version: '0',
      id,
      'detail-type': one.DetailType,
      source: one.Source,
      account: scope.caller.accountId,
      // EventBridge's time has whole seconds.
      time: new Date(one.Time === undefined ? kernel.clock.now() : one.Time * 1000).toISOString().replace(/\.\d+Z$/, 'Z'),
      region: kernel.region,
      resources: one.Resources ?? [],
      detail: JSON.parse(one.Detail ?? '{}') as unknown,
    };
    const event = JSON.stringify(envelope);
    for (const rule of bus.rules.values()) {
      if (rule.state === 'DISABLED' || !rule.matches(envelope)) continue;
      for (const to of rule.targets.values())
        for (let times = scope.deliverTwice === true ? 2 : 1; times > 0; times--)
          deliveries.start({ ruleArn: rule.arn, target: to, event });
    }
    return { EventId: id };
  };

  return operation(z.strictObject({ Entries: z.array(entry).min(1).max(10) }), {
    needs: ({ Entries }, scope) =>
      Entries.map((one) =>
        store.busNeed('PutEvents', scope, one.EventBusName ?? 'default', {
          'events:source': one.Source,
          'events:detail-type': one.DetailType,
        }),
      ),
    run({ Entries }, scope) {
      const size = Entries.reduce((sum, one) => sum + sizeOf(one), 0);
      if (size >= requestLimit) throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
      const results = Entries.map((one) => put(one, scope));
      return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
    },
  });
}

/** What PutEvents says of an entry it does not take; the other entries are taken all the same. */
function problemOf(one: Entry): { ErrorCode: string; ErrorMessage: string } | undefined {
  const missing = (['Source', 'DetailType', 'Detail'] as const).find((name) => (one[name] ?? '') === '');
  if (missing !== undefined)
    return { ErrorCode: 'InvalidArgument', ErrorMessage: `Parameter ${missing} is not valid. Reason: ${missing} is a required argument.` };
  if (one.Source?.startsWith('aws.') === true)
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  try {
    const detail: unknown = JSON.parse(one.Detail ?? '');
    if (typeof detail === 'object' && detail !== null && !Array.isArray(detail)) return undefined;
  } catch {
    // The parser's message would quote the detail: the code says enough.
  }
  return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
}

/** Source: EventBridge User Guide, "Calculating PutEvents event entry size". */
function sizeOf(one: Entry): number {
  const texts = [one.Source, one.DetailType, one.Detail, ...(one.Resources ?? [])];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), one.Time === undefined ? 0 : 14);
}
