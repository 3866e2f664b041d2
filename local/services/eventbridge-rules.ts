/** Rules and their targets. Source: Amazon EventBridge API Reference, `PutRule`, `PutTargets`, `TestEventPattern`. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Operation } from '../core/service.ts';
import { isDeliverable } from './eventbridge-delivery.ts';
import { compilePattern } from './eventbridge-pattern.ts';
import { type EventStore, type Rule, ruleStates } from './eventbridge-store.ts';
import { operation } from './typed-operation.ts';

const tags = z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional();
const onBus = z.strictObject({ EventBusName: z.string().min(1).default('default') });
const onRule = onBus.extend({ Name: z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/) });
const target = z.strictObject({
  Id: z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/),
  Arn: z.string().refine(isDeliverable, 'the local cloud delivers to SQS queues, Lambda functions and log groups'),
  SqsParameters: z.strictObject({ MessageGroupId: z.string().min(1) }).optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string().optional() }).optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: z.number().int().min(0).max(185).optional(),
      MaximumEventAgeInSeconds: z.number().int().min(60).max(86_400).optional(),
    })
    .optional(),
});

export function ruleOperations(store: EventStore): Record<string, Operation> {
  return {
    PutRule: operation(
      onRule.extend({
        EventPattern: z.string(),
        State: z.enum(ruleStates).default('ENABLED'),
        Description: z.string().optional(),
        Tags: tags,
      }),
      {
        needs: store.ruleNeed('PutRule'),
        run(input, scope) {
          const arn = store.ruleArn(scope, input.EventBusName, input.Name);
          const { rules } = store.busOf(scope, input.EventBusName);
          rules.set(input.Name, {
            name: input.Name,
            arn,
            pattern: input.EventPattern,
            matches: compilePattern(input.EventPattern),
            state: input.State,
            description: input.Description,
            targets: rules.get(input.Name)?.targets ?? new Map(),
          });
          return { RuleArn: arn };
        },
      },
    ),
    DescribeRule: operation(onRule, {
      needs: store.ruleNeed('DescribeRule'),
      run: (input, scope) => describe(store.ruleOf(scope, input.EventBusName, input.Name), input.EventBusName),
    }),
    ListRules: operation(onBus.extend({ NamePrefix: z.string().default(''), Limit: z.number().optional() }), {
      needs: (input, scope) => [{ action: 'events:ListRules', resource: store.ruleArn(scope, input.EventBusName, '*') }],
      run: (input, scope) => ({
        Rules: [...store.busOf(scope, input.EventBusName).rules.values()]
          .filter((rule) => rule.name.startsWith(input.NamePrefix))
          .map((rule) => describe(rule, input.EventBusName)),
      }),
    }),
    DeleteRule: operation(onRule.extend({ Force: z.boolean().optional() }), {
      needs: store.ruleNeed('DeleteRule'),
      run(input, scope) {
        const bus = store.busOf(scope, input.EventBusName);
        if ((bus.rules.get(input.Name)?.targets.size ?? 0) > 0)
          throw new AwsError('ValidationException', "Rule can't be deleted since it has targets.");
        bus.rules.delete(input.Name);
        return {};
      },
    }),
    PutTargets: operation(onBus.extend({ Rule: z.string(), Targets: z.array(target).min(1).max(100) }), {
      needs: store.ruleNeed('PutTargets'),
      run(input, scope) {
        const { targets } = store.ruleOf(scope, input.EventBusName, input.Rule);
        const all = new Set([...targets.keys(), ...input.Targets.map((to) => to.Id)]);
        if (all.size > 5)
          throw new AwsError(
            'LimitExceededException',
            'The requested resource exceeds the maximum number allowed: a rule has at most 5 targets.',
          );
        for (const to of input.Targets) targets.set(to.Id, to);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    }),
    ListTargetsByRule: operation(onBus.extend({ Rule: z.string(), Limit: z.number().optional() }), {
      needs: store.ruleNeed('ListTargetsByRule'),
      run: (input, scope) => ({ Targets: [...store.ruleOf(scope, input.EventBusName, input.Rule).targets.values()] }),
    }),
    RemoveTargets: operation(onBus.extend({ Rule: z.string(), Ids: z.array(z.string()).min(1), Force: z.boolean().optional() }), {
      needs: store.ruleNeed('RemoveTargets'),
      run(input, scope) {
        for (const id of input.Ids) store.ruleOf(scope, input.EventBusName, input.Rule).targets.delete(id);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    }),
    TestEventPattern: operation(z.strictObject({ EventPattern: z.string(), Event: z.string() }), {
      needs: () => [{ action: 'events:TestEventPattern', resource: '*' }],
      run: (input) => ({ Result: compilePattern(input.EventPattern)(parseEvent(input.Event)) }),
    }),
  };
}

const describe = (rule: Rule, bus: string): object => ({
  Name: rule.name,
  Arn: rule.arn,
  EventPattern: rule.pattern,
  State: rule.state,
  EventBusName: bus.split('/').at(-1),
  ...(rule.description === undefined ? {} : { Description: rule.description }),
});

function parseEvent(text: string): unknown {
  const required = ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type'];
  const event = z.looseObject(Object.fromEntries(required.map((name) => [name, z.unknown().refine((value) => value !== undefined)])));
  try {
    return event.parse(JSON.parse(text));
  } catch (cause) {
    throw Object.assign(new AwsError('ValidationException', `Parameter Event is not valid: it needs ${required.join(', ')}.`), { cause });
  }
}
