/**
 * IAM's part of the Bedrock runtime: decides and journals an invocation in the caller's own account. What a model answers comes from the
 * simulator, which asks here first; Converse and ConverseStream need the same permissions. Source: Amazon Bedrock API Reference, InvokeModel,
 * InvokeModelWithResponseStream, Converse, ConverseStream.
 */
import { z } from 'zod';
import type { LocalService, Operation } from '../core/service.ts';
import { invocationNeeds } from './bedrock-models.ts';
import { operation } from './typed-operation.ts';

/** A condition key that comes with a call made with an API key. */
export const bearerTokenType = 'bedrock:BearerTokenType';
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
    needs({ modelId }, scope) {
      const needs = invocationNeeds({ action: `bedrock:${name}`, modelId, accountId: scope.caller.accountId, region: scope.region });
      // An API key needs one permission more than a signature ("Control permissions for generating and using Amazon Bedrock API keys").
      const withKey = scope.caller.context?.[bearerTokenType] !== undefined;
      return withKey ? [{ action: 'bedrock:CallWithBearerToken', resource: '*' }, ...needs] : needs;
    },
    run: () => ({}),
  });
}
