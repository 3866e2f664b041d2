/** By what one function has another act: events, messages and calls. */
import type { PolicyStatement } from '../../local/iam/policy.ts';
import type { Probe } from './probes.ts';
import type { Stack } from './stack-model.ts';

const sends = (action: string): boolean => /:(SendMessage|PutEvents|InvokeFunction|InvokeAsync)$/.test(action);

export function messageProbes(stack: Stack): Probe[] {
  return [...eventProbes(stack), ...queueProbes(stack), ...functionProbes(stack)];
}

const consumers = ({ functions }: Stack, queues: readonly string[]): string[] =>
  functions.filter(({ consumes }) => consumes.some((arn) => queues.includes(arn))).map(({ name }) => name);

function eventProbes(stack: Stack): Probe[] {
  // Types that a policy names are tried too: a function may be let say one thing and nothing else.
  const named = stack.documents.flatMap(({ Statement }) => [Statement].flat().flatMap(typesIn));
  return stack.buses.flatMap(({ name, arn }): Probe[] => [
    ...stack.events.map(
      ({ source, detailType, queues }): Probe => ({
        thing: detailType === undefined ? `announcements of ${source}` : `events ${detailType} of ${source}`,
        // Whoever may send one may name any tenant in it.
        of: 'all',
        service: 'events',
        resource: arn,
        circumstances: (detailType === undefined ? ['Anything', ...named] : [detailType]).map((type) => ({
          'events:source': source,
          'events:detail-type': type,
        })),
        only: sends,
        asks: consumers(stack, queues),
      }),
    ),
    { thing: `bus ${name}`, of: 'all', service: 'events', resource: arn, circumstances: [{}], only: (action) => !sends(action) },
  ]);
}

function typesIn({ Condition }: PolicyStatement): string[] {
  return Object.values(Condition ?? {}).flatMap((tests) =>
    [tests['events:detail-type'] ?? []].flat().filter((one) => typeof one === 'string'),
  );
}

const looksOnly = (action: string): boolean =>
  /:(GetQueueAttributes|GetQueueUrl|ListQueueTags|ListDeadLetterSourceQueues|ListMessageMoveTasks)$/.test(action);

function queueProbes(stack: Stack): Probe[] {
  return stack.queues.flatMap(({ name, arn }): Probe[] => {
    const asks = consumers(stack, [arn]);
    const probe = { service: 'sqs', resource: arn, circumstances: [{}], resourcePolicy: stack.resourcePolicies.get(arn) };
    return [
      { ...probe, thing: `queue ${name}`, of: 'platform', only: looksOnly },
      // As far as whoever handles it; what lies there for a person to look at asks nobody.
      { ...probe, thing: `messages into ${name}`, of: 'platform', only: sends, asks },
      { ...probe, thing: `messages of ${name}`, of: 'all', only: (action) => !sends(action) && !looksOnly(action) },
    ];
  });
}

function functionProbes(stack: Stack): Probe[] {
  return stack.functions.flatMap(({ name, arn }): Probe[] => {
    const probe = { service: 'lambda', resource: arn, circumstances: [{}], resourcePolicy: stack.resourcePolicies.get(arn) };
    return [
      { ...probe, thing: `function ${name}`, of: 'platform', only: sends, asks: [name] },
      { ...probe, thing: `code of ${name}`, of: 'all', only: (action) => !sends(action) },
    ];
  });
}
