/**
 * CloudTrail, as far as EventBridge hears of it: an account that has a trail with its logging on gets an event for each management event of the services in
 * `cloudtrail-record.ts`. Without a trail there is none, as in AWS. Nothing is written to a bucket. Sources: CloudTrail API Reference; EventBridge User Guide, "AWS service
 * events delivered via AWS CloudTrail".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { LocalKernel, MadeCall } from '../core/kernel.ts';
import type { LocalService, Scope } from '../core/service.ts';
import { ownerOf, recordOf, sourceOf } from './cloudtrail-record.ts';
import type { ServiceEvents } from './eventbridge-service-events.ts';
import { operation } from './typed-operation.ts';

interface Trail {
  readonly arn: string;
  readonly name: string;
  readonly bucket: string;
  logging: boolean;
}

const onTrail = z.strictObject({ Name: z.string().min(3) });

export function createCloudTrail(kernel: LocalKernel, events: ServiceEvents): LocalService {
  /** By account. */
  const trails = new Map<string, Map<string, Trail>>();
  const arnOf = (scope: Scope, name: string): string =>
    name.startsWith('arn:') ? name : `arn:aws:cloudtrail:${kernel.region}:${scope.accountId}:trail/${name}`;
  const need = (action: string) => (input: { Name: string }, scope: Scope) => [
    { action: `cloudtrail:${action}`, resource: arnOf(scope, input.Name) },
  ];
  const trailOf = (scope: Scope, name: string): Trail => {
    const trail = trails.get(scope.accountId)?.get(arnOf(scope, name));
    if (trail === undefined) throw new AwsError('TrailNotFoundException', `Unknown trail: ${arnOf(scope, name)}`);
    return trail;
  };
  const isLogging = (accountId: string): boolean => [...(trails.get(accountId)?.values() ?? [])].some(({ logging }) => logging);

  const deliver = (accountId: string, call: MadeCall): void => {
    const source = sourceOf(call.service);
    if (source === undefined || !isLogging(accountId) || !events.wanted(accountId, source)) return;
    const record = recordOf(kernel, call, accountId);
    if (record === undefined) return;
    events.put(accountId, { source, detailType: 'AWS API Call via CloudTrail', detail: record, readOnly: record.readOnly });
  };
  // A call into another account is an event in both; one that was refused, in the caller's only.
  const hear = (call: MadeCall): void => {
    deliver(call.caller.accountId, call);
    const owner = ownerOf(call);
    if (owner !== undefined && owner !== call.caller.accountId && call.error === undefined) deliver(owner, call);
  };
  let stop: (() => void) | undefined;
  const listen = (): void => {
    const anyLogging = [...trails.keys()].some(isLogging);
    if (anyLogging) stop ??= kernel.onCall(hear);
    else {
      stop?.();
      stop = undefined;
    }
  };

  return {
    signingName: 'cloudtrail',
    protocol: 'json',
    targetPrefix: 'CloudTrail_20131101',
    close: async () => stop?.(),
    operations: {
      CreateTrail: operation(onTrail.extend({ S3BucketName: z.string().min(3), IsMultiRegionTrail: z.boolean().optional() }), {
        needs: need('CreateTrail'),
        run({ Name, S3BucketName }, scope) {
          const own = trails.get(scope.accountId) ?? new Map<string, Trail>();
          const arn = arnOf(scope, Name);
          if (own.has(arn)) throw new AwsError('TrailAlreadyExistsException', `Trail ${Name} already exists.`);
          trails.set(scope.accountId, own.set(arn, { arn, name: Name, bucket: S3BucketName, logging: false }));
          return { Name, S3BucketName, TrailARN: arn };
        },
      }),
      StartLogging: operation(onTrail, {
        needs: need('StartLogging'),
        run({ Name }, scope) {
          trailOf(scope, Name).logging = true;
          listen();
          return {};
        },
      }),
      StopLogging: operation(onTrail, {
        needs: need('StopLogging'),
        run({ Name }, scope) {
          trailOf(scope, Name).logging = false;
          listen();
          return {};
        },
      }),
      GetTrailStatus: operation(onTrail, {
        needs: need('GetTrailStatus'),
        run: ({ Name }, scope) => ({ IsLogging: trailOf(scope, Name).logging }),
      }),
    },
  };
}
