import { Fn, type Stack } from 'aws-cdk-lib';
import { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { CfnRule, Rule } from 'aws-cdk-lib/aws-events';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { MetricFilter } from 'aws-cdk-lib/aws-logs';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';
import { ServiceFunction } from './service-function.ts';

export interface Named<Thing> {
  /** Path in the stack, as people know it: `Broker/BrokerFunction`. */
  readonly name: string;
  readonly thing: Thing;
}

export interface Scheduled {
  readonly function: IFunction;
  readonly everyMinutes: number;
}

/** What there is in the stack that can fail. */
export interface Inventory {
  readonly functions: readonly Named<ServiceFunction>[];
  /** Those that are consumed. */
  readonly queues: readonly Named<Queue>[];
  readonly deadLetterQueues: readonly Named<Queue>[];
  readonly tables: readonly Named<Table>[];
  readonly apis: readonly Named<RestApi>[];
  /** Rules with a target that has no dead-letter queue: what they fail to deliver is lost. */
  readonly losingRules: readonly Named<Rule>[];
  readonly schedules: readonly Named<Scheduled>[];
  readonly alarms: readonly Alarm[];
  /** What Cordon counts in its own logs. */
  readonly countedInLogs: readonly Named<MetricFilter>[];
}

/** Walks the stack, so that whatever is added to it is watched without being told of. */
export function takeInventory(stack: Stack): Inventory {
  const all = stack.node.findAll();
  const of = <Thing extends IConstruct>(kind: abstract new (...args: never[]) => Thing): Named<Thing>[] =>
    all.flatMap((construct) => (construct instanceof kind ? [{ name: nameOf(stack, construct), thing: construct }] : []));
  const queues = of(Queue);
  const dead = new Set(queues.flatMap(({ thing }) => (thing.deadLetterQueue === undefined ? [] : [thing.deadLetterQueue.queue.node.path])));
  const functions = of(ServiceFunction);
  return {
    functions,
    queues: queues.filter(({ thing }) => !dead.has(thing.node.path)),
    deadLetterQueues: queues.filter(({ thing }) => dead.has(thing.node.path)),
    tables: of(Table),
    apis: of(RestApi),
    losingRules: of(Rule).filter(({ thing }) => losesEvents(stack, thing)),
    schedules: of(CfnSchedule).map(({ name, thing }) => ({
      name: name.replace(/\/Resource$/, ''),
      thing: scheduledBy(stack, thing, functions),
    })),
    alarms: of(Alarm).map(({ thing }) => thing),
    countedInLogs: of(MetricFilter),
  };
}

/** Without the words that every construct of a kind has. */
function nameOf(stack: Stack, construct: IConstruct): string {
  return construct.node.path.slice(stack.node.path.length + 1);
}

function losesEvents(stack: Stack, rule: Rule): boolean {
  const resource = rule.node.defaultChild;
  const targets: unknown = resource instanceof CfnRule ? stack.resolve(resource.targets) : undefined;
  return Array.isArray(targets) && targets.some((target: object) => !('deadLetterConfig' in target));
}

/**
 * A rule's own name, also on a bus of its own, where `Ref` gives the bus as well. Source: EventBridge User Guide, "Resource ARN formats": `rule/{bus}/{name}`, on the
 * default bus `rule/{name}`.
 */
export function ruleNameOf(rule: Rule): string {
  const resource = rule.node.defaultChild;
  const onOwnBus = resource instanceof CfnRule && resource.eventBusName !== undefined;
  return Fn.select(onOwnBus ? 2 : 1, Fn.split('/', rule.ruleArn));
}

function scheduledBy(stack: Stack, schedule: CfnSchedule, functions: Inventory['functions']): Scheduled {
  const target: unknown = stack.resolve(schedule.target);
  const arn = typeof target === 'object' && target !== null && 'arn' in target ? JSON.stringify(target.arn) : '';
  const found = functions.find(({ thing }) => JSON.stringify(stack.resolve(thing.function.functionArn)) === arn);
  if (found === undefined) throw new Error(`${schedule.node.path} runs none of the functions: nothing would notice that it is silent`);
  return { function: found.thing.function, everyMinutes: minutesOf(schedule.scheduleExpression) };
}

const units: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

/** `rate(5 minutes)`; a `cron` is taken for daily, which is what it is used for. */
function minutesOf(expression: string): number {
  const [, count = '', unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (expression.startsWith('cron(')) return 1440;
  const minutes = Number(count) * (units[unit] ?? Number.NaN);
  if (!(minutes > 0)) throw new Error(`the schedule ${expression} is not understood`);
  return minutes;
}
