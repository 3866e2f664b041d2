/** `/models`, `/chat/completions`, `/responses` and `/embeddings` for project keys. Source: OpenAI API reference. */
import { unknownUrl } from './openai-admin.ts';
import { type ApiAnswer, type ApiRequest, OpenAiError } from './openai-answer.ts';
import { answerChat, answerEmbeddings, answerResponses, modelList } from './openai-like.ts';
import type { ApiKey } from './openai-organization.ts';

const models = ['gpt-5', 'gpt-5-mini', 'text-embedding-3-small'];

/** Answers a request made with a project key that is accepted. Throws OpenAiError (400, 403, 404). */
export function answerInference(key: Pick<ApiKey, 'scopes'>, request: ApiRequest, now: number): ApiAnswer {
  const created = Math.floor(now / 1000);
  const flavour = { models, created, streamUsage: 'asked' } as const;
  switch (`${request.method} ${request.segments.join('/')}`) {
    case 'GET models':
      requireScope(key, 'api.model.read');
      return modelList(models, created, 'openai');
    case 'POST chat/completions':
      requireScope(key, 'model.request');
      return answerChat(request.body, flavour);
    case 'POST responses':
      requireScope(key, 'model.request');
      return answerResponses(request.body, flavour);
    case 'POST embeddings':
      requireScope(key, 'model.request');
      return answerEmbeddings(request.body, flavour);
  }
  const [collection, id, ...rest] = request.segments;
  if (request.method === 'GET' && collection === 'models' && id !== undefined && rest.length === 0) {
    requireScope(key, 'api.model.read');
    if (models.includes(id)) return { status: 200, json: { id, object: 'model', created, owned_by: 'openai' } };
    throw new OpenAiError(404, 'model_not_found', `The model '${id}' does not exist or you do not have access to it.`, { param: 'model' });
  }
  throw unknownUrl(request);
}

/** A key without scopes may do everything its service account may. */
function requireScope(key: Pick<ApiKey, 'scopes'>, scope: string): void {
  if (key.scopes !== undefined && !key.scopes.includes(scope)) {
    throw new OpenAiError(403, null, `You have insufficient permissions for this operation. Missing scopes: ${scope}.`);
  }
}
