/** The buses and rules of all accounts, and what IAM is asked about them. */
import { AwsError } from '../core/aws-error.ts';
import type { Need, Scope } from '../core/service.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import type { Target } from './eventbridge-delivery.ts';
import type { Matcher } from './eventbridge-pattern.ts';

/** An ordinary enabled rule gets no read-only management events of CloudTrail. Source: EventBridge API Reference, PutRule. */
export const ruleStates = ['ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'] as const;

export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly pattern: string;
  readonly matches: Matcher;
  readonly state: (typeof ruleStates)[number];
  readonly description?: string | undefined;
  readonly targets: Map<string, Target>;
}
export interface Bus {
  readonly name: string;
  readonly arn: string;
  readonly description?: string | undefined;
  readonly rules: Map<string, Rule>;
  policy?: PolicyDocument;
}

export interface EventStore {
  /** By ARN. */
  readonly buses: Map<string, Bus>;
  busArn(accountId: string, nameOrArn: string): string;
  findBus(scope: Scope, nameOrArn: string): Bus | undefined;
  /** @throws AwsError `ResourceNotFoundException` */
  busOf(scope: Scope, nameOrArn: string): Bus;
  ruleArn(scope: Scope, bus: string, name: string): string;
  /** @throws AwsError `ResourceNotFoundException` */
  ruleOf(scope: Scope, bus: string, name: string): Rule;
  /** The need for `events:{action}` on a bus, with its policy. */
  busNeed(action: string, scope: Scope, nameOrArn: string, context?: Need['context']): Need;
  ruleNeed(action: string): (input: { EventBusName: string; Name?: string; Rule?: string }, scope: Scope) => readonly Need[];
}

export function createEventStore(region: string): EventStore {
  const buses = new Map<string, Bus>();
  const busArn = (accountId: string, nameOrArn: string): string =>
    nameOrArn.startsWith('arn:') ? nameOrArn : `arn:aws:events:${region}:${accountId}:event-bus/${nameOrArn}`;
  const findBus = (scope: Scope, nameOrArn: string): Bus | undefined => {
    const arn = busArn(scope.accountId, nameOrArn);
    // Every account has one.
    if (!buses.has(arn) && arn === busArn(scope.accountId, 'default')) buses.set(arn, { name: 'default', arn, rules: new Map() });
    return buses.get(arn);
  };
  const busOf = (scope: Scope, nameOrArn: string): Bus => {
    const bus = findBus(scope, nameOrArn);
    if (bus === undefined) throw new AwsError('ResourceNotFoundException', `Event bus ${nameOrArn} does not exist.`);
    return bus;
  };
  const ruleArn = (scope: Scope, bus: string, name: string): string => {
    const busName = bus.split('/').at(-1);
    return `arn:aws:events:${region}:${scope.accountId}:rule/${busName === 'default' ? '' : `${busName}/`}${name}`;
  };
  const ruleOf = (scope: Scope, bus: string, name: string): Rule => {
    const rule = busOf(scope, bus).rules.get(name);
    if (rule === undefined) throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${bus}.`);
    return rule;
  };
  const busNeed = (action: string, scope: Scope, name: string, context: Need['context'] = {}): Need => {
    const arn = busArn(scope.accountId, name);
    const policy = buses.get(arn)?.policy;
    return {
      action: `events:${action}`,
      resource: arn,
      context,
      resourceAccountId: arn.split(':')[4] ?? scope.accountId,
      ...(policy === undefined ? {} : { resourcePolicy: { name: `event bus ${name}`, document: policy } }),
    };
  };
  const ruleNeed =
    (action: string) =>
    (input: { EventBusName: string; Name?: string; Rule?: string }, scope: Scope): Need[] => [
      { action: `events:${action}`, resource: ruleArn(scope, input.EventBusName, input.Name ?? input.Rule ?? '') },
    ];
  return { buses, busArn, findBus, busOf, ruleArn, ruleOf, busNeed, ruleNeed };
}
