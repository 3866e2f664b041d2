/**
 * EventBridge: buses and their policies here, rules in `eventbridge-rules.ts`, `PutEvents` in `eventbridge-put-events.ts`, which event
 * matches in `eventbridge-pattern.ts`, how it reaches its targets in `eventbridge-delivery.ts`. Source: Amazon EventBridge API Reference; Service Authorization Reference, "Amazon EventBridge".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, LocalService } from '../core/service.ts';
import { createDeliveries } from './eventbridge-delivery.ts';
import { putEvents } from './eventbridge-put-events.ts';
import { ruleOperations } from './eventbridge-rules.ts';
import { type ServiceEvents, serviceEvents } from './eventbridge-service-events.ts';
import { type Bus, createEventStore } from './eventbridge-store.ts';
import { parseResourcePolicy } from './resource-policy.ts';
import { operation } from './typed-operation.ts';

const tags = z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional();
const onBus = z.strictObject({ EventBusName: z.string().min(1).default('default') });

export function createEventBridge(
  kernel: Kernel,
  options: { report?: (line: string) => void } = {},
): LocalService & { readonly serviceEvents: ServiceEvents } {
  const store = createEventStore(kernel.region);
  const { buses, busArn, busNeed, busOf, findBus } = store;
  const deliveries = createDeliveries(kernel, options.report ?? ((line) => process.stderr.write(`${line}\n`)));

  return {
    serviceEvents: serviceEvents(kernel, store, deliveries),
    signingName: 'events',
    protocol: 'json',
    targetPrefix: 'AWSEvents',
    deliversTwice: true,
    busy: () => deliveries.underWay > 0,
    close: async () => deliveries.close(),
    operations: {
      CreateEventBus: operation(
        z.strictObject({ Name: z.string().regex(/^[.\-_A-Za-z0-9]{1,256}$/), Description: z.string().optional(), Tags: tags }),
        {
          needs: (input, scope) => [busNeed('CreateEventBus', scope, input.Name)],
          run(input, scope) {
            if (findBus(scope, input.Name) !== undefined)
              throw new AwsError('ResourceAlreadyExistsException', `Event bus ${input.Name} already exists.`);
            const arn = busArn(scope.accountId, input.Name);
            buses.set(arn, { name: input.Name, arn, description: input.Description, rules: new Map() });
            return { EventBusArn: arn };
          },
        },
      ),
      DescribeEventBus: operation(z.strictObject({ Name: z.string().default('default') }), {
        needs: (input, scope) => [busNeed('DescribeEventBus', scope, input.Name)],
        run: (input, scope) => busSummary(busOf(scope, input.Name)),
      }),
      ListEventBuses: operation(z.strictObject({ NamePrefix: z.string().default(''), Limit: z.number().optional() }), {
        needs: () => [{ action: 'events:ListEventBuses', resource: '*' }],
        run: (input, scope) => ({
          EventBuses: [busOf(scope, 'default'), ...buses.values()]
            .filter(
              (bus, index, all) =>
                all.indexOf(bus) === index && bus.arn.split(':')[4] === scope.accountId && bus.name.startsWith(input.NamePrefix),
            )
            .map(busSummary),
        }),
      }),
      DeleteEventBus: operation(z.strictObject({ Name: z.string() }), {
        needs: (input, scope) => [busNeed('DeleteEventBus', scope, input.Name)],
        run(input, scope) {
          if (busOf(scope, input.Name).rules.size > 0) throw new AwsError('ValidationException', 'The event bus still has rules.');
          buses.delete(busArn(scope.accountId, input.Name));
          return {};
        },
      }),
      PutPermission: operation(
        onBus.extend({
          Policy: z.string().optional(),
          Action: z.literal('events:PutEvents').optional(),
          Principal: z.string().optional(),
          StatementId: z.string().optional(),
        }),
        {
          needs: (input, scope) => [busNeed('PutPermission', scope, input.EventBusName)],
          run(input, scope) {
            const bus = busOf(scope, input.EventBusName);
            const { Policy, Action, Principal, StatementId } = input;
            const text =
              Policy ??
              JSON.stringify({
                Version: '2012-10-17',
                Statement: [...statementsOf(bus).filter(({ Sid }) => Sid !== StatementId), grant(bus.arn, StatementId, Action, Principal)],
              });
            bus.policy = parseResourcePolicy(`event bus ${bus.name}`, text, 'ValidationException');
            return {};
          },
        },
      ),
      RemovePermission: operation(onBus.extend({ StatementId: z.string().optional(), RemoveAllPermissions: z.boolean().default(false) }), {
        needs: (input, scope) => [busNeed('RemovePermission', scope, input.EventBusName)],
        run(input, scope) {
          const bus = busOf(scope, input.EventBusName);
          const Statement = input.RemoveAllPermissions ? [] : statementsOf(bus).filter(({ Sid }) => Sid !== input.StatementId);
          if (!input.RemoveAllPermissions && Statement.length === statementsOf(bus).length)
            throw new AwsError('ResourceNotFoundException', 'Statement with the provided id does not exist.');
          if (Statement.length === 0) delete bus.policy;
          else bus.policy = { Version: '2012-10-17', Statement };
          return {};
        },
      }),
      ...ruleOperations(store),
      PutEvents: putEvents(kernel, store, deliveries),
    },
  };
}

const statementsOf = (bus: Bus) => [bus.policy?.Statement ?? []].flat();

function grant(arn: string, sid: string | undefined, action: string | undefined, principal: string | undefined): object {
  if (sid === undefined || action === undefined || principal === undefined)
    throw new AwsError('ValidationException', 'Either Policy, or StatementId, Action and Principal, must be given.');
  return {
    Sid: sid,
    Effect: 'Allow',
    Principal: principal === '*' ? '*' : { AWS: `arn:aws:iam::${principal}:root` },
    Action: action,
    Resource: arn,
  };
}

function busSummary(bus: Bus): object {
  return {
    Name: bus.name,
    Arn: bus.arn,
    ...(bus.description === undefined ? {} : { Description: bus.description }),
    ...(bus.policy === undefined ? {} : { Policy: JSON.stringify(bus.policy) }),
  };
}
