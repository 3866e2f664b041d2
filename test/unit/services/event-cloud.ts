/** A kernel with the services that carry events and run functions, IAM enforced, and functions written to a temporary folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { createClock } from '../../../local/core/clock.ts';
import { createKernel, type LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { createEventBridge } from '../../../local/services/eventbridge.ts';
import { createIam } from '../../../local/services/iam.ts';
import { createLambda, type LambdaService } from '../../../local/services/lambda.ts';
import { createLogs } from '../../../local/services/logs.ts';
import { createSqs } from '../../../local/services/sqs.ts';
import { createSts } from '../../../local/services/sts.ts';

export const account = '111122223333';
export const customer = '444455556666';
export const region = 'us-east-1';

/** What a function has printed with its console, without what Lambda's runtime puts in front. */
export const printed = (line: string): string => line.replace(/^\S+Z\t\S+\t[A-Z]+\t/, '');

export interface EventCloud {
  readonly kernel: LocalKernel;
  readonly root: Caller;
  readonly lambda: LambdaService;
  /** Lines meant for people: what the services complain about. */
  readonly reports: string[];
  /** Calls a service as the platform account's root. */
  call(service: string, operation: string, input?: object): Promise<Record<string, unknown>>;
  /** Puts a bundle where CDK would, for `Code: {S3Key: '{name}.zip'}`. */
  writeBundle(name: string, source: string): void;
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
}

export function startEventCloud(options: { concurrencyPerFunction?: number; tenantEnvironments?: number } = {}): EventCloud {
  const assetRoot = mkdtempSync(join(tmpdir(), 'cordon-bundles-'));
  const kernel = createKernel({ clock: createClock(), customerAccountIds: [customer] });
  const endpoint = (): string => 'http://127.0.0.1:4566';
  const reports: string[] = [];
  const report = (line: string): void => void reports.push(line);
  const sqs = createSqs(kernel, { endpoint });
  const lambda = createLambda(kernel, { assetRoot, endpoint, queues: sqs.view, onCrash: kernel.onCrash, report, ...options });
  for (const service of [createIam(kernel), createSts(kernel), createLogs(kernel), sqs, createEventBridge(kernel, { report }), lambda])
    kernel.register(service);
  const root = kernel.rootCaller(account);
  onTestFinished(async () => {
    await kernel.close();
    rmSync(assetRoot, { recursive: true });
  });
  return {
    kernel,
    root,
    lambda,
    reports,
    call: (service, operation, input = {}) => kernel.call(root, service, operation, input),
    writeBundle(name, source) {
      mkdirSync(join(assetRoot, `asset.${name}`));
      writeFileSync(join(assetRoot, `asset.${name}`, 'index.mjs'), source);
    },
    async until(condition) {
      const deadline = performance.now() + 10_000;
      while (!(await condition())) {
        if (performance.now() > deadline) throw new Error('what was waited for did not happen within 10 s');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

export const queueArn = (name: string): string => `arn:aws:sqs:${region}:${account}:${name}`;
export const queueUrl = (name: string): string => `http://127.0.0.1:4566/${account}/${name}`;

const received = z.array(
  z.object({
    MessageId: z.string(),
    ReceiptHandle: z.string(),
    Body: z.string(),
    MD5OfBody: z.string(),
    Attributes: z.record(z.string(), z.string()).default({}),
    MessageAttributes: z.record(z.string(), z.looseObject({ StringValue: z.string().optional() })).optional(),
    MD5OfMessageAttributes: z.string().optional(),
  }),
);
export type Received = z.output<typeof received>[number];

/** Messages of an answer of ReceiveMessage. */
export const messagesOf = (answer: Record<string, unknown>): readonly Received[] => received.parse(answer['Messages'] ?? []);

export async function receive(cloud: EventCloud, queue: string, input: object = {}): Promise<readonly Received[]> {
  return messagesOf(
    await cloud.call('sqs', 'ReceiveMessage', {
      QueueUrl: queueUrl(queue),
      MaxNumberOfMessages: 10,
      AttributeNames: ['All'],
      MessageAttributeNames: ['All'],
      ...input,
    }),
  );
}
