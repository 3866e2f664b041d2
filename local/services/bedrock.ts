/**
 * IAM's part of the Bedrock runtime: decides and journals an invocation in the caller's own account. What a model answers comes from the
 * simulator, which asks here first; Converse and ConverseStream need the same permissions. Source: Amazon Bedrock API Reference, InvokeModel,
 * InvokeModelWithResponseStream, Converse, ConverseStream.
 */
import { z } from 'zod';
import type { LocalService, Operation } from '../core/service.ts';
import { invocationNeeds } from './bedrock-models.ts';
import { operation } from './typed-operation.ts';

const invocation = z.strictObject({ modelId: z.string().min(1).max(2048) });

export function createBedrock(): LocalService {
  return {
    signingName: 'bedrock',
    protocol: 'rest-json',
    everyRegion: true,
    operations: { InvokeModel: decided('InvokeModel'), InvokeModelWithResponseStream: decided('InvokeModelWithResponseStream') },
  };
}

function decided(name: 'InvokeModel' | 'InvokeModelWithResponseStream'): Operation {
  return operation(invocation, {
    needs: ({ modelId }, scope) =>
      invocationNeeds({ action: `bedrock:${name}`, modelId, accountId: scope.caller.accountId, region: scope.region }),
    run: () => ({}),
  });
}
