/** Queue attributes: which exist, their defaults and limits, and what is computed on reading. Source: SQS API Reference, `SetQueueAttributes`. */
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { parseResourcePolicy } from './resource-policy.ts';
import { depth, type Queue } from './sqs-queue.ts';

const whole = (name: string, min: number, max: number) => (value: string) => {
  if (!/^\d+$/.test(value) || Number(value) < min || Number(value) > max) throw invalid(name);
};
const text = () => undefined;
const json = (name: string) => (value: string) => {
  if (value !== '') parseJson(name, value);
};

const settable: Readonly<Record<string, { default?: string; check(value: string): void }>> = {
  DelaySeconds: { default: '0', check: whole('DelaySeconds', 0, 900) },
  MaximumMessageSize: { default: '1048576', check: whole('MaximumMessageSize', 1024, 1_048_576) },
  MessageRetentionPeriod: { default: '345600', check: whole('MessageRetentionPeriod', 60, 1_209_600) },
  ReceiveMessageWaitTimeSeconds: { default: '0', check: whole('ReceiveMessageWaitTimeSeconds', 0, 20) },
  VisibilityTimeout: { default: '30', check: whole('VisibilityTimeout', 0, 43_200) },
  SqsManagedSseEnabled: { default: 'true', check: text },
  KmsMasterKeyId: { check: text },
  KmsDataKeyReusePeriodSeconds: { check: whole('KmsDataKeyReusePeriodSeconds', 60, 86_400) },
  Policy: { check: (value) => void (value === '' || parseResourcePolicy('Policy', value, 'InvalidAttributeValue')) },
  RedrivePolicy: { check: (value) => void (value === '' || parseRedrivePolicy(value)) },
  RedriveAllowPolicy: { check: json('RedriveAllowPolicy') },
};

const computed: Readonly<Record<string, (queue: Queue, now: number) => number | string>> = {
  QueueArn: (queue) => queue.arn,
  CreatedTimestamp: (queue) => Math.floor(queue.createdAt / 1000),
  LastModifiedTimestamp: (queue) => Math.floor(queue.modifiedAt / 1000),
  ApproximateNumberOfMessages: (queue, now) => depth(queue, now).ready,
  ApproximateNumberOfMessagesNotVisible: (queue, now) => depth(queue, now).inFlight,
  ApproximateNumberOfMessagesDelayed: (queue, now) => depth(queue, now).delayed,
};

const invalid = (name: string): AwsError => new AwsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);

function parseJson(name: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw Object.assign(invalid(name), { cause });
  }
}

const redrivePolicy = z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number().int().min(1).max(1000) });
function parseRedrivePolicy(value: string): z.output<typeof redrivePolicy> {
  const parsed = redrivePolicy.safeParse(parseJson('RedrivePolicy', value));
  if (!parsed.success) throw invalid('RedrivePolicy');
  return parsed.data;
}

/** Checks and sets attributes; an empty value removes one. @throws AwsError `InvalidAttributeName`, `InvalidAttributeValue`; NotImplemented for FIFO queues. */
export function setAttributes(queue: Queue, values: Readonly<Record<string, string>>, now: number): void {
  for (const [name, value] of Object.entries(values)) {
    if (name === 'FifoQueue' || name === 'ContentBasedDeduplication') throw notImplemented('FIFO queues');
    const attribute = Object.hasOwn(settable, name) ? settable[name] : undefined;
    if (attribute === undefined) throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    attribute.check(value);
  }
  for (const [name, value] of Object.entries(values)) {
    if (value === '') queue.attributes.delete(name);
    else queue.attributes.set(name, value);
  }
  queue.modifiedAt = now;
}

/** The named attributes (`All` for every one) that have a value. */
export function getAttributes(queue: Queue, names: readonly string[], now: number): Record<string, string> {
  const known = [...Object.keys(settable), ...Object.keys(computed)];
  const unknown = names.find((name) => name !== 'All' && !known.includes(name));
  if (unknown !== undefined) throw new AwsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`);
  const answer: Record<string, string> = {};
  for (const name of names.includes('All') ? known : names) {
    const value = computed[name]?.(queue, now) ?? queue.attributes.get(name) ?? settable[name]?.default;
    if (value !== undefined) answer[name] = String(value);
  }
  return answer;
}

/** A whole-number attribute in force. */
export const numberOf = (queue: Queue, name: string): number => Number(queue.attributes.get(name) ?? settable[name]?.default);

export function redriveOf(queue: Queue): { deadLetterTargetArn: string; maxReceiveCount: number } | undefined {
  const value = queue.attributes.get('RedrivePolicy');
  return value === undefined ? undefined : parseRedrivePolicy(value);
}

const documents = new WeakMap<Queue, { text: string; document: PolicyDocument }>();
/** The queue's resource policy; the same object until it changes, so that it is compiled once. */
export function policyOf(queue: Queue): PolicyDocument | undefined {
  const value = queue.attributes.get('Policy');
  if (value === undefined) return undefined;
  const known = documents.get(queue);
  if (known?.text === value) return known.document;
  const document = parseResourcePolicy(`queue ${queue.name}`, value, 'InvalidAttributeValue');
  documents.set(queue, { text: value, document });
  return document;
}
