import { type Answer, eventsAnswer, jsonAnswer } from './deliver.ts';
import type { ApiAnswer } from './openai-answer.ts';

/** What the routes give, as it is sent. */
export function asAnswer(answer: ApiAnswer): Answer {
  return 'json' in answer ? jsonAnswer(answer.status, answer.json, answer.headers) : eventsAnswer(answer.events);
}
