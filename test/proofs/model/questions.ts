/** Every question there is. */
import { chainQuestions, mintingQuestions, strangerQuestions, targetQuestions, trustedQuestions } from './chains.ts';
import { isolationQuestions, tenantlessQuestions } from './isolation.ts';
import type { Question } from './question.ts';
import type { Stack } from './stack.ts';
import { standingQuestions } from './standing.ts';

export const questionsOf = {
  sessions: (stack: Stack): Question[] => [...tenantlessQuestions(stack), ...isolationQuestions(stack)],
  chains: (stack: Stack): Question[] => [
    ...targetQuestions(stack),
    ...trustedQuestions(stack),
    ...strangerQuestions(stack),
    ...mintingQuestions(stack),
    ...chainQuestions(stack),
  ],
  standing: standingQuestions,
} as const;

/** The long list of chains comes last. */
export const everyQuestion = (stack: Stack): Question[] => [
  ...questionsOf.sessions(stack),
  ...standingQuestions(stack),
  ...questionsOf.chains(stack),
];

/** By property, in the order they are asked. */
export function byProperty(questions: readonly Question[]): Map<string, Question[]> {
  const sorted = new Map<string, Question[]>();
  for (const question of questions) sorted.set(question.ask.property, [...(sorted.get(question.ask.property) ?? []), question]);
  return sorted;
}
